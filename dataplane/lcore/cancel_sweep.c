/* Cancelling in bulk: after a kill, for a mass cancel, when control is lost. A kill of everything, or of a session,
 * first sends the venue's own mass cancel: one message for all orders. Then the list of working orders is walked; what
 * has to go and can be asked to go is asked, as fast as TCP takes it; an order that does not answer is asked again. The
 * report in the region tells how far it is, and how many still rest.
 */
#include "dataplane/lcore/stage_orders.h"

#include "dataplane/lcore/stage_inputs.h"

#define SENDS_PER_SWEEP 48u         /* fits the frames stocked in a txq, with room for answers */
#define SCAN_PAUSE_NS   20000ull    /* between two looks through the words of strategies and instruments */
#define MASS_GRACE_NS   1000000ull  /* for the mass cancel to work before orders are named one by one */
#define ASK_AGAIN_NS    50000000ull /* a cancel without an answer is repeated: the venue ignores duplicates */

static uint32_t ladder_of(const struct gn_stage_orders *s, const struct gn_order *o)
{
    struct gn_intent in = {.session = o->session, .strategy = o->strategy, .instrument = o->instrument};
    return gn_gate_taken(&s->gate, &in);
}

static bool must_go(const struct gn_stage_orders *s, const struct gn_order *o)
{
    return o->cancel_wanted != 0 || (s->killed && ladder_of(s, o) >= GN_LADDER_KILLED);
}

/* When the order may be asked to go; UINT64_MAX: not before something happens to it or its session. */
static uint64_t ask_ns(const struct gn_stage_orders *s, const struct gn_order *o)
{
    if (atomic_load_explicit(&s->rows[o->session].state, memory_order_relaxed) != GN_SESSION_UP ||
        o->state == GN_ORDER_IN_DOUBT)
        return UINT64_MAX;
    return o->state == GN_ORDER_PENDING_CANCEL ? o->changed_ns + ASK_AGAIN_NS : 0;
}

static void take_word(struct gn_stage_orders *s, uint8_t scope, uint32_t index, uint64_t word, uint64_t now_ns)
{
    if (GN_LIKELY(!gn_gate_take_word(&s->gate, scope, index, word)))
        return;
    const struct gn_ev_control_in in = {
        .kind = GN_CONTROL_IN_WORD, .look = GN_LOOK_POLL, .scope = scope, .index = index, .value = word};
    gn_inputs_control(s, &in, now_ns);
    gn_sweep_wake(s);
}

/* The words of strategies and instruments are many: looked through now and then, while orders work that they could
 * concern or one of them is up and may have been released. The gate looks at those of each intent by itself. */
static void scan_words(struct gn_stage_orders *s, uint64_t now_ns)
{
    if (GN_LIKELY(now_ns < s->scan_ns))
        return;
    s->scan_ns = now_ns + SCAN_PAUSE_NS;
    if (s->orders->open == 0 && s->words.held == 0)
        return;
    for (uint32_t i = 0; i < GN_STRATEGIES_MAX; i++)
        take_word(s, GN_SCOPE_STRATEGY, i, atomic_load_explicit(&s->control->kill_strategy[i], memory_order_acquire),
                  now_ns);
    for (uint32_t i = 0; i < GN_THEMES_MAX; i++)
        take_word(s, GN_SCOPE_THEME, i, atomic_load_explicit(&s->control->kill_theme[i], memory_order_acquire), now_ns);
    for (uint32_t i = 0; i < GN_ACCOUNTS_MAX; i++)
        take_word(s, GN_SCOPE_ACCOUNT, i, atomic_load_explicit(&s->control->kill_account[i], memory_order_acquire),
                  now_ns);
    for (uint32_t i = 0; i < GN_VENUES_MAX; i++)
        take_word(s, GN_SCOPE_VENUE, i, atomic_load_explicit(&s->control->kill_venue[i], memory_order_acquire), now_ns);
    for (uint32_t i = 0; i < s->n_templates; i++)
        take_word(s, GN_SCOPE_INSTRUMENT, i,
                  atomic_load_explicit(gn_kill_instrument(s->control) + i, memory_order_acquire), now_ns);
}

static GN_COLD void journal_word(struct gn_stage_orders *s, uint64_t word, uint64_t now_ns)
{
    struct gn_rec *rec = gn_orders_event(s, GN_EV_KILL, sizeof(struct gn_ev_kill), now_ns);
    if (rec == NULL)
        return;
    rec->corr = word;
    struct gn_ev_kill *ev = (struct gn_ev_kill *)(rec + 1);
    uint32_t source = (uint32_t)(word >> 8) & 0xff;
    *ev = (struct gn_ev_kill){.level = (uint16_t)gn_kill_level(word), .source = (uint8_t)source, .counter = word >> 16};
    struct gn_kill_record r;
    if (source < GN_KILL_SOURCES && gn_kill_noted(s->control, source, GN_SCOPE_ALL, 0, &r)) {
        ev->set_ns = r.set_ns;
        memcpy(ev->who, r.who, sizeof ev->who);
        memcpy(ev->why, r.why, sizeof ev->why);
    }
}

/* A lcore that lost a journal record raises the word without a record: this lcore writes down why. */
static GN_COLD void explain_own(struct gn_stage_orders *s, uint64_t word, uint64_t now_ns)
{
    if (((word >> 8) & 0xff) != GN_KILL_BY_DATAPLANE || s->reason_written) {
        s->reason_written = false;
        return;
    }
    static const char why[] = "an event ring is full or the journal failed";
    struct gn_kill_record r = {.set_ns = now_ns, .level = (uint16_t)gn_kill_level(word), .who = "dataplane"};
    memcpy(r.why, why, sizeof why);
    gn_kill_note(s->control, GN_KILL_BY_DATAPLANE, &r);
}

static GN_COLD void on_word(struct gn_stage_orders *s, uint64_t word, uint64_t now_ns)
{
    struct gn_kill_report *r = &s->control->report;
    s->word_seen = word;
    s->sweep_ns = 0;
    (void)gn_gate_take_word(&s->gate, GN_SCOPE_ALL, 0, word);
    gn_sweep_wake(s);
    explain_own(s, word, now_ns);
    if (gn_kill_level(word) >= GN_LADDER_HALTED) {
        atomic_store_explicit(&r->first_cancel_ns, 0, memory_order_relaxed);
        atomic_store_explicit(&r->last_cancel_ns, 0, memory_order_relaxed);
        atomic_store_explicit(&r->last_ack_ns, 0, memory_order_relaxed);
        atomic_store_explicit(&r->cancels_sent, 0, memory_order_relaxed);
        atomic_store_explicit(&r->seen_ns, now_ns, memory_order_relaxed);
    }
    s->mass_due = gn_kill_level(word) >= GN_LADDER_KILLED ? (1u << s->conf->n_sessions) - 1 : 0;
    atomic_store_explicit(&r->resting, s->orders->open, memory_order_relaxed);
    /* release: the times above are there for whoever sees the word as seen */
    atomic_store_explicit(&r->word_seen, word, memory_order_release);
    journal_word(s, word, now_ns);
}

static void note_cancel(struct gn_stage_orders *s, uint64_t now_ns)
{
    struct gn_kill_report *r = &s->control->report;
    if (atomic_load_explicit(&r->first_cancel_ns, memory_order_relaxed) == 0)
        atomic_store_explicit(&r->first_cancel_ns, now_ns, memory_order_relaxed);
    atomic_store_explicit(&r->last_cancel_ns, now_ns, memory_order_relaxed);
    atomic_fetch_add_explicit(&r->cancels_sent, 1, memory_order_relaxed);
}

/* The first scope of an order whose word is at killed, and that word; scope all when none is. */
static uint64_t word_of(const struct gn_stage_orders *s, const struct gn_order *o, uint8_t *scope)
{
    const uint64_t words[] = {
        [GN_SCOPE_ALL] = s->words.all,
        [GN_SCOPE_SESSION] = s->words.session[o->session],
        [GN_SCOPE_INSTRUMENT] = s->words.instrument[o->instrument],
        [GN_SCOPE_STRATEGY] = s->words.strategy[o->strategy],
    };
    for (*scope = 0; *scope < GN_ARRAY_LEN(words); ++*scope)
        if (gn_kill_level(words[*scope]) >= GN_LADDER_KILLED)
            return words[*scope];
    *scope = GN_SCOPE_ALL;
    return 0;
}

/* Each cancel has its record, in the same turn and so before the frame leaves. One that finds no room is counted as
 * lost; the cancel goes all the same. */
static void journal_cancel(struct gn_stage_orders *s, const struct gn_ev_cancel *ev, uint64_t now_ns)
{
    struct gn_rec *rec = gn_orders_event(s, GN_EV_CANCEL, sizeof *ev, now_ns);
    if (rec == NULL)
        return;
    rec->corr = ev->order_id != 0 ? ev->order_id : ev->cause != 0 ? ev->cause : rec->corr;
    rec->flags = (uint8_t)(ev->session + 1);
    *(struct gn_ev_cancel *)(rec + 1) = *ev;
}

static void journal_order_cancel(struct gn_stage_orders *s, const struct gn_order *o, bool again, uint64_t now_ns)
{
    struct gn_ev_cancel ev = {.order_id = o->id,
                              .instrument = o->instrument,
                              .user_ref = o->user_ref,
                              .strategy = o->strategy,
                              .session = o->session,
                              .again = again};
    ev.cause = s->killed ? word_of(s, o, &ev.scope) : 0;
    if (ev.cause != 0) {
        ev.why = GN_CANCEL_BY_KILL;
    } else if (!s->draining && s->mass_seq[o->strategy] != 0) {
        ev.why = GN_CANCEL_BY_MASS;
        ev.cause = s->mass_seq[o->strategy];
    } else {
        ev.why = s->draining ? GN_CANCEL_BY_END : GN_CANCEL_BY_RESTART;
    }
    journal_cancel(s, &ev, now_ns);
}

/* Of the whole session, by a kill of it or of everything, or at an orderly end. */
static void journal_mass(struct gn_stage_orders *s, uint32_t session, uint64_t now_ns)
{
    const uint64_t all = s->words.all, own = s->words.session[session];
    const bool by_all = gn_kill_level(all) >= GN_LADDER_KILLED, by_own = gn_kill_level(own) >= GN_LADDER_KILLED;
    const struct gn_ev_cancel ev = {
        .cause = by_all   ? all
                 : by_own ? own
                          : 0,
        .instrument = GN_NONE32,
        .strategy = UINT16_MAX,
        .why = by_all || by_own ? GN_CANCEL_BY_KILL : GN_CANCEL_BY_END,
        .scope = by_all || !by_own ? GN_SCOPE_ALL : GN_SCOPE_SESSION,
        .session = (uint8_t)session,
    };
    journal_cancel(s, &ev, now_ns);
}

/* Sends what is owed to sessions that are up. */
static void send_mass(struct gn_stage_orders *s, uint64_t now_ns)
{
    for (uint32_t i = 0; i < s->conf->n_sessions; i++) {
        if ((s->mass_due & 1u << i) == 0)
            continue;
        /* a mass cancel uses up a user reference, and the venue takes none that is lower afterwards */
        gn_held_drop_session(s, i, now_ns);
        if (atomic_load_explicit(&s->rows[i].state, memory_order_relaxed) != GN_SESSION_UP ||
            gn_orders_mass_cancel(s, i, now_ns) != GN_VERDICT_OK)
            continue; /* still owed: sent when the session is up and TCP has room */
        journal_mass(s, i, now_ns);
        s->mass_due &= ~(1u << i);
        s->sweep_ns = now_ns + MASS_GRACE_NS;
        note_cancel(s, now_ns);
    }
}

/* Walks the working orders. What is left to do afterwards is due at a time that depends on the orders alone, not on
 * when this walk was. */
static void sweep(struct gn_stage_orders *s, uint64_t now_ns)
{
    uint32_t sent = 0;
    uint64_t due = UINT64_MAX;
    for (uint32_t i = s->orders->list_head; i != GN_NONE32 && sent < SENDS_PER_SWEEP;) {
        struct gn_order *o = &s->orders->order[i];
        i = o->list_next;
        if (!must_go(s, o))
            continue;
        if (GN_UNLIKELY(o->held != 0)) {
            gn_held_drop(s, o, o->cancel_wanted ? GN_VERDICT_ORDER_BUSY : GN_VERDICT_KILLED, now_ns);
            continue;
        }
        const uint64_t at = ask_ns(s, o);
        if (at > now_ns) {
            due = at < due ? at : due;
            continue;
        }
        const bool again = o->state == GN_ORDER_PENDING_CANCEL;
        if (gn_orders_cancel(s, o, now_ns) != GN_VERDICT_OK) {
            due = 0; /* TCP is full: go on at the next turn */
            break;
        }
        journal_order_cancel(s, o, again, now_ns);
        sent++;
        note_cancel(s, now_ns);
    }
    s->due_ns = sent == 0 ? due : 0;
    atomic_store_explicit(&s->control->report.resting, s->orders->open, memory_order_relaxed);
}

/* A session that is killed alone owes a mass cancel of its own. */
static void watch_session_words(struct gn_stage_orders *s, uint64_t now_ns)
{
    for (uint32_t i = 0; i < s->conf->n_sessions; i++) {
        uint64_t word = atomic_load_explicit(&s->control->kill_session[i], memory_order_acquire);
        if (GN_LIKELY(word == s->session_word_seen[i]))
            continue;
        s->session_word_seen[i] = word;
        s->sweep_ns = 0;
        take_word(s, GN_SCOPE_SESSION, i, word, now_ns);
        if (gn_kill_level(word) >= GN_LADDER_KILLED)
            s->mass_due |= 1u << i;
    }
}

void gn_sweep_poll(struct gn_stage_orders *s, uint64_t now_ns)
{
    /* acquire: pairs with the release in gn_kill_raise, so that the record is there */
    uint64_t word = atomic_load_explicit(&s->control->kill_all, memory_order_acquire);
    if (GN_UNLIKELY(word != s->word_seen))
        on_word(s, word, now_ns);
    watch_session_words(s, now_ns);
    scan_words(s, now_ns);
    if (GN_UNLIKELY(s->mass_due != 0)) /* also when nothing is known to rest: the venue may know better */
        send_mass(s, now_ns);
    if (GN_LIKELY(now_ns < s->due_ns) || now_ns < s->sweep_ns || s->orders->open == 0)
        return;
    s->killed = s->words.killed != 0;
    if (s->killed || s->wanted != 0)
        sweep(s, now_ns);
    else
        s->due_ns = UINT64_MAX;
}

void gn_sweep_mass(struct gn_stage_orders *s, uint32_t strategy, uint32_t instrument, uint64_t cause)
{
    for (uint32_t i = s->orders->list_head; i != GN_NONE32; i = s->orders->order[i].list_next) {
        struct gn_order *o = &s->orders->order[i];
        if (o->strategy != strategy || (instrument != GN_NONE32 && o->instrument != instrument) || o->cancel_wanted)
            continue;
        o->cancel_wanted = 1;
        s->wanted++;
    }
    s->mass_seq[strategy] = cause;
    s->sweep_ns = 0;
    gn_sweep_wake(s);
}

void gn_sweep_left(struct gn_stage_orders *s, struct gn_order *o, uint64_t now_ns)
{
    s->wanted -= o->cancel_wanted;
    o->cancel_wanted = 0;
    if (gn_kill_level(s->word_seen) >= GN_LADDER_HALTED || s->killed) {
        atomic_store_explicit(&s->control->report.last_ack_ns, now_ns, memory_order_relaxed);
        atomic_store_explicit(&s->control->report.resting, s->orders->open, memory_order_relaxed);
    }
}
