#include "controlplane/kill/triggers.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/appliance/text.h"

#define NS_PER_MS   1000000ull
#define LOOK_MAX_NS (100 * NS_PER_MS) /* of one poll: while we ourselves stood still, nobody was watched */

static volatile sig_atomic_t signals, signal_uid, signal_pid;

static void on_signal(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)context;
    signal_uid = (sig_atomic_t)info->si_uid;
    signal_pid = (sig_atomic_t)info->si_pid;
    signals = (signals + 1) & 0xffff;
}

void gn_kill_journal(struct gn_appliance *a, const struct gn_kill_request *r, uint64_t word)
{
    struct gn_rec *rec = gn_appliance_event(a, GN_EV_KILL, sizeof(struct gn_ev_kill));
    if (rec == NULL)
        return;
    struct gn_ev_kill *ev = (struct gn_ev_kill *)(rec + 1);
    ev->level = (uint16_t)gn_kill_level(word);
    ev->scope = (uint8_t)r->scope;
    ev->source = GN_KILL_BY_CONTROLPLANE;
    ev->index = r->index;
    ev->set_ns = r->now_ns;
    ev->counter = word >> 16;
    rec->corr = word;
    rec->flags = r->scope == GN_SCOPE_SESSION ? (uint8_t)(r->index + 1) : 0;
    snprintf(ev->who, sizeof ev->who, "%s", r->who);
    snprintf(ev->why, sizeof ev->why, "%s", r->why);
    gn_text_plain(ev->who);
    gn_text_plain(ev->why);
    gn_appliance_publish(a);
}

uint64_t gn_kill_and_journal(struct gn_appliance *a, const struct gn_kill_request *r, char err[GN_KILL_ERR_LEN])
{
    uint64_t word = gn_kill_throw(a->control, a->conf, r, GN_KILL_BY_CONTROLPLANE, err);
    if (word != 0)
        gn_kill_journal(a, r, word);
    return word;
}

static void kill_all(struct gn_appliance *a, const char *who, const char *why)
{
    char err[GN_KILL_ERR_LEN], text[120];
    struct gn_kill_request r = {
        .scope = GN_SCOPE_ALL, .level = GN_LADDER_KILLED, .who = who, .why = why, .now_ns = gn_now_ns()};
    if (gn_kill_and_journal(a, &r, err) == 0)
        fprintf(stderr, "gannet-controlplane: %s\n", err);
    snprintf(text, sizeof text, "kill switch thrown by %.31s: %.63s", who, why);
    gn_appliance_alert(a, GN_ALERT_KILL, 1, text);
}

/* ---- signal ---- */

static void look_signal(struct gn_triggers *t, struct gn_appliance *a)
{
    char why[64];
    if (signals == t->signals)
        return;
    t->signals = signals;
    snprintf(why, sizeof why, "SIGUSR1 from uid %u, pid %u", (unsigned)signal_uid, (unsigned)signal_pid);
    kill_all(a, "signal", why);
}

/* ---- key file ---- */

bool gn_triggers_key(const char *run_dir, char *path, size_t size)
{
    struct stat st;
    snprintf(path, size, "%s/%s", run_dir, GN_KEY_FILE);
    return lstat(path, &st) == 0;
}

/* The first line of the file as a reason: what cannot be printed becomes '?'. Whatever lies there may be no file. */
static void first_line(const char *path, char why[64])
{
    size_t n = 0;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, why, 63);
    if (fd >= 0)
        close(fd);
    for (; got > 0 && n < (size_t)got && why[n] != '\n'; n++)
        if (why[n] < ' ' || why[n] > '~')
            why[n] = '?';
    why[n] = 0;
}

/* The file appeared before its content did: the kill did not wait, its reason follows. */
static void add_reason(struct gn_triggers *t, struct gn_appliance *a, const char *why)
{
    struct gn_kill_record rec;
    uint64_t word = atomic_load_explicit(&a->control->kill_all, memory_order_relaxed);
    t->key_empty = false;
    if (!gn_kill_noted(a->control, GN_KILL_BY_CONTROLPLANE, GN_SCOPE_ALL, 0, &rec) ||
        strncmp(rec.who, "key file", 8) != 0)
        return;
    struct gn_kill_request r = {.scope = GN_SCOPE_ALL, .who = rec.who, .why = why, .now_ns = rec.set_ns};
    snprintf(rec.why, sizeof rec.why, "%s", why);
    gn_kill_note(a->control, GN_KILL_BY_CONTROLPLANE, &rec);
    gn_kill_journal(a, &r, word);
}

static void look_key(struct gn_triggers *t, struct gn_appliance *a)
{
    struct stat st;
    char who[32], why[64];
    if (lstat(t->key_path, &st) != 0) {
        t->key_seen = false;
        return;
    }
    uint64_t word = atomic_load_explicit(&a->control->kill_all, memory_order_relaxed);
    if (t->key_seen && gn_kill_level(word) >= GN_LADDER_KILLED && !t->key_empty)
        return;
    first_line(t->key_path, why);
    if (t->key_seen && gn_kill_level(word) >= GN_LADDER_KILLED) {
        if (why[0] != 0)
            add_reason(t, a, why);
        return;
    }
    t->key_seen = true;
    t->key_empty = why[0] == 0;
    snprintf(who, sizeof who, "key file of uid %u", (unsigned)st.st_uid);
    kill_all(a, who, why[0] != 0 ? why : "no reason in the file");
}

/* ---- journal and data plane ---- */

/* The lcores kill by themselves when they see the failure; this word is for the data plane that is not there now. */
static void look_journal(struct gn_triggers *t, struct gn_appliance *a)
{
    struct gn_journal_status st;
    char why[64];
    gn_journal_status(a->journal, &st);
    if (st.failed == 0 || t->journal_seen)
        return;
    t->journal_seen = true;
    snprintf(why, sizeof why, "journal failed (%d, errno %d)", st.failed, st.sys_errno);
    kill_all(a, "controlplane", why);
}

/* A lcore that lives but makes no turn can neither trade nor cancel. When it moves again it finds the switch thrown:
 * what it knew is old. A data plane that died is another matter: it comes back through reconciliation. */
static void look_lcores(struct gn_triggers *t, struct gn_appliance *a)
{
    uint64_t now_ns = gn_now_ns(), step = now_ns - t->polled_ns, most = 0;
    uint32_t which = 0;
    char why[64];
    t->polled_ns = now_ns;
    bool alive = gn_appliance_dataplane_alive(a->control) &&
                 atomic_load_explicit(&a->control->dataplane.state, memory_order_acquire) == GN_STATE_RUNNING;
    for (uint32_t i = 0; i < a->conf->n_lcores; i++) {
        uint64_t loops = atomic_load_explicit(&a->control->lcore[i].loops, memory_order_relaxed);
        if (!alive || loops != t->loops[i])
            t->silent_ns[i] = 0;
        else
            t->silent_ns[i] += step < LOOK_MAX_NS ? step : LOOK_MAX_NS;
        t->loops[i] = loops;
        if (t->silent_ns[i] > most) {
            most = t->silent_ns[i];
            which = i;
        }
    }
    if (most < a->conf->heartbeat_cancel_ms * NS_PER_MS) {
        t->stall_seen = t->stall_seen && most > 0;
        return;
    }
    if (t->stall_seen)
        return;
    t->stall_seen = true;
    snprintf(why, sizeof why, "lcore %u made no turn for %llu ms", which, (unsigned long long)(most / NS_PER_MS));
    kill_all(a, "controlplane", why);
}

/* ---- clock ---- */

static void act_on_clock(struct gn_appliance *a, uint32_t policy, const char *what)
{
    char err[GN_KILL_ERR_LEN], text[120];
    if (policy == GN_CLOCK_IGNORE)
        return;
    snprintf(text, sizeof text, "%s%s", what, policy == GN_CLOCK_HALT ? ": halted by clock policy" : "");
    if (policy == GN_CLOCK_HALT) {
        struct gn_kill_request r = {
            .scope = GN_SCOPE_ALL, .level = GN_LADDER_HALTED, .who = "clock", .why = what, .now_ns = gn_now_ns()};
        if (gn_kill_and_journal(a, &r, err) == 0)
            fprintf(stderr, "gannet-controlplane: %s\n", err);
    }
    gn_appliance_alert(a, GN_ALERT_CLOCK, policy == GN_CLOCK_HALT ? 1 : 2, text);
}

static void look_clock(struct gn_triggers *t, struct gn_appliance *a)
{
    char what[64];
    uint32_t events = gn_clock_look(&t->clock);
    if (events & GN_CLOCK_STEPPED) {
        snprintf(what, sizeof what, "the wall clock stepped by %lld us", (long long)(t->clock.step_ns / 1000));
        act_on_clock(a, a->loaded.duties.clock_on_step, what);
    }
    if (events & GN_CLOCK_LOST) {
        snprintf(what, sizeof what, "the clock is not synchronised (max error %llu us)",
                 (unsigned long long)t->clock.sync.max_error_us);
        act_on_clock(a, a->loaded.duties.clock_on_unsync, what);
    }
    if (events & GN_CLOCK_BACK)
        gn_appliance_say(a, "the clock is synchronised again");
}

void gn_triggers_catch(void)
{
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &sa, NULL);
}

void gn_triggers_open(struct gn_triggers *t, struct gn_appliance *a)
{
    memset(t, 0, sizeof *t);
    t->polled_ns = gn_now_ns();
    struct gn_clock_table clock = gn_clock_table_this();
    gn_clock_watch_open(&t->clock, &clock, &a->loaded.duties);
    snprintf(t->key_path, sizeof t->key_path, "%s/%s", a->conf->run_dir, GN_KEY_FILE);
    look_key(t, a);
}

void gn_triggers_hold_live(struct gn_appliance *a)
{
    char err[GN_KILL_ERR_LEN];
    struct gn_kill_request r = {.scope = GN_SCOPE_ALL,
                                .level = GN_LADDER_HALTED,
                                .who = "controlplane",
                                .why = "live and not armed: gannetctl golive, then arm",
                                .now_ns = gn_now_ns()};
    if (a->conf->mode == GN_MODE_LIVE && !a->joined && gn_kill_and_journal(a, &r, err) == 0)
        fprintf(stderr, "gannet-controlplane: %s\n", err);
}

void gn_triggers_poll(struct gn_triggers *t, struct gn_appliance *a)
{
    look_signal(t, a);
    look_key(t, a);
    look_journal(t, a);
    look_lcores(t, a);
    look_clock(t, a);
}
