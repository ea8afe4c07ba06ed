/* Region files: a round trip, and a refusal for each thing that can be wrong with one, naming both sides. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/abi/region.h"
#include "tests/gn_test.h"

static char dir[64], path[128];
static struct gn_conf conf;

static void make_conf(void)
{
    memset(&conf, 0, sizeof conf);
    snprintf(conf.instance, sizeof conf.instance, "t");
    snprintf(conf.run_dir, sizeof conf.run_dir, "%s", dir);
    conf.n_lcores = 2;
    conf.max_instruments = 16;
    conf.max_orders = 64;
    conf.client_ring_cells = 256;
    conf.journal.ring_cells = 256;
    memset(conf.config_sha256, 0xab, sizeof conf.config_sha256);
}

static struct gn_region create(void)
{
    struct gn_region_plan plan;
    struct gn_region r;
    char err[GN_REGION_ERR_LEN] = "";
    CU_ASSERT_TRUE_FATAL(gn_region_plan_plane(&plan, &conf, 41));
    CU_ASSERT_EQUAL_FATAL(gn_region_create(path, &plan, &r, err), 0);
    return r;
}

static bool attach(uint32_t kind, bool writable, struct gn_region *r, char *err)
{
    err[0] = 0;
    return gn_region_attach(path, kind, writable, conf.config_sha256, r, err) == 0;
}

static void round_trip(void)
{
    char err[GN_REGION_ERR_LEN];
    struct gn_region a = create(), b;
    CU_ASSERT_FALSE(attach(GN_REGION_PLANE, true, &b, err)); /* not sealed: its maker may be dead */
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "magic 0000000000000000"));
    CU_ASSERT_PTR_NULL(b.hdr);
    memcpy(gn_region_at(&a, GN_SECTION_CONF), &conf, sizeof conf);
    gn_region_seal(&a);
    CU_ASSERT_TRUE_FATAL(attach(GN_REGION_PLANE, true, &b, err));
    CU_ASSERT_EQUAL(memcmp(gn_region_at(&b, GN_SECTION_CONF), &conf, sizeof conf), 0);
    CU_ASSERT_EQUAL(b.hdr->epoch, 41);
    CU_ASSERT_STRING_EQUAL(b.hdr->instance, "t");
    CU_ASSERT_PTR_NULL(gn_region_at(&b, GN_SECTION_BOOKS));
    CU_ASSERT_FALSE(b.huge); /* ordinary pages do */
    struct gn_control *c = gn_region_at(&a, GN_SECTION_CONTROL);
    gn_kill_raise(&c->kill_all, GN_LADDER_KILLED, GN_KILL_BY_OPERATOR);
    struct gn_control *seen = gn_region_at(&b, GN_SECTION_CONTROL);
    CU_ASSERT_EQUAL(gn_kill_level(atomic_load(&seen->kill_all)), GN_LADDER_KILLED);
    gn_region_detach(&b);
    CU_ASSERT_TRUE(gn_region_attach(path, GN_REGION_PLANE, false, NULL, &b, err) == 0); /* any configuration */
    gn_region_detach(&b);
    CU_ASSERT_PTR_NULL(b.hdr);
    gn_region_detach(&b); /* harmless */
    gn_region_detach(&a);
}

static void sections_are_disjoint_and_aligned(void)
{
    struct gn_region_plan plans[3];
    CU_ASSERT_TRUE_FATAL(gn_region_plan_plane(&plans[0], &conf, 1));
    CU_ASSERT_TRUE_FATAL(gn_region_plan_observe(&plans[1], &conf, 1));
    CU_ASSERT_TRUE_FATAL(gn_region_plan_client(&plans[2], &conf, 1));
    for (int k = 0; k < 3; k++)
        for (uint32_t i = 0; i < GN_REGION_SECTIONS_MAX; i++) {
            const struct gn_region_section *a = &plans[k].section[i];
            if (a->bytes == 0)
                continue;
            CU_ASSERT_EQUAL(a->offset % GN_GUARD, 0);
            CU_ASSERT_TRUE(a->offset >= sizeof(struct gn_region_hdr) && a->offset + a->bytes <= plans[k].bytes);
            for (uint32_t j = 0; j < i; j++) {
                const struct gn_region_section *b = &plans[k].section[j];
                CU_ASSERT_TRUE(b->bytes == 0 || a->offset >= b->offset + b->bytes || b->offset >= a->offset + a->bytes);
            }
        }
    CU_ASSERT_NOT_EQUAL(plans[0].section[GN_SECTION_EVENT_RING + 2].bytes, 0);
    CU_ASSERT_EQUAL(plans[0].section[GN_SECTION_EVENT_RING + 3].bytes, 0);
    CU_ASSERT_FALSE(gn_region_plan_add(&plans[0], GN_SECTION_CONF, 64)); /* taken */
    CU_ASSERT_FALSE(gn_region_plan_add(&plans[0], GN_REGION_SECTIONS_MAX, 64));
    CU_ASSERT_FALSE(gn_region_plan_add(&plans[0], GN_SECTION_BOOKS, 0));
    CU_ASSERT_FALSE(gn_region_plan_add(&plans[0], GN_SECTION_BOOKS, (1ull << 40) + 1));
}

struct wrong {
    const char *what;
    size_t offset;
    uint8_t bytes;
    uint64_t value;
    const char *theirs, *ours; /* both must be in the sentence */
};

static void every_wrong_field_is_named(void)
{
    char theirs_hash[32], ours_hash[32], size[32];
    snprintf(theirs_hash, sizeof theirs_hash, "%016llx", 0x1234ull);
    snprintf(ours_hash, sizeof ours_hash, "%016llx", (unsigned long long)gn_abi_layout_hash());
    struct gn_region r = create();
    gn_region_seal(&r);
    snprintf(size, sizeof size, "%llu", (unsigned long long)r.mapped);
    const struct wrong rows[] = {
        {"magic", offsetof(struct gn_region_hdr, magic), 8, 7, "0000000000000007", "74656e6e61472121"},
        {"ABI version", offsetof(struct gn_region_hdr, abi_version), 4, 99, "version 99", "speaks 1"},
        {"layout hash", offsetof(struct gn_region_hdr, layout_hash), 8, 0x1234, theirs_hash, ours_hash},
        {"kind", offsetof(struct gn_region_hdr, kind), 4, 2, "kind 2", "expected 1"},
        {"bytes", offsetof(struct gn_region_hdr, bytes), 8, 4096, size, "4096"},
        {"config", offsetof(struct gn_region_hdr, config_sha256), 4, 0x04030201, "01020304", "abababab"},
    };
    for (size_t i = 0; i < GN_ARRAY_LEN(rows); i++) {
        char err[GN_REGION_ERR_LEN];
        struct gn_region b;
        uint8_t was[8];
        uint8_t *at = (uint8_t *)r.hdr + rows[i].offset;
        memcpy(was, at, rows[i].bytes);
        memcpy(at, &rows[i].value, rows[i].bytes);
        CU_ASSERT_FALSE(attach(GN_REGION_PLANE, true, &b, err));
        CU_ASSERT_PTR_NULL(b.hdr);
        if (strstr(err, rows[i].theirs) == NULL || strstr(err, rows[i].ours) == NULL || strstr(err, path) == NULL) {
            printf("%s: %s\n", rows[i].what, err);
            CU_FAIL("the sentence does not name both sides and the file");
        }
        memcpy(at, was, rows[i].bytes);
        CU_ASSERT_TRUE(attach(GN_REGION_PLANE, true, &b, err));
        gn_region_detach(&b);
    }
    gn_region_detach(&r);
}

static void sections_outside_the_file_are_refused(void)
{
    struct gn_region r = create();
    gn_region_seal(&r);
    const uint64_t size = r.mapped;
    const struct gn_region_section bad[] = {
        {size, 128},        {size - 128, 129},   {size + 128, 1},           {UINT64_MAX - 127, 256},
        {1024, UINT64_MAX}, {1024, size - 1023}, {0, 128 /* the header */}, {1025, 64},
        {128, 64},
    };
    for (size_t i = 0; i < GN_ARRAY_LEN(bad); i++) {
        char err[GN_REGION_ERR_LEN];
        struct gn_region b;
        struct gn_region_section was = r.hdr->section[GN_SECTION_LIMITS];
        r.hdr->section[GN_SECTION_LIMITS] = bad[i];
        CU_ASSERT_FALSE(attach(GN_REGION_PLANE, true, &b, err));
        CU_ASSERT_PTR_NOT_NULL(strstr(err, "section 3"));
        r.hdr->section[GN_SECTION_LIMITS] = was;
    }
    gn_region_detach(&r);
}

static void truncated_files_are_refused(void)
{
    char err[GN_REGION_ERR_LEN];
    struct gn_region r = create(), b;
    off_t full = (off_t)r.mapped;
    gn_region_seal(&r);
    gn_region_detach(&r); /* nobody may touch pages that are cut off */
    static const off_t sizes[] = {0, 1, sizeof(struct gn_region_hdr) - 1, sizeof(struct gn_region_hdr), 4096};
    for (size_t i = 0; i < GN_ARRAY_LEN(sizes); i++) {
        CU_ASSERT_EQUAL_FATAL(truncate(path, sizes[GN_ARRAY_LEN(sizes) - 1 - i]), 0);
        CU_ASSERT_FALSE(attach(GN_REGION_PLANE, true, &b, err));
        CU_ASSERT_TRUE(strstr(err, "too short") != NULL || strstr(err, "its header says") != NULL);
    }
    CU_ASSERT_EQUAL_FATAL(truncate(path, full), 0);
    CU_ASSERT_FALSE(attach(GN_REGION_PLANE, true, &b, err)); /* zeroes now */
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "no Gannet region"));
    unlink(path);
    CU_ASSERT_FALSE(attach(GN_REGION_PLANE, true, &b, err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "cannot open"));
    CU_ASSERT_EQUAL(gn_region_attach(dir, GN_REGION_PLANE, false, NULL, &b, err), -1);
}

/* Creating never writes through a link; attaching follows those that the control plane keeps in the run directory. */
static void creating_does_not_follow_links(void)
{
    char err[GN_REGION_ERR_LEN], victim[160], tmp[160];
    struct stat st;
    snprintf(victim, sizeof victim, "%s/victim", dir);
    snprintf(tmp, sizeof tmp, "%s.new", path);
    int fd = open(victim, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    CU_ASSERT_TRUE_FATAL(fd >= 0 && write(fd, "precious", 8) == 8);
    close(fd);
    unlink(path);
    CU_ASSERT_EQUAL_FATAL(symlink(victim, path), 0);
    CU_ASSERT_EQUAL_FATAL(symlink(victim, tmp), 0);
    struct gn_region r = create(), b;
    gn_region_seal(&r);
    CU_ASSERT_TRUE(stat(victim, &st) == 0 && st.st_size == 8);
    CU_ASSERT_TRUE(lstat(path, &st) == 0 && S_ISREG(st.st_mode));
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
    CU_ASSERT_EQUAL_FATAL(rename(path, victim), 0);
    CU_ASSERT_EQUAL_FATAL(symlink(victim, path), 0);
    CU_ASSERT_TRUE_FATAL(attach(GN_REGION_PLANE, true, &b, err));
    gn_region_detach(&b);
    gn_region_detach(&r);
    unlink(path);
    unlink(victim);
}

/* Whoever has the old file mapped keeps it; the new one is another. */
static void creating_again_replaces(void)
{
    char err[GN_REGION_ERR_LEN];
    struct gn_region a = create(), b;
    gn_region_seal(&a);
    struct gn_region c = create();
    CU_ASSERT_FALSE(attach(GN_REGION_PLANE, true, &b, err)); /* the new one is not sealed yet */
    CU_ASSERT_EQUAL(atomic_load(&a.hdr->magic), GN_REGION_MAGIC);
    gn_region_seal(&c);
    CU_ASSERT_TRUE(attach(GN_REGION_PLANE, true, &b, err));
    gn_region_detach(&a);
    gn_region_detach(&b);
    gn_region_detach(&c);
}

static void a_directory_that_is_not_there_is_named(void)
{
    char err[GN_REGION_ERR_LEN] = "";
    struct gn_region_plan plan;
    struct gn_region r;
    CU_ASSERT_TRUE_FATAL(gn_region_plan_plane(&plan, &conf, 1));
    CU_ASSERT_EQUAL(gn_region_create("/nowhere/at/all", &plan, &r, err), -1);
    CU_ASSERT_PTR_NULL(r.hdr);
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "/nowhere/at/all"));
    char out[16];
    CU_ASSERT_FALSE(gn_region_path(&conf, "plane", out, sizeof out));
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"round trip", round_trip},
        {"sections are disjoint and aligned", sections_are_disjoint_and_aligned},
        {"every wrong field is named", every_wrong_field_is_named},
        {"sections outside the file are refused", sections_outside_the_file_are_refused},
        {"truncated files are refused", truncated_files_are_refused},
        {"creating does not follow links", creating_does_not_follow_links},
        {"creating again replaces", creating_again_replaces},
        {"a directory that is not there is named", a_directory_that_is_not_there_is_named},
        CU_TEST_INFO_NULL,
    };
    snprintf(dir, sizeof dir, "/tmp/gannet-region-XXXXXX");
    if (mkdtemp(dir) == NULL)
        return EXIT_FAILURE;
    make_conf();
    snprintf(path, sizeof path, "%s/gannet-t-plane", dir);
    int rc = gn_test_run("region", tests);
    unlink(path);
    rmdir(dir);
    return rc;
}
