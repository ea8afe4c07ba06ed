#include "controlplane/appliance/appliance.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "build_id.h"
#include "controlplane/appliance/layout.h"

#define NS_PER_MS 1000000l

uint64_t gn_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

bool gn_appliance_dataplane_alive(const struct gn_control *c)
{
    uint32_t pid = atomic_load_explicit(&c->dataplane.pid, memory_order_relaxed);
    uint32_t state = atomic_load_explicit(&c->dataplane.state, memory_order_acquire);
    bool running = state == GN_STATE_STARTING || state == GN_STATE_RUNNING || state == GN_STATE_STOPPING;
    return running && pid != 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

/* ---- records ---- */

struct gn_rec *gn_appliance_event(struct gn_appliance *a, uint16_t type, uint32_t payload)
{
    struct gn_rec *rec = gn_ring_reserve(a->events, type, (uint32_t)sizeof *rec + payload);
    if (rec == NULL) {
        fprintf(stderr, "gannet-controlplane: its own event ring is full: the journal does not keep up\n");
        return NULL;
    }
    rec->time_ns = gn_now_ns();
    rec->corr = GN_CORR_OWN | rec->seq;
    memset(rec + 1, 0, payload);
    return rec;
}

void gn_appliance_publish(struct gn_appliance *a)
{
    gn_ring_publish(a->events);
}

void gn_appliance_say(struct gn_appliance *a, const char *text)
{
    struct gn_rec *rec = gn_appliance_event(a, GN_EV_LIFECYCLE, sizeof(struct gn_ev_lifecycle));
    if (rec == NULL)
        return;
    struct gn_ev_lifecycle *ev = (struct gn_ev_lifecycle *)(rec + 1);
    ev->process = GN_PROCESS_CONTROLPLANE;
    ev->pid = (uint32_t)getpid();
    ev->epoch = a->plane.hdr->epoch;
    snprintf(ev->text, sizeof ev->text, "%s", text);
    gn_appliance_publish(a);
}

void gn_appliance_alert(struct gn_appliance *a, uint32_t code, uint32_t severity, const char *text)
{
    gn_appliance_alert_at(a, code, severity, gn_now_ns(), text);
}

void gn_appliance_alert_at(struct gn_appliance *a, uint32_t code, uint32_t severity, uint64_t event_ns,
                           const char *text)
{
    text = gn_alerts_add(&a->alerts, code, severity, event_ns, gn_now_ns(), text)->text;
    fprintf(stderr, "gannet-controlplane: alert %u, severity %u: %s\n", code, severity, text);
    struct gn_rec *rec = gn_appliance_event(a, GN_EV_ALERT, sizeof(struct gn_ev_alert));
    if (rec == NULL)
        return;
    struct gn_ev_alert *ev = (struct gn_ev_alert *)(rec + 1);
    ev->code = code;
    ev->severity = severity;
    snprintf(ev->text, sizeof ev->text, "%.*s", (int)sizeof ev->text - 1, text);
    gn_appliance_publish(a);
}

/* ---- open ---- */

static bool load_config(struct gn_appliance *a, const char *path, char *err)
{
    static struct gn_conf_errors errors;
    int rc = gn_conf_load(path, &a->loaded, &errors);
    gn_conf_errors_print(&errors, stderr);
    if (rc == GN_CONF_OK)
        return true;
    snprintf(err, GN_APPLIANCE_ERR_LEN, "%s: %s", path, gn_conf_strerror(rc));
    return false;
}

static bool make_dir(const char *path, char *err)
{
    char part[GN_PATH_MAX];
    for (size_t i = 1; i <= strlen(path) && i < sizeof part; i++) {
        if (path[i] != '/' && path[i] != 0)
            continue;
        memcpy(part, path, i);
        part[i] = 0;
        if (mkdir(part, 0750) != 0 && errno != EEXIST) {
            snprintf(err, GN_APPLIANCE_ERR_LEN, "%s: cannot make this directory: %s", part, strerror(errno));
            return false;
        }
    }
    return true;
}

/* Without journal.key: in run_dir, for who can rewrite the journal must not find the key beside it. One that an earlier
 * version made in the journal's folder goes on, so that its signatures stay one chain; the caller says so. */
static void key_path(const struct gn_conf *c, char *path, size_t size)
{
    if (c->journal.key[0] != 0) {
        snprintf(path, size, "%s", c->journal.key);
        return;
    }
    snprintf(path, size, "%s/journal.key", c->journal.dir);
    if (access(path, F_OK) != 0)
        snprintf(path, size, "%s/journal.key", c->run_dir);
}

static bool open_journal(struct gn_appliance *a, char *err)
{
    struct gn_ring *rings[1 + GN_LCORES_MAX];
    uint32_t n = 1 + a->conf->n_lcores;
    for (uint32_t i = 0; i < n; i++) {
        rings[i] = gn_region_at(&a->plane, GN_SECTION_EVENT_RING + i);
        uint64_t room = a->plane.hdr->section[GN_SECTION_EVENT_RING + i].bytes;
        int rc = rings[i] == NULL ? GN_RING_ERR_MAGIC : gn_ring_check(rings[i], room);
        if (rc != GN_RING_OK) {
            snprintf(err, GN_APPLIANCE_ERR_LEN, "event ring %u of the plane file: %s; it cannot be journaled from", i,
                     gn_ring_strerror(rc));
            return false;
        }
    }
    char path[GN_PATH_MAX + 16];
    key_path(a->conf, path, sizeof path);
    a->key_beside = strncmp(path, a->conf->journal.dir, strlen(a->conf->journal.dir)) == 0 &&
                    path[strlen(a->conf->journal.dir)] == '/';
    a->key = gn_journal_key_load(path, err, GN_APPLIANCE_ERR_LEN);
    if (a->key == NULL)
        return false;
    struct gn_journal_conf jc = {
        .dir = a->conf->journal.dir,
        .instance = a->conf->instance,
        .build_id = GN_BUILD_ID,
        .appliance_epoch = a->plane.hdr->epoch,
        .rings_id = a->plane.hdr->epoch,
        .segment_bytes = a->conf->journal.segment_mib << 20,
        .segments_ahead = a->conf->journal.segments_ahead,
        .key = a->key,
        .checkpoint_ms = a->conf->journal.checkpoint_ms,
        .index_sealed = true,
        .eager = a->conf->journal.mode == GN_JOURNAL_SYNC,
    };
    memcpy(jc.config_sha256, a->conf->config_sha256, sizeof jc.config_sha256);
    return gn_journal_open(&a->journal, &jc, rings, n, err, GN_APPLIANCE_ERR_LEN) == GN_JOURNAL_OK;
}

/* One control plane at a time: whoever holds the lock may touch the region and the journal. Held for life. */
static bool take_lock(const char *run_dir, char *err)
{
    char path[GN_PATH_MAX + 24];
    snprintf(path, sizeof path, "%s/controlplane.lock", run_dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    snprintf(err, GN_APPLIANCE_ERR_LEN, "%s: %s", path,
             fd >= 0 ? "another control plane runs in this run_dir; stop it first" : strerror(errno));
    return false;
}

static bool open_authority(struct gn_appliance *a, char *err)
{
    uint8_t boot[16];
    if (getrandom(boot, sizeof boot, 0) != (ssize_t)sizeof boot) {
        snprintf(err, GN_APPLIANCE_ERR_LEN, "the kernel gives no random bytes: %s", strerror(errno));
        return false;
    }
    gn_authority_open(&a->authority, &a->loaded.people, a->loaded.conf.instance, boot);
    return true;
}

/* What waited for a second person when an earlier life ended, and every signature made for it, counts no more. */
static void say_voided(struct gn_appliance *a)
{
    struct gn_rec *rec = gn_appliance_event(a, GN_EV_AUTHORITY, sizeof(struct gn_ev_authority));
    if (rec == NULL)
        return;
    struct gn_ev_authority *ev = (struct gn_ev_authority *)(rec + 1);
    ev->what = GN_AUTHORITY_VOIDED;
    ev->pid = (uint32_t)getpid();
    ev->uid = getuid();
    snprintf(ev->person, sizeof ev->person, "controlplane");
    snprintf(ev->why, sizeof ev->why, "requests and signatures of earlier lives are void");
    gn_appliance_publish(a);
}

bool gn_appliance_open(struct gn_appliance *a, const char *config_path, bool fresh, char err[GN_APPLIANCE_ERR_LEN])
{
    memset(a, 0, sizeof *a);
    snprintf(a->config_path, sizeof a->config_path, "%s", config_path);
    if (!load_config(a, config_path, err) || !make_dir(a->loaded.conf.run_dir, err) ||
        !make_dir(a->loaded.conf.journal.dir, err) || !take_lock(a->loaded.conf.run_dir, err))
        return false;
    if (!gn_layout_open(a, fresh, err))
        return false;
    a->conf = &a->loaded.conf; /* not the region's, which the data plane can write: it bounds arrays of ours */
    a->control = gn_region_at(&a->plane, GN_SECTION_CONTROL);
    a->limits = gn_region_at(&a->plane, GN_SECTION_LIMITS);
    a->instruments = gn_region_at(&a->observe, GN_SECTION_INSTRUMENTS);
    a->hands.commands = gn_region_at(&a->plane, GN_SECTION_COMMANDS);
    a->events = gn_region_at(&a->plane, GN_SECTION_EVENT_RING);
    if (gn_ring_join_producer(a->events) != GN_RING_OK) {
        snprintf(err, GN_APPLIANCE_ERR_LEN, "the control plane's event ring is damaged");
        return false;
    }
    return open_authority(a, err) && open_journal(a, err);
}

/* ---- while it runs ---- */

void gn_appliance_pause_ms(uint32_t ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * NS_PER_MS};
    nanosleep(&t, NULL);
}

bool gn_appliance_new_password(struct gn_appliance *a, uint32_t session, char err[GN_APPLIANCE_ERR_LEN])
{
    static struct gn_conf_errors errors;
    static struct gn_conf_loaded again;
    int rc = gn_conf_load(a->config_path, &again, &errors);
    if (rc != GN_CONF_OK) {
        snprintf(err, GN_APPLIANCE_ERR_LEN, "%.200s: %s", a->config_path, gn_conf_strerror(rc));
        gn_conf_errors_print(&errors, stderr);
        return false;
    }
    struct gn_conf *region = gn_region_at(&a->plane, GN_SECTION_CONF);
    bool same = memcmp(again.conf.config_sha256, a->conf->config_sha256, sizeof again.conf.config_sha256) == 0;
    if (same) /* the lcore reads it when it is told to, which is after this */
        memcpy(region->session[session].password, again.conf.session[session].password,
               sizeof region->session[session].password);
    else
        snprintf(err, GN_APPLIANCE_ERR_LEN, "%.200s is not the file that the region was made with any more",
                 a->config_path);
    gn_conf_free(&again);
    return same;
}

/* ---- heartbeat ---- */

/* Apart from everything that may wait: only this thread proves to the data plane that somebody is in control. */
static void *beat(void *arg)
{
    struct gn_appliance *a = arg;
    struct timespec period = {a->conf->heartbeat_period_ms / 1000, a->conf->heartbeat_period_ms % 1000 * NS_PER_MS};
    struct gn_journal_status st;
    while (atomic_load_explicit(&a->beat_stop, memory_order_acquire) == 0) {
        gn_journal_status(a->journal, &st);
        if (st.failed != 0)
            /* release: pairs with the acquire in the orders stage */
            atomic_store_explicit(&a->control->journal_failed, (uint64_t)-st.failed, memory_order_release);
        atomic_store_explicit(&a->control->controlplane.time_ns, gn_now_ns(), memory_order_relaxed);
        atomic_fetch_add_explicit(&a->control->controlplane.count, 1, memory_order_relaxed);
        nanosleep(&period, NULL);
    }
    return NULL;
}

bool gn_appliance_start(struct gn_appliance *a, char err[GN_APPLIANCE_ERR_LEN])
{
    atomic_store_explicit(&a->control->journal_failed, 0, memory_order_release);
    atomic_store_explicit(&a->control->controlplane.pid, (uint32_t)getpid(), memory_order_relaxed);
    atomic_store_explicit(&a->control->controlplane.state, GN_STATE_RUNNING, memory_order_release);
    int rc = gn_journal_thread_start(a->journal);
    if (rc != GN_JOURNAL_OK) {
        snprintf(err, GN_APPLIANCE_ERR_LEN, "the journal's threads do not start (error %d)", rc);
        return false;
    }
    if (pthread_create(&a->beat_thread, NULL, beat, a) != 0) {
        snprintf(err, GN_APPLIANCE_ERR_LEN, "the heartbeat thread does not start");
        return false;
    }
    gn_appliance_say(a, a->joined ? "control plane joined the region" : "control plane made the region");
    say_voided(a);
    return true;
}

int gn_appliance_close(struct gn_appliance *a)
{
    gn_appliance_say(a, "control plane stops");
    atomic_store_explicit(&a->control->controlplane.state, GN_STATE_STOPPING, memory_order_release);
    int rc = gn_journal_close(a->journal, gn_now_ns());
    gn_journal_key_free(a->key);
    gn_authority_close(&a->authority);
    atomic_store_explicit(&a->beat_stop, 1, memory_order_release);
    pthread_join(a->beat_thread, NULL);
    atomic_store_explicit(&a->control->controlplane.state, GN_STATE_STOPPED, memory_order_release);
    for (uint32_t i = 0; i < GN_CLIENTS_MAX; i++)
        gn_region_detach(&a->client[i]);
    gn_region_detach(&a->observe);
    gn_region_detach(&a->plane);
    gn_conf_free(&a->loaded);
    return rc;
}
