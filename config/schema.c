#include "config/schema.h"

#include "config/draft.h"
#include "config/schema_limits.h"
#include "dataplane/abi/orders.h"
#include "dataplane/abi/ring.h"

#define IN(structure, member) \
    .offset = (uint32_t)offsetof(structure, member), .size = (uint32_t)sizeof(((structure *)0)->member)
#define TOP(member)  IN(struct gn_draft, member)
#define PORT(member) IN(struct gn_conf_port, member)
#define SES(member)  IN(struct gn_draft_session, member)
#define STR(member)  IN(struct gn_draft_strategy, member)
#define INS(member)  IN(struct gn_draft_instrument, member)
#define GRP(member)  IN(struct gn_draft_group, member)
#define PER(member)  IN(struct gn_person, member)
#define LIST_OF(array, item, count)                                                       \
    .offset = (uint32_t)offsetof(struct gn_draft, array), .size = (uint32_t)sizeof(item), \
    .count_offset = (uint32_t)offsetof(struct gn_draft, conf.count)
#define RANGE(lo, hi) .min = (lo), .max = (hi)

static const struct gn_schema_name modes[] = {
    {"paper", GN_MODE_PAPER}, {"live", GN_MODE_LIVE}, {"shadow", GN_MODE_SHADOW}, {"mock", GN_MODE_MOCK}, {0}};
static const struct gn_schema_name stages[] = {
    {"feed", GN_STAGE_FEED}, {"strategy", GN_STAGE_STRATEGY}, {"orders", GN_STAGE_ORDERS}, {0}};
static const struct gn_schema_name port_kinds[] = {{"memif", GN_PORT_MEMIF}, {"af_xdp", GN_PORT_AF_XDP},
                                                   {"tap", GN_PORT_TAP},     {"pcap", GN_PORT_PCAP},
                                                   {"pci", GN_PORT_PCI},     {0}};
static const struct gn_schema_name journal_modes[] = {{"async", GN_JOURNAL_ASYNC}, {"sync", GN_JOURNAL_SYNC}, {0}};
static const struct gn_schema_name deadmen[] = {{"control", 1u << GN_DEADMAN_CONTROL},
                                                {"strategy", 1u << GN_DEADMAN_STRATEGY},
                                                {"feed", 1u << GN_DEADMAN_FEED},
                                                {"session", 1u << GN_DEADMAN_SESSION},
                                                {0}};
static const struct gn_schema_name deadman_actions[] = {{"stop", GN_DEADMAN_STOP}, {"cancel", GN_DEADMAN_CANCEL}, {0}};
static const struct gn_schema_name roles[] = {{"client", 0}, {"server", 1}, {0}};
static const struct gn_schema_name strategy_kinds[] = {{"touch", 0}, {"maker", 0}, {"client", 0}, {0}};

static const struct gn_schema_name clock_policies[] = {
    {"ignore", GN_CLOCK_IGNORE}, {"alert", GN_CLOCK_ALERT}, {"halt", GN_CLOCK_HALT}, {0}};
static const struct gn_schema_name environments[] = {
    {"production", GN_ENV_PRODUCTION}, {"test", GN_ENV_TEST}, {"simulator", GN_ENV_SIMULATOR}, {0}};
static const struct gn_schema_name person_roles[] = {
    {"trader", GN_ROLE_TRADER}, {"risk", GN_ROLE_RISK}, {"operator", GN_ROLE_OPERATOR}, {0}};

const struct gn_schema_key gn_schema[] = {
    {"instance", GN_TYPE_NAME, NULL, NULL, RANGE(1, GN_NAME_MAX - 1), TOP(conf.instance),
     .help = "name of this appliance; files, sockets and metrics carry it"},
    {"mode", GN_TYPE_ENUM, NULL, "paper", .names = modes, TOP(conf.mode),
     .help = "paper: real market, orders to a simulator or the venue's test system; live: orders to the exchange; "
             "shadow: no "
             "session connects, what strategies want is recorded and nothing is sent; mock: market and orders of a "
             "simulator"},
    {"run_dir", GN_TYPE_PATH, NULL, NULL, RANGE(1, 79), TOP(conf.run_dir),
     .help = "folder of the shared region, client files and sockets; short, because socket paths are made in it"},
    {"hugepages", GN_TYPE_BOOL, NULL, "true", TOP(conf.hugepages), .help = "DPDK memory from huge pages"},
    {"huge_dir", GN_TYPE_PATH, NULL, "", RANGE(1, 79), TOP(conf.huge_dir),
     .help = "hugetlbfs mount for the shared region; left out: ordinary pages in run_dir"},
    {"dpdk_mem", GN_TYPE_SIZE, "MiB", "256MiB", RANGE(16, 65536), TOP(conf.dpdk_mem_mib),
     .help = "memory of DPDK: packet buffers and descriptor rings"},

    {"cores", GN_TYPE_MAP, .help = "which CPU runs what"},
    {"cores.main", GN_TYPE_CPU, NULL, NULL, RANGE(0, 1023), TOP(conf.main_core),
     .help = "housekeeping CPU: main thread of the data plane, control plane"},
    {"cores.lcores", GN_TYPE_LIST, NULL, NULL, RANGE(1, GN_LCORES_MAX),
     LIST_OF(conf.lcore, struct gn_conf_lcore, n_lcores), .help = "the busy-polling loops"},
    {"cores.lcores[].core", GN_TYPE_CPU, NULL, NULL, RANGE(0, 1023), IN(struct gn_conf_lcore, core),
     .help = "CPU of the loop, isolated from everything else"},
    {"cores.lcores[].stages", GN_TYPE_SET, NULL, NULL, .names = stages, IN(struct gn_conf_lcore, stages),
     .help = "what the loop does; each stage is on exactly one loop"},
    {"cores.allow_shared_core", GN_TYPE_BOOL, NULL, "false", TOP(allow_shared_core),
     .help = "allows two loops, or a loop and the main thread, on one CPU: for trials on small machines"},

    {"ports", GN_TYPE_LIST, NULL, NULL, RANGE(1, GN_PORTS_MAX), LIST_OF(conf.port, struct gn_conf_port, n_ports),
     .help = "network ports"},
    {"ports[].name", GN_TYPE_NAME, NULL, NULL, RANGE(1, GN_NAME_MAX - 1), PORT(name),
     .help = "name by which lines and sessions refer to it"},
    {"ports[].kind", GN_TYPE_ENUM, NULL, NULL, .names = port_kinds, PORT(kind), .help = "how packets come and go"},
    {"ports[].device", GN_TYPE_PATH, NULL, NULL, RANGE(1, GN_PATH_MAX - 1), PORT(device),
     .help = "memif: socket path; af_xdp, tap: interface; pcap: file to read; pci: 0000:03:00.0"},
    {"ports[].device_tx", GN_TYPE_PATH, NULL, "", RANGE(1, GN_PATH_MAX - 1), PORT(device_tx),
     .help = "pcap: file to write"},
    {"ports[].role", GN_TYPE_ENUM, NULL, "client", .names = roles, PORT(server),
     .help = "memif: the server makes the socket"},
    {"ports[].id", GN_TYPE_INT, NULL, "0", RANGE(0, 65535), PORT(memif_id),
     .help = "memif: interface number on the socket"},
    {"ports[].queue", GN_TYPE_INT, NULL, "0", RANGE(0, 255), PORT(queue), .help = "af_xdp: receive queue"},
    {"ports[].ip", GN_TYPE_NET, NULL, NULL, PORT(ip), .help = "address and prefix length of this port"},
    {"ports[].gateway", GN_TYPE_IPV4, NULL, "", PORT(gateway), .help = "router for addresses outside the subnet"},
    {"ports[].mac", GN_TYPE_MAC, NULL, "", PORT(mac), .help = "unicast MAC address; left out: the port's own"},
    {"ports[].mtu", GN_TYPE_INT, "bytes", "1500", RANGE(576, 1500), PORT(mtu), .help = "largest IP packet"},
    {"ports[].vlan", GN_TYPE_INT, NULL, "0", RANGE(0, 4094), PORT(vlan), .help = "VLAN tag; 0: untagged"},
    {"ports[].rx_descs", GN_TYPE_INT, "descriptors", "1024", RANGE(64, 32768), PORT(rx_descs), .flags = GN_KEY_POW2,
     .help = "receive ring"},
    {"ports[].tx_descs", GN_TYPE_INT, "descriptors", "1024", RANGE(64, 32768), PORT(tx_descs), .flags = GN_KEY_POW2,
     .help = "transmit ring"},

    {"feed", GN_TYPE_MAP, .help = "market data: two lines of one MoldUDP64 stream"},
    {"feed.session", GN_TYPE_STRING, NULL, "", RANGE(0, 10), TOP(conf.feed.session),
     .help = "MoldUDP64 session; empty: the first that is seen"},
    {"feed.line_a", GN_TYPE_MAP, .help = "first line"},
    {"feed.line_a.port", GN_TYPE_REF, NULL, NULL, TOP(conf.feed.line[0].port), .of = "ports",
     .help = "port that joins the group"},
    {"feed.line_a.group", GN_TYPE_IPV4, NULL, NULL, TOP(conf.feed.line[0].group), .help = "multicast group"},
    {"feed.line_a.udp_port", GN_TYPE_INT, NULL, NULL, RANGE(1, 65535), TOP(conf.feed.line[0].udp_port),
     .help = "destination UDP port"},
    {"feed.line_b", GN_TYPE_MAP, NULL, "", .help = "second line with the same messages"},
    {"feed.line_b.port", GN_TYPE_REF, NULL, NULL, TOP(conf.feed.line[1].port), .of = "ports",
     .help = "port that joins the group"},
    {"feed.line_b.group", GN_TYPE_IPV4, NULL, NULL, TOP(conf.feed.line[1].group), .help = "multicast group"},
    {"feed.line_b.udp_port", GN_TYPE_INT, NULL, NULL, RANGE(1, 65535), TOP(conf.feed.line[1].udp_port),
     .help = "destination UDP port"},
    {"feed.retransmit", GN_TYPE_MAP, NULL, "", .help = "server that repeats lost packets"},
    {"feed.retransmit.port", GN_TYPE_REF, NULL, NULL, TOP(conf.feed.request_port), .of = "ports",
     .help = "port by which it is asked"},
    {"feed.retransmit.ip", GN_TYPE_IPV4, NULL, NULL, TOP(conf.feed.request_ip), .help = "its address"},
    {"feed.retransmit.udp_port", GN_TYPE_INT, NULL, NULL, RANGE(1, 65535), TOP(conf.feed.request_udp_port),
     .help = "its UDP port"},
    {"feed.retransmit.local_udp_port", GN_TYPE_INT, NULL, NULL, RANGE(1, 65535), TOP(conf.feed.request_local_udp_port),
     .help = "UDP port that takes the answers"},
    {"feed.gap_request", GN_TYPE_DURATION, "us", "200us", RANGE(1, 10000000), TOP(conf.feed.gap_request_us),
     .help = "how long the other line may fill a gap before a retransmission is asked for"},
    {"feed.gap_retries", GN_TYPE_INT, "requests", "20", RANGE(0, 10000), TOP(conf.feed.gap_retries),
     .help = "requests for one gap before it is given up and its books stay stale"},
    {"feed.line_dead", GN_TYPE_DURATION, "ms", "2s", RANGE(10, 600000), TOP(conf.feed.line_dead_ms),
     .help = "silence after which a line counts as dead"},
    {"feed.reorder_packets", GN_TYPE_INT, "packets", "1024", RANGE(16, 65536), TOP(conf.feed.reorder_packets),
     .flags = GN_KEY_POW2, .help = "packets that are held behind a gap"},

    {"venues", GN_TYPE_LIST, NULL, "[]", RANGE(0, GN_VENUES_MAX), LIST_OF(venue, struct gn_draft_group, n_venues),
     .of = "name", .help = "exchanges; left out: one, named default"},
    {"venues[].name", GN_TYPE_NAME, NULL, NULL, RANGE(1, GN_NAME_MAX - 1), GRP(name), .help = "name of the venue"},
    {"venues[].limits", GN_TYPE_MAP, NULL, "", .help = "limits of its own; one that is not set is the firm's"},
    GN_SCOPE_LIMITS(VENUE_LIMIT) /* one row each */
    {"accounts", GN_TYPE_LIST, NULL, "[]", RANGE(0, GN_ACCOUNTS_MAX),
     LIST_OF(account, struct gn_draft_group, n_accounts), .of = "name",
     .help = "whose money it is; left out: one, named default"},
    {"accounts[].name", GN_TYPE_NAME, NULL, NULL, RANGE(1, GN_NAME_MAX - 1), GRP(name), .help = "name of the account"},
    {"accounts[].limits", GN_TYPE_MAP, NULL, "", .help = "limits of its own; one that is not set is the firm's"},
    GN_SCOPE_LIMITS(ACCOUNT_LIMIT) /* one row each */
    {"themes", GN_TYPE_LIST, NULL, "[]", RANGE(0, GN_THEMES_MAX), LIST_OF(theme, struct gn_draft_group, n_themes),
     .of = "name", .help = "groups of instruments that are limited together"},
    {"themes[].name", GN_TYPE_NAME, NULL, NULL, RANGE(1, GN_NAME_MAX - 1), GRP(name), .help = "name of the theme"},
    {"themes[].limits", GN_TYPE_MAP, NULL, "", .help = "limits of its own; one that is not set is the firm's"},
    GN_SCOPE_LIMITS(THEME_LIMIT) /* one row each */

    {"sessions", GN_TYPE_LIST, NULL, NULL, RANGE(1, GN_SESSIONS_MAX),
     LIST_OF(session, struct gn_draft_session, n_sessions), .help = "order sessions: OUCH in SoupBinTCP over TCP"},
    {"sessions[].name", GN_TYPE_NAME, NULL, NULL, RANGE(1, GN_NAME_MAX - 1), SES(s.name),
     .help = "name of the session"},
    {"sessions[].port", GN_TYPE_REF, NULL, NULL, SES(s.port), .of = "ports", .help = "port it uses"},
    {"sessions[].venue", GN_TYPE_REF, NULL, "", SES(s.venue), .of = "venues",
     .help = "whose it is; left out: the first"},
    {"sessions[].remote", GN_TYPE_ENDPOINT, NULL, NULL, SES(s.remote_ip), .help = "the venue's address and TCP port"},
    {"sessions[].environment", GN_TYPE_ENUM, NULL, "", .names = environments, SES(environment),
     .help =
         "what answers there; must agree with mode: live needs production, paper and mock never have it. Left out: a "
         "simulator, in mode mock only"},
    {"sessions[].local_port", GN_TYPE_INT, NULL, NULL, RANGE(1024, 65535), SES(s.local_port),
     .help = "first local TCP port; reconnects count up from it"},
    {"sessions[].username", GN_TYPE_STRING, NULL, NULL, RANGE(1, 6), SES(s.username), .help = "login"},
    {"sessions[].password_env", GN_TYPE_STRING, NULL, "", RANGE(1, 63), SES(password_env),
     .help = "environment variable with the password; this or password_file"},
    {"sessions[].password_file", GN_TYPE_PATH, NULL, "", RANGE(1, GN_PATH_MAX - 1), SES(password_file),
     .help = "file with the password, not readable by others; this or password_env"},
    {"sessions[].password", GN_TYPE_REFUSED, NULL, "",
     .help = "this file is copied, hashed and shown; put the password into the environment (password_env) or a file "
             "of its own (password_file)"},
    {"sessions[].firm", GN_TYPE_STRING, NULL, NULL, RANGE(1, 4), SES(s.firm), .help = "firm code on every order"},
    {"sessions[].heartbeat", GN_TYPE_DURATION, "ms", "1s", RANGE(10, 60000), SES(s.heartbeat_ms),
     .help = "our silence after which a heartbeat is sent"},
    {"sessions[].dead", GN_TYPE_DURATION, "ms", "15s", RANGE(20, 600000), SES(s.dead_ms),
     .help = "the venue's silence after which the session is lost"},
    {"sessions[].reconnect", GN_TYPE_DURATION, "ms", "100ms", RANGE(1, 600000), SES(s.reconnect_ms),
     .help = "first wait before a reconnect; doubles, with jitter"},
    {"sessions[].reconnect_max", GN_TYPE_DURATION, "ms", "5s", RANGE(1, 600000), SES(s.reconnect_max_ms),
     .help = "longest wait before a reconnect"},
    {"sessions[].deadman", GN_TYPE_DURATION, "ms", "60s", RANGE(1, 86400000), SES(s.deadman_ms),
     .help = "dead-man timer: who is silent for so long stops the session"},
    {"sessions[].deadman_on", GN_TYPE_SET, NULL, "all", .names = deadmen, SES(s.deadman_on),
     .help = "whose silence counts: the control plane's, that of the strategies' lcore and clients, "
             "the feed's, the order session's own (not up)"},
    {"sessions[].deadman_action", GN_TYPE_ENUM, NULL, "cancel", .names = deadman_actions, SES(s.deadman_action),
     .help = "stop: no new orders; cancel: working orders are cancelled too; a person releases either"},
    {"sessions[].breaker_losses", GN_TYPE_INT, "connections", "20", RANGE(0, 100000), SES(s.breaker_losses),
     .help = "circuit breaker: connections lost or not made in the window that open it; 0: never"},
    {"sessions[].breaker_rejects", GN_TYPE_INT, "orders", "0", RANGE(0, 1000000), SES(s.breaker_rejects),
     .help = "circuit breaker: orders rejected by the venue in the window that open it; 0: never"},
    {"sessions[].breaker_window", GN_TYPE_DURATION, "ms", "10s", RANGE(10, 3600000), SES(s.breaker_window_ms),
     .help = "circuit breaker: how long a failure counts"},
    {"sessions[].breaker_pause", GN_TYPE_DURATION, "ms", "5s", RANGE(1, 3600000), SES(s.breaker_pause_ms),
     .help = "circuit breaker: how long it stays open before one probe; doubles up to eight times it"},
    {"sessions[].cancel_on_disconnect", GN_TYPE_BOOL, NULL, "false", SES(s.cancel_on_disconnect),
     .help = "true: the venue has it armed for this account (for OUCH a setting of the port, ordered from the venue); "
             "an order that outlives a disconnect is then a break"},
    {"sessions[].drop_copy", GN_TYPE_ENDPOINT, NULL, "", SES(s.drop_copy_ip),
     .help = "address and TCP port of the account's drop copy, reached by the control plane over the kernel; left out: "
             "there is none. It logs in as the session does"},
    {"sessions[].drop_copy_stale", GN_TYPE_DURATION, "ms", "5s", RANGE(100, 600000), SES(s.drop_copy_stale_ms),
     .help = "silence of the drop copy that is a break"},
    {"sessions[].drop_copy_grace", GN_TYPE_DURATION, "ms", "2s", RANGE(1, 600000), SES(s.drop_copy_grace_ms),
     .help = "how long drop copy or order session may be behind the other before what one of them lacks is a break"},
    {"sessions[].handover", GN_TYPE_BOOL, NULL, "true", SES(s.handover),
     .help =
         "a restarted data plane takes the TCP connection over where it was; clients' orders stay, those of built-in "
         "strategies are cancelled on it; false: it logs in anew and cancels them all"},
    {"sessions[].fee_add", GN_TYPE_INT, "1/100 of a price mantissa a share", "0", RANGE(-1000000, 1000000),
     SES(s.fee_add), .help = "the venue's fee for a share that added liquidity; negative: a rebate"},
    {"sessions[].fee_remove", GN_TYPE_INT, "1/100 of a price mantissa a share", "0", RANGE(-1000000, 1000000),
     SES(s.fee_remove), .help = "the venue's fee for every other share"},

    {"clients", GN_TYPE_LIST, NULL, "[]", RANGE(0, GN_CLIENTS_MAX), LIST_OF(conf.client, char[GN_NAME_MAX], n_clients),
     .help = "the desk's own processes that may connect"},
    {"clients[]", GN_TYPE_NAME, NULL, NULL, RANGE(1, GN_NAME_MAX - 1), .size = GN_NAME_MAX, .help = "name of a client"},

    {"strategies", GN_TYPE_LIST, NULL, "[]", RANGE(0, GN_STRATEGIES_MAX),
     LIST_OF(strategy, struct gn_draft_strategy, n_strategies), .help = "who decides"},
    {"strategies[].name", GN_TYPE_NAME, NULL, NULL, RANGE(1, GN_NAME_MAX - 1), STR(s.name),
     .help = "name of the strategy"},
    {"strategies[].kind", GN_TYPE_NAME, NULL, NULL, .names = strategy_kinds, STR(s.kind),
     .help = "built-in strategy, or client: a process of the desk decides"},
    {"strategies[].session", GN_TYPE_REF, NULL, NULL, STR(s.session), .of = "sessions",
     .help = "session of its orders"},
    {"strategies[].account", GN_TYPE_REF, NULL, "", STR(s.account), .of = "accounts",
     .help = "whose money it trades; left out: the first"},
    {"strategies[].algo_id", GN_TYPE_INT, NULL, "", RANGE(1, 999999999), STR(s.algo_id),
     .help = "identifier of the algorithm for venue and regulator; left out: its place in this list, from 1"},
    {"strategies[].trader", GN_TYPE_NAME, NULL, "desk", RANGE(1, GN_NAME_MAX - 1), STR(s.trader),
     .help = "person or desk in charge"},
    {"strategies[].enabled", GN_TYPE_BOOL, NULL, "true", STR(s.enabled), .help = "false: loaded, and decides nothing"},
    {"strategies[].client", GN_TYPE_REF, NULL, "", STR(s.client), .of = "clients", .help = "kind client: which one"},
    {"strategies[].instruments", GN_TYPE_SYMBOLS, NULL, NULL, STR(instruments),
     .help = "symbols it trades, each by one strategy only; all: those that no other strategy names"},
    {"strategies[].params", GN_TYPE_PARAMS, NULL, "", STR(params), .help = "parameters of its kind"},
    {"strategies[].limits", GN_TYPE_MAP, NULL, "", .help = "limits of its own; one that is not set is its account's"},
    GN_SCOPE_LIMITS(STRATEGY_LIMIT) /* one row each */

    {"instruments", GN_TYPE_MAP, .help = "what may be traded"},
    {"instruments.defaults", GN_TYPE_MAP, .help = "what holds for every instrument whose row says nothing else"},
    {"instruments.defaults.price_exp", GN_TYPE_INT, "power of ten", NULL, RANGE(-4, -4), TOP(defaults.i.price_exp),
     .help = "decimal exponent of prices: -4, the only one of Nasdaq feeds: 10000 is 1.0"},
    {"instruments.defaults.tick", GN_TYPE_INT, "price", NULL, RANGE(1, 1000000000000), TOP(defaults.i.tick),
     .help = "price increment, in units of price_exp"},
    {"instruments.defaults.lot", GN_TYPE_INT, "quantity", NULL, RANGE(1, 1000000000), TOP(defaults.i.lot),
     .help = "quantity increment"},
    {"instruments.defaults.theme", GN_TYPE_REF, NULL, "", TOP(defaults.i.theme), .of = "themes",
     .help = "group that it belongs to"},
    {"instruments.defaults.venue", GN_TYPE_REF, NULL, "", TOP(defaults.i.venue), .of = "venues",
     .help = "where it trades; left out: the first"},
    {"instruments.defaults.multiplier", GN_TYPE_INT, NULL, "1", RANGE(1, 1000000), TOP(defaults.i.multiplier),
     .help = "units of the underlying in one of it"},
    {"instruments.defaults.fx_ppm", GN_TYPE_INT, "millionths", "1000000", RANGE(1, 1000000000000),
     TOP(defaults.i.fx_ppm), .help = "base currency for one of its currency"},
    {"instruments.defaults.prev_close", GN_TYPE_INT, "price", "0", RANGE(0, 1000000000000), TOP(defaults.i.prev_close),
     .help = "previous close, which bounds prices in an auction; 0: not known"},
    {"instruments.defaults.limits", GN_TYPE_MAP, NULL, "{}", .help = "risk limits; one that is not set rejects"},
    GN_INSTRUMENT_LIMITS(DEFAULT_LIMIT) /* one row each */
    {"instruments.list", GN_TYPE_LIST, NULL, "[]", RANGE(0, GN_INSTRUMENTS_MAX),
     LIST_OF(instrument, struct gn_draft_instrument, n_instruments), .flags = GN_KEY_ALLOC, .of = "symbol",
     .help = "instruments; a symbol alone is a row with the defaults"},
    {"instruments.list[].symbol", GN_TYPE_SYMBOL, NULL, NULL, RANGE(1, GN_SYMBOL_LEN), INS(i.symbol),
     .help = "the venue's symbol"},
    {"instruments.list[].price_exp", GN_TYPE_INT, "power of ten", "", RANGE(-4, -4), INS(i.price_exp),
     .help = "instead of the default"},
    {"instruments.list[].tick", GN_TYPE_INT, "price", "", RANGE(1, 1000000000000), INS(i.tick),
     .help = "instead of the default"},
    {"instruments.list[].lot", GN_TYPE_INT, "quantity", "", RANGE(1, 1000000000), INS(i.lot),
     .help = "instead of the default"},
    {"instruments.list[].theme", GN_TYPE_REF, NULL, "", INS(i.theme), .of = "themes", .help = "instead of the default"},
    {"instruments.list[].venue", GN_TYPE_REF, NULL, "", INS(i.venue), .of = "venues", .help = "instead of the default"},
    {"instruments.list[].multiplier", GN_TYPE_INT, NULL, "", RANGE(1, 1000000), INS(i.multiplier),
     .help = "instead of the default"},
    {"instruments.list[].fx_ppm", GN_TYPE_INT, "millionths", "", RANGE(1, 1000000000000), INS(i.fx_ppm),
     .help = "instead of the default"},
    {"instruments.list[].prev_close", GN_TYPE_INT, "price", "", RANGE(0, 1000000000000), INS(i.prev_close),
     .help = "instead of the default"},
    {"instruments.list[].limits", GN_TYPE_MAP, NULL, "", .help = "limits instead of the defaults, one by one"},
    GN_INSTRUMENT_LIMITS(LISTED_LIMIT) /* one row each */
    {"instruments.file", GN_TYPE_PATH, NULL, "", RANGE(1, GN_PATH_MAX - 1), TOP(instruments_file),
     .help = "file with one symbol a line, appended to the list with the defaults; # starts a comment; relative to the "
             "folder of this file"},

    {"limits", GN_TYPE_MAP, NULL, "{}", .help = "risk limits of the whole appliance; one that is not set rejects"},
    GN_SCOPE_LIMITS(FIRM_LIMIT) /* one row each */

    {"risk", GN_TYPE_MAP, NULL, "{}", .help = "windows in which the gate counts"},
    {"risk.window_ms", GN_TYPE_INT, "ms", "1000", RANGE(1, 3600000), TOP(conf.risk.window_ms),
     .help = "short-period sums of quantity and value"},
    {"risk.duplicate_ms", GN_TYPE_INT, "ms", "1000", RANGE(1, 3600000), TOP(conf.risk.duplicate_ms),
     .help = "identical orders"},
    {"risk.velocity_ms", GN_TYPE_INT, "ms", "1000", RANGE(1, 3600000), TOP(conf.risk.velocity_ms),
     .help = "moves of the market"},
    {"risk.period_ms", GN_TYPE_INT, "ms", "60000", RANGE(1, 86400000), TOP(conf.risk.period_ms),
     .help = "collar over a period"},
    {"risk.day_roll_s", GN_TYPE_INT, "seconds after midnight UTC", "0", RANGE(0, 86399), TOP(conf.risk.day_roll_s),
     .help = "start of the trading day"},
    {"risk.mark_us", GN_TYPE_INT, "us", "100", RANGE(1, 1000000), TOP(conf.risk.mark_us),
     .help = "between two looks at the marks of open positions, one instrument a look"},

    {"tables", GN_TYPE_MAP, NULL, "{}", .help = "sizes of what is laid out at start"},
    {"tables.max_instruments", GN_TYPE_INT, "instruments", "8192", RANGE(1, GN_INSTRUMENTS_MAX),
     TOP(conf.max_instruments), .help = "configured ones and those learnt from the feed"},
    {"tables.max_orders", GN_TYPE_INT, "orders", "65536", RANGE(64, 16777216), TOP(conf.max_orders),
     .flags = GN_KEY_POW2, .help = "own orders"},
    {"tables.book_orders", GN_TYPE_INT, "orders", "1048576", RANGE(1024, 134217728), TOP(conf.book_orders),
     .flags = GN_KEY_POW2, .help = "market orders over all books"},
    {"tables.book_levels", GN_TYPE_INT, "levels", "262144", RANGE(1024, 134217728), TOP(conf.book_levels),
     .flags = GN_KEY_POW2, .help = "price levels over all books"},
    {"tables.stage_ring_cells", GN_TYPE_INT, "64-byte cells", "65536", RANGE(GN_RING_CELLS_MIN, GN_RING_CELLS_MAX),
     TOP(conf.stage_ring_cells), .flags = GN_KEY_POW2, .help = "rings between loops"},
    {"tables.client_ring_cells", GN_TYPE_INT, "64-byte cells", "16384", RANGE(GN_RING_CELLS_MIN, GN_RING_CELLS_MAX),
     TOP(conf.client_ring_cells), .flags = GN_KEY_POW2, .help = "rings to and from a client"},

    {"journal", GN_TYPE_MAP, .help = "the record of everything"},
    {"journal.dir", GN_TYPE_PATH, NULL, NULL, RANGE(1, 79), TOP(conf.journal.dir), .help = "folder of the segments"},
    {"journal.mode", GN_TYPE_ENUM, NULL, "async", .names = journal_modes, TOP(conf.journal.mode),
     .help = "async: an order does not wait for the disk; sync: it leaves when its record is durable"},
    {"journal.unsynced_records", GN_TYPE_INT, "records", "131072", RANGE(1, 1000000000),
     TOP(conf.journal.unsynced_records),
     .help = "records of the orders loop that may wait for the disk; with more of them no new order passes"},
    {"journal.unsynced_time", GN_TYPE_DURATION, "ms", "1s", RANGE(1, 600000), TOP(conf.journal.unsynced_ms),
     .help = "age that the oldest of them may reach; with an older one no new order passes, and one held longer is "
             "given up"},
    {"journal.segment", GN_TYPE_SIZE, "MiB", "64MiB", RANGE(1, 4096), TOP(conf.journal.segment_mib),
     .help = "bytes of one segment"},
    {"journal.segments_ahead", GN_TYPE_INT, "segments", "2", RANGE(1, 16), TOP(conf.journal.segments_ahead),
     .help = "zero-filled segments kept ready"},
    {"journal.inputs", GN_TYPE_BOOL, NULL, "true", TOP(conf.journal.inputs),
     .help = "market-data packets too, so that a day can be replayed"},
    {"journal.ring_cells", GN_TYPE_INT, "64-byte cells", "1048576", RANGE(1024, GN_RING_CELLS_MAX),
     TOP(conf.journal.ring_cells), .flags = GN_KEY_POW2, .help = "event ring of each loop; a full ring stops trading"},
    {"journal.checkpoint", GN_TYPE_DURATION, "ms", "1s", RANGE(10, 600000), TOP(conf.journal.checkpoint_ms),
     .help = "time between two signed checkpoints, also when nothing happens"},
    {"journal.key", GN_TYPE_PATH, NULL, "", RANGE(1, GN_PATH_MAX - 1), TOP(conf.journal.key),
     .help = "Ed25519 private key (PEM, mode 0600) that signs them; made when absent, the public key beside it as "
             ".pub; left out: journal.key in run_dir. Not in journal.dir: who can rewrite the journal must not hold "
             "the key"},

    {"heartbeat", GN_TYPE_MAP, NULL, "{}", .help = "what the data plane expects of the control plane"},
    {"heartbeat.period", GN_TYPE_DURATION, "ms", "10ms", RANGE(1, 1000), TOP(conf.heartbeat_period_ms),
     .help = "how often the control plane beats"},
    {"heartbeat.stale", GN_TYPE_DURATION, "ms", "200ms", RANGE(3, 60000), TOP(conf.heartbeat_stale_ms),
     .help = "silence after which no new risk is taken; at least three periods"},
    {"heartbeat.cancel", GN_TYPE_DURATION, "ms", "1s", RANGE(4, 600000), TOP(conf.heartbeat_cancel_ms),
     .help = "silence after which all orders are cancelled; longer than stale"},

    {"clock", GN_TYPE_MAP, NULL, "{}", .help = "what happens when the wall clock cannot be trusted"},
    {"clock.on_step", GN_TYPE_ENUM, NULL, "alert", .names = clock_policies, TOP(duties.clock_on_step),
     .help = "the wall clock jumps against the machine's own oscillator; halt: no new orders until a release"},
    {"clock.step", GN_TYPE_DURATION, "us", "10ms", RANGE(100, 60000000), TOP(duties.clock_step_us),
     .help = "a jump by more than this is a step"},
    {"clock.on_unsync", GN_TYPE_ENUM, NULL, "alert", .names = clock_policies, TOP(duties.clock_on_unsync),
     .help = "the kernel says that the clock is not synchronised, or its error may be above max_error"},
    {"clock.max_error", GN_TYPE_DURATION, "us", "100ms", RANGE(1, 60000000), TOP(duties.clock_max_error_us),
     .help = "largest error that the kernel may claim; 100us is what RTS 25 allows a high-frequency trader"},

    {"golive", GN_TYPE_MAP, NULL, "{}", .help = "what a live appliance needs before it may be armed"},
    {"golive.checklist", GN_TYPE_PATH, NULL, "", RANGE(1, GN_PATH_MAX - 1), TOP(duties.checklist),
     .help = "checklist that two people have signed (gannetctl golive sign)"},
    {"golive.drills", GN_TYPE_PATH, NULL, "", RANGE(1, GN_PATH_MAX - 1), TOP(duties.drills),
     .help = "folder of drill records, as tools/drills/run --json writes them"},
    {"golive.drill_age", GN_TYPE_DURATION, "ms", "44640min", RANGE(60000, 4000000000), TOP(duties.drill_age_ms),
     .help = "oldest drill record that counts; 44640min are 31 days"},

    {"people", GN_TYPE_LIST, NULL, "[]", RANGE(0, GN_PEOPLE_MAX),
     .offset = (uint32_t)offsetof(struct gn_draft, people.person), .size = (uint32_t)sizeof(struct gn_person),
     .count_offset = (uint32_t)offsetof(struct gn_draft, people.n),
     .help = "who may release a kill, raise a limit and the like; each with a key of his own (gannetctl keygen)"},
    {"people[].name", GN_TYPE_NAME, NULL, NULL, RANGE(1, GN_NAME_MAX - 1), PER(name), .help = "name for the record"},
    {"people[].key", GN_TYPE_STRING, NULL, NULL, RANGE(GN_PERSON_KEY_HEX, GN_PERSON_KEY_HEX), PER(key_hex),
     .help = "Ed25519 public key as 64 hexadecimal digits, as gannetctl keygen prints it"},
    {"people[].role", GN_TYPE_SET, NULL, NULL, .names = person_roles, PER(roles),
     .help = "what the person answers for"},
    {"people[].uid", GN_TYPE_INT, NULL, "", RANGE(0, 4294967294), PER(uid),
     .help =
         "user id that the person's requests must come from, besides the signature; left out: any that may connect"},
    {"authority", GN_TYPE_MAP, NULL, "{}", .help = "how many persons an act needs"},
    {"authority.single_person", GN_TYPE_BOOL, NULL, "false", TOP(people.single_person),
     .help = "one person suffices for what else needs two, without a signature: for trials; refused in mode live"},
    {"authority.pending", GN_TYPE_DURATION, "ms", "10min", RANGE(1000, 86400000), TOP(people.pending_ms),
     .help = "how long a request waits for its second person before it is void"},
};

const uint32_t gn_schema_len = GN_ARRAY_LEN(gn_schema);

const struct gn_schema_key *gn_schema_find(const char *path)
{
    for (uint32_t i = 0; i < gn_schema_len; i++)
        if (strcmp(gn_schema[i].path, path) == 0)
            return &gn_schema[i];
    return NULL;
}

const struct gn_schema_key *gn_schema_child(const struct gn_schema_key *parent, const struct gn_schema_key *from)
{
    const char *dots = parent != NULL && parent->type == GN_TYPE_LIST ? "[]." : ".";
    size_t n = parent != NULL ? strlen(parent->path) : 0;
    const struct gn_schema_key *k = from != NULL ? from + 1 : parent != NULL ? parent + 1 : gn_schema;

    for (; k < gn_schema + gn_schema_len; k++) {
        const char *rest = k->path;
        if (parent != NULL) {
            if (strncmp(rest, parent->path, n) != 0 || strncmp(rest + n, dots, strlen(dots)) != 0)
                return NULL;
            rest += n + strlen(dots);
        }
        if (strpbrk(rest, ".[") == NULL)
            return k;
    }
    return NULL;
}

const struct gn_schema_key *gn_schema_item(const struct gn_schema_key *list)
{
    const struct gn_schema_key *next = list + 1;
    size_t n = strlen(list->path);
    if (list->type != GN_TYPE_LIST || next >= gn_schema + gn_schema_len)
        return NULL;
    return strncmp(next->path, list->path, n) == 0 && strcmp(next->path + n, "[]") == 0 ? next : NULL;
}

const char *gn_schema_leaf(const struct gn_schema_key *key)
{
    const char *dot = strrchr(key->path, '.');
    return dot != NULL ? dot + 1 : key->path;
}
