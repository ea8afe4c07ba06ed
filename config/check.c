#include "config/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "dataplane/abi/limits_check.h"

struct names {
    const char *what;
    const char *first;
    size_t stride;
    uint32_t n;
};

static void check_names(struct gn_walk *w, const struct names *l)
{
    for (uint32_t i = 1; i < l->n; i++) {
        const char *name = l->first + i * l->stride;
        for (uint32_t j = 0; j < i && name[0] != '\0'; j++)
            if (strcmp(name, l->first + j * l->stride) == 0) {
                gn_walk_found(w, false, name, ", the name of %s[%u], allowed: a name of its own", l->what, j);
                break;
            }
    }
}

/* ---- cores ---- */

static void check_cpu(struct gn_walk *w, const uint32_t *core, uint32_t cpus)
{
    if (cpus != 0 && *core >= cpus)
        gn_walk_found(w, false, core, ", allowed: 0..%u; this machine has %u CPUs", cpus - 1, cpus);
}

static const char *stage_name(uint32_t stage)
{
    return stage == GN_STAGE_FEED ? "feed" : stage == GN_STAGE_STRATEGY ? "strategy" : "orders";
}

/* lcore_of: index of the lcore with the stage, GN_NONE32 when there is none. */
static uint32_t lcore_of(const struct gn_conf *c, uint32_t stage)
{
    for (uint32_t i = 0; i < c->n_lcores; i++)
        if ((c->lcore[i].stages & stage) != 0)
            return i;
    return GN_NONE32;
}

static void check_stages(struct gn_walk *w)
{
    const struct gn_conf *c = &w->draft->conf;

    for (uint32_t i = 0; i < c->n_lcores; i++)
        if (!gn_walk_good(w, &c->lcore[i].stages))
            return;
    for (uint32_t stage = GN_STAGE_FEED; c->n_lcores != 0 && stage <= GN_STAGE_ORDERS; stage <<= 1) {
        uint32_t first = lcore_of(c, stage);
        if (first == GN_NONE32)
            gn_walk_says(w, false, &c->lcore[0].stages,
                         "stage %s is on no lcore, allowed: each stage on exactly one; add it to an lcore's stages",
                         stage_name(stage));
        for (uint32_t i = first + 1; first != GN_NONE32 && i < c->n_lcores; i++)
            if ((c->lcore[i].stages & stage) != 0)
                gn_walk_says(
                    w, false, &c->lcore[i].stages,
                    "stage %s is also on cores.lcores[%u], allowed: each stage on exactly one lcore; remove one",
                    stage_name(stage), first);
    }
}

static void check_cores(struct gn_walk *w, uint32_t cpus)
{
    const struct gn_conf *c = &w->draft->conf;
    bool shared = w->draft->allow_shared_core != 0;

    if (gn_walk_good(w, &c->main_core))
        check_cpu(w, &c->main_core, cpus);
    for (uint32_t i = 0; i < c->n_lcores; i++) {
        const uint32_t *core = &c->lcore[i].core;
        if (!gn_walk_good(w, core))
            continue;
        check_cpu(w, core, cpus);
        if (!shared && gn_walk_good(w, &c->main_core) && *core == c->main_core)
            gn_walk_found(
                w, false, core,
                ", the main core, allowed: a core of its own; choose another, or set cores.allow_shared_core: "
                "true for a trial");
        for (uint32_t j = 0; j < i && !shared; j++)
            if (gn_walk_good(w, &c->lcore[j].core) && *core == c->lcore[j].core)
                gn_walk_found(w, false, core,
                              ", the core of cores.lcores[%u], allowed: a core of its own; choose another, or set "
                              "cores.allow_shared_core: true for a trial",
                              j);
    }
    check_stages(w);
}

/* ---- addresses ---- */

struct dotted {
    char text[16];
};

static struct dotted dotted(uint32_t ip)
{
    struct dotted d;
    (void)snprintf(d.text, sizeof d.text, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
    return d;
}

static bool multicast(uint32_t ip)
{
    return ip >> 28 == 14;
}

static bool in_subnet(const struct gn_conf_port *p, uint32_t ip)
{
    return p->prefix_len != 0 && ((p->ip ^ ip) >> (32 - p->prefix_len)) == 0;
}

/* check_reach: a peer that the port must be able to send to. */
static void check_reach(struct gn_walk *w, const struct gn_conf_port *p, const uint32_t *ip)
{
    if (*ip == 0 || p->prefix_len == 0)
        return;
    if (multicast(*ip) || *ip == UINT32_MAX || *ip >> 24 == 0)
        gn_walk_found(w, false, ip, ", allowed: the address of one host");
    else if (*ip == p->ip)
        gn_walk_found(w, false, ip, ", the port's own address, allowed: the address of the other side");
    else if (!in_subnet(p, *ip) && p->gateway == 0)
        gn_walk_found(w, false, ip,
                      ", allowed: an address in the subnet of port %s, %s/%u; or give that port a gateway", p->name,
                      dotted(p->ip).text, p->prefix_len);
}

/* ---- ports ---- */

static bool pci_address(const char *s)
{
    static const char shape[] = "xxxx:xx:xx.o";
    size_t n = strlen(s);
    const char *p = shape + (n == 7 ? 5 : 0); /* the domain may be left out */

    if (n != 7 && n != 12)
        return false;
    for (; *s != '\0'; s++, p++)
        if (*p == 'x' ? strchr("0123456789abcdef", *s) == NULL : *p == 'o' ? *s < '0' || *s > '7' : *s != *p)
            return false;
    return true;
}

static void check_device(struct gn_walk *w, const struct gn_conf_port *p)
{
    bool interface = p->kind == GN_PORT_AF_XDP || p->kind == GN_PORT_TAP;

    if (p->kind == 0 || p->device[0] == '\0')
        return;
    if (p->kind == GN_PORT_PCI && !pci_address(p->device))
        gn_walk_found(w, false, p->device, ", allowed for kind pci: an address like 0000:03:00.0; lspci -D shows it");
    if (interface && (strlen(p->device) > 15 || strpbrk(p->device, "/ :,") != NULL))
        gn_walk_found(
            w, false, p->device,
            ", allowed for kinds af_xdp and tap: an interface name of 1..15 characters without / : , or space");
    if (p->kind != GN_PORT_PCAP && gn_walk_given(w, p->device_tx))
        gn_walk_found(w, false, p->device_tx, ", allowed for kind pcap only; remove it");
    if (p->kind != GN_PORT_MEMIF && gn_walk_given(w, &p->server))
        gn_walk_found(w, false, &p->server, ", allowed for kind memif only; remove it");
    if (p->kind != GN_PORT_MEMIF && gn_walk_given(w, &p->memif_id))
        gn_walk_found(w, false, &p->memif_id, ", allowed for kind memif only; remove it");
    if (p->kind != GN_PORT_AF_XDP && gn_walk_given(w, &p->queue))
        gn_walk_found(w, false, &p->queue, ", allowed for kind af_xdp only; remove it");
}

static void check_port_ip(struct gn_walk *w, const struct gn_conf_port *p)
{
    uint32_t host = p->prefix_len < 31 ? UINT32_MAX >> p->prefix_len : 0;

    if (p->prefix_len == 0)
        return;
    if (multicast(p->ip) || p->ip >> 24 == 0 || p->ip >> 28 == 15)
        gn_walk_found(w, false, &p->ip, ", allowed: the address of one host");
    else if (host != 0 && ((p->ip & host) == 0 || (p->ip & host) == host))
        gn_walk_found(w, false, &p->ip, ", the network or broadcast address of the subnet, allowed: a host's address");
    if (p->gateway != 0 && (!in_subnet(p, p->gateway) || p->gateway == p->ip))
        gn_walk_found(w, false, &p->gateway, ", allowed: another address in the port's subnet, %s/%u",
                      dotted(p->ip).text, p->prefix_len);
}

static void check_port_pair(struct gn_walk *w, const struct gn_conf_port *a, const struct gn_conf_port *b)
{
    if (a->ip != 0 && a->ip == b->ip)
        gn_walk_found(w, false, &b->ip, ", the address of port %s, allowed: an address of its own", a->name);
    if (a->kind != 0 && a->kind == b->kind && a->memif_id == b->memif_id && a->queue == b->queue &&
        a->device[0] != '\0' && strcmp(a->device, b->device) == 0)
        gn_walk_found(w, false, b->device, ", the device of port %s, allowed: a device, memif id or queue of its own",
                      a->name);
}

static bool port_used(const struct gn_draft *d, uint32_t port)
{
    const struct gn_conf_feed *f = &d->conf.feed;
    bool used = f->line[0].port == port || f->line[1].port == port || f->request_port == port;
    for (uint32_t i = 0; i < d->conf.n_sessions; i++)
        used |= d->session[i].s.port == port;
    return used;
}

static void check_ports(struct gn_walk *w)
{
    const struct gn_conf *c = &w->draft->conf;

    for (uint32_t i = 0; i < c->n_ports; i++) {
        check_device(w, &c->port[i]);
        check_port_ip(w, &c->port[i]);
        for (uint32_t j = 0; j < i; j++)
            check_port_pair(w, &c->port[j], &c->port[i]);
        if (c->port[i].name[0] != '\0' && !port_used(w->draft, i))
            gn_walk_found(w, true, c->port[i].name, ", a port that no line, retransmission or session uses");
    }
}

/* ---- feed ---- */

static void check_feed(struct gn_walk *w)
{
    const struct gn_conf *c = &w->draft->conf;
    const struct gn_conf_feed *f = &c->feed;

    for (uint32_t i = 0; i < 2; i++)
        if (f->line[i].group != 0 && !multicast(f->line[i].group))
            gn_walk_found(w, false, &f->line[i].group, ", allowed: a multicast address, 224.0.0.0..239.255.255.255");
    if (f->line[0].port != GN_NONE32 && f->line[0].group != 0 && f->line[0].udp_port != 0 &&
        memcmp(&f->line[0], &f->line[1], offsetof(struct gn_conf_line, pad)) == 0)
        gn_walk_found(
            w, false, &f->line[1].group,
            ", the group and UDP port of feed.line_a on the same port, allowed: another group, UDP port or port; "
            "two lines must not be one");
    if (f->request_port != GN_NONE32)
        check_reach(w, &c->port[f->request_port], &f->request_ip);
}

/* ---- sessions ---- */

static bool feed_uses(const struct gn_conf_feed *f, uint32_t port)
{
    return f->line[0].port == port || f->line[1].port == port || f->request_port == port;
}

static void check_session(struct gn_walk *w, const struct gn_draft_session *d)
{
    const struct gn_conf *c = &w->draft->conf;
    const struct gn_conf_session *s = &d->s;
    uint32_t feed = lcore_of(c, GN_STAGE_FEED), orders = lcore_of(c, GN_STAGE_ORDERS);
    bool env = gn_walk_given(w, d->password_env), file = gn_walk_given(w, d->password_file);

    if (s->port != GN_NONE32) {
        check_reach(w, &c->port[s->port], &s->remote_ip);
        if (feed != GN_NONE32 && orders != GN_NONE32 && feed != orders && feed_uses(&c->feed, s->port))
            gn_walk_found(w, false, &s->port,
                          ", a port of the feed, allowed: a port that one lcore polls; stages feed and orders are on "
                          "different lcores: use another port, or put both stages on one lcore");
    }
    if (env && file)
        gn_walk_says(w, false, d->password_file, "found beside password_env, allowed: one of the two; remove one");
    if (!env && !file && s->name[0] != '\0')
        gn_walk_says(w, false, s->name,
                     "session %s has no password, allowed: password_env or password_file; add one of them", s->name);
    if (s->heartbeat_ms != 0 && s->dead_ms != 0 && s->dead_ms <= s->heartbeat_ms)
        gn_walk_found(w, false, &s->dead_ms, ", allowed: longer than heartbeat, %ums", s->heartbeat_ms);
    if (s->reconnect_ms != 0 && s->reconnect_max_ms != 0 && s->reconnect_max_ms < s->reconnect_ms)
        gn_walk_found(w, false, &s->reconnect_max_ms, ", allowed: at least reconnect, %ums", s->reconnect_ms);
}

static void check_sessions(struct gn_walk *w)
{
    const struct gn_draft *d = w->draft;

    for (uint32_t i = 0; i < d->conf.n_sessions; i++) {
        const struct gn_conf_session *s = &d->session[i].s;
        check_session(w, &d->session[i]);
        for (uint32_t j = 0; j < i; j++)
            if (s->port != GN_NONE32 && s->port == d->session[j].s.port && s->local_port != 0 &&
                s->local_port == d->session[j].s.local_port)
                gn_walk_found(
                    w, false, &s->local_port,
                    ", the local_port of session %s on the same port, allowed: a port number of its own, with "
                    "room for reconnects",
                    d->session[j].s.name);
    }
}

/* ---- numbers ---- */

static void check_paths(struct gn_walk *w)
{
    const struct gn_conf *c = &w->draft->conf;
    const char *const paths[] = {c->run_dir, c->huge_dir, c->journal.dir, c->journal.key};

    for (size_t i = 0; i < GN_ARRAY_LEN(paths); i++)
        if (paths[i][0] != '\0' && paths[i][0] != '/')
            gn_walk_found(w, false, paths[i],
                          ", allowed: a path that starts with /; processes with different working folders share it");
}

static void check_heartbeat(struct gn_walk *w)
{
    const struct gn_conf *c = &w->draft->conf;

    if (c->heartbeat_period_ms != 0 && c->heartbeat_stale_ms != 0 && c->heartbeat_period_ms * 3 > c->heartbeat_stale_ms)
        gn_walk_found(w, false, &c->heartbeat_stale_ms, ", allowed: at least three times heartbeat.period, %ums",
                      c->heartbeat_period_ms * 3);
    if (c->heartbeat_stale_ms != 0 && c->heartbeat_cancel_ms != 0 && c->heartbeat_cancel_ms <= c->heartbeat_stale_ms)
        gn_walk_found(w, false, &c->heartbeat_cancel_ms, ", allowed: longer than heartbeat.stale, %ums",
                      c->heartbeat_stale_ms);
}

/* ---- limits ---- */

static const struct gn_limits_scope *draft_row(const struct gn_draft *d, uint32_t row)
{
    if (row == GN_ROW_FIRM)
        return &d->conf.limits[GN_ROW_FIRM];
    if (row < GN_ROW_ACCOUNT)
        return &d->venue[row - GN_ROW_VENUE].limits;
    if (row < GN_ROW_STRATEGY)
        return &d->account[row - GN_ROW_ACCOUNT].limits;
    if (row < GN_ROW_THEME)
        return &d->strategy[row - GN_ROW_STRATEGY].limits;
    return &d->theme[row - GN_ROW_THEME].limits;
}

/* The place of a limit in the file: of the instrument's own row, or of the defaults that it follows. */
static const void *limit_at(const struct gn_walk *w, uint32_t row, uint32_t instrument, uint32_t field)
{
    const struct gn_draft *d = w->draft;
    if (row != GN_LIMITS_INSTRUMENT)
        return &(&draft_row(d, row)->max_open_orders)[field];
    const void *own = &(&d->instrument[instrument].limits.tradable)[field];
    return gn_walk_given(w, own) ? own : &(&d->defaults.limits.tradable)[field];
}

static void say_contradiction(void *ctx, const struct gn_limits_finding *f)
{
    struct gn_walk *w = ctx;
    gn_walk_found(w, false, limit_at(w, f->child_row, f->instrument, f->child_field),
                  ", allowed: no more than the scope above; %s; lower the members, or raise the scope", f->text);
}

static void check_hierarchy(struct gn_walk *w)
{
    const struct gn_draft *d = w->draft;
    struct gn_conf *names = calloc(1, sizeof *names);
    if (names == NULL) {
        w->no_memory = true;
        return;
    }
    for (uint32_t i = 0; i < d->conf.n_strategies; i++)
        names->strategy[i] = d->strategy[i].s;
    for (uint32_t row = 0; row < GN_ROW_NO_THEME; row++)
        names->limits[row] = *draft_row(d, row);
    for (uint32_t i = 0; i < GN_VENUES_MAX; i++)
        memcpy(names->venue[i], d->venue[i].name, GN_NAME_MAX);
    for (uint32_t i = 0; i < GN_ACCOUNTS_MAX; i++)
        memcpy(names->account[i], d->account[i].name, GN_NAME_MAX);
    for (uint32_t i = 0; i < GN_THEMES_MAX; i++)
        memcpy(names->theme[i], d->theme[i].name, GN_NAME_MAX);
    const struct gn_limits_tree tree = {.conf = names,
                                        .scope = names->limits,
                                        .instrument = d->instrument == NULL ? NULL : &d->instrument->i,
                                        .limits = d->instrument == NULL ? NULL : &d->instrument->limits,
                                        .instrument_stride = sizeof *d->instrument,
                                        .limits_stride = sizeof *d->instrument,
                                        .n_instruments = d->conf.n_instruments};
    (void)gn_limits_check(&tree, say_contradiction, w);
    free(names);
}

static void check_reserve(struct gn_walk *w, const struct gn_limits_scope *l)
{
    if ((l->set >> GN_SL_CANCEL_RESERVE & 1) != 0 && (l->set >> GN_SL_MESSAGE_BURST & 1) != 0 &&
        l->cancel_reserve >= l->message_burst)
        gn_walk_found(w, false, &l->cancel_reserve, ", allowed: less than the scope's message_burst, %lld",
                      (long long)l->message_burst);
}

void gn_check_limits(struct gn_walk *w)
{
    const struct gn_limits_scope *l = &w->draft->conf.limits[GN_ROW_FIRM];

    for (uint32_t row = 0; row < GN_ROW_NO_THEME; row++)
        check_reserve(w, draft_row(w->draft, row));
    for (const struct gn_schema_key *k = gn_schema_find("limits"), *row = NULL;
         (row = gn_schema_child(k, row)) != NULL;) {
        const void *field = (const uint8_t *)w->draft + row->offset;
        if ((l->set >> row->bit & 1) == 0 && !gn_walk_given(w, field))
            gn_conf_errors_add(w->errs, true, 0, w->name, 0, row->path,
                               "not set: the gate rejects every order; add it: %s", row->help);
    }
    if (w->errs->n_errors == 0)
        check_hierarchy(w);
}

void gn_check_run(struct gn_walk *w, const struct gn_conf_host *host)
{
    const struct gn_draft *d = w->draft;
    const struct names lists[] = {
        {"ports", d->conf.port[0].name, sizeof d->conf.port[0], d->conf.n_ports},
        {"sessions", d->session[0].s.name, sizeof d->session[0], d->conf.n_sessions},
        {"clients", d->conf.client[0], sizeof d->conf.client[0], d->conf.n_clients},
        {"people", d->people.person[0].name, sizeof d->people.person[0], d->people.n},
        {"strategies", d->strategy[0].s.name, sizeof d->strategy[0], d->conf.n_strategies},
        {"venues", d->venue[0].name, sizeof d->venue[0], d->conf.n_venues},
        {"accounts", d->account[0].name, sizeof d->account[0], d->conf.n_accounts},
        {"themes", d->theme[0].name, sizeof d->theme[0], d->conf.n_themes},
    };

    for (size_t i = 0; i < GN_ARRAY_LEN(lists); i++)
        check_names(w, &lists[i]);
    check_paths(w);
    check_cores(w, host->cpus);
    check_ports(w);
    check_feed(w);
    check_sessions(w);
    check_heartbeat(w);
    gn_check_people(w);
}
