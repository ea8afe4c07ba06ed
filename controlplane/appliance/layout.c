#include "controlplane/appliance/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static bool say(char *err, const char *path, const char *what)
{
    snprintf(err, GN_APPLIANCE_ERR_LEN, "%s: %s: %s", path, what, strerror(errno));
    return false;
}

/* The epoch is part of every order id, so it must never come again: it is kept beside the journal, and is durable
 * before a region uses it. */
static bool next_epoch(const char *dir, uint64_t *epoch, char *err)
{
    char path[GN_PATH_MAX + 16], tmp[GN_PATH_MAX + 24], text[32] = "";
    snprintf(path, sizeof path, "%s/epoch", dir);
    snprintf(tmp, sizeof tmp, "%s.new", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t n = read(fd, text, sizeof text - 1);
        close(fd);
        char *end;
        uint64_t was = strtoull(text, &end, 10);
        if (n <= 0 || (*end != '\n' && *end != 0) || was == 0) {
            snprintf(err, GN_APPLIANCE_ERR_LEN,
                     "%s: found \"%.20s\", expected a number; order ids could be used twice: restore it from a backup",
                     path, text);
            return false;
        }
        *epoch = was + 1;
    } else if (errno == ENOENT) {
        *epoch = 1;
    } else {
        return say(err, path, "cannot read the epoch");
    }
    int len = snprintf(text, sizeof text, "%" PRIu64 "\n", *epoch);
    fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0)
        return say(err, tmp, "cannot write the epoch");
    bool ok = write(fd, text, (size_t)len) == len && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    ok = ok && rename(tmp, path) == 0;
    int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ok = ok && dirfd >= 0 && fsync(dirfd) == 0;
    if (dirfd >= 0)
        close(dirfd);
    return ok || say(err, path, "cannot make the epoch durable");
}

static void fill_instruments(struct gn_appliance *a)
{
    const struct gn_conf *c = &a->loaded.conf;
    struct gn_instruments *t = gn_region_at(&a->observe, GN_SECTION_INSTRUMENTS);
    for (uint32_t i = 0; i < c->n_instruments; i++) {
        const struct gn_conf_instrument *from = &a->loaded.instruments[i];
        struct gn_instrument *k = &t->row[i];
        memcpy(k->symbol, from->symbol, sizeof k->symbol);
        k->price_exp = from->price_exp;
        k->strategy = from->strategy;
        k->tick = from->tick;
        k->lot = from->lot;
        k->configured = 1;
    }
    t->capacity = c->max_instruments;
    t->configured = c->n_instruments;
    atomic_store_explicit(&t->count, c->n_instruments, memory_order_release);
}

static void fill_limits(struct gn_appliance *a)
{
    const struct gn_conf *c = &a->loaded.conf;
    struct gn_limits *l = gn_region_at(&a->plane, GN_SECTION_LIMITS);
    l->rows = c->max_instruments;
    memcpy(gn_limits_scope_row(l, 1, 0), c->limits, sizeof c->limits);
    for (uint32_t i = 0; i < c->n_instruments; i++)
        *gn_limits_row(l, 1, i) = a->loaded.instrument_limits[i];
    gn_limits_publish(l); /* generation 1; readers start at 0 and so take it over */
}

/* What the gate sums and compares; it lives as long as the region. */
static bool fill_risk(struct gn_appliance *a, char *err)
{
    const struct gn_conf *c = &a->loaded.conf;
    struct gn_risk *r = gn_region_at(&a->plane, GN_SECTION_RISK);
    gn_risk_new(r, c->max_instruments);
    for (uint32_t i = 0; i < c->n_instruments; i++)
        if (!gn_risk_describe(r, i, c, &a->loaded.instruments[i])) {
            snprintf(
                err, GN_APPLIANCE_ERR_LEN,
                "instrument %.8s: multiplier, fx_ppm and price_exp together are beyond what money can be counted in",
                a->loaded.instruments[i].symbol);
            return false;
        }
    return true;
}

static bool make_plane(struct gn_appliance *a, const char *path, uint64_t epoch, char *err)
{
    struct gn_region_plan plan;
    const struct gn_conf *c = &a->loaded.conf;
    if (!gn_region_plan_plane(&plan, c, epoch)) {
        snprintf(err, GN_APPLIANCE_ERR_LEN, "the configured table sizes make no valid plane file");
        return false;
    }
    if (gn_region_create(path, &plan, &a->plane, err) != 0)
        return false;
    memcpy(gn_region_at(&a->plane, GN_SECTION_CONF), c, sizeof *c);
    fill_limits(a);
    if (!fill_risk(a, err))
        return false;
    for (uint32_t i = 0; i <= c->n_lcores; i++)
        if (gn_ring_new(gn_region_at(&a->plane, GN_SECTION_EVENT_RING + i), c->journal.ring_cells, i) != GN_RING_OK) {
            snprintf(err, GN_APPLIANCE_ERR_LEN, "journal.ring_cells: %u is not a power of two within the limits",
                     c->journal.ring_cells);
            return false;
        }
    return true;
}

static bool make_client(struct gn_appliance *a, uint32_t i, const char *path, uint64_t epoch, char *err)
{
    struct gn_region_plan plan;
    const struct gn_conf *c = &a->loaded.conf;
    if (!gn_region_plan_client(&plan, c, epoch)) {
        snprintf(err, GN_APPLIANCE_ERR_LEN, "tables.client_ring_cells: %u makes no valid client file",
                 c->client_ring_cells);
        return false;
    }
    if (gn_region_create(path, &plan, &a->client[i], err) != 0)
        return false;
    struct gn_client_block *b = gn_region_at(&a->client[i], GN_SECTION_CLIENT);
    b->ring_bytes = gn_align_up(gn_ring_footprint(c->client_ring_cells), GN_GUARD);
    b->index = i;
    for (uint32_t k = 0; k < c->n_strategies; k++)
        if (c->strategy[k].client == i)
            b->strategy = k;
    if (gn_ring_new(gn_client_intents(b), c->client_ring_cells, 0) != GN_RING_OK ||
        gn_ring_new(gn_client_reports(b, b->ring_bytes), c->client_ring_cells, 0) != GN_RING_OK)
        return false;
    gn_region_seal(&a->client[i]);
    return true;
}

static bool client_path(const struct gn_conf *c, uint32_t i, char *out, size_t size)
{
    char what[GN_NAME_MAX + 8];
    snprintf(what, sizeof what, "client-%s", c->client[i]);
    return gn_region_path(c, what, out, size);
}

static bool make_all(struct gn_appliance *a, const char *plane, const char *observe, char *err)
{
    uint64_t epoch;
    char path[2 * GN_PATH_MAX];
    struct gn_region_plan plan;
    const struct gn_conf *c = &a->loaded.conf;
    if (!next_epoch(c->journal.dir, &epoch, err))
        return false;
    if (!gn_region_plan_observe(&plan, c, epoch) || gn_region_create(observe, &plan, &a->observe, err) != 0)
        return false;
    fill_instruments(a);
    for (uint32_t i = 0; i < c->n_clients; i++)
        if (!client_path(c, i, path, sizeof path) || !make_client(a, i, path, epoch, err))
            return false;
    if (!make_plane(a, plane, epoch, err))
        return false;
    gn_region_seal(&a->observe);
    gn_region_seal(&a->plane); /* last: whoever sees the plane finds the rest */
    return true;
}

/* A file that its client ruined is made anew; the data plane takes the new one when it starts next. */
static bool join_client(struct gn_appliance *a, uint32_t i, char *err)
{
    char path[2 * GN_PATH_MAX];
    if (!client_path(&a->loaded.conf, i, path, sizeof path))
        return false;
    if (gn_region_attach(path, GN_REGION_CLIENT, true, a->loaded.conf.config_sha256, &a->client[i], err) == 0)
        return true;
    fprintf(stderr, "gannet-controlplane: client file made anew: %s\n", err);
    return make_client(a, i, path, a->plane.hdr->epoch, err);
}

static bool join_all(struct gn_appliance *a, const char *plane, const char *observe, char *err)
{
    const struct gn_conf *c = &a->loaded.conf;
    if (gn_region_attach(plane, GN_REGION_PLANE, true, c->config_sha256, &a->plane, err) != 0 ||
        gn_region_attach(observe, GN_REGION_OBSERVE, true, c->config_sha256, &a->observe, err) != 0)
        return false;
    for (uint32_t i = 0; i < c->n_clients; i++)
        if (!join_client(a, i, err))
            return false;
    a->joined = true;
    return true;
}

/* A plane whose maker died before it sealed it was never anybody's: no data plane attaches it. */
static bool is_sealed(const char *plane)
{
    uint64_t magic = 0;
    int fd = open(plane, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    void *head = mmap(NULL, sizeof(struct gn_region_hdr), PROT_READ, MAP_SHARED, fd, 0);
    if (head != MAP_FAILED) {
        memcpy(&magic, head, sizeof magic);
        munmap(head, sizeof(struct gn_region_hdr));
    }
    close(fd);
    return magic != 0;
}

static bool held_by_dataplane(const char *plane)
{
    char why[GN_REGION_ERR_LEN];
    struct gn_region r;
    if (gn_region_attach(plane, GN_REGION_PLANE, false, NULL, &r, why) != 0)
        return false;
    bool alive = gn_appliance_dataplane_alive(gn_region_at(&r, GN_SECTION_CONTROL));
    gn_region_detach(&r);
    return alive;
}

static bool make_link(const struct gn_conf *c, const char *name, const char *target, char *err)
{
    char link[GN_PATH_MAX + GN_NAME_MAX + 16];
    snprintf(link, sizeof link, "%s/%s", c->run_dir, name);
    unlink(link);
    return symlink(target, link) == 0 || say(err, link, "cannot make the link to the shared file");
}

/* Names in the run directory that need nothing of the config: gannetctl finds the plane when nobody answers on the
 * admin socket, a client finds best prices and its own file without the plane. */
static bool make_links(const struct gn_conf *c, const char *plane, const char *observe, char *err)
{
    char name[GN_NAME_MAX + 8], path[2 * GN_PATH_MAX];
    for (uint32_t i = 0; i < c->n_clients; i++) {
        snprintf(name, sizeof name, "client-%s", c->client[i]);
        if (!client_path(c, i, path, sizeof path) || !make_link(c, name, path, err))
            return false;
    }
    return make_link(c, "observe", observe, err) && make_link(c, "plane", plane, err);
}

bool gn_layout_open(struct gn_appliance *a, bool fresh, char err[GN_APPLIANCE_ERR_LEN])
{
    char plane[2 * GN_PATH_MAX], observe[2 * GN_PATH_MAX];
    const struct gn_conf *c = &a->loaded.conf;
    if (!gn_region_path(c, "plane", plane, sizeof plane) || !gn_region_path(c, "observe", observe, sizeof observe)) {
        snprintf(err, GN_APPLIANCE_ERR_LEN, "run_dir or huge_dir is too long");
        return false;
    }
    if (fresh && held_by_dataplane(plane)) {
        snprintf(err, GN_APPLIANCE_ERR_LEN, "%s: a data plane runs on it; stop it before starting --fresh", plane);
        return false;
    }
    bool there = access(plane, F_OK) == 0 && is_sealed(plane);
    if (there && !fresh ? !join_all(a, plane, observe, err) : !make_all(a, plane, observe, err))
        return false;
    return make_links(c, plane, observe, err);
}
