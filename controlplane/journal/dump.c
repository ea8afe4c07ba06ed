/* Records as lines of JSON: one printer per payload struct, one row per event type. */
#include <inttypes.h>

#include "controlplane/journal/reader.h"
#include "dataplane/abi/orders.h"
#include "dataplane/abi/recon.h"

static void put_string(FILE *out, const char *key, const char *text, size_t room)
{
    (void)fprintf(out, ",\"%s\":\"", key);
    for (size_t i = 0; i < room && text[i] != 0; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            (void)fprintf(out, "\\%c", c);
        else if (c < 0x20 || c >= 0x7f)
            (void)fprintf(out, "\\u%04x", c);
        else
            (void)fputc(c, out);
    }
    (void)fputc('"', out);
}

static void put_hex(FILE *out, const char *key, const uint8_t *data, size_t bytes)
{
    (void)fprintf(out, ",\"%s\":\"", key);
    for (size_t i = 0; i < bytes; i++)
        (void)fprintf(out, "%02x", data[i]);
    (void)fputc('"', out);
}

static void put_u64(FILE *out, const char *key, uint64_t value)
{
    (void)fprintf(out, ",\"%s\":%" PRIu64, key, value);
}

static void put_i64(FILE *out, const char *key, int64_t value)
{
    (void)fprintf(out, ",\"%s\":%" PRId64, key, value);
}

/* A name out of a table, or the number when the table has none. */
static void put_enum(FILE *out, const char *key, const char *const *names, size_t n, uint64_t value)
{
    if (value < n && names[value] != NULL)
        (void)fprintf(out, ",\"%s\":\"%s\"", key, names[value]);
    else
        put_u64(out, key, value);
}

#define PUT_ENUM(out, key, names, value) put_enum(out, key, names, GN_ARRAY_LEN(names), value)

/* GN_NONE32 is "none" everywhere. */
static void put_index(FILE *out, const char *key, uint32_t value)
{
    if (value == GN_NONE32)
        (void)fprintf(out, ",\"%s\":null", key);
    else
        put_u64(out, key, value);
}

static const char *const side_names[] = {[GN_SIDE_BUY] = "buy", [GN_SIDE_SELL] = "sell"};
static const char *const tif_names[] = {[GN_TIF_DAY] = "day", [GN_TIF_IOC] = "ioc"};
static const char *const action_names[] = {
    [GN_ACTION_NEW] = "new",       [GN_ACTION_REPLACE] = "replace",         [GN_ACTION_CANCEL] = "cancel",
    [GN_ACTION_REDUCE] = "reduce", [GN_ACTION_MASS_CANCEL] = "mass_cancel",
};
static const char *const exec_names[] = {
    [GN_EXEC_SENT] = "sent",           [GN_EXEC_GATE_REJECTED] = "gate_rejected",
    [GN_EXEC_ACCEPTED] = "accepted",   [GN_EXEC_REJECTED] = "rejected",
    [GN_EXEC_FILLED] = "filled",       [GN_EXEC_CANCELED] = "canceled",
    [GN_EXEC_REPLACED] = "replaced",   [GN_EXEC_CANCEL_REJECTED] = "cancel_rejected",
    [GN_EXEC_MODIFIED] = "modified",   [GN_EXEC_IN_DOUBT] = "in_doubt",
    [GN_EXEC_BROKEN] = "broken",       [GN_EXEC_RESTATED] = "restated",
    [GN_EXEC_CORRECTED] = "corrected",
};
static const char *const cancel_names[] = {
    [GN_CANCEL_BY_KILL] = "kill",
    [GN_CANCEL_BY_MASS] = "mass_cancel",
    [GN_CANCEL_BY_END] = "end",
    [GN_CANCEL_BY_RESTART] = "restart",
};
static const char *const gap_names[] = {
    [GN_GAP_OPENED] = "opened",           [GN_GAP_REQUESTED] = "requested",
    [GN_GAP_FILLED_LINE] = "filled_line", [GN_GAP_FILLED_RETRANSMIT] = "filled_retransmit",
    [GN_GAP_GIVEN_UP] = "given_up",       [GN_GAP_REBUILD] = "rebuild",
};
static const char *const md_names[] = {[GN_MD_BOOK] = "book", [GN_MD_TRADE] = "trade", [GN_MD_STATUS] = "status"};
static const char *const process_names[] = {
    [GN_PROCESS_CONTROLPLANE] = "controlplane",
    [GN_PROCESS_DATAPLANE] = "dataplane",
    [GN_PROCESS_GANNETCTL] = "gannetctl",
};

static const char *const session_in_names[] = {
    [GN_SESSION_IN_DATA] = "data",       [GN_SESSION_IN_EVENTS] = "events", [GN_SESSION_IN_CONNECT] = "connect",
    [GN_SESSION_IN_BLOCKED] = "blocked", [GN_SESSION_IN_SENT] = "sent",     [GN_SESSION_IN_UNBLOCKED] = "unblocked",
};
static const char *const control_in_names[] = {
    [GN_CONTROL_IN_WORD] = "word",     [GN_CONTROL_IN_STALE] = "stale",
    [GN_CONTROL_IN_GONE] = "gone",     [GN_CONTROL_IN_JOURNAL_FAILED] = "journal_failed",
    [GN_CONTROL_IN_LIMITS] = "limits", [GN_CONTROL_IN_DRAIN] = "drain",
    [GN_CONTROL_IN_STOP] = "stop",     [GN_CONTROL_IN_LATE] = "late",
    [GN_CONTROL_IN_MARK] = "mark",
};

static void print_gn_ev_lifecycle(FILE *out, const struct gn_ev_lifecycle *e, uint32_t bytes)
{
    (void)bytes;
    PUT_ENUM(out, "process", process_names, e->process);
    put_u64(out, "pid", e->pid);
    put_u64(out, "epoch", e->epoch);
    put_string(out, "text", e->text, sizeof e->text);
}

static void print_gn_ev_md_packet(FILE *out, const struct gn_ev_md_packet *e, uint32_t bytes)
{
    const uint32_t there = bytes - (uint32_t)sizeof *e;
    put_u64(out, "first_seq", e->first_seq);
    put_u64(out, "count", e->count);
    put_u64(out, "line", e->line);
    put_u64(out, "bytes", e->bytes);
    put_hex(out, "data", e->data, e->bytes < there ? e->bytes : there);
}

static void print_gn_ev_gap(FILE *out, const struct gn_ev_gap *e, uint32_t bytes)
{
    (void)bytes;
    PUT_ENUM(out, "what", gap_names, e->what);
    put_u64(out, "from", e->from);
    put_u64(out, "to", e->to);
    put_u64(out, "line", e->line);
}

static void print_gn_intent(FILE *out, const struct gn_intent *e, uint32_t bytes)
{
    (void)bytes;
    PUT_ENUM(out, "action", action_names, e->action);
    PUT_ENUM(out, "side", side_names, e->side);
    PUT_ENUM(out, "tif", tif_names, e->tif);
    put_u64(out, "session", e->session);
    put_index(out, "instrument", e->instrument);
    put_u64(out, "strategy", e->strategy);
    put_u64(out, "target", e->target);
    put_i64(out, "price", e->price);
    put_i64(out, "qty", e->qty);
    put_u64(out, "tag", e->tag);
    put_u64(out, "tick_seq", e->tick_seq);
}

static void print_gn_ev_order(FILE *out, const struct gn_ev_order *e, uint32_t bytes)
{
    print_gn_intent(out, &e->intent, bytes);
    put_u64(out, "order_id", e->order_id);
    put_u64(out, "user_ref", e->user_ref);
    put_u64(out, "verdict", e->verdict);
    put_i64(out, "limit_value", e->limit_value);
    put_i64(out, "used_value", e->used_value);
}

static void print_gn_exec(FILE *out, const struct gn_exec *e, uint32_t bytes)
{
    (void)bytes;
    PUT_ENUM(out, "kind", exec_names, e->kind);
    PUT_ENUM(out, "side", side_names, e->side);
    put_u64(out, "state", e->state);
    if (e->liquidity != 0)
        put_string(out, "liquidity", (const char *)&e->liquidity, 1);
    put_u64(out, "reason", e->reason);
    put_u64(out, "strategy", e->strategy);
    put_index(out, "instrument", e->instrument);
    put_u64(out, "session", e->session);
    put_u64(out, "order_id", e->order_id);
    put_u64(out, "prev_id", e->prev_id);
    put_i64(out, "price", e->price);
    put_i64(out, "qty", e->qty);
    put_i64(out, "leaves", e->leaves);
    put_i64(out, "cum", e->cum);
    put_i64(out, "position", e->position);
    put_u64(out, "tag", e->tag);
    put_u64(out, "tick_seq", e->tick_seq);
    put_u64(out, "match", e->match);
}

static void print_gn_ev_exec(FILE *out, const struct gn_ev_exec *e, uint32_t bytes)
{
    print_gn_exec(out, &e->exec, bytes);
    put_u64(out, "venue_seq", e->venue_seq);
}

static void print_gn_ev_session(FILE *out, const struct gn_ev_session *e, uint32_t bytes)
{
    (void)bytes;
    put_u64(out, "session", e->session);
    put_u64(out, "state", e->state);
    put_u64(out, "reason", e->reason);
    put_u64(out, "next_seq", e->next_seq);
    put_u64(out, "in_doubt", e->in_doubt);
}

static void print_gn_ev_command(FILE *out, const struct gn_ev_command *e, uint32_t bytes)
{
    (void)bytes;
    put_u64(out, "number", e->number);
    put_u64(out, "kind", e->kind);
    put_u64(out, "index", e->index);
    put_i64(out, "side", e->side);
    put_i64(out, "qty", e->qty);
    put_i64(out, "price", e->price);
    put_u64(out, "word", e->word);
}

static const char *const authority_names[] = {
    [GN_AUTHORITY_REQUESTED] = "requested", [GN_AUTHORITY_APPROVED] = "approved",   [GN_AUTHORITY_APPLIED] = "applied",
    [GN_AUTHORITY_REFUSED] = "refused",     [GN_AUTHORITY_WITHDRAWN] = "withdrawn", [GN_AUTHORITY_EXPIRED] = "expired",
    [GN_AUTHORITY_VOIDED] = "voided",
};

static void print_gn_ev_authority(FILE *out, const struct gn_ev_authority *e, uint32_t bytes)
{
    (void)bytes;
    PUT_ENUM(out, "what", authority_names, e->what);
    put_u64(out, "act", e->act);
    put_u64(out, "id", e->id);
    put_u64(out, "uid", e->uid);
    put_u64(out, "pid", e->pid);
    put_string(out, "person", e->person, sizeof e->person);
    put_string(out, "second", e->second, sizeof e->second);
    put_string(out, "why", e->why, sizeof e->why);
    put_hex(out, "digest", e->digest, sizeof e->digest);
    put_string(out, "request", e->request, sizeof e->request);
}

static void print_gn_ev_kill(FILE *out, const struct gn_ev_kill *e, uint32_t bytes)
{
    (void)bytes;
    put_u64(out, "level", e->level);
    put_u64(out, "scope", e->scope);
    put_u64(out, "by", e->source);
    put_index(out, "index", e->index);
    put_u64(out, "set_ns", e->set_ns);
    put_u64(out, "counter", e->counter);
    put_string(out, "who", e->who, sizeof e->who);
    put_string(out, "why", e->why, sizeof e->why);
}

static void print_gn_ev_limits(FILE *out, const struct gn_ev_limits *e, uint32_t bytes)
{
    (void)bytes;
    put_u64(out, "generation", e->generation);
    put_index(out, "instrument", e->instrument);
    put_u64(out, "field", e->field);
    put_i64(out, "old_value", e->old_value);
    put_i64(out, "new_value", e->new_value);
    put_string(out, "who", e->who, sizeof e->who);
}

static void print_gn_md(FILE *out, const struct gn_md *e, uint32_t bytes)
{
    (void)bytes;
    put_index(out, "instrument", e->instrument);
    PUT_ENUM(out, "kind", md_names, e->kind);
    put_u64(out, "flags", e->flags);
    put_u64(out, "price_moved", e->price_moved);
    PUT_ENUM(out, "last_side", side_names, e->last_side);
    put_i64(out, "bid", e->bid);
    put_i64(out, "bid_qty", e->bid_qty);
    put_i64(out, "ask", e->ask);
    put_i64(out, "ask_qty", e->ask_qty);
    put_i64(out, "last", e->last);
    put_i64(out, "last_qty", e->last_qty);
    put_u64(out, "tick_seq", e->tick_seq);
    put_u64(out, "venue_ns", e->venue_ns);
}

static void print_gn_ev_alert(FILE *out, const struct gn_ev_alert *e, uint32_t bytes)
{
    (void)bytes;
    put_u64(out, "code", e->code);
    put_u64(out, "severity", e->severity);
    put_string(out, "text", e->text, sizeof e->text);
}

static void print_gn_ev_break(FILE *out, const struct gn_ev_break *e, uint32_t bytes)
{
    (void)bytes;
    put_u64(out, "number", e->seq);
    put_string(out, "class", gn_break_name(e->kind), strlen(gn_break_name(e->kind)));
    put_u64(out, "state", e->state);
    put_u64(out, "found_by", e->source);
    put_u64(out, "session", e->session);
    put_index(out, "instrument", e->instrument);
    put_u64(out, "order_id", e->order_id);
    put_u64(out, "match", e->match);
    put_i64(out, "ours", e->ours);
    put_i64(out, "theirs", e->theirs);
    put_u64(out, "venue_seq", e->venue_seq);
}

static const char *const breaker_names[] = {
#define GN_X(num, NAME, name, help) [num] = name,
    GN_BREAKER_STATES(GN_X)
#undef GN_X
};
static const char *const breaker_whys[] = {
#define GN_X(num, NAME, name, help) [num] = name,
    GN_BREAKER_WHYS(GN_X)
#undef GN_X
};
static const char *const deadman_names[] = {
#define GN_X(num, NAME, name, help) [num] = name,
    GN_DEADMEN(GN_X)
#undef GN_X
};
static const char *const deadman_actions[] = {[GN_DEADMAN_STOP] = "stop", [GN_DEADMAN_CANCEL] = "cancel"};
static const char *const handover_names[] = {
#define GN_X(num, NAME, name, help) [num] = name,
    GN_HANDOVERS(GN_X)
#undef GN_X
};

static void print_gn_ev_breaker(FILE *out, const struct gn_ev_breaker *e, uint32_t bytes)
{
    (void)bytes;
    put_u64(out, "session", e->session);
    PUT_ENUM(out, "state", breaker_names, e->state);
    PUT_ENUM(out, "why", breaker_whys, e->why);
    put_u64(out, "failures", e->failures);
    put_u64(out, "until_ns", e->until_ns);
    put_u64(out, "trips", e->trips);
}

static void print_gn_ev_deadman(FILE *out, const struct gn_ev_deadman *e, uint32_t bytes)
{
    (void)bytes;
    put_u64(out, "session", e->session);
    PUT_ENUM(out, "what", deadman_names, e->what);
    PUT_ENUM(out, "action", deadman_actions, e->action);
    put_u64(out, "silent_ns", e->silent_ns);
    put_u64(out, "limit_ns", e->limit_ns);
}

static void print_gn_ev_handover(FILE *out, const struct gn_ev_handover *e, uint32_t bytes)
{
    (void)bytes;
    put_u64(out, "session", e->session);
    PUT_ENUM(out, "result", handover_names, e->result);
    put_u64(out, "state", e->state);
    put_u64(out, "next_seq", e->next_seq);
    put_u64(out, "stream_in", e->stream_in);
    put_u64(out, "stream_out", e->stream_out);
    put_u64(out, "orders", e->orders);
}

static void print_gn_ev_risk(FILE *out, const struct gn_ev_risk *e, uint32_t bytes)
{
    static const char *const what_names[] = {"none", "loss",  "drawdown",       "stop_loss", "trade_loss",
                                             "soft", "guard", "order_to_trade", "day"};
    (void)bytes;
    PUT_ENUM(out, "what", what_names, e->what);
    put_u64(out, "scope", e->scope);
    put_index(out, "index", e->index);
    put_u64(out, "level", e->level);
    put_i64(out, "limit", e->limit);
    put_i64(out, "used", e->used);
}

static void print_gn_ev_override(FILE *out, const struct gn_ev_override *e, uint32_t bytes)
{
    (void)bytes;
    put_u64(out, "token", e->token);
    put_u64(out, "verdict", e->verdict);
    put_u64(out, "strategy", e->strategy);
    put_index(out, "instrument", e->instrument);
    put_i64(out, "limit", e->limit);
    put_i64(out, "used", e->used);
    put_string(out, "who", e->who, sizeof e->who);
    put_string(out, "other", e->other, sizeof e->other);
}

static void print_gn_ev_strategy(FILE *out, const struct gn_ev_strategy *e, uint32_t bytes)
{
    (void)bytes;
    put_u64(out, "strategy", e->strategy);
    put_u64(out, "disabled", e->disabled);
    put_u64(out, "number", e->number);
    put_u64(out, "repeats", e->repeats);
    put_u64(out, "max", e->max);
}

static void print_gn_ev_session_in(FILE *out, const struct gn_ev_session_in *e, uint32_t bytes)
{
    const uint32_t there = bytes - (uint32_t)sizeof *e;
    put_u64(out, "session", e->session);
    PUT_ENUM(out, "kind", session_in_names, e->kind);
    put_u64(out, "value", e->value);
    put_hex(out, "data", e->data, e->bytes < there ? e->bytes : there);
}

static void print_gn_ev_control_in(FILE *out, const struct gn_ev_control_in *e, uint32_t bytes)
{
    (void)bytes;
    PUT_ENUM(out, "kind", control_in_names, e->kind);
    put_u64(out, "look", e->look);
    put_u64(out, "scope", e->scope);
    put_u64(out, "index", e->index);
    put_u64(out, "value", e->value);
}

static void print_gn_ev_state_part(FILE *out, const struct gn_ev_state_part *e, uint32_t bytes)
{
    (void)bytes;
    put_u64(out, "table", e->table);
    put_u64(out, "index", e->index);
    put_u64(out, "count", e->count);
    put_u64(out, "row_bytes", e->row_bytes);
}

static void print_gn_ev_start(FILE *out, const struct gn_ev_start *e, uint32_t bytes)
{
    (void)bytes;
    put_u64(out, "epoch", e->epoch);
    put_u64(out, "next_order_seq", e->next_order_seq);
    put_u64(out, "limits_generation", e->limits_generation);
    put_u64(out, "lcore", e->lcore);
    put_u64(out, "stages", e->stages);
    put_u64(out, "joined", e->joined);
    put_u64(out, "books_kept", e->books_kept);
    put_u64(out, "complete", e->complete);
    put_u64(out, "parts", e->parts);
}

static void print_gn_ev_cancel(FILE *out, const struct gn_ev_cancel *e, uint32_t bytes)
{
    (void)bytes;
    put_u64(out, "order_id", e->order_id);
    put_u64(out, "user_ref", e->user_ref);
    put_u64(out, "session", e->session);
    put_index(out, "instrument", e->instrument);
    put_u64(out, "strategy", e->strategy);
    PUT_ENUM(out, "why", cancel_names, e->why);
    put_u64(out, "again", e->again);
}

static void print_gn_ev_state(FILE *out, const struct gn_ev_state *e, uint32_t bytes)
{
    (void)bytes;
    put_u64(out, "books", e->books);
    put_u64(out, "orders", e->orders);
    put_u64(out, "positions", e->positions);
    put_u64(out, "sessions", e->sessions);
    put_u64(out, "gate", e->gate);
    put_u64(out, "strategies", e->strategies);
}

const char *gn_journal_event_name(uint16_t type)
{
    switch (type) {
#define GN_X(num, NAME, name, payload, help) \
    case num:                                \
        return name;
        GN_EVENTS(GN_X)
#undef GN_X
    default:
        return NULL;
    }
}

uint16_t gn_journal_event_type(const char *name)
{
#define GN_X(num, NAME, ev_name, payload, help) \
    if (strcmp(name, ev_name) == 0)             \
        return num;
    GN_EVENTS(GN_X)
#undef GN_X
    return 0;
}

/* True when the payload was long enough to be decoded. */
static bool print_payload(FILE *out, const struct gn_journal_item *item)
{
    switch (item->rec->type) {
#define GN_X(num, NAME, name, payload_type, help)                                                                 \
    case num:                                                                                                     \
        if (item->payload_bytes < sizeof(struct payload_type))                                                    \
            return false;                                                                                         \
        print_##payload_type(out, (const struct payload_type *)(const void *)item->payload, item->payload_bytes); \
        return true;
        GN_EVENTS(GN_X)
#undef GN_X
    default:
        return false;
    }
}

void gn_journal_print(FILE *out, const struct gn_journal_item *item)
{
    const struct gn_rec *rec = item->rec;
    const char *name = gn_journal_event_name(rec->type);
    (void)fprintf(out,
                  "{\"segment\":%" PRIu64 ",\"offset\":%" PRIu64 ",\"batch\":%" PRIu64 ",\"ring\":%u,\"seq\":%" PRIu64
                  ",\"time_ns\":%" PRIu64 ",\"corr\":%" PRIu64,
                  item->segment->number, item->offset, item->batch->seq, rec->source, rec->seq, rec->time_ns,
                  rec->corr);
    if (name != NULL)
        (void)fprintf(out, ",\"type\":\"%s\"", name);
    else
        put_u64(out, "type", rec->type);
    if (rec->flags != 0)
        put_u64(out, "order_session", rec->flags - 1u);
    if (!print_payload(out, item))
        put_hex(out, "payload", item->payload, item->payload_bytes);
    (void)fputs("}\n", out);
}

/* ---- rows for spreadsheets ---- */

#define CSV_HEAD                                                                                                     \
    "time_ns,type,kind,order_id,other_id,instrument,strategy,session,side,price,qty,leaves,cum,position,code,match," \
    "ring,seq,corr"

void gn_journal_print_csv_head(FILE *out)
{
    (void)fputs(CSV_HEAD "\n", out);
}

static void csv_name(FILE *out, const char *const *names, size_t n, uint64_t value)
{
    if (value < n && names[value] != NULL)
        (void)fprintf(out, "%s,", names[value]);
    else
        (void)fprintf(out, "%" PRIu64 ",", value);
}

static void csv_exec(FILE *out, const struct gn_exec *e)
{
    csv_name(out, exec_names, GN_ARRAY_LEN(exec_names), e->kind);
    (void)fprintf(out, "%016" PRIx64 ",%016" PRIx64 ",%u,%u,%u,", e->order_id, e->prev_id, e->instrument, e->strategy,
                  e->session);
    csv_name(out, side_names, GN_ARRAY_LEN(side_names), e->side);
    (void)fprintf(out, "%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%u,%" PRIu64, e->price, e->qty,
                  e->leaves, e->cum, e->position, e->reason, e->match);
}

static void csv_intent(FILE *out, const struct gn_intent *e, uint64_t id, uint16_t verdict)
{
    csv_name(out, action_names, GN_ARRAY_LEN(action_names), e->action);
    (void)fprintf(out, "%016" PRIx64 ",%016" PRIx64 ",%u,%u,%u,", id, e->target, e->instrument, e->strategy,
                  e->session);
    csv_name(out, side_names, GN_ARRAY_LEN(side_names), e->side);
    (void)fprintf(out, "%" PRId64 ",%" PRId64 ",,,,%u,", e->price, e->qty, verdict);
}

void gn_journal_print_csv(FILE *out, const struct gn_journal_item *item)
{
    const struct gn_rec *rec = item->rec;
    const void *p = item->payload;
    const char *name = gn_journal_event_name(rec->type);
    (void)fprintf(out, "%" PRIu64 ",%s,", rec->time_ns, name != NULL ? name : "unknown");
    if (rec->type == GN_EV_ORDER && item->payload_bytes >= sizeof(struct gn_ev_order)) {
        const struct gn_ev_order *e = p;
        csv_intent(out, &e->intent, e->order_id, e->verdict);
    } else if (rec->type == GN_EV_INTENT && item->payload_bytes >= sizeof(struct gn_intent)) {
        csv_intent(out, p, 0, 0);
    } else if ((rec->type == GN_EV_EXEC || rec->type == GN_EV_EXEC_REPORT) &&
               item->payload_bytes >= sizeof(struct gn_exec)) {
        csv_exec(out, p);
    } else if (rec->type == GN_EV_CANCEL && item->payload_bytes >= sizeof(struct gn_ev_cancel)) {
        const struct gn_ev_cancel *e = p;
        csv_name(out, cancel_names, GN_ARRAY_LEN(cancel_names), e->why);
        (void)fprintf(out, "%016" PRIx64 ",,%" PRId64 ",%u,%u,,,,,,,,", e->order_id,
                      e->instrument == GN_NONE32 ? -1 : (int64_t)e->instrument, e->strategy, e->session);
    } else {
        (void)fputs(",,,,,,,,,,,,,", out);
    }
    (void)fprintf(out, ",%u,%" PRIu64 ",%" PRIu64 "\n", rec->source, rec->seq, rec->corr);
}
