/* Each row edits the valid file and gives every error that must be reported, word for word, behind the file's name; one
 * a line.
 */
#include "tests/gn_test.h"
#include "tests/unit/config/fixture.h"

static const struct {
    const char *from, *to, *want;
} cases[] = {
    {"instance: unit", "instance: Unit",
     ":1: instance: found \"Unit\" with a character that is not allowed, allowed: 1..15 of a-z, 0-9, _ and -"},
    {"instance: unit\n", "",
     ":1: instance: missing, allowed: 1..15 of a-z, 0-9, _ and -; add it: name of this appliance; files, sockets and "
     "metrics carry it"},
    {"instance: unit", "instance: a-name-that-is-too-long",
     ":1: instance: found \"a-name-that-is-too-long\" of a wrong length, allowed: 1..15 of a-z, 0-9, _ and -"},
    {"    firm: GNNT\n", "    firm: GNNT\n    environment: production\n",
     ":27: sessions[0].environment: found \"production\", allowed in mode mock: test, simulator; orders of a trial "
     "must not "
     "reach the exchange; with mode live they may"},
    {"mode: mock", "mode: live",
     ":20: sessions[0].name: session oe1 does not say what answers there, allowed: environment: production, test or "
     "simulator; only mode mock may leave it out\n:44: authority.single_person: found \"true\", allowed in mode live: "
     "false; "
     "name at least two people, one of them with role risk"},
    {"authority: { single_person: true }",
     "people: [{ name: a, key: zz, role: [risk] }]\nauthority: { single_person: true }",
     ":44: people[0].key: found \"zz\" of a wrong length, allowed: 64..64 printable characters"},
    {"mode: mock", "mode: moc", ":2: mode: found \"moc\", allowed: paper, live, shadow, mock; did you mean mock?"},
    {"mode: mock", "mdoe: mock",
     ":2: unknown key \"mdoe\", allowed: keys instance, mode, run_dir, hugepages, huge_dir, dpdk_mem, cores, ports, "
     "feed, venues, accounts, themes, sessions, clients, strategies, instruments, limits, risk, tables, journal, "
     "heartbeat, clock, golive, people, authority; did you mean mode?\n:20: sessions[0].name: session oe1 does not say "
     "what answers there, allowed: environment: production, test or simulator; only mode "
     "mock may leave it out"},
    {"mode: mock", "mode: mock\nmode: live", ":3: mode: found twice in one map, allowed: once; remove one"},
    {"mode: mock", "mode: [mock]", ":2: mode: found a list, allowed: paper, live, shadow, mock"},
    {"run_dir: /run/unit", "run_dir: run/unit",
     ":3: run_dir: found \"run/unit\", allowed: a path that starts with /; processes with different working folders "
     "share it"},
    {"run_dir: /run/unit",
     "run_dir: /run/unit-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789",
     ":3: run_dir: found \"/run/unit-0123456789-0123456789-01234567...\" of a wrong length, allowed: a path of 1..79 "
     "printable characters"},
    {"main: 0", "main: 9", ":5: cores.main: found \"9\", allowed: 0..7; this machine has 8 CPUs"},
    {"main: 0", "main: 1",
     ":7: cores.lcores[0].core: found \"1\", the main core, allowed: a core of its own; choose another, or set "
     "cores.allow_shared_core: true for a trial"},
    {"core: 2", "core: 1",
     ":8: cores.lcores[1].core: found \"1\", the core of cores.lcores[0], allowed: a core of its own; choose another, "
     "or set cores.allow_shared_core: true for a trial"},
    {"core: 2", "core: x", ":8: cores.lcores[1].core: found \"x\", allowed: 0..1023"},
    {"  main: 0\n", "",
     ":5: cores.main: missing, allowed: 0..1023; add it: housekeeping CPU: main thread of the data plane, control "
     "plane"},
    {"[feed]", "[feed, orders]",
     ":8: cores.lcores[1].stages: stage orders is also on cores.lcores[0], allowed: each stage on exactly one lcore; "
     "remove one"},
    {"[feed]", "[feeds]",
     ":7: cores.lcores[0].stages: found \"feeds\", allowed: a list of feed, strategy, orders; did you mean feed?"},
    {"[feed]", "[feed, feed]",
     ":7: cores.lcores[0].stages: found \"feed\" twice, allowed: a list of feed, strategy, orders"},
    {"[strategy, orders]", "[orders]",
     ":7: cores.lcores[0].stages: stage strategy is on no lcore, allowed: each stage on exactly one; add it to an "
     "lcore's stages"},
    {"[feed]", "feed", ":7: cores.lcores[0].stages: found \"feed\", allowed: a list of feed, strategy, orders"},
    {"kind: memif", "kind: memfi",
     ":10: ports[0].kind: found \"memfi\", allowed: memif, af_xdp, tap, pcap, pci; did you mean memif?"},
    {"kind: memif", "knid: memif",
     ":10: ports[0]: unknown key \"knid\", allowed: keys name, kind, device, device_tx, role, id, queue, ip, gateway, "
     "mac, mtu, vlan, rx_descs, tx_descs; did you mean kind?\n:10: ports[0].kind: missing, allowed: memif, af_xdp, "
     "tap, pcap, pci; add it: how packets come and go"},
    {"name: fb", "name: fa",
     ":11: ports[1].name: found \"fa\", the name of ports[0], allowed: a name of its own\n:16: feed.line_b.port: found "
     "\"fb\", allowed: a name of ports: fa, fa, order; did you mean fa?"},
    {"ip: 10.0.2.2/24", "ip: 10.0.2.2",
     ":11: ports[1].ip: found \"10.0.2.2\", allowed: an IPv4 address and prefix length like 10.0.0.1/24"},
    {"ip: 10.0.2.2/24", "ip: 10.0.2.0/24",
     ":11: ports[1].ip: found \"10.0.2.0/24\", the network or broadcast address of the subnet, allowed: a host's "
     "address"},
    {"ip: 10.0.2.2/24", "ip: 10.0.1.2/24",
     ":11: ports[1].ip: found \"10.0.1.2/24\", the address of port fa, allowed: an address of its own"},
    {"ip: 10.0.2.2/24", "ip: 10.0.2.2/24, vlan: 4095",
     ":11: ports[1].vlan: found \"4095\" out of range, allowed: 0..4094"},
    {"ip: 10.0.2.2/24", "ip: 10.0.2.2/24, rx_descs: 1000",
     ":11: ports[1].rx_descs: found \"1000\", allowed: 64..32768, a power of two"},
    {"gateway: 10.0.3.1", "gateway: 10.0.4.1",
     ":12: ports[2].gateway: found \"10.0.4.1\", allowed: another address in the port's subnet, 10.0.3.2/24"},
    {"02:00:00:00:00:0a", "01:00:00:00:00:0a",
     ":10: ports[0].mac: found \"01:00:00:00:00:0a\", a multicast address, allowed: a unicast address like "
     "02:00:00:00:00:01"},
    {"02:00:00:00:00:0a", "02:00",
     ":10: ports[0].mac: found \"02:00\", allowed: a unicast address like 02:00:00:00:00:01"},
    {"device: tap0", "device: a-name-that-is-too-long",
     ":11: ports[1].device: found \"a-name-that-is-too-long\", allowed for kinds af_xdp and tap: an interface name of "
     "1..15 characters without / : , or space"},
    {"kind: tap, device: tap0", "kind: pci, device: 03.00.0",
     ":11: ports[1].device: found \"03.00.0\", allowed for kind pci: an address like 0000:03:00.0; lspci -D shows it"},
    {"device: tap0", "device: tap0, queue: 1",
     ":11: ports[1].queue: found \"1\", allowed for kind af_xdp only; remove it"},
    {"device: tap0", "device: tap0, role: server",
     ":11: ports[1].role: found \"server\", allowed for kind memif only; remove it"},
    {"device: tap0", "device: tap0, id: 1", ":11: ports[1].id: found \"1\", allowed for kind memif only; remove it"},
    {"device: tap0", "device: tap0, device_tx: x",
     ":11: ports[1].device_tx: found \"x\", allowed for kind pcap only; remove it"},
    {"{ name: fb, kind: tap, device: tap0,", "{ name: fb, kind: af_xdp, queue: 3, device: eth1,",
     ":12: ports[2].device: found \"eth1\", the device of port fb, allowed: a device, memif id or queue of its own"},
    {"{ name: fb, kind: tap, device: tap0, ip: 10.0.2.2/24 }", "fb",
     ":11: ports: item 1: found \"fb\", allowed: a map"},
    {"line_a: { port: fa", "line_a: { port: fc",
     ":15: feed.line_a.port: found \"fc\", allowed: a name of ports: fa, fb, order; did you mean fa?"},
    {"line_a: { port: fa", "line_a: { prot: fa",
     ":15: feed.line_a: unknown key \"prot\", allowed: keys port, group, udp_port; did you mean port?\n:15: "
     "feed.line_a.port: missing, allowed: a name of ports; add it: port that joins the group"},
    {"group: 239.1.1.1,", "group: 10.1.1.1,",
     ":15: feed.line_a.group: found \"10.1.1.1\", allowed: a multicast address, 224.0.0.0..239.255.255.255"},
    {"port: fb, group: 239.1.1.2, udp_port: 30002", "port: fa, group: 239.1.1.1, udp_port: 30001",
     ":16: feed.line_b.group: found \"239.1.1.1\", the group and UDP port of feed.line_a on the same port, allowed: "
     "another group, UDP port or port; two lines must not be one"},
    {"udp_port: 30002", "udp_port: 70000",
     ":16: feed.line_b.udp_port: found \"70000\" out of range, allowed: 1..65535"},
    {"ip: 10.0.1.1,", "ip: 10.9.1.1,",
     ":17: feed.retransmit.ip: found \"10.9.1.1\", allowed: an address in the subnet of port fa, 10.0.1.2/24; or give "
     "that port a gateway"},
    {"ip: 10.0.1.1,", "ip: 10.0.1.2,",
     ":17: feed.retransmit.ip: found \"10.0.1.2\", the port's own address, allowed: the address of the other side"},
    {"session: S1", "session: S1234567890",
     ":14: feed.session: found \"S1234567890\" of a wrong length, allowed: 0..10 printable characters"},
    {"gap_request: 200us", "gap_request: 200",
     ":18: feed.gap_request: found \"200\" without a unit, allowed: 1us..10s, with a unit of us, ms, s, min"},
    {"gap_request: 200us", "gap_request: 200MiB",
     ":18: feed.gap_request: found \"200MiB\" with a wrong unit, allowed: 1us..10s, with a unit of us, ms, s, min"},
    {"gap_request: 200us", "gap_request: 20s",
     ":18: feed.gap_request: found \"20s\" out of range, allowed: 1us..10s, with a unit of us, ms, s, min"},
    {"gap_request: 200us", "gap_request: 1.5ms",
     ":18: feed.gap_request: found \"1.5ms\", not a whole number, allowed: 1us..10s, with a unit of us, ms, s, min"},
    {"heartbeat: 1s", "heartbeat: 500us",
     ":27: sessions[0].heartbeat: found \"500us\" with a wrong unit, allowed: 10ms..1min, with a unit of ms, s, min"},
    {"port: order", "port: fa",
     ":21: sessions[0].port: found \"fa\", a port of the feed, allowed: a port that one lcore polls; stages feed and "
     "orders are on different lcores: use another port, or put both stages on one lcore\n:22: sessions[0].remote: "
     "found \"192.0.2.9:40123\", allowed: an address in the subnet of port fa, 10.0.1.2/24; or give that port a "
     "gateway"},
    {"port: order", "port: oder",
     ":21: sessions[0].port: found \"oder\", allowed: a name of ports: fa, fb, order; did you mean order?"},
    {"remote: 192.0.2.9:40123", "remote: 192.0.2.9",
     ":22: sessions[0].remote: found \"192.0.2.9\", allowed: an IPv4 address and port like 10.0.0.1:4000"},
    {"gateway: 10.0.3.1", "mtu: 1500",
     ":22: sessions[0].remote: found \"192.0.2.9:40123\", allowed: an address in the subnet of port order, "
     "10.0.3.2/24; or give that port a gateway"},
    {"    password_env: OE1_PASSWORD\n", "",
     ":20: sessions[0].name: session oe1 has no password, allowed: password_env or password_file; add one of them"},
    {"password_env: OE1_PASSWORD", "password: hunter2\n    password_env: OE1_PASSWORD",
     ":25: sessions[0].password: not allowed here: this file is copied, hashed and shown; put the password into the "
     "environment (password_env) or a file of its own (password_file)"},
    {"password_env: OE1_PASSWORD", "password_env: OE1_PASSWORD\n    password_file: oe1.password",
     ":26: sessions[0].password_file: found beside password_env, allowed: one of the two; remove one"},
    {"password_env: OE1_PASSWORD", "password_env: NOT_SET",
     ":25: sessions[0].password_env: found \"NOT_SET\", a variable that is not set; export it, or use password_file"},
    {"password_env: OE1_PASSWORD", "password_file: none.password",
     ":25: sessions[0].password_file: found \"none.password\": the file is missing: No such file or directory"},
    {"username: GANNET", "username: GANNETS",
     ":24: sessions[0].username: found \"GANNETS\" of a wrong length, allowed: 1..6 printable characters"},
    {"dead: 15s", "dead: 1s", ":28: sessions[0].dead: found \"1s\", allowed: longer than heartbeat, 1000ms"},
    {"dead: 15s", "dead: 15s\n    reconnect: 10s",
     ":20: sessions[0].reconnect_max: found 5s (the default), allowed: at least reconnect, 10000ms"},
    {"clients: [desk1]", "clients: [desk1, desk1]",
     ":29: clients[1]: found \"desk1\", the name of clients[0], allowed: a name of its own"},
    {"clients: [desk1]", "clients: [a, b, c, d, e, f, g, h, desk1]",
     ":29: clients: found a list of 9 items, allowed: 0..8"},
    {"clients: [desk1]", "clients: desk1", ":29: clients: found \"desk1\", allowed: a list of 0..8 items"},
    {"kind: maker", "kind: taker",
     ":31: strategies[0].kind: found \"taker\", allowed: touch, maker, client; did you mean maker?"},
    {"kind: maker", "kind: maker, client: desk1",
     ":31: strategies[0].client: found \"desk1\", allowed for kind client only; remove it, or change the kind\n:32: "
     "strategies[1].client: found \"desk1\", the client of another strategy, allowed: one strategy a client"},
    {"client: desk1, session", "session",
     ":32: strategies[1].kind: kind client without a client; add the key client with a name of clients"},
    {"client: desk1, session", "client: desk2, session",
     ":32: strategies[1].client: found \"desk2\", allowed: a name of clients: desk1; did you mean desk1?"},
    {"session: oe1, instruments: [CC]", "session: oe2, instruments: [CC]",
     ":32: strategies[1].session: found \"oe2\", allowed: a name of sessions: oe1; did you mean oe1?"},
    {"edge_ticks: 2", "edge_tick: 2",
     ":31: strategies[0].params: found \"edge_tick\", an unknown key, allowed: keys of kind maker: qty, edge_ticks, "
     "skew_qty, requote_us, max_position; did you mean edge_ticks?"},
    {"edge_ticks: 2", "edge_ticks: 2000",
     ":31: strategies[0].params.edge_ticks: found \"2000\" out of range, allowed: 0..1000"},
    {"edge_ticks: 2", "qty: 2",
     ":31: strategies[0].params.qty: found \"2\" for a key that is there twice, allowed: once; remove one"},
    {"instruments: [CC]", "instruments: [CC], params: { qty: 1 }",
     ":32: strategies[1].params: found \"qty\", an unknown key, allowed: keys of kind client: none"},
    {"instruments: [CC]", "instruments: [ZZ]",
     ":32: strategies[1].instruments[0]: found \"ZZ\", allowed: a symbol of instruments.list or instruments.file"},
    {"instruments: [CC]", "instruments: [CC, CC]",
     ":32: strategies[1].instruments[1]: found \"CC\", traded by strategy desk already, allowed: one strategy"},
    {"instruments: [CC]", "instruments: all",
     ":32: strategies[1].instruments: found \"all\", as for strategy mm, allowed: one strategy with all; list the "
     "symbols of the other"},
    {"instruments: [CC]", "instruments: CC",
     ":32: strategies[1].instruments: found \"CC\", allowed: a list of symbols, or all"},
    {"    - AA\n", "    - aa\n",
     ":35: instruments.list[0].symbol: found \"aa\", allowed: 1..8 of A-Z, 0-9 and .+-=*#^$@~!"},
    {"    - AA\n", "    - CC\n",
     ":37: instruments.list[2].symbol: found \"CC\", the symbol of instrument 0 already, allowed: once; remove one"},

    {"    - AA\n", "    - { tick: 5 }\n",
     ":35: instruments.list[0].symbol: missing, allowed: 1..8 of A-Z, 0-9 and .+-=*#^$@~!; add it: the venue's symbol"},
    {"max_qty: 500", "max_qty: -1",
     ":36: instruments.list[1].limits.max_qty: found \"-1\" out of range, allowed: 0..1000000000"},
    {"max_qty: 500", "max_qyt: 500",
     ":36: instruments.list[1].limits: unknown key \"max_qyt\", allowed: keys tradable, max_qty, max_value, collar, "
     "max_position, max_open_orders, max_short, max_exposure, max_exposure_bps, max_day_value, window_qty, "
     "window_value, min_value, max_loss, stop_loss_bps, max_trade_loss, max_age_ms, max_spread_bps, max_move_bps, "
     "outlier_bps, period_collar_bps, auction_collar_bps, max_duplicates,; did you mean max_qty?"},
    {"collar: 500bps", "collar: 500",
     ":38: instruments.defaults.limits.collar: found \"500\" without a unit, allowed: 0bps..10000bps, with the unit "
     "bps"},
    {"collar: 500bps", "collar: 20000bps",
     ":38: instruments.defaults.limits.collar: found \"20000bps\" out of range, allowed: 0bps..10000bps, with the unit "
     "bps"},
    {"collar: 500bps", "collar_bps: 500",
     ":38: instruments.defaults.limits: unknown key \"collar_bps\", allowed: keys tradable, max_qty, max_value, "
     "collar, max_position, max_open_orders, max_short, max_exposure, max_exposure_bps, max_day_value, window_qty, "
     "window_value, min_value, max_loss, stop_loss_bps, max_trade_loss, max_age_ms, max_spread_bps, max_move_bps, "
     "outlier_bps, period_collar_bps, auction_collar_bps, max_duplicates,"},
    {"tradable: true", "tradable: yes",
     ":38: instruments.defaults.limits.tradable: found \"yes\", allowed: true, false"},
    {"price_exp: -4, ", "",
     ":38: instruments.defaults.price_exp: missing, allowed: -4..-4; add it: decimal exponent of prices: -4, the only "
     "one of "
     "Nasdaq feeds: 10000 is 1.0"},
    {"file: more.txt", "file: none.txt",
     ":39: instruments.file: found \"none.txt\", a file that cannot be used: No such file or directory"},
    {"message_rate: 1000/s", "message_rate: 1000",
     ":40: limits.message_rate: found \"1000\" without a unit, allowed: 0/s..10000000/s, with the unit /s"},
    {"cancel_reserve: 20", "cancel_reserve: 100",
     ":40: limits.cancel_reserve: found \"100\", allowed: less than the scope's message_burst, 100"},
    {"max_instruments: 16", "max_instruments: 3",
     ":41: tables.max_instruments: found \"3\", allowed: at least 4, the number of instruments configured"},
    {"max_instruments: 16", "max_orders: 1000",
     ":41: tables.max_orders: found \"1000\", allowed: 64..16777216, a power of two"},
    {"segment: 64MiB", "segment: 64MB",
     ":42: journal.segment: found \"64MB\" with a wrong unit, allowed: 1MiB..4GiB, with a unit of MiB, GiB"},
    {"segment: 64MiB", "segment: 512KiB",
     ":42: journal.segment: found \"512KiB\" with a wrong unit, allowed: 1MiB..4GiB, with a unit of MiB, GiB"},
    {"stale: 200ms", "stale: 20ms",
     ":43: heartbeat.stale: found \"20ms\", allowed: at least three times heartbeat.period, 30ms"},
    {"cancel: 1s", "cancel: 200ms",
     ":43: heartbeat.cancel: found \"200ms\", allowed: longer than heartbeat.stale, 200ms"},
    {"stale: 200ms, cancel: 1s", "cancel: 150ms",
     ":43: heartbeat.cancel: found \"150ms\", allowed: longer than heartbeat.stale, 200ms"},
    {"mode: mock", "mode: &a mock", ":2: anchors (&name) are not allowed; remove it"},
    {"mode: mock", "mode: *a", ":2: aliases (*name) are not allowed; write the value out"},
    {"mode: mock", "mode: !!str mock", ":2: tags (!name) are not allowed; remove it"},
    {"mode: mock", "mode: mock\n---\nx: 1",
     ":3: a second document starts here; one is allowed: remove the line with ---"},
    {"mode: mock", "mode: [[[[[[[[[[[[x", ":2: nested too deeply; 8 levels are allowed"},
    {"mode: mock", "mode: {a: b: c",
     ":2: not YAML, column 12: did not find expected ',' or '}', while parsing a flow mapping; check indentation, "
     "quotes and brackets here"},
    {"mode: mock", "? [a]\n: b",
     ":2: unknown key a list, allowed: keys instance, mode, run_dir, hugepages, huge_dir, dpdk_mem, cores, ports, "
     "feed, venues, accounts, themes, sessions, clients, strategies, instruments, limits, risk, tables, journal, "
     "heartbeat, clock, golive, people, authority\n:21: sessions[0].name: session oe1 does not say what answers there, "
     "allowed: environment: production, test or simulator; only mode "
     "mock may leave it out"},
    {"mode: mock", "<<: mock",
     ":2: unknown key \"<<\", allowed: keys instance, mode, run_dir, hugepages, huge_dir, dpdk_mem, cores, ports, "
     "feed, venues, accounts, themes, sessions, clients, strategies, instruments, limits, risk, tables, journal, "
     "heartbeat, clock, golive, people, authority\n:20: sessions[0].name: session oe1 does not say what answers there, "
     "allowed: environment: production, test or simulator; only mode "
     "mock may leave it out"},
    {"mode: mock", "mode: \"mock\\0\"",
     ":2: mode: found \"mock?\", allowed: paper, live, shadow, mock; did you mean mock?"},
    {"mode: mock", "mode: \"a\\x01\\nb\"", ":2: mode: found \"a??b\", allowed: paper, live, shadow, mock"},
};

static struct gn_conf_errors errs;
static struct gn_conf_loaded c;

/* found: the errors without the name of the YAML file, one a line. */
static void found(char *out, size_t n)
{
    static const char file[] = "etc/gannet.yaml";
    size_t at = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < errs.n_errors - errs.lost_errors && at < n; i++) {
        const char *text = errs.error[i].text;
        size_t skip = strncmp(text, file, sizeof file - 1) == 0 ? sizeof file - 1 : 0;
        at += (size_t)snprintf(out + at, n - at, "%s%s", i == 0 ? "" : "\n", text + skip);
    }
}

static int parse(const char *yaml, struct fixture *f)
{
    struct gn_conf_host host = fixture_host(f);
    return gn_conf_parse("etc/gannet.yaml", (const uint8_t *)yaml, strlen(yaml), &host, &c, &errs);
}

static void every_rule(void)
{
    static char text[GN_CONF_ERRORS_MAX * (GN_CONF_TEXT_MAX + 1)];

    for (size_t i = 0; i < GN_ARRAY_LEN(cases); i++) {
        struct fixture f = {.password = "secret", .more = "DD\n"};
        char *yaml = fixture_edit(cases[i].from, cases[i].to);
        CU_ASSERT_PTR_NOT_NULL_FATAL(yaml);
        CU_ASSERT_EQUAL(parse(yaml, &f), GN_CONF_INVALID);
        CU_ASSERT_PTR_NULL(c.instruments);
        found(text, sizeof text);
        if (strcmp(text, cases[i].want) != 0) {
            printf("%s -> %s\n  want %s\n  got  %s\n", cases[i].from, cases[i].to, cases[i].want, text);
            CU_FAIL("message");
        }
        free(yaml);
    }
}

static void passwords_are_never_shown(void)
{
    struct fixture f = {.password = "far-too-long-to-be-a-password", .more = ""};
    char *yaml = fixture_edit("password_env: OE1_PASSWORD", "password_file: oe1.password");

    CU_ASSERT_EQUAL(parse(fixture_yaml, &f), GN_CONF_INVALID);
    CU_ASSERT_STRING_EQUAL(errs.error[0].text, "etc/gannet.yaml:25: sessions[0].password_env: found \"OE1_PASSWORD\", "
                                               "which holds no usable password, allowed: 1..10 printable characters");
    f.open_password = true;
    CU_ASSERT_EQUAL(parse(yaml, &f), GN_CONF_INVALID);
    CU_ASSERT_STRING_EQUAL(errs.error[0].text,
                           "etc/gannet.yaml:25: sessions[0].password_file: found \"oe1.password\": the file is "
                           "unusable: readable by other users; take that right away: chmod o-r");
    free(yaml);
}

static void errors_of_the_instruments_file(void)
{
    struct fixture f = {.password = "secret", .more = "DD\nee\n\nDD\n"};

    CU_ASSERT_EQUAL(parse(fixture_yaml, &f), GN_CONF_INVALID);
    CU_ASSERT_EQUAL_FATAL(errs.n_errors, 2);
    CU_ASSERT_STRING_EQUAL(
        errs.error[0].text,
        "etc/more.txt:2: found \"ee\", allowed: one symbol a line, 1..8 of A-Z, 0-9 and .+-=*#^$@~!");
    CU_ASSERT_STRING_EQUAL(
        errs.error[1].text,
        "etc/more.txt:4: found \"DD\", the symbol of instrument 3 already, allowed: once; remove one");
}

static void all_errors_in_order_of_line(void)
{
    struct fixture f = {.password = "secret", .more = ""};
    char yaml[] = "heartbeat: { stale: 5 }\nmode: x\ninstance: A\n";

    CU_ASSERT_EQUAL(parse(yaml, &f), GN_CONF_INVALID);
    CU_ASSERT(errs.n_errors > 5);
    for (uint32_t i = 1; i < errs.n_errors; i++)
        CU_ASSERT(errs.error[i - 1].line <= errs.error[i].line);
}

static void bounded(void)
{
    struct fixture f = {.password = "secret", .more = ""};
    size_t n = strlen(fixture_yaml);
    char *yaml = calloc(1, n + 100 * 16);

    memcpy(yaml, fixture_yaml, n);
    for (unsigned i = 0; i < 100; i++)
        n += (size_t)snprintf(yaml + n, 16, "x%u: 1\n", i);
    CU_ASSERT_EQUAL(parse(yaml, &f), GN_CONF_INVALID);
    CU_ASSERT_EQUAL(errs.n_errors, 100);
    CU_ASSERT_EQUAL(errs.lost_errors, 100 - GN_CONF_ERRORS_MAX);
    free(yaml);
}

/* Files that multiply or recurse: each is refused in no time. */
static void bombs(void)
{
    static const char *const heads[] = {"a: &a [x, x]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n",
                                        "a: &a [*a]\n",
                                        "a: &a\n  b: *a\n",
                                        "",
                                        "# nothing\n",
                                        "- a\n",
                                        "just text",
                                        "---\n...\n",
                                        "\xff\xfe\x00",
                                        "a: !!binary x\n"};
    struct fixture f = {.password = "secret", .more = ""};
    size_t n = GN_CONF_FILE_MAX;
    char *deep = malloc(n + 1);

    for (size_t i = 0; i < GN_ARRAY_LEN(heads); i++) {
        CU_ASSERT_EQUAL(parse(heads[i], &f), GN_CONF_INVALID);
        CU_ASSERT(errs.n_errors > 0);
    }
    memset(deep, '[', n);
    deep[n] = '\0';
    CU_ASSERT_EQUAL(parse(deep, &f), GN_CONF_INVALID);
    for (size_t i = 0; i < n; i++)
        deep[i] = "{[-:?"[i % 5];
    CU_ASSERT_EQUAL(parse(deep, &f), GN_CONF_INVALID);
    memcpy(deep, "a: [", 4);
    for (size_t i = 4; i < n; i += 2)
        memcpy(deep + i, "1,", 2);
    CU_ASSERT_EQUAL(parse(deep, &f), GN_CONF_INVALID);
    CU_ASSERT_STRING_EQUAL(errs.error[0].text, "etc/gannet.yaml:1: too many values; 1000000 are allowed");
    free(deep);
}

GN_TEST_MAIN("config errors", {"every rule, word for word", every_rule},
             {"passwords are never shown", passwords_are_never_shown},
             {"errors of the instruments file", errors_of_the_instruments_file},
             {"all errors, in order of line", all_errors_in_order_of_line}, {"bounded", bounded}, {"bombs", bombs})
