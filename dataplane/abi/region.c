#include "dataplane/abi/region.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "build_id.h"

#define HUGETLBFS_MAGIC_NUMBER 0x958458f6
#define HUGE_PAGE_BYTES        (2ull << 20)
#define SMALL_PAGE_BYTES       4096ull

static uint64_t mix(uint64_t hash, uint64_t value)
{
    for (uint32_t i = 0; i < 8; i++)
        hash = (hash ^ ((value >> (8 * i)) & 0xff)) * 0x100000001b3ull;
    return hash;
}

uint64_t gn_abi_layout_hash(void)
{
    const uint64_t facts[] = {
        GN_ABI_VERSION,
        sizeof(struct gn_rec),
        sizeof(struct gn_ring),
        offsetof(struct gn_ring, head),
        offsetof(struct gn_ring, tail),
        sizeof(struct gn_conf),
        offsetof(struct gn_conf, feed),
        offsetof(struct gn_conf, journal),
        offsetof(struct gn_conf, risk),
        offsetof(struct gn_conf, limits),
        sizeof(struct gn_control),
        offsetof(struct gn_control, records),
        sizeof(struct gn_commands),
        offsetof(struct gn_command, answered),
        offsetof(struct gn_control, report),
        offsetof(struct gn_control, lcore),
        sizeof(struct gn_limits),
        sizeof(struct gn_limits_instrument),
        GN_INSTRUMENT_LIMIT_COUNT,
        sizeof(struct gn_limits_scope),
        GN_SCOPE_LIMIT_COUNT,
        GN_SCOPE_ROWS,
        sizeof(struct gn_risk),
        sizeof(struct gn_risk_scope),
        sizeof(struct gn_risk_instrument),
        sizeof(struct gn_order),
        sizeof(struct gn_order_table),
        sizeof(struct gn_position),
        sizeof(struct gn_session_row),
        sizeof(struct gn_recon),
        sizeof(struct gn_break),
        sizeof(struct gn_fill),
        sizeof(struct gn_instrument),
        sizeof(struct gn_instruments),
        sizeof(struct gn_tob),
        sizeof(struct gn_book_row),
        sizeof(struct gn_lcore_metrics),
        GN_VERDICT_COUNT,
        sizeof(struct gn_metrics_dir),
        sizeof(struct gn_client_block),
        sizeof(struct gn_md),
        sizeof(struct gn_intent),
        sizeof(struct gn_exec),
        sizeof(struct gn_region_hdr),
    };
    uint64_t hash = 0xcbf29ce484222325ull;
    for (uint32_t i = 0; i < GN_ARRAY_LEN(facts); i++)
        hash = mix(hash, facts[i]);
    return hash;
}

void gn_region_plan_init(struct gn_region_plan *p, uint32_t kind, const struct gn_conf *c, uint64_t epoch)
{
    memset(p, 0, sizeof *p);
    p->kind = kind;
    p->epoch = epoch;
    memcpy(p->config_sha256, c->config_sha256, sizeof p->config_sha256);
    memcpy(p->instance, c->instance, sizeof p->instance);
    p->bytes = gn_align_up(sizeof(struct gn_region_hdr), GN_GUARD);
}

bool gn_region_plan_add(struct gn_region_plan *p, uint32_t section, uint64_t bytes)
{
    if (section >= GN_REGION_SECTIONS_MAX || p->section[section].bytes != 0 || bytes == 0 || bytes > 1ull << 40)
        return false;
    p->section[section].offset = p->bytes;
    p->section[section].bytes = bytes;
    p->bytes = gn_align_up(p->bytes + bytes, GN_GUARD);
    return true;
}

static int fail(char *err, const char *path, const char *what)
{
    snprintf(err, GN_REGION_ERR_LEN, "%s: %s: %s", path, what, strerror(errno));
    return -1;
}

static bool on_hugetlbfs(int fd)
{
    struct statfs fs;
    return fstatfs(fd, &fs) == 0 && fs.f_type == HUGETLBFS_MAGIC_NUMBER;
}

static int map_fd(int fd, const char *path, uint64_t bytes, bool writable, struct gn_region *out, char *err)
{
    int prot = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    void *mem = mmap(NULL, bytes, prot, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (mem == MAP_FAILED)
        return fail(err, path, "cannot map; are there enough hugepages or memory?");
    out->hdr = mem;
    out->mapped = bytes;
    return 0;
}

static int create_file(const char *path, uint64_t want, struct gn_region *out, char *err)
{
    char tmp[GN_PATH_MAX + 8];
    if (snprintf(tmp, sizeof tmp, "%s.new", path) >= (int)sizeof tmp) {
        errno = ENAMETOOLONG;
        return fail(err, path, "cannot make the region");
    }
    unlink(tmp);
    int fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(err, tmp, "cannot make the file");
    out->huge = on_hugetlbfs(fd);
    uint64_t bytes = gn_align_up(want, out->huge ? HUGE_PAGE_BYTES : SMALL_PAGE_BYTES);
    int rc = ftruncate(fd, (off_t)bytes) == 0 ? map_fd(fd, tmp, bytes, true, out, err)
                                              : fail(err, tmp, "cannot size the file");
    close(fd);
    if (rc == 0 && rename(tmp, path) != 0) {
        rc = fail(err, path, "cannot put the region in its place");
        munmap(out->hdr, out->mapped);
    }
    if (rc != 0)
        unlink(tmp);
    return rc;
}

int gn_region_create(const char *path, const struct gn_region_plan *p, struct gn_region *out,
                     char err[GN_REGION_ERR_LEN])
{
    memset(out, 0, sizeof *out);
    if (create_file(path, p->bytes, out, err) != 0) {
        out->hdr = NULL;
        return -1;
    }
    memset(out->hdr, 0, out->mapped);   /* pre-fault: no page is met for the first time while trading */
    (void)mlock(out->hdr, out->mapped); /* hugetlbfs is never swapped; unprivileged runs may lack the right */
    struct gn_region_hdr *h = out->hdr;
    h->abi_version = GN_ABI_VERSION;
    h->kind = p->kind;
    h->layout_hash = gn_abi_layout_hash();
    h->bytes = out->mapped;
    h->epoch = p->epoch;
    snprintf(h->build_id, sizeof h->build_id, "%s", GN_BUILD_ID);
    memcpy(h->config_sha256, p->config_sha256, sizeof h->config_sha256);
    memcpy(h->instance, p->instance, sizeof h->instance);
    memcpy(h->section, p->section, sizeof h->section);
    return 0;
}

void gn_region_seal(struct gn_region *r)
{
    /* pairs with the acquire load in check_header: whoever sees the magic sees the sections */
    atomic_store_explicit(&r->hdr->magic, GN_REGION_MAGIC, memory_order_release);
}

static int check_sections(const struct gn_region_hdr *h, uint64_t size, const char *path, char *err)
{
    for (uint32_t i = 0; i < GN_REGION_SECTIONS_MAX; i++) {
        const struct gn_region_section *s = &h->section[i];
        if (s->bytes == 0)
            continue;
        if (s->offset % GN_GUARD != 0 || s->offset < sizeof *h || s->offset > size || s->bytes > size - s->offset) {
            snprintf(err, GN_REGION_ERR_LEN, "%s: section %u (%llu bytes at %llu) lies outside the file of %llu bytes",
                     path, i, (unsigned long long)s->bytes, (unsigned long long)s->offset, (unsigned long long)size);
            return -1;
        }
    }
    return 0;
}

static int check_header(const struct gn_region_hdr *h, uint64_t size, uint32_t kind, const uint8_t *config_sha256,
                        const char *path, char *err)
{
    uint64_t magic = atomic_load_explicit(&h->magic, memory_order_acquire);
    if (magic != GN_REGION_MAGIC)
        return snprintf(err, GN_REGION_ERR_LEN,
                        "%s: no Gannet region (magic %016llx, expected %016llx); its maker may have died while making "
                        "it: start the control plane again",
                        path, (unsigned long long)magic, (unsigned long long)GN_REGION_MAGIC),
               -1;
    if (h->abi_version != GN_ABI_VERSION)
        return snprintf(err, GN_REGION_ERR_LEN,
                        "%s: ABI version %u, this program speaks %u; stop the older side and start both from one build",
                        path, h->abi_version, GN_ABI_VERSION),
               -1;
    if (h->layout_hash != gn_abi_layout_hash())
        return snprintf(err, GN_REGION_ERR_LEN,
                        "%s: layout hash %016llx (build %.31s), this program has %016llx (build %s); start both from "
                        "one build",
                        path, (unsigned long long)h->layout_hash, h->build_id, (unsigned long long)gn_abi_layout_hash(),
                        GN_BUILD_ID),
               -1;
    if (h->kind != kind)
        return snprintf(err, GN_REGION_ERR_LEN,
                        "%s: region kind %u, expected %u (1 plane, 2 observe, 3 client, 4 private)", path, h->kind,
                        kind),
               -1;
    if (h->bytes != size)
        return snprintf(err, GN_REGION_ERR_LEN, "%s: file has %llu bytes, its header says %llu", path,
                        (unsigned long long)size, (unsigned long long)h->bytes),
               -1;
    if (config_sha256 != NULL && memcmp(h->config_sha256, config_sha256, 32) != 0)
        return snprintf(err, GN_REGION_ERR_LEN,
                        "%s: made from a configuration with SHA-256 %02x%02x%02x%02x..., this one has "
                        "%02x%02x%02x%02x...; stop both processes and remove the file to start with the new one",
                        path, h->config_sha256[0], h->config_sha256[1], h->config_sha256[2], h->config_sha256[3],
                        config_sha256[0], config_sha256[1], config_sha256[2], config_sha256[3]),
               -1;
    return check_sections(h, size, path, err);
}

int gn_region_attach(const char *path, uint32_t kind, bool writable, const uint8_t *config_sha256,
                     struct gn_region *out, char err[GN_REGION_ERR_LEN])
{
    struct stat st;
    memset(out, 0, sizeof *out);
    int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (fd < 0)
        return fail(err, path, "cannot open the region; is the control plane running?");
    out->huge = on_hugetlbfs(fd);
    if (fstat(fd, &st) != 0 || (uint64_t)st.st_size < sizeof(struct gn_region_hdr)) {
        snprintf(err, GN_REGION_ERR_LEN, "%s: too short for a region", path);
        close(fd);
        return -1;
    }
    int rc = map_fd(fd, path, (uint64_t)st.st_size, writable, out, err);
    close(fd);
    if (rc == 0 && check_header(out->hdr, (uint64_t)st.st_size, kind, config_sha256, path, err) != 0) {
        gn_region_detach(out);
        rc = -1;
    }
    return rc;
}

void gn_region_detach(struct gn_region *r)
{
    if (r->hdr != NULL)
        munmap(r->hdr, r->mapped);
    r->hdr = NULL;
}

bool gn_region_path(const struct gn_conf *c, const char *what, char *out, size_t size)
{
    const char *dir = c->huge_dir[0] != 0 ? c->huge_dir : c->run_dir;
    int n = snprintf(out, size, "%s/gannet-%s-%s", dir, c->instance, what);
    return n > 0 && (size_t)n < size;
}

bool gn_region_plan_plane(struct gn_region_plan *p, const struct gn_conf *c, uint64_t epoch)
{
    gn_region_plan_init(p, GN_REGION_PLANE, c, epoch);
    bool ok = gn_region_plan_add(p, GN_SECTION_CONF, sizeof *c) &&
              gn_region_plan_add(p, GN_SECTION_CONTROL, sizeof(struct gn_control) + 8ull * c->max_instruments) &&
              gn_region_plan_add(p, GN_SECTION_LIMITS, gn_limits_footprint(c->max_instruments)) &&
              gn_region_plan_add(p, GN_SECTION_ORDERS, gn_orders_footprint(c->max_orders)) &&
              gn_region_plan_add(p, GN_SECTION_POSITIONS, sizeof(struct gn_position) * (uint64_t)c->max_instruments) &&
              gn_region_plan_add(p, GN_SECTION_RISK, gn_risk_footprint(c->max_instruments)) &&
              gn_region_plan_add(p, GN_SECTION_SESSIONS, sizeof(struct gn_session_row) * GN_SESSIONS_MAX) &&
              gn_region_plan_add(p, GN_SECTION_METRICS, sizeof(struct gn_lcore_metrics) * GN_LCORES_MAX) &&
              gn_region_plan_add(p, GN_SECTION_METRICS_DIR, sizeof(struct gn_metrics_dir)) &&
              gn_region_plan_add(p, GN_SECTION_NET_COUNTERS, 64 * 1024) &&
              gn_region_plan_add(p, GN_SECTION_COMMANDS, sizeof(struct gn_commands)) &&
              gn_region_plan_add(p, GN_SECTION_RECON, sizeof(struct gn_recon)) &&
              gn_region_plan_add(p, GN_SECTION_RECON_DC, sizeof(struct gn_recon)) &&
              gn_region_plan_add(p, GN_SECTION_FILLS, gn_fills_footprint(c->max_orders));
    for (uint32_t i = 0; ok && i <= c->n_lcores; i++)
        ok = gn_region_plan_add(p, GN_SECTION_EVENT_RING + i, gn_ring_footprint(c->journal.ring_cells));
    return ok;
}

bool gn_region_plan_observe(struct gn_region_plan *p, const struct gn_conf *c, uint64_t epoch)
{
    gn_region_plan_init(p, GN_REGION_OBSERVE, c, epoch);
    return gn_region_plan_add(p, GN_SECTION_INSTRUMENTS,
                              sizeof(struct gn_instruments) +
                                  sizeof(struct gn_instrument) * (uint64_t)c->max_instruments) &&
           gn_region_plan_add(p, GN_SECTION_TOB, sizeof(struct gn_tob) * (uint64_t)c->max_instruments) &&
           gn_region_plan_add(p, GN_SECTION_BOOK_ROWS, sizeof(struct gn_book_row) * (uint64_t)c->max_instruments);
}

bool gn_region_plan_client(struct gn_region_plan *p, const struct gn_conf *c, uint64_t epoch)
{
    gn_region_plan_init(p, GN_REGION_CLIENT, c, epoch);
    return gn_region_plan_add(p, GN_SECTION_CLIENT, gn_client_footprint(c->client_ring_cells));
}
