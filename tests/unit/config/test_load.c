#include "config/load.h"

#include <openssl/evp.h>
#include <unistd.h>

#include "dataplane/abi/event.h"
#include "dataplane/abi/strategy_params.h"
#include "tests/gn_test.h"
#include "tests/unit/config/fixture.h"

static struct gn_conf_errors errs;
static struct gn_conf_loaded c;

static int load(const char *yaml, struct fixture *f)
{
    struct gn_conf_host host = fixture_host(f);
    int status = gn_conf_parse("etc/gannet.yaml", (const uint8_t *)yaml, strlen(yaml), &host, &c, &errs);
    if (errs.n_errors != 0)
        gn_conf_errors_print(&errs, stdout);
    return status;
}

static void scalars(void)
{
    struct fixture f = {.password = "secret", .more = "DD\n"};

    CU_ASSERT_EQUAL_FATAL(load(fixture_yaml, &f), GN_CONF_OK);
    CU_ASSERT_EQUAL(errs.n_warnings, 0);
    CU_ASSERT_STRING_EQUAL(c.conf.instance, "unit");
    CU_ASSERT_EQUAL(c.conf.mode, GN_MODE_MOCK);
    CU_ASSERT_EQUAL(c.conf.hugepages, 1);
    CU_ASSERT_EQUAL(c.conf.dpdk_mem_mib, 256);
    CU_ASSERT_EQUAL(c.conf.n_lcores, 2);
    CU_ASSERT_EQUAL(c.conf.lcore[1].core, 2);
    CU_ASSERT_EQUAL(c.conf.lcore[1].stages, GN_STAGE_STRATEGY | GN_STAGE_ORDERS);
    CU_ASSERT_EQUAL(c.conf.max_instruments, 16);
    CU_ASSERT_EQUAL(c.conf.max_orders, 65536);
    CU_ASSERT_EQUAL(c.conf.journal.segment_mib, 64);
    CU_ASSERT_EQUAL(c.conf.journal.ring_cells, 1048576);
    CU_ASSERT_EQUAL(c.conf.heartbeat_cancel_ms, 1000);
    CU_ASSERT_EQUAL(c.conf.limits[GN_ROW_FIRM].set, GN_LIMITS_ALL_SET(GN_SCOPE_LIMIT_COUNT));
    CU_ASSERT_EQUAL(c.conf.limits[GN_ROW_FIRM].message_rate, 1000);
    gn_conf_free(&c);
}

static void ports_and_feed(void)
{
    struct fixture f = {.password = "secret", .more = ""};
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 10}, none[6];

    CU_ASSERT_EQUAL_FATAL(load(fixture_yaml, &f), GN_CONF_OK);
    CU_ASSERT_EQUAL(c.conf.n_ports, 3);
    CU_ASSERT_EQUAL(c.conf.port[0].kind, GN_PORT_MEMIF);
    CU_ASSERT_EQUAL(memcmp(c.conf.port[0].mac, mac, 6), 0);
    CU_ASSERT_EQUAL(memcmp(c.conf.port[1].mac, none, 6), 0);
    CU_ASSERT_EQUAL(c.conf.port[0].ip, 0x0a000102);
    CU_ASSERT_EQUAL(c.conf.port[0].prefix_len, 24);
    CU_ASSERT_EQUAL(c.conf.port[0].gateway, 0);
    CU_ASSERT_EQUAL(c.conf.port[0].mtu, 1500);
    CU_ASSERT_EQUAL(c.conf.port[2].queue, 3);
    CU_ASSERT_EQUAL(c.conf.port[2].gateway, 0x0a000301);
    CU_ASSERT_STRING_EQUAL(c.conf.feed.session, "S1");
    CU_ASSERT_EQUAL(c.conf.feed.line[1].port, 1);
    CU_ASSERT_EQUAL(c.conf.feed.line[1].group, 0xef010102);
    CU_ASSERT_EQUAL(c.conf.feed.request_port, 0);
    CU_ASSERT_EQUAL(c.conf.feed.request_local_udp_port, 31001);
    CU_ASSERT_EQUAL(c.conf.feed.gap_request_us, 200);
    CU_ASSERT_EQUAL(c.conf.feed.line_dead_ms, 2000);
    gn_conf_free(&c);
}

static void sessions_and_strategies(void)
{
    struct fixture f = {.password = "secret", .more = ""};

    CU_ASSERT_EQUAL_FATAL(load(fixture_yaml, &f), GN_CONF_OK);
    CU_ASSERT_EQUAL(c.conf.session[0].port, 2);
    CU_ASSERT_EQUAL(c.conf.session[0].remote_ip, 0xc0000209);
    CU_ASSERT_EQUAL(c.conf.session[0].remote_port, 40123);
    CU_ASSERT_STRING_EQUAL(c.conf.session[0].username, "GANNET");
    CU_ASSERT_STRING_EQUAL(c.conf.session[0].password, "secret");
    CU_ASSERT_EQUAL(c.conf.session[0].reconnect_max_ms, 5000);
    CU_ASSERT_EQUAL(c.conf.n_strategies, 2);
    CU_ASSERT_STRING_EQUAL(c.conf.strategy[0].kind, "maker");
    CU_ASSERT_EQUAL(c.conf.strategy[0].all_instruments, 1);
    CU_ASSERT_EQUAL(c.conf.strategy[0].client, GN_NONE32);
    CU_ASSERT_EQUAL(c.conf.strategy[0].param[GN_PARAM_maker_QTY], 7);
    CU_ASSERT_EQUAL(c.conf.strategy[0].param[GN_PARAM_maker_SKEW_QTY], 500);
    CU_ASSERT_EQUAL(c.conf.strategy[1].client, 0);
    CU_ASSERT_STRING_EQUAL(c.conf.client[0], "desk1");
    gn_conf_free(&c);
}

static void instruments(void)
{
    struct fixture f = {.password = "secret", .more = "# comment\r\n  DD # another\n\nEE#\nFF"};

    CU_ASSERT_EQUAL_FATAL(load(fixture_yaml, &f), GN_CONF_OK);
    CU_ASSERT_EQUAL_FATAL(c.conf.n_instruments, 6);
    CU_ASSERT_EQUAL(memcmp(c.instruments[0].symbol, "AA      ", 8), 0);
    CU_ASSERT_EQUAL(memcmp(c.instruments[1].symbol, "BB.A    ", 8), 0);
    CU_ASSERT_EQUAL(memcmp(c.instruments[3].symbol, "DD      ", 8), 0);
    CU_ASSERT_EQUAL(memcmp(c.instruments[4].symbol, "EE#     ", 8), 0);
    CU_ASSERT_EQUAL(memcmp(c.instruments[5].symbol, "FF      ", 8), 0);
    CU_ASSERT_EQUAL(c.instruments[0].tick, 100);
    CU_ASSERT_EQUAL(c.instruments[1].tick, 50);
    CU_ASSERT_EQUAL(c.instruments[5].price_exp, -4);
    CU_ASSERT_EQUAL(c.instruments[0].strategy, 0);
    CU_ASSERT_EQUAL(c.instruments[2].strategy, 1);
    CU_ASSERT_EQUAL(c.instrument_limits[1].max_qty, 500);
    CU_ASSERT_EQUAL(c.instrument_limits[1].max_value, 1000000);
    CU_ASSERT_EQUAL(c.instrument_limits[5].collar_bps, 500);
    CU_ASSERT_EQUAL(c.instrument_limits[5].tradable, 1);
    for (uint32_t i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(c.instrument_limits[i].set, GN_LIMITS_ALL_SET(GN_INSTRUMENT_LIMIT_COUNT));
    gn_conf_free(&c);
}

/* A limit that is not there keeps its bit clear and is a warning; nothing else fails. */
static void missing_limits(void)
{
    struct fixture f = {.password = "secret", .more = ""};
    char *yaml = fixture_edit("max_value: 1000000, ", "");

    CU_ASSERT_EQUAL_FATAL(load(yaml, &f), GN_CONF_OK);
    CU_ASSERT_EQUAL(c.instrument_limits[0].set,
                    GN_LIMITS_ALL_SET(GN_INSTRUMENT_LIMIT_COUNT) & ~(1ull << GN_LIMIT_MAX_VALUE));
    CU_ASSERT_EQUAL(errs.n_warnings, 1);
    CU_ASSERT_STRING_EQUAL(errs.warning[0].text,
                           "etc/gannet.yaml: instruments.defaults.limits.max_value: not set for 3 of 3 instruments, "
                           "first AA: the gate rejects their orders; add it: largest value of one order");
    gn_conf_free(&c);
    free(yaml);

    yaml = fixture_edit(
        "limits: { max_open_orders: 100, message_rate: 1000/s, message_burst: 100, cancel_reserve: 20, max_gross: "
        "1000000000, max_net: 1000000000, max_day_value: 1000000000, max_positions: 10, max_loss: 1000000, "
        "max_drawdown: "
        "1000000, equity: 1000000000 }\n",
        "");
    CU_ASSERT_EQUAL_FATAL(load(yaml, &f), GN_CONF_OK);
    CU_ASSERT_EQUAL(c.conf.limits[GN_ROW_FIRM].set & GN_LIMITS_ALL_SET(GN_SL_WINDOW_QTY), 0);
    CU_ASSERT_EQUAL(errs.n_warnings, 11); /* those that have no default */
    gn_conf_free(&c);
    free(yaml);
}

static void defaults_of_absent_maps(void)
{
    struct fixture f = {.password = "secret", .more = ""};
    char *yaml = fixture_edit("heartbeat: { period: 10ms, stale: 200ms, cancel: 1s }\n", "");

    CU_ASSERT_EQUAL_FATAL(load(yaml, &f), GN_CONF_OK);
    CU_ASSERT_EQUAL(c.conf.heartbeat_period_ms, 10);
    CU_ASSERT_EQUAL(c.conf.heartbeat_stale_ms, 200);
    gn_conf_free(&c);
    free(yaml);

    yaml = fixture_edit("  line_b: { port: fb, group: 239.1.1.2, udp_port: 30002 }\n", "");
    CU_ASSERT_EQUAL_FATAL(load(yaml, &f), GN_CONF_OK);
    CU_ASSERT_EQUAL(c.conf.feed.line[1].port, GN_NONE32);
    CU_ASSERT_EQUAL(errs.n_warnings, 1); /* port fb has no use now */
    gn_conf_free(&c);
    free(yaml);

    yaml = fixture_edit("mode: mock\n", ""); /* absent means paper, and paper says what answers at its sessions */
    CU_ASSERT_EQUAL(load(yaml, &f), GN_CONF_INVALID);
    free(yaml);
    yaml = fixture_edit("    firm: GNNT\n", "    firm: GNNT\n    environment: test\n");
    CU_ASSERT_EQUAL_FATAL(load(yaml, &f), GN_CONF_OK);
    CU_ASSERT_EQUAL(c.duties.environment[0], GN_ENV_TEST);
    gn_conf_free(&c);
    free(yaml);
}

static void password_file(void)
{
    struct fixture f = {.password = "secret\n", .more = ""};
    char *yaml = fixture_edit("password_env: OE1_PASSWORD", "password_file: oe1.password");

    CU_ASSERT_EQUAL_FATAL(load(yaml, &f), GN_CONF_OK);
    CU_ASSERT_STRING_EQUAL(c.conf.session[0].password, "secret");
    gn_conf_free(&c);
    free(yaml);
}

static void hash_covers_both_files(void)
{
    struct fixture f = {.password = "secret", .more = "DD\n"};
    uint8_t want[32], first[32];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    CU_ASSERT_EQUAL_FATAL(load(fixture_yaml, &f), GN_CONF_OK);
    (void)EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
    (void)EVP_DigestUpdate(ctx, fixture_yaml, strlen(fixture_yaml));
    (void)EVP_DigestUpdate(ctx, "DD\n", 3);
    (void)EVP_DigestFinal_ex(ctx, want, NULL);
    EVP_MD_CTX_free(ctx);
    CU_ASSERT_EQUAL(memcmp(c.conf.config_sha256, want, 32), 0);
    memcpy(first, c.conf.config_sha256, 32);
    gn_conf_free(&c);

    f.more = "EE\n";
    CU_ASSERT_EQUAL_FATAL(load(fixture_yaml, &f), GN_CONF_OK);
    CU_ASSERT_NOT_EQUAL(memcmp(c.conf.config_sha256, first, 32), 0);
    gn_conf_free(&c);
}

/* 65,536 instruments load, and one more does not. */
static void as_many_as_there_may_be(void)
{
    char *more = malloc(65536 * 8), *at = more;
    struct fixture f = {.password = "secret", .more = more};
    char *yaml = fixture_edit("max_instruments: 16", "max_instruments: 65536");

    for (unsigned i = 0; i < 65533; i++)
        at += snprintf(at, 8, "X%u\n", i);
    CU_ASSERT_EQUAL_FATAL(load(yaml, &f), GN_CONF_OK);
    CU_ASSERT_EQUAL(c.conf.n_instruments, 65536);
    gn_conf_free(&c);
    (void)snprintf(at, 8, "Y\n");
    CU_ASSERT_EQUAL(load(yaml, &f), GN_CONF_INVALID);
    CU_ASSERT_STRING_EQUAL(
        errs.error[0].text,
        "etc/more.txt:65534: more than 65536 instruments with those of instruments.list; remove some");
    free(yaml);
    free(more);
}

/* From the disk, as the programs do it. Their passwords are not here. */
static void samples(void)
{
    static const struct {
        const char *file;
        uint32_t lcores, ports, instruments;
    } all[] = {{"demo-memif.yaml", 1, 3, 3},
               {"demo-split.yaml", 2, 3, 3},
               {"af_xdp.yaml", 1, 2, 3},
               {"baremetal-pci.yaml", 3, 2, 40}};
    struct gn_conf_host host = gn_conf_host_this();

    host.cpus = 6;
    host.getenv = NULL;
    for (size_t i = 0; i < GN_ARRAY_LEN(all); i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/%s", GN_SAMPLES, all[i].file);
        CU_ASSERT_EQUAL_FATAL(gn_conf_load_on(path, &host, &c, &errs), GN_CONF_OK);
        gn_conf_errors_print(&errs, stdout);
        CU_ASSERT_EQUAL(errs.n_warnings, 0);
        CU_ASSERT_EQUAL(c.conf.n_lcores, all[i].lcores);
        CU_ASSERT_EQUAL(c.conf.n_ports, all[i].ports);
        CU_ASSERT_EQUAL(c.conf.n_instruments, all[i].instruments);
        CU_ASSERT_EQUAL(c.conf.session[0].password[0], '\0');
        gn_conf_free(&c);
        CU_ASSERT_PTR_NULL(c.instruments);
    }
}

static void files_that_cannot_be_read(void)
{
    char big[] = "/tmp/gannet-test-XXXXXX";
    int fd = mkstemp(big);

    CU_ASSERT_EQUAL(gn_conf_load("/no/such.yaml", &c, &errs), GN_CONF_UNREADABLE);
    CU_ASSERT_STRING_EQUAL(errs.error[0].text, "/no/such.yaml: cannot be read: No such file or directory");
    CU_ASSERT_EQUAL(gn_conf_load("/tmp", &c, &errs), GN_CONF_UNREADABLE);
    CU_ASSERT_STRING_EQUAL(errs.error[0].text, "/tmp: cannot be read: not a plain file");
    CU_ASSERT_EQUAL_FATAL(ftruncate(fd, GN_CONF_FILE_MAX + 1), 0);
    CU_ASSERT_EQUAL(gn_conf_load(big, &c, &errs), GN_CONF_UNREADABLE);
    CU_ASSERT_PTR_NOT_NULL(strstr(errs.error[0].text, "cannot be read: larger than allowed"));
    (void)close(fd);
    (void)unlink(big);
}

GN_TEST_MAIN("config load", {"scalars, sets, units", scalars}, {"ports and feed", ports_and_feed},
             {"sessions and strategies", sessions_and_strategies}, {"instruments", instruments},
             {"missing limits warn and stay clear", missing_limits},
             {"defaults of absent maps", defaults_of_absent_maps}, {"password file", password_file},
             {"hash covers both files", hash_covers_both_files},
             {"as many instruments as there may be", as_many_as_there_may_be}, {"samples", samples},
             {"files that cannot be read", files_that_cannot_be_read})
