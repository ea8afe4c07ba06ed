#include "controlplane/kill/tracker.h"

#include <stdio.h>

#include "controlplane/appliance/appliance.h"
#include "controlplane/kill/kill.h"

#define NS_PER_MS 1000000ull
#define LOOK_NS   (50 * NS_PER_MS) /* between two walks over the order table */
#define RETRY_NS \
    (1000 * NS_PER_MS) /* between two mass cancels of ours; the data plane names orders one by one meanwhile */
#define ASK_NS (300 * NS_PER_MS) /* before a session that could not answer is asked again */

/* Alerts by time since the kill; then once a minute. */
static const struct {
    uint64_t after_ns;
    uint32_t severity;
} steps[] = {{1000 * NS_PER_MS, 3}, {3000 * NS_PER_MS, 2}, {10000 * NS_PER_MS, 1}};
#define REPEAT_NS (60000 * NS_PER_MS)

const char *gn_tracker_name(uint32_t state)
{
    static const char *const names[] = {"idle", "cancelling", "asking the venue", "verified"};
    return state < GN_ARRAY_LEN(names) ? names[state] : "unknown";
}

static bool killed_word(const struct gn_appliance *a, uint32_t scope, uint32_t index)
{
    const _Atomic uint64_t *w = gn_kill_word(a->control, a->conf, scope, index);
    return w != NULL && gn_kill_level(atomic_load_explicit(w, memory_order_acquire)) >= GN_LADDER_KILLED;
}

bool gn_tracker_killed(const struct gn_appliance *a, const struct gn_order *o)
{
    if (!gn_order_working(o->state) || o->session >= a->conf->n_sessions || o->strategy >= a->conf->n_strategies)
        return false;
    uint32_t theme = o->instrument < a->conf->n_instruments ? a->loaded.instruments[o->instrument].theme : GN_NONE32;
    if ((theme != GN_NONE32 && killed_word(a, GN_SCOPE_THEME, theme)) ||
        killed_word(a, GN_SCOPE_ACCOUNT, a->conf->strategy[o->strategy].account) ||
        killed_word(a, GN_SCOPE_VENUE, a->conf->session[o->session].venue))
        return true;
    return (killed_word(a, GN_SCOPE_ALL, 0) || killed_word(a, GN_SCOPE_SESSION, o->session) ||
            killed_word(a, GN_SCOPE_STRATEGY, o->strategy) || killed_word(a, GN_SCOPE_INSTRUMENT, o->instrument));
}

/* Every word at killed adds its count of changes: whatever moves among them moves the sum. */
static uint64_t sum_words(const struct gn_appliance *a)
{
    const uint32_t n[] = {1,
                          a->conf->n_sessions,
                          a->conf->n_instruments,
                          a->conf->n_strategies,
                          a->conf->n_themes,
                          a->conf->n_accounts,
                          a->conf->n_venues};
    uint64_t sum = 0;
    for (uint32_t scope = 0; scope < GN_ARRAY_LEN(n); scope++)
        for (uint32_t i = 0; i < n[scope]; i++) {
            uint64_t w = atomic_load_explicit(gn_kill_word(a->control, a->conf, scope, i), memory_order_acquire);
            if (gn_kill_level(w) >= GN_LADDER_KILLED)
                sum += ((w >> 16) << 20) + ((uint64_t)scope << 17) + i + 1;
        }
    return sum;
}

static void count_resting(struct gn_tracker *t, const struct gn_appliance *a)
{
    const struct gn_order_table *o = gn_region_at(&a->plane, GN_SECTION_ORDERS);
    t->resting = t->in_doubt = 0;
    if (o->capacity == 0 || gn_orders_footprint(o->capacity) > a->plane.hdr->section[GN_SECTION_ORDERS].bytes)
        return; /* no data plane has been here */
    for (uint32_t i = 0; i < o->capacity && o->open != 0; i++)
        if (gn_tracker_killed(a, &o->order[i])) {
            t->resting++;
            t->in_doubt += o->order[i].state == GN_ORDER_IN_DOUBT;
        }
}

static void command_all(struct gn_tracker *t, struct gn_appliance *a, uint32_t kind)
{
    for (uint32_t i = 0; i < a->conf->n_sessions; i++) {
        struct gn_command c = {.kind = kind, .index = i};
        if (t->answered & 1u << i && kind == GN_COMMAND_QUERY)
            continue;
        gn_hands_drop(&a->hands, &t->ticket[i]);
        if (!gn_hands_ask(&a->hands, &c, &t->ticket[i]))
            t->ticket[i].number = 0; /* no slot: asked again */
    }
}

/* True when every session has answered. One that never was logged in since this region was made has no order that we
 * know, and nobody to ask: that is said, for an earlier region may have left some. */
static bool read_answers(struct gn_tracker *t, struct gn_appliance *a)
{
    const struct gn_session_row *rows = gn_region_at(&a->plane, GN_SECTION_SESSIONS);
    int64_t value[4];
    for (uint32_t i = 0; i < a->conf->n_sessions; i++) {
        bool never = rows[i].logins == 0;
        if (gn_hands_read(&a->hands, &t->ticket[i], value) == GN_COMMAND_DONE || never)
            t->answered |= 1u << i;
        t->unasked = never ? t->unasked | 1u << i : t->unasked & ~(1u << i);
    }
    return t->answered == (1u << a->conf->n_sessions) - 1;
}

static void escalate(struct gn_tracker *t, struct gn_appliance *a, uint64_t now_ns)
{
    char text[GN_ALERT_TEXT];
    uint32_t step = t->alerts < GN_ARRAY_LEN(steps) ? t->alerts : GN_ARRAY_LEN(steps) - 1;
    if (now_ns < t->next_alert_ns)
        return;
    uint64_t for_ns = now_ns - t->since_ns;
    if (t->resting != 0)
        snprintf(text, sizeof text,
                 "killed but still resting: %u orders, %u in doubt, for %llu s; have the venue cancel them", t->resting,
                 t->in_doubt, (unsigned long long)(for_ns / (1000 * NS_PER_MS)));
    else
        snprintf(text, sizeof text,
                 "nothing is known to rest, and the venue has not confirmed it for %llu s; ask it by telephone",
                 (unsigned long long)(for_ns / (1000 * NS_PER_MS)));
    gn_appliance_alert_at(a, GN_ALERT_RESTING, steps[step].severity, now_ns, text);
    t->alerts++;
    t->next_alert_ns = t->alerts < GN_ARRAY_LEN(steps) ? t->since_ns + steps[t->alerts].after_ns : now_ns + REPEAT_NS;
}

static void begin(struct gn_tracker *t, struct gn_appliance *a, uint64_t words, uint64_t now_ns)
{
    for (uint32_t i = 0; i < GN_SESSIONS_MAX; i++)
        gn_hands_drop(&a->hands, &t->ticket[i]);
    *t = (struct gn_tracker){.words = words, .since_ns = now_ns};
    t->state = words == 0 ? GN_TRACKER_IDLE : GN_TRACKER_CANCELLING;
    t->next_alert_ns = now_ns + steps[0].after_ns;
    t->retry_ns = now_ns + RETRY_NS; /* the data plane has sent its own at once */
}

static void ask(struct gn_tracker *t, struct gn_appliance *a, uint64_t now_ns)
{
    t->state = GN_TRACKER_ASKING;
    t->retry_ns = now_ns + ASK_NS;
    command_all(t, a, GN_COMMAND_QUERY);
}

static void verified(struct gn_tracker *t, struct gn_appliance *a, uint64_t now_ns)
{
    char text[GN_ALERT_TEXT];
    t->state = GN_TRACKER_VERIFIED;
    t->verified_ns = now_ns;
    const unsigned long long after_ms = (now_ns - t->since_ns) / NS_PER_MS;
    if (t->unasked == 0)
        snprintf(text, sizeof text,
                 "killed: the venue has answered behind every cancel, nothing rests; %llu ms after the kill", after_ms);
    else
        snprintf(
            text, sizeof text,
            "killed, %llu ms ago: nothing rests that we know; %d of %u sessions never logged in, so nobody was asked",
            after_ms, __builtin_popcount(t->unasked), a->conf->n_sessions);
    gn_appliance_alert_at(a, GN_ALERT_VERIFIED, t->unasked == 0 ? 4 : 3, now_ns, text);
}

void gn_tracker_poll(struct gn_tracker *t, struct gn_appliance *a, uint64_t now_ns)
{
    uint64_t words = sum_words(a);
    if (words != t->words)
        begin(t, a, words, now_ns);
    if (t->state == GN_TRACKER_IDLE || t->state == GN_TRACKER_VERIFIED || now_ns < t->look_ns)
        return;
    t->look_ns = now_ns + LOOK_NS;
    count_resting(t, a);
    if (t->resting != 0) {
        t->state = GN_TRACKER_CANCELLING;
        t->answered = 0;
        if (now_ns >= t->retry_ns && killed_word(a, GN_SCOPE_ALL, 0)) {
            command_all(t, a, GN_COMMAND_MASS_CANCEL);
            t->retries++;
            t->retry_ns = now_ns + RETRY_NS;
        }
    } else if (t->state == GN_TRACKER_CANCELLING) {
        ask(t, a, now_ns);
    } else if (read_answers(t, a)) {
        verified(t, a, now_ns);
        return;
    } else if (now_ns >= t->retry_ns) {
        ask(t, a, now_ns);
    }
    escalate(t, a, now_ns);
}
