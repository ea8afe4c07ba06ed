#include "controlplane/golive/golive.h"

#include <dirent.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <time.h>

#include "build_id.h"
#include "controlplane/authority/proof.h"
#include "controlplane/journal/sign.h"
#include "controlplane/kill/clock_watch.h"
#include "controlplane/kill/triggers.h"

#define SAY(...)  ((void)snprintf(found, GN_GOLIVE_TEXT, __VA_ARGS__))
#define NS_PER_MS 1000000ull

/* Drills whose records must be there, good and fresh. */
static const char *const drills[] = {"kill_under_load", "kill_triggers",    "control_plane_killed", "data_plane_killed",
                                     "stale_feed",      "venue_disconnect", "flatten_all",          "two_persons"};

static bool look_mode(struct gn_appliance *a, char found[GN_GOLIVE_TEXT])
{
    for (uint32_t i = 0; i < a->conf->n_sessions; i++)
        if (a->loaded.duties.environment[i] != GN_ENV_PRODUCTION) {
            SAY("session %s is not of the environment production", a->conf->session[i].name);
            return false;
        }
    SAY("mode %s, %u sessions of the environment production", a->conf->mode == GN_MODE_LIVE ? "live" : "not live",
        a->conf->n_sessions);
    return a->conf->mode == GN_MODE_LIVE;
}

static bool look_people(struct gn_appliance *a, char found[GN_GOLIVE_TEXT])
{
    SAY("%u people, %s", a->loaded.people.n, a->loaded.people.single_person != 0 ? "one suffices" : "two are needed");
    return a->loaded.people.single_person == 0 && a->loaded.people.n >= 2;
}

static bool look_limits(struct gn_appliance *a, char found[GN_GOLIVE_TEXT])
{
    uint64_t now = gn_limits_current(a->limits);
    uint32_t open = 0;
    for (uint32_t i = 0; i < a->conf->n_instruments; i++) {
        const struct gn_limits_instrument *l = gn_limits_row(a->limits, now, i);
        const uint64_t need = 1ull << GN_LIMIT_MAX_QTY | 1ull << GN_LIMIT_MAX_VALUE | 1ull << GN_LIMIT_COLLAR_BPS |
                              1ull << GN_LIMIT_MAX_POSITION | 1ull << GN_LIMIT_MAX_OPEN_ORDERS;
        open += l->tradable != 0 && (l->set & need) != need;
    }
    SAY("%u of %u instruments are tradable without every limit", open, a->conf->n_instruments);
    return open == 0 && a->conf->n_instruments != 0;
}

static bool look_clock(struct gn_appliance *a, char found[GN_GOLIVE_TEXT])
{
    struct gn_clock_table clock = gn_clock_table_this();
    struct gn_clock_sync s = clock.sync(clock.user);
    SAY("%s, error up to %llu us, %u allowed", s.synchronised ? "synchronised" : "not synchronised",
        (unsigned long long)s.max_error_us, a->loaded.duties.clock_max_error_us);
    return s.synchronised && s.max_error_us <= a->loaded.duties.clock_max_error_us;
}

static bool look_journal(struct gn_appliance *a, char found[GN_GOLIVE_TEXT])
{
    struct gn_journal_status st;
    struct statfs fs;
    gn_journal_status(a->journal, &st);
    bool disk = statfs(a->conf->journal.dir, &fs) == 0 && fs.f_type != TMPFS_MAGIC;
    SAY("%s%s%s",
        st.failed != 0 ? "failed"
        : st.slow      ? "not ready: "
                       : "ready",
        st.slow ? st.slow_why : "", disk ? "" : ", not on a disk");
    return st.failed == 0 && !st.slow && disk && !a->key_beside;
}

static bool look_processes(struct gn_appliance *a, char found[GN_GOLIVE_TEXT])
{
    bool alive = gn_appliance_dataplane_alive(a->control);
    SAY("the data plane %s", alive ? "runs" : "does not run");
    return alive && atomic_load_explicit(&a->control->dataplane.state, memory_order_acquire) == GN_STATE_RUNNING;
}

static bool look_sessions(struct gn_appliance *a, char found[GN_GOLIVE_TEXT])
{
    const struct gn_session_row *rows = gn_region_at(&a->plane, GN_SECTION_SESSIONS);
    uint32_t up = 0;
    for (uint32_t i = 0; i < a->conf->n_sessions; i++)
        up += atomic_load_explicit(&rows[i].state, memory_order_relaxed) == GN_SESSION_UP;
    SAY("%u of %u are up and reconciled", up, a->conf->n_sessions);
    return up == a->conf->n_sessions;
}

static bool look_feed(struct gn_appliance *a, char found[GN_GOLIVE_TEXT])
{
    bool stale = atomic_load_explicit(&a->instruments->stale, memory_order_relaxed) != 0;
    SAY("%s", stale ? "a gap is open" : "no gap is open");
    return !stale;
}

static bool look_breaks(struct gn_appliance *a, char found[GN_GOLIVE_TEXT])
{
    gn_reconcile_look(a, gn_now_ns());
    SAY("%u breaks open, %u positions differ from their fills", a->reconcile.open_total, a->reconcile.positions_differ);
    return a->reconcile.open_total == 0 && a->reconcile.positions_differ == 0;
}

static bool look_key(struct gn_appliance *a, char found[GN_GOLIVE_TEXT])
{
    char path[GN_PATH_MAX + sizeof GN_KEY_FILE];
    bool there = gn_triggers_key(a->conf->run_dir, path, sizeof path);
    SAY("%s", there ? "a key file lies there" : "none");
    return !there;
}

/* ---- drills ---- */

static bool same_text(const json_t *o, const char *key, const char *want)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s != NULL && strcmp(s, want) == 0;
}

static bool record_counts(const json_t *r, const char *name, uint64_t now_ns, uint64_t age_ms)
{
    struct tm t = {0};
    const char *started = json_string_value(json_object_get(r, "started"));
    if (started == NULL || !same_text(r, "drill", name) || !same_text(r, "build", GN_BUILD_ID) ||
        !json_is_true(json_object_get(r, "ok")) || strptime(started, "%Y-%m-%dT%H:%M:%SZ", &t) == NULL)
        return false;
    uint64_t at_ns = (uint64_t)timegm(&t) * 1000000000ull;
    return at_ns <= now_ns && now_ns - at_ns <= age_ms * NS_PER_MS;
}

/* Whether some file of the folder has a record of the drill that counts; each file is a list of records. */
static bool drill_fresh(struct gn_appliance *a, DIR *dir, const char *name)
{
    char path[2 * GN_PATH_MAX + 256];
    bool good = false;
    rewinddir(dir);
    for (const struct dirent *e; !good && (e = readdir(dir)) != NULL;) {
        size_t len = strlen(e->d_name), i;
        const json_t *r;
        if (len < 5 || strcmp(e->d_name + len - 5, ".json") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", a->loaded.duties.drills, e->d_name);
        json_t *list = json_load_file(path, 0, NULL);
        json_array_foreach(list, i, r) good |= record_counts(r, name, gn_now_ns(), a->loaded.duties.drill_age_ms);
        json_decref(list);
    }
    return good;
}

static bool look_drills(struct gn_appliance *a, char found[GN_GOLIVE_TEXT])
{
    DIR *dir = a->loaded.duties.drills[0] == 0 ? NULL : opendir(a->loaded.duties.drills);
    if (dir == NULL) {
        SAY("golive.drills: %s", a->loaded.duties.drills[0] == 0 ? "not set" : "cannot be read");
        return false;
    }
    size_t n = 0;
    for (size_t i = 0; i < GN_ARRAY_LEN(drills); i++) {
        bool good = drill_fresh(a, dir, drills[i]);
        if (!good && n == 0)
            SAY("%s: no good record of this build that is fresh", drills[i]);
        n += !good;
    }
    closedir(dir);
    if (n == 0)
        SAY("%zu drills passed, all fresh", GN_ARRAY_LEN(drills));
    return n == 0;
}

/* ---- checklist ---- */

/* People of the configuration whose signature over `text` is good, each once. */
static uint32_t signers(const struct gn_people *p, const json_t *signatures, const char *text)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->n; i++) {
        bool good = false;
        const json_t *s;
        size_t k;
        json_array_foreach(signatures, k, s)
        {
            uint8_t sig[GN_AUTHORITY_SIG];
            const char *hex = json_string_value(json_object_get(s, "sig"));
            good |= same_text(s, "person", p->person[i].name) && hex != NULL && gn_unhex(hex, sig, sizeof sig) &&
                    gn_journal_signed(p->person[i].key, text, strlen(text), sig);
        }
        n += good;
    }
    return n;
}

static bool look_checklist(struct gn_appliance *a, char found[GN_GOLIVE_TEXT])
{
    char config[65];
    const char *path = a->loaded.duties.checklist;
    json_t *list = path[0] == 0 ? NULL : json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(list)) {
        SAY("golive.checklist: %s", path[0] == 0 ? "not set" : "cannot be read as JSON");
        json_decref(list);
        return false;
    }
    gn_hex(a->conf->config_sha256, sizeof a->conf->config_sha256, config);
    bool same = same_text(list, "instance", a->conf->instance) && same_text(list, "config", config) &&
                same_text(list, "build", GN_BUILD_ID) && json_array_size(json_object_get(list, "items")) != 0;
    json_t *signatures = json_incref(json_object_get(list, "signatures"));
    json_object_del(list, "signatures");
    char *text = json_dumps(list, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    uint32_t n = text == NULL ? 0 : signers(&a->loaded.people, signatures, text);
    SAY("%u people have signed%s", n, same ? "" : "; it is of another instance, configuration or build, or empty");
    free(text);
    json_decref(signatures);
    json_decref(list);
    return same && n >= 2;
}

static const struct gn_golive_item items[] = {
    {"mode_and_endpoints", "mode: live, and environment: production of every session", look_mode},
    {"two_persons", "name people in the configuration, docs/runbooks/authority.md", look_people},
    {"limits", "set every limit of every tradable instrument, or tradable: false", look_limits},
    {"clock", "synchronise the clock (chronyd, ptp4l), or widen clock.max_error", look_clock},
    {"journal", "give journal.dir a disk that does not stall, and its key a place of its own", look_journal},
    {"processes", "start gannet-dataplane", look_processes},
    {"sessions", "see status and docs/runbooks/venue-disconnected.md", look_sessions},
    {"feed", "see docs/runbooks/stale-feed.md", look_feed},
    {"reconciled", "gannetctl reconcile shows the breaks; settle them with the venue", look_breaks},
    {"key_file", "remove KILL from run_dir", look_key},
    {"drills", "tools/drills/run all --json FOLDER/FILE.json, on this build", look_drills},
    {"checklist", "gannetctl golive sign FILE, by two people", look_checklist},
};

const struct gn_golive_item *gn_golive_items(uint32_t *n)
{
    *n = GN_ARRAY_LEN(items);
    return items;
}

bool gn_golive_complete(struct gn_appliance *a, const struct gn_golive_item **first)
{
    char found[GN_GOLIVE_TEXT];
    for (uint32_t i = 0; i < GN_ARRAY_LEN(items); i++)
        if (!items[i].look(a, found)) {
            *first = &items[i];
            return false;
        }
    return true;
}
