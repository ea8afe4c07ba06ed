#include "tests/unit/controlplane/fixture.h"

#include <dirent.h>
#include <unistd.h>

#include "controlplane/journal/sign.h"

static const char yaml[] =
    "instance: unit\n"
    "mode: mock\n"
    "run_dir: %s\n"
    "hugepages: false\n"
    "cores: { main: 0, allow_shared_core: true, lcores: [{ core: 0, stages: [feed, strategy, orders] }] }\n"
    "ports:\n"
    "  - { name: p, kind: memif, device: /tmp/none.sock, ip: 10.0.1.2/24 }\n"
    "feed: { line_a: { port: p, group: 239.1.1.1, udp_port: 30001 } }\n"
    "sessions:\n"
    "  - { name: oe1, port: p, remote: 10.0.1.1:40123, local_port: 41000, username: GANNET, password_env: "
    "GANNET_UNIT,\n"
    "      firm: GNNT }\n"
    "strategies: [{ name: mm, kind: maker, session: oe1, instruments: all, params: { qty: 7, edge_ticks: 2 } }]\n"
    "instruments:\n"
    "  defaults: { price_exp: -4, tick: 100, lot: 1, limits: { tradable: true, max_qty: 1000, max_value: 1000000000,\n"
    "    collar: 500bps, max_position: 5000, max_open_orders: 10 } }\n"
    "  list: [AA, BB]\n"
    "limits: { max_open_orders: 100, message_rate: 1000/s, message_burst: 100, cancel_reserve: 20 }\n"
    "tables: { max_instruments: 16, max_orders: 64, book_orders: 1024, book_levels: 1024 }\n"
    "journal: { dir: %s/journal, segment: 3MiB, segments_ahead: 1, ring_cells: 4096 }\n"
    "heartbeat: { period: 5ms, stale: 20ms, cancel: 40ms }\n"
    "%s";

static void start(struct fixture *f)
{
    static char err[GN_APPLIANCE_ERR_LEN];
    char path[96];
    snprintf(path, sizeof path, "%s/unit.yaml", f->dir);
    if (!gn_appliance_open(&f->a, path, false, err) || (gn_triggers_open(&f->triggers, &f->a), false) ||
        !gn_appliance_start(&f->a, err)) {
        fprintf(stderr, "%s\n", err);
        abort();
    }
}

struct fixture *fixture_open(const char *more)
{
    char path[96];
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->dir, sizeof f->dir, "/tmp/gannet-unit-XXXXXX");
    if (mkdtemp(f->dir) == NULL)
        abort();
    setenv("GANNET_UNIT", "unit", 1);
    snprintf(path, sizeof path, "%s/unit.yaml", f->dir);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        abort();
    fprintf(file, yaml, f->dir, f->dir, more != NULL ? more : "authority: { single_person: true }\n");
    fclose(file);
    start(f);
    return f;
}

static void remove_tree(const char *dir)
{
    DIR *d = opendir(dir);
    char path[512];
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (unlink(path) != 0)
            remove_tree(path);
    }
    if (d != NULL)
        closedir(d);
    rmdir(dir);
}

/* The run directory's lock is for the life of the process: the next life takes it from the descriptor that is given up.
 */
static void give_up_lock(const struct fixture *f)
{
    char want[96], link[64], path[256];
    snprintf(want, sizeof want, "%s/controlplane.lock", f->dir);
    for (int fd = 3; fd < 64; fd++) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, path, sizeof path - 1);
        path[n > 0 ? n : 0] = 0;
        if (strcmp(path, want) == 0)
            close(fd);
    }
}

void fixture_again(struct fixture *f)
{
    (void)gn_appliance_close(&f->a);
    give_up_lock(f);
    start(f);
}

void fixture_close(struct fixture *f)
{
    (void)gn_appliance_close(&f->a);
    give_up_lock(f);
    remove_tree(f->dir);
    free(f);
}

static struct gn_journal_key *key_of(const char *person)
{
    uint8_t seed[32];
    memset(seed, person[0], sizeof seed);
    return gn_journal_key_from_seed(seed);
}

const char *fixture_people(void)
{
    static char out[1024];
    static const char *const who[][2] = {{"anna", "risk"}, {"bert", "risk, trader"}, {"carl", "trader, operator"}};
    size_t n = (size_t)snprintf(out, sizeof out, "authority: { pending: 1s }\npeople:\n");
    for (size_t i = 0; i < GN_ARRAY_LEN(who); i++) {
        char hex[65];
        struct gn_journal_key *k = key_of(who[i][0]);
        gn_hex(gn_journal_key_public(k), 32, hex);
        n += (size_t)snprintf(out + n, sizeof out - n, "  - { name: %s, key: \"%s\", role: [%s] }\n", who[i][0], hex,
                              who[i][1]);
        gn_journal_key_free(k);
    }
    return out;
}

static json_t *answer(struct fixture *f, json_t *request)
{
    struct gn_peer peer = {.uid = getuid(), .pid = (uint32_t)getpid()};
    json_t *reply = gn_admin_answer(&f->a, request, &peer);
    json_decref(request);
    return reply;
}

json_t *fixture_ask(struct fixture *f, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    json_t *request = json_vpack_ex(NULL, 0, fmt, args);
    va_end(args);
    return answer(f, request);
}

json_t *fixture_sign(struct fixture *f, const char *person, json_t *request)
{
    char text[GN_AUTHORITY_TEXT_MAX + 512];
    struct gn_proof p = {.at_ns = gn_now_ns()};
    json_t *c = fixture_ask(f, "{s:s, s:s}", "cmd", "challenge", "person", person);
    snprintf(p.boot, sizeof p.boot, "%s", gn_admin_text(c, "boot", ""));
    snprintf(p.person, sizeof p.person, "%s", person);
    p.serial = (uint64_t)json_integer_value(json_object_get(c, "serial"));
    json_decref(c);
    char *bare = gn_proof_request(request);
    size_t len = gn_proof_text(&p, "unit", bare, text);
    struct gn_journal_key *k = key_of(person);
    CU_ASSERT_TRUE(gn_journal_sign(k, text, len, p.sig));
    gn_journal_key_free(k);
    free(bare);
    json_object_set_new(request, "auth", gn_proof_pack(&p));
    return answer(f, request);
}

bool fixture_ok(json_t *reply)
{
    bool ok = json_is_true(json_object_get(reply, "ok"));
    if (!ok)
        printf("    %s\n", gn_admin_text(reply, "error", "no error"));
    json_decref(reply);
    return ok;
}

const char *fixture_error(json_t *reply)
{
    static char out[512];
    snprintf(out, sizeof out, "%s", gn_admin_text(reply, "error", ""));
    json_decref(reply);
    return out;
}
