/* The whole venue against a client, over frames in memory and in virtual time. */
#include "tests/gn_test.h"

#include "tests/unit/sim/client.h"
#include "tools/venue-sim/sim.h"

static struct wire *wire;
static struct gn_sim *sim;
static struct client *client;

static void parse(struct gn_sim_options *o, const char *line)
{
    static const char *const ports[] = {"--port=memif:/a,ip=10.0.1.1/24", "--port=memif:/b,ip=10.0.2.1/24",
                                        "--port=memif:/c,ip=10.0.3.1/24"};
    char text[1024], err[GN_OPT_TEXT], *argv[64], *rest = text;
    int argc = 0;
    argv[argc++] = text;
    for (uint32_t i = 0; i < 3; i++)
        argv[argc++] = (char *)(uintptr_t)ports[i];
    snprintf(text, sizeof text, "%s", line);
    for (char *word; (word = strsep(&rest, " ")) != NULL;)
        if (*word != '\0')
            argv[argc++] = word;
    int rc = gn_options_parse(o, argc, argv, err);
    if (rc != GN_OPT_RUN)
        printf("%s\n", err);
    CU_ASSERT_EQUAL_FATAL(rc, GN_OPT_RUN);
}

static void open_all(const char *line)
{
    static struct gn_sim_options opt;
    char err[GN_OPT_TEXT];
    uint8_t macs[3][6];
    wire = calloc(1, sizeof *wire);
    CU_ASSERT_PTR_NOT_NULL_FATAL(wire);
    wire->now = 1700000000000000000ull;
    parse(&opt, line);
    for (uint32_t i = 0; i < 3; i++)
        memcpy(macs[i], opt.port[i].mac, 6);
    struct gn_sim_io io = {.arg = wire, .now = wire_now, .rx = wire_rx, .done = wire_done, .flush = wire_flush};
    sim = gn_sim_new(&opt, &io, (const uint8_t(*)[6])macs, wire->now, err);
    if (sim == NULL)
        printf("%s\n", err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sim);
    for (uint32_t i = 0; i < 3; i++)
        wire_stock(wire, 0, i, &sim->links.link[i].txq);
    client = client_new(wire, 3, "GANNET", "gannet");
    client->want_session = true;
}

static void close_all(void)
{
    for (uint32_t i = 0; i < 3; i++)
        CU_ASSERT_TRUE(wire->to_client[i].lost == 0 && wire->to_sim[i].lost == 0);
    client_free(client);
    gn_sim_free(sim);
    free(wire);
}

/* Both sides' turns for that much virtual time; false when the simulator is done. */
static bool run_us(uint64_t us)
{
    const uint64_t end = wire->now + us * 1000;
    while (wire->now < end) {
        wire->now += 4000;
        if (!gn_sim_turn(sim))
            return false;
        client_turn(client);
    }
    return true;
}

/* Orders of all kinds at the best prices that the simulator's own books show. */
static void trade(uint64_t *rng, uint32_t orders)
{
    for (uint32_t i = 0; i < orders; i++) {
        const uint64_t r = gn_test_rand(rng);
        if (!run_us(20) || !client_ready(client) || gn_sim_books_count(sim->books) == 0)
            continue;
        struct gn_sim_book *b = gn_sim_books_get(sim->books, (uint32_t)r % gn_sim_books_count(sim->books));
        const struct gn_sim_level *bid = gn_sim_best(b, 0), *ask = gn_sim_best(b, 1);
        if (bid == NULL || ask == NULL)
            continue;
        struct gn_ouch_msg m = {.type = GN_OUCH_IN_CANCEL, .user_ref = client->next_ref - 1 - (uint32_t)(r >> 50 & 7)};
        if ((r >> 40 & 3) == 0)
            (void)client_send(client, &m);
        else
            (void)client_enter(client, b->symbol, (r & 256) != 0 ? 'B' : 'S', 100,
                               (r & 512) != 0 ? ask->price : bid->price, (r >> 45 & 1) != 0 ? '0' : '3');
    }
}

/* Everything that was published arrived, and a book of what arrived has the simulator's digests. */
static void check_market_data(void)
{
    struct gn_sim_books *b = gn_sim_books_new(1 << 16, 64);
    struct gn_sim_change change;
    uint64_t mine[64], theirs[64];
    CU_ASSERT_PTR_NOT_NULL_FATAL(b);
    CU_ASSERT_EQUAL(client->highest, sim->history.next - 1);
    CU_ASSERT_EQUAL(client->next_missing, sim->history.next);
    for (uint64_t seq = 1; seq < client->next_missing; seq++)
        CU_ASSERT_EQUAL_FATAL(gn_sim_books_apply(b, client->msg[seq], client->len[seq], &change), GN_SIM_BOOK_OK);
    CU_ASSERT_EQUAL(gn_sim_books_count(b), gn_sim_books_count(sim->books));
    gn_sim_books_digests(b, mine, gn_sim_books_count(b));
    gn_sim_books_digests(sim->books, theirs, gn_sim_books_count(b));
    CU_ASSERT_EQUAL(memcmp(mine, theirs, gn_sim_books_count(b) * sizeof mine[0]), 0);
    gn_sim_books_free(b);
}

static void check_orders(void)
{
    const struct gn_account_row *t = &sim->account.total;
    CU_ASSERT_EQUAL(client->answers, sim->orders.stats.answers);
    CU_ASSERT_EQUAL(client->by_type['A'], t->accepted);
    CU_ASSERT_EQUAL(client->by_type['J'], t->rejected);
    CU_ASSERT_EQUAL(client->by_type['E'], t->executions);
    CU_ASSERT_EQUAL(client->position, t->position);
    CU_ASSERT_EQUAL(t->accepted, t->filled + t->canceled + t->open_orders);
    CU_ASSERT_EQUAL(sim->orders.stats.bad_messages, 0);
}

static void a_clean_day(void)
{
    uint64_t rng = gn_test_seed(1);
    open_all("--messages 60000 --instruments 9 --rate 1000000 --history-mib 8 --linger-ms 50");
    trade(&rng, 1500);
    while (run_us(1000))
        ;
    for (int i = 0; i < 5; i++)
        client_turn(client);
    check_market_data();
    check_orders();
    CU_ASSERT_EQUAL(sim->pub.stats.messages, 60000);
    CU_ASSERT_EQUAL(client->requests, 0);
    CU_ASSERT_EQUAL(client->line_packets[0], client->line_packets[1]);
    CU_ASSERT_TRUE(client->end_packets >= 2);
    CU_ASSERT_EQUAL(client->sessions_lost, 1); /* by the end of the session */
    CU_ASSERT_TRUE(sim->account.total.executions > 200);
    CU_ASSERT_EQUAL(client->by_type['S'], 2);
    CU_ASSERT_TRUE(sim->orders.latency.count > 800 && sim->orders.latency.min > 0);
    CU_ASSERT_TRUE(sim->orders.stats.last_order_ns > sim->pub.start_ns);
    CU_ASSERT_STRING_EQUAL(sim->stopped_by, "end of the source");
    close_all();
}

static void losses_are_filled(void)
{
    uint64_t rng = gn_test_seed(2);
    open_all("--messages 80000 --instruments 9 --rate 1000000 --history-mib 8 --linger-ms 300 --drop-a 2% --drop-b 2% "
             "--gap 1% --duplicate 1% --reorder 1% --md-garbage 1% --seed 5 --heartbeat-ms 20");
    trade(&rng, 800);
    while (run_us(1000))
        ;
    check_market_data();
    check_orders();
    CU_ASSERT_TRUE(sim->impair.line[0].stats.gapped > 20);
    CU_ASSERT_TRUE(client->requests > 20 && sim->resend.stats.served >= sim->impair.line[0].stats.gapped / 2);
    CU_ASSERT_TRUE(client->bad_packets > 0);
    CU_ASSERT_EQUAL(sim->resend.stats.bad_request, 0);
    close_all();
}

static void sessions_resume(void)
{
    uint64_t rng = gn_test_seed(3);
    open_all("--messages 100000 --instruments 5 --rate 1000000 --history-mib 8 --linger-ms 200 --disconnect-after 100 "
             "--garbage-after 500 --ack-delay-us 50 --reject-every 7 --part-fill-pct 50 --fill-chunk 30");
    trade(&rng, 2500);
    while (run_us(1000))
        ;
    check_market_data();
    check_orders();
    CU_ASSERT_TRUE(sim->orders.stats.disconnected > 5);
    CU_ASSERT_EQUAL(sim->orders.stats.garbage, 1);
    CU_ASSERT_TRUE(client->connects > 6);
    CU_ASSERT_TRUE(sim->account.total.rejected > 50);
    close_all();
}

static void wrong_passwords_and_takeovers(void)
{
    open_all("--messages 1000 --rate 1000 --history-mib 1 --stay");
    struct gn_soup_client good = client->soup;
    gn_soup_client_new(&client->soup, "GANNET", "wrong", "", 1, NULL);
    run_us(3000);
    CU_ASSERT_TRUE(sim->orders.stats.logins_refused >= 1);
    CU_ASSERT_EQUAL(gn_order_logged_in(&sim->orders), 0);
    client->want_session = false;
    run_us(3000);
    client->soup = good;
    client->want_session = true;
    run_us(3000);
    CU_ASSERT_EQUAL(gn_order_logged_in(&sim->orders), 1);
    /* the client dies without a word and comes back */
    client->conn = GN_TCP_NONE;
    gn_soup_client_closed(&client->soup);
    run_us(3000);
    CU_ASSERT_EQUAL(sim->orders.stats.takeovers, 1);
    CU_ASSERT_EQUAL(gn_order_logged_in(&sim->orders), 1);
    CU_ASSERT_TRUE(client_ready(client));
    gn_sim_stop(sim, "test");
    while (run_us(1000))
        ;
    CU_ASSERT_EQUAL(client->by_type['S'], 2);
    close_all();
}

static void pause_and_resume(void)
{
    open_all("--rate 500000 --history-mib 8 --instruments 3 --start signal --heartbeat-ms 1");
    run_us(5000);
    CU_ASSERT_EQUAL(sim->pub.stats.messages, 0);
    CU_ASSERT_TRUE(sim->pub.stats.heartbeats >= 3);
    gn_sim_resume(sim);
    run_us(20000);
    gn_sim_pause(sim);
    const uint64_t at = sim->pub.stats.messages;
    CU_ASSERT_TRUE(at > 9000 && at < 10500);
    run_us(20000);
    CU_ASSERT_EQUAL(sim->pub.stats.messages, at);
    check_market_data(); /* both books at rest are the same */
    gn_sim_resume(sim);
    run_us(10000);
    CU_ASSERT_TRUE(sim->pub.stats.messages > at + 4000 && sim->pub.stats.messages < at + 5500);
    CU_ASSERT_TRUE(sim->pub.stats.late_max_ns < 2000000);
    json_t *report = gn_sim_report(sim);
    CU_ASSERT_PTR_NOT_NULL_FATAL(report);
    json_t *books = json_object_get(json_object_get(report, "books"), "list");
    CU_ASSERT_EQUAL(json_array_size(books), 3);
    CU_ASSERT_EQUAL(strlen(json_string_value(json_object_get(json_array_get(books, 0), "digest"))), 16);
    json_decref(report);
    gn_sim_stop(sim, "test");
    while (run_us(1000))
        ;
    close_all();
}

static void capture_time_is_kept(void)
{
    open_all("--speed 0.5 --messages 5000 --instruments 3 --history-mib 1 --start now --linger-ms 0");
    while (run_us(100))
        ;
    const uint64_t took = sim->source_end_ns - sim->pub.start_ns, span = sim->pub.next_time - sim->pub.first_time;
    CU_ASSERT_TRUE(took > 2 * span && took < 2 * span + 200000);
    check_market_data();
    close_all();
}

static void bad_requests_are_counted(void)
{
    uint8_t packet[GN_MOLD_REQUEST];
    open_all("--messages 1000 --rate max --history-mib 1 --start now --stay");
    run_us(3000);
    struct gn_mold_request r = {.seq = 5, .count = 3};
    uint8_t mac[6];
    (void)!gn_net_resolve(client->net[0], 0x0a000101u, wire->now, &client->txq[0], mac); /* asks for the neighbour */
    run_us(100);
    memcpy(r.session, "OTHER     ", sizeof r.session);
    for (int i = 0; i < 4; i++) {
        if (i == 1)
            memcpy(r.session, client->session, sizeof r.session);
        if (i == 2)
            r.seq = 5000;
        gn_mold_request_write(packet, &r);
        CU_ASSERT_EQUAL(gn_udp_send(client->net[0], 0x0a000101u, 31001, 31000, packet,
                                    i == 3 ? 7 : (uint32_t)sizeof packet, wire->now, &client->txq[0]),
                        GN_NET_OK);
        run_us(100);
    }
    CU_ASSERT_EQUAL(sim->resend.stats.requests, 4);
    CU_ASSERT_EQUAL(sim->resend.stats.bad_session, 1);
    CU_ASSERT_EQUAL(sim->resend.stats.not_published, 1);
    CU_ASSERT_EQUAL(sim->resend.stats.bad_request, 1);
    CU_ASSERT_EQUAL(sim->resend.stats.served, 1);
    CU_ASSERT_EQUAL(sim->resend.stats.messages, 3);
    CU_ASSERT_EQUAL(client->resent_packets, 1);
    gn_sim_stop(sim, "test");
    close_all();
}

static void options_are_checked(void)
{
    static const char *const bad[] = {
        "--no-such 1",
        "--rate x",
        "--port memif:/x",
        "--port usb:/x,ip=10.0.0.1/24",
        "--drop-a 101%",
        "--start never",
        "--account nobody",
        "--group-a 1.2.3",
        "--instruments 0",
        "--speed 1.2.3",
        "--port memif:/x,ip=10.0.0.1/24,mtu=9",
        "--port memif:/x,ip=10.0.0.1/24,mac=01:00:00:00:00:00",
        "--seed",
        "stray",
        "--udp-a 65536",
        "--reorder-by 0",
        "--session 12345678901",
    };
    struct gn_sim_options o;
    char err[GN_OPT_TEXT], text[256];
    for (uint32_t i = 0; i < GN_ARRAY_LEN(bad); i++) {
        char *argv[8], *rest = text;
        int argc = 1;
        argv[0] = text;
        snprintf(text, sizeof text, "%s", bad[i]);
        for (char *word; (word = strsep(&rest, " ")) != NULL;)
            argv[argc++] = word;
        CU_ASSERT_EQUAL(gn_options_parse(&o, argc, argv, err), GN_OPT_ERROR);
        CU_ASSERT_TRUE(strlen(err) > 10);
    }
    parse(&o, "--speed 2.5 --rate=max --drop-b 0.5% --account AB:CD --stay");
    CU_ASSERT_TRUE(o.speed == 2500 && o.rate == 0 && o.impair.drop_b == 5000 && o.stay && o.accounts == 1 &&
                   o.ports == 3);
    CU_ASSERT_STRING_EQUAL(o.account[0].password, "CD");
    CU_ASSERT_EQUAL(o.port[2].ip, 0x0a000301u);
}

GN_TEST_MAIN("sim", {"a clean day", a_clean_day}, {"losses are filled", losses_are_filled},
             {"sessions resume", sessions_resume}, {"wrong passwords and takeovers", wrong_passwords_and_takeovers},
             {"pause and resume", pause_and_resume}, {"capture time is kept", capture_time_is_kept},
             {"bad requests are counted", bad_requests_are_counted}, {"options are checked", options_are_checked})
