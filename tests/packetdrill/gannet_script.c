/* Runs scripts of our own against our TCP, in virtual time: one side is dataplane/net, the other one is the script.
 *
 *      gannet_script FILE...
 *
 * One step a line; # begins a comment. Sequence numbers are relative: the peer's to its own first one, ours to ours.
 *
 *      set key=value,...          settings of the stack (see stack.h); first of all
 *      listen | connect | accept | close | abort | release
 *      write N | read N           N bytes of the stream are taken, or are there
 *      state NAME | reason NAME   of the connection
 *      wait MS                    time passes
 *      quiet MS                   time passes and nothing leaves
 *      < FLAGS [seq N] [ack N] [win N] [len N] [mss N] [wscale N] [sackok] [ts VAL ECR] [sack FROM TO]   a segment to
 * us > FLAGS [seq N] [ack N] [win N] [len N] [mss N] [wscale N] [sackok] [no OPTION]... [after MS]     one from us
 *
 * FLAGS are of SFRPAU, "-" for none. What a ">" does not name is not looked at, but for the flags. "after" is the time
 * since the step before, give or take 2 ms; without it the segment must be there at once.
 */
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/net/wire.h"
#include "tests/packetdrill/stack.h"

#define PEER_IP   0xc000020au /* 192.0.2.10 */
#define PEER_PORT 5000u
#define OUR_PORT  7000u
#define PEER_ISN  1000000u
#define WORDS     40u
#define GRACE_NS  (2 * STACK_MS)
#define MISSING   UINT64_MAX

struct run {
    const char *file;
    unsigned line;
    struct stack *stack;
    uint32_t conn, our_isn;
    bool our_isn_known;
    uint64_t since_ns;
    char *word[WORDS];
    uint32_t words;
    char flags[256];
};

/* Segment fields by name, from a packet or from a line. */
struct fields {
    uint8_t flags;
    uint64_t seq, ack, win, len, mss, wscale, sackok, ts, sack;
};

static bool fail(const struct run *r, const char *what, const char *more)
{
    printf("%s:%u: %s%s%s\n", r->file, r->line, what, more[0] == '\0' ? "" : ": ", more);
    return false;
}

static bool parse_flags(const char *text, uint8_t *flags)
{
    static const char names[] = "FSRPAU";
    *flags = 0;
    for (; *text != '\0' && *text != '-'; text++) {
        const char *at = strchr(names, *text);
        if (at == NULL)
            return false;
        *flags |= (uint8_t)(1u << (at - names));
    }
    return true;
}

static uint64_t number(const struct run *r, uint32_t i)
{
    return i < r->words ? strtoull(r->word[i], NULL, 0) : 0;
}

static uint32_t find(const struct run *r, const char *name)
{
    for (uint32_t i = 1; i < r->words; i++)
        if (strcmp(r->word[i], name) == 0 && strcmp(r->word[i - 1], "no") != 0)
            return i;
    return 0;
}

static uint64_t value(const struct run *r, const char *name, uint64_t otherwise)
{
    uint32_t i = find(r, name);
    return i == 0 ? otherwise : number(r, i + 1);
}

/* ---- a segment to us ---- */

static uint32_t put_options(const struct run *r, uint8_t *o)
{
    uint32_t n = 0;
    uint32_t at;
    if (find(r, "mss") != 0) {
        gn_store_be32(o, 0x02040000u | (uint32_t)value(r, "mss", 0));
        n += 4;
    }
    if (find(r, "wscale") != 0) {
        gn_store_be32(o + n, 0x01030300u | (uint32_t)value(r, "wscale", 0));
        n += 4;
    }
    if (find(r, "sackok") != 0) {
        gn_store_be32(o + n, 0x01010402u);
        n += 4;
    }
    if ((at = find(r, "ts")) != 0) {
        gn_store_be32(o + n, 0x0101080au);
        gn_store_be32(o + n + 4, (uint32_t)number(r, at + 1));
        gn_store_be32(o + n + 8, (uint32_t)number(r, at + 2));
        n += GN_TCP_TS_SPACE;
    }
    if ((at = find(r, "sack")) != 0) {
        gn_store_be32(o + n, 0x0101050au);
        gn_store_be32(o + n + 4, r->our_isn + (uint32_t)number(r, at + 1));
        gn_store_be32(o + n + 8, r->our_isn + (uint32_t)number(r, at + 2));
        n += 12;
    }
    return n;
}

static bool give(struct run *r)
{
    uint8_t p[GN_FRAME_ROOM] = {0};
    uint8_t *tcp = p + GN_IP_LEN;
    uint8_t flags;
    if (r->words < 2 || !parse_flags(r->word[1], &flags))
        return fail(r, "flags are letters of SFRPAU, or -", "");
    uint32_t header = GN_TCP_LEN + put_options(r, tcp + GN_TCP_LEN);
    uint32_t len = (uint32_t)value(r, "len", 0);
    if (len > GN_NET_MTU_MAX - GN_IP_LEN - header)
        return fail(r, "len does not fit a packet", "");
    p[0] = 0x45;
    gn_store_be16(p + 2, (uint16_t)(GN_IP_LEN + header + len));
    p[8] = 64;
    p[9] = GN_IP_PROTO_TCP;
    gn_store_be32(p + 12, PEER_IP);
    gn_store_be32(p + 16, r->stack->net_conf.ip);
    gn_csum_store(p + 10, gn_csum_finish(gn_csum_add(0, p, GN_IP_LEN)));
    gn_store_be16(tcp, PEER_PORT);
    gn_store_be16(tcp + 2, OUR_PORT);
    gn_store_be32(tcp + 4, PEER_ISN + (uint32_t)value(r, "seq", 0));
    gn_store_be32(tcp + 8, (flags & GN_TCP_ACK) != 0 ? r->our_isn + (uint32_t)value(r, "ack", 0) : 0);
    tcp[12] = (uint8_t)(header << 2);
    tcp[13] = flags;
    gn_store_be16(tcp + 14, (uint16_t)value(r, "win", 65535));
    memset(tcp + header, 'p', len);
    uint64_t sum = gn_csum_pseudo(PEER_IP, r->stack->net_conf.ip, GN_IP_PROTO_TCP, header + len);
    gn_csum_store(tcp + 16, gn_csum_finish(gn_csum_add(sum, tcp, header + len)));
    return stack_give(r->stack, p, GN_IP_LEN + header + len);
}

/* ---- a segment from us ---- */

static struct fields look(struct run *r, const struct stack_packet *p)
{
    const uint8_t *tcp = p->bytes + GN_IP_LEN;
    uint32_t end = (uint32_t)(tcp[12] >> 4) * 4;
    struct fields f = {
        .flags = tcp[13], .mss = MISSING, .wscale = MISSING, .sackok = MISSING, .ts = MISSING, .sack = MISSING};
    if (!r->our_isn_known && (f.flags & GN_TCP_SYN) != 0) {
        r->our_isn = gn_load_be32(tcp + 4);
        r->our_isn_known = true;
    }
    f.seq = gn_load_be32(tcp + 4) - r->our_isn;
    f.ack = gn_load_be32(tcp + 8) - PEER_ISN;
    f.win = gn_load_be16(tcp + 14);
    f.len = gn_load_be16(p->bytes + 2) - GN_IP_LEN - end;
    for (uint32_t at = GN_TCP_LEN; at < end && tcp[at] != GN_TCP_OPT_END;
         at += tcp[at] == GN_TCP_OPT_NOP ? 1u : tcp[at + 1]) {
        if (tcp[at] == GN_TCP_OPT_NOP)
            continue;
        if (tcp[at] == GN_TCP_OPT_MSS)
            f.mss = gn_load_be16(tcp + at + 2);
        if (tcp[at] == GN_TCP_OPT_WSCALE)
            f.wscale = tcp[at + 2];
        if (tcp[at] == GN_TCP_OPT_SACKOK)
            f.sackok = 1;
        if (tcp[at] == GN_TCP_OPT_TS)
            f.ts = gn_load_be32(tcp + at + 6); /* the echo: what can be known */
        if (tcp[at] == GN_TCP_OPT_SACK)
            f.sack = gn_load_be32(tcp + at + 2) - PEER_ISN;
    }
    return f;
}

static bool is(const struct run *r, const char *name, uint64_t got)
{
    char text[96];
    uint32_t i = find(r, name);
    for (uint32_t k = 2; k + 1 < r->words; k++)
        if (strcmp(r->word[k], "no") == 0 && strcmp(r->word[k + 1], name) == 0 && got != MISSING)
            return fail(r, "there is an option that must not be", name);
    if (i == 0)
        return true;
    uint64_t want = strcmp(name, "sackok") == 0 ? 1 : number(r, i + 1);
    if (want == got)
        return true;
    (void)snprintf(text, sizeof text, "%s is %llu, not %llu", name, (unsigned long long)got, (unsigned long long)want);
    return fail(r, "the segment differs", text);
}

static bool take(struct run *r)
{
    uint8_t flags;
    uint64_t after = value(r, "after", 0) * STACK_MS;
    if (r->words < 2 || !parse_flags(r->word[1], &flags))
        return fail(r, "flags are letters of SFRPAU, or -", "");
    uint64_t until = r->since_ns + after + GRACE_NS;
    const struct stack_packet *p = stack_take(r->stack, until > r->stack->now_ns ? until - r->stack->now_ns : 0);
    if (p == NULL)
        return fail(r, "nothing came", "");
    if (p->at_ns + GRACE_NS < r->since_ns + after)
        return fail(r, "it came too early", "");
    struct fields f = look(r, p);
    char text[64];
    (void)snprintf(text, sizeof text, "0x%02x, seq %llu len %llu", f.flags, (unsigned long long)f.seq,
                   (unsigned long long)f.len);
    if (f.flags != flags)
        return fail(r, "other flags", text);
    return is(r, "seq", f.seq) && is(r, "ack", f.ack) && is(r, "win", f.win) && is(r, "len", f.len) &&
           is(r, "mss", f.mss) && is(r, "wscale", f.wscale) && is(r, "sackok", f.sackok) && is(r, "ts", f.ts) &&
           is(r, "sack", f.sack);
}

/* ---- calls ---- */

static bool call(struct run *r, int rc, const char *what)
{
    stack_flush(r->stack);
    return rc >= 0 || fail(r, what, gn_tcp_strerror(rc));
}

static bool read_bytes(struct run *r)
{
    const uint8_t *data;
    uint32_t n = gn_tcp_readable(r->stack->tcp, r->conn, &data);
    for (uint32_t i = 0; i < n; i++)
        if (data[i] != 'p')
            return fail(r, "a byte is not the peer's", "");
    if (n != number(r, 1))
        return fail(r, "another number of bytes is there", "");
    gn_tcp_consume(r->stack->tcp, r->conn, n);
    return true;
}

static bool named(struct run *r, const char *is_now)
{
    return (r->words == 2 && strcmp(r->word[1], is_now) == 0) || fail(r, "it is", is_now);
}

static bool on_connection(struct run *r)
{
    static const uint8_t data[65536];
    struct stack *s = r->stack;
    struct gn_tcp_status st;
    gn_tcp_status(s->tcp, r->conn, &st);
    const char *w = r->word[0];
    if (strcmp(w, "state") == 0)
        return named(r, gn_tcp_state_name(st.state));
    if (strcmp(w, "reason") == 0)
        return named(r, gn_tcp_reason_name(st.reason));
    if (strcmp(w, "read") == 0)
        return read_bytes(r);
    if (strcmp(w, "write") == 0)
        return call(r, gn_tcp_write(s->tcp, s->net, r->conn, data, (uint32_t)number(r, 1) & 0xffff, s->now_ns, &s->txq),
                    w);
    if (strcmp(w, "close") == 0)
        return call(r, gn_tcp_close(s->tcp, s->net, r->conn, s->now_ns, &s->txq), w);
    if (strcmp(w, "abort") == 0)
        return call(r, gn_tcp_abort(s->tcp, s->net, r->conn, s->now_ns, &s->txq), w);
    if (strcmp(w, "release") == 0) {
        gn_tcp_release(s->tcp, s->net, r->conn, s->now_ns, &s->txq);
        return call(r, 0, w);
    }
    return fail(r, "unknown step", w);
}

static bool step(struct run *r)
{
    struct stack *s = r->stack;
    const char *w = r->word[0];
    if (strcmp(w, "<") == 0)
        return give(r);
    if (strcmp(w, ">") == 0)
        return take(r);
    if (strcmp(w, "wait") == 0 || strcmp(w, "quiet") == 0) {
        uint32_t before = s->tail;
        stack_wait(s, number(r, 1) * STACK_MS);
        return *w == 'w' || (s->tail == before && s->head == s->tail) || fail(r, "something left", "");
    }
    if (strcmp(w, "listen") == 0)
        return call(r, gn_tcp_listen(s->tcp, OUR_PORT), w);
    if (strcmp(w, "connect") == 0)
        return call(r, gn_tcp_connect(s->tcp, s->net, PEER_IP, PEER_PORT, OUR_PORT, s->now_ns, &s->txq, &r->conn), w);
    if (strcmp(w, "accept") == 0)
        return call(r, gn_tcp_accept(s->tcp, OUR_PORT, &r->conn), w);
    return on_connection(r);
}

static bool split(struct run *r, char *line)
{
    char *rest = line;
    r->words = 0;
    line[strcspn(line, "#\n")] = '\0';
    for (char *w; (w = strsep(&rest, " \t")) != NULL;)
        if (*w != '\0' && r->words < WORDS)
            r->word[r->words++] = w;
    return r->words != 0;
}

static bool run_file(const char *file)
{
    char line[512];
    struct run r = {.file = file, .conn = GN_TCP_NONE};
    FILE *f = fopen(file, "r");
    bool ok = f != NULL || fail(&r, "cannot be opened", "");
    while (ok && fgets(line, sizeof line, f) != NULL) {
        r.line++;
        if (!split(&r, line))
            continue;
        bool set = strcmp(r.word[0], "set") == 0;
        if (r.stack == NULL && (r.stack = stack_new(set ? r.word[1] : NULL)) == NULL)
            ok = fail(&r, "unknown setting or impossible value", "");
        uint64_t began = r.stack == NULL ? 0 : r.stack->now_ns;
        ok = ok && (set || step(&r));
        if (ok && strcmp(r.word[0], ">") != 0)
            r.since_ns = strcmp(r.word[0], "wait") == 0 || strcmp(r.word[0], "quiet") == 0 ? r.stack->now_ns : began;
        else if (ok)
            r.since_ns = r.stack->now_ns;
        const char *broken;
        if (ok && gn_tcp_check(r.stack->tcp, &broken) != GN_TCP_OK)
            ok = fail(&r, "invariant", broken);
    }
    if (ok && r.stack != NULL && r.stack->head != r.stack->tail)
        ok = fail(&r, "a segment is left that nobody asked for", "");
    stack_free(r.stack);
    if (f != NULL)
        (void)fclose(f);
    return ok;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        bool ok = run_file(argv[i]);
        failed += !ok;
        printf("%s %s\n", ok ? "ok  " : "FAIL", argv[i]);
    }
    return failed == 0 && argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
