/* Control between the processes: the kill words, who pulled them, heartbeats, and what the data plane reports of both.
 */
#ifndef GN_ABI_CONTROL_H
#define GN_ABI_CONTROL_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/conf.h"

/* The ladder: each step allows less. Latches: only a release lowers it. */
enum gn_ladder {
    GN_LADDER_ACTIVE = 0,
    GN_LADDER_THROTTLED = 1, /* new risk at the scope's throttled_rate only */
    GN_LADDER_REDUCE_ONLY = 2,
    GN_LADDER_HALTED = 3, /* no new orders, working ones stay */
    GN_LADDER_KILLED = 4, /* no new orders, every working one is cancelled */
};

enum gn_kill_scope {
    GN_SCOPE_ALL = 0,
    GN_SCOPE_SESSION = 1,
    GN_SCOPE_INSTRUMENT = 2,
    GN_SCOPE_STRATEGY = 3,
    GN_SCOPE_THEME = 4,
    GN_SCOPE_ACCOUNT = 5,
    GN_SCOPE_VENUE = 6,
    GN_SCOPE_COUNT,
};

enum gn_kill_source {
    GN_KILL_BY_CONTROLPLANE = 0, /* an operator through the admin socket, or a policy of the control plane */
    GN_KILL_BY_OPERATOR = 1,     /* gannetctl writing the region itself */
    GN_KILL_BY_DATAPLANE = 2,    /* a lcore: journal ring full, control plane gone */
    GN_KILL_SOURCES = 3,
};

/* Who moved a word and why: also a release, with level active. Read after the word, whose acquire load pairs with the
 * release in gn_kill_raise. */
struct gn_kill_record {
    uint64_t set_ns;
    uint16_t level;
    uint8_t scope;
    uint8_t pad;
    uint32_t index;
    char who[32];
    char why[64];
    _Atomic uint64_t
        number; /* of the note, from 1; 0 while it is written. Release by gn_kill_note, acquire by readers */
    uint8_t pad1[GN_GUARD - 120];
};
static_assert(sizeof(struct gn_kill_record) == GN_GUARD, "one owner a guard");

#define GN_KILL_RECORDS 16u /* of each source: the newest takes the place of the oldest */

struct gn_kill_records {
    _Atomic uint64_t claimed; /* notes so far: several processes may write as one source */
    uint8_t pad[GN_GUARD - 8];
    struct gn_kill_record ring[GN_KILL_RECORDS];
};

/* What the orders lcore reports of the last kill; written by it alone. Times are ns since the Unix epoch, 0 = not yet.
 */
struct gn_kill_report {
    _Atomic uint64_t word_seen;     /* last kill word acted on; release, pairs with acquire of readers */
    _Atomic uint64_t seen_ns;       /* when the lcore saw it */
    _Atomic uint64_t last_order_ns; /* last new or replaced order handed to the NIC, ever */
    _Atomic uint64_t first_cancel_ns;
    _Atomic uint64_t last_cancel_ns; /* last cancel handed to the NIC */
    _Atomic uint64_t last_ack_ns;    /* last order left the book */
    _Atomic uint64_t cancels_sent;
    _Atomic uint64_t resting; /* killed but still resting */
    uint8_t pad[GN_GUARD - 64];
};
static_assert(sizeof(struct gn_kill_report) == GN_GUARD, "one owner a guard");

struct gn_beat {
    _Atomic uint64_t count; /* moves on while its owner lives; the watcher times it by its own clock */
    _Atomic uint64_t time_ns;
    _Atomic uint32_t pid;
    _Atomic uint32_t state; /* enum gn_process_state */
    _Atomic uint64_t loops; /* lcores: turns of the loop */
    uint8_t pad[GN_GUARD - 32];
};
static_assert(sizeof(struct gn_beat) == GN_GUARD, "one owner a guard");

/* A token for one order that the gate would refuse: it passes once, if everything is as named here. Written by the
 * control plane, after two persons agreed, in a slot whose token is used or expired; `armed` last. The gate writes the
 * number into gn_risk.override_used when it takes it. */
struct gn_override {
    _Atomic uint64_t armed; /* number of the token, never used again, 0 = none; release, acquire in the gate */
    uint64_t expires_ns;
    uint32_t instrument;
    uint16_t strategy;
    uint8_t side;
    uint8_t pad;
    int64_t qty, price;
    uint64_t verdicts; /* bits of enum gn_verdict that it lifts; those of gn_verdict_can_lift only */
    char who[32];
    char other[32];
    uint8_t pad1[GN_GUARD - 112];
};
static_assert(sizeof(struct gn_override) == GN_GUARD, "one token a guard");

enum gn_process_state {
    GN_STATE_ABSENT = 0,
    GN_STATE_STARTING = 1,
    GN_STATE_RUNNING = 2,
    GN_STATE_STOPPING = 3,
    GN_STATE_STOPPED = 4,
};

struct gn_control {
    /* level in bits 0-7, source in bits 8-15, number of changes in bits 16-63 */
    _Atomic uint64_t kill_all;
    uint8_t pad0[GN_GUARD - 8];
    _Atomic uint64_t kill_session[GN_SESSIONS_MAX];
    _Atomic uint64_t kill_strategy[GN_STRATEGIES_MAX];
    _Atomic uint64_t kill_theme[GN_THEMES_MAX + 1]; /* the last: of instruments without a theme; nobody raises it */
    _Atomic uint64_t kill_account[GN_ACCOUNTS_MAX];
    _Atomic uint64_t kill_venue[GN_VENUES_MAX];
    uint8_t pad1[GN_GUARD -
                 (8 * (GN_SESSIONS_MAX + GN_STRATEGIES_MAX + GN_THEMES_MAX + 1 + GN_ACCOUNTS_MAX + GN_VENUES_MAX)) %
                     GN_GUARD];
    struct gn_kill_records records[GN_KILL_SOURCES];
    struct gn_kill_report report;
    struct gn_beat controlplane;
    struct gn_beat dataplane; /* its main thread */
    struct gn_beat lcore[GN_LCORES_MAX];
    /* written by the control plane */
    _Atomic uint64_t journal_failed; /* not 0: stop trading; release by the journal, acquire by the lcores */
    uint8_t pad2[GN_GUARD - 8];
    /* written by the feed stage: when market data was last heard, heartbeats included; 0 = not yet */
    _Atomic uint64_t feed_heard_ns;
    uint8_t pad3[GN_GUARD - 8];
    /* written by the strategy stage: when a client's beat last moved; 0 = not yet */
    _Atomic uint64_t client_heard_ns[GN_CLIENTS_MAX];
    uint8_t pad4[GN_GUARD - 8 * GN_CLIENTS_MAX];
    /* a strategy that gn_risk_scope.disabled stopped goes on when a person stores that number here; release, acquire in
     * the gate */
    _Atomic uint64_t strategy_enabled[GN_STRATEGIES_MAX];
    struct gn_override override[8]; /* GN_OVERRIDES */
    /* followed in its section by max_instruments kill words: see gn_kill_instrument */
};
static_assert(sizeof(struct gn_control) % GN_GUARD == 0, "instrument kill words start on a line of their own");

static inline uint32_t gn_kill_level(uint64_t word)
{
    return (uint32_t)(word & 0xff);
}

/* gn_kill_instrument: the kill words of instruments, max_instruments of them, right behind the control block. */
static inline _Atomic uint64_t *gn_kill_instrument(struct gn_control *c)
{
    return (_Atomic uint64_t *)(void *)(c + 1);
}

/* gn_kill_note: puts a record into its source's ring, before the word is moved. r->number is given here. */
static inline void gn_kill_note(struct gn_control *c, uint32_t source, const struct gn_kill_record *r)
{
    struct gn_kill_records *k = &c->records[source];
    uint64_t n = atomic_fetch_add_explicit(&k->claimed, 1, memory_order_relaxed);
    struct gn_kill_record *to = &k->ring[n % GN_KILL_RECORDS];
    atomic_store_explicit(&to->number, 0, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    to->set_ns = r->set_ns;
    to->level = r->level;
    to->scope = r->scope;
    to->index = r->index;
    memcpy(to->who, r->who, sizeof to->who);
    memcpy(to->why, r->why, sizeof to->why);
    /* release: the fields are there for whoever sees the number */
    atomic_store_explicit(&to->number, n + 1, memory_order_release);
}

/* gn_kill_noted: the newest record of a source about a scope; false when the ring has none any more. Texts are
 * zero-terminated in *out, whatever another process wrote. */
static inline bool gn_kill_noted(const struct gn_control *c, uint32_t source, uint32_t scope, uint32_t index,
                                 struct gn_kill_record *out)
{
    uint64_t best = 0;
    for (uint32_t i = 0; i < GN_KILL_RECORDS; i++) {
        const struct gn_kill_record *r = &c->records[source].ring[i];
        uint64_t number = atomic_load_explicit(&r->number, memory_order_acquire);
        if (number <= best || r->scope != scope || r->index != index)
            continue;
        struct gn_kill_record copy = {.set_ns = r->set_ns, .level = r->level, .scope = r->scope, .index = r->index};
        memcpy(copy.who, r->who, sizeof copy.who);
        memcpy(copy.why, r->why, sizeof copy.why);
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&r->number, memory_order_relaxed) != number)
            continue; /* it was written anew meanwhile */
        copy.who[sizeof copy.who - 1] = copy.why[sizeof copy.why - 1] = 0;
        *out = copy;
        atomic_store_explicit(&out->number, number, memory_order_relaxed);
        best = number;
    }
    return best != 0;
}

/* gn_kill_raise: lifts the word to at least `level`. The caller has filled its record first. Returns the word after it.
 */
static inline uint64_t gn_kill_raise(_Atomic uint64_t *word, uint32_t level, uint32_t source)
{
    uint64_t was = atomic_load_explicit(word, memory_order_relaxed);
    uint64_t want;
    do {
        uint32_t to = gn_kill_level(was) > level ? gn_kill_level(was) : level;
        want = ((was >> 16) + 1) << 16 | (uint64_t)source << 8 | to;
        /* release: the record is visible to whoever sees the word (acquire in the gate and in status) */
    } while (!atomic_compare_exchange_weak_explicit(word, &was, want, memory_order_release, memory_order_relaxed));
    return want;
}

/* gn_kill_release: lowers the word to ACTIVE if it still is `seen`, so that a kill that came in between stays. For the
 * control plane after authorisation, nobody else. */
static inline bool gn_kill_release(_Atomic uint64_t *word, uint64_t seen)
{
    uint64_t want = ((seen >> 16) + 1) << 16;
    return atomic_compare_exchange_strong_explicit(word, &seen, want, memory_order_release, memory_order_relaxed);
}

#endif
