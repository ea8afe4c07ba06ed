/* SoupBinTCP: framing over a stream that is cut anywhere, and both sides of a session against each other. */
#include "drivers/venue/nasdaq/soupbintcp.h"
#include "tests/gn_test.h"

#define SECOND 1000000000ull

static uint8_t *exact(const uint8_t *from, size_t len)
{
    uint8_t *p = malloc(len == 0 ? 1 : len);
    memcpy(p, from, len);
    return p;
}

/* Every type with every payload length around its limits, and every prefix of it. */
static void framing_is_bounded(void)
{
    static const struct {
        uint8_t type;
        uint32_t min, max;
    } rows[] = {
#define GN_X(wire, NAME, min, max, client, server, name) {wire, min, max},
        GN_SOUP_PACKETS(GN_X)
#undef GN_X
    };
    static uint8_t buf[GN_SOUP_PAYLOAD_MAX + 16];
    struct gn_soup_packet pkt;
    for (size_t r = 0; r < GN_ARRAY_LEN(rows); r++) {
        for (uint32_t n = 0; n < 64; n++) {
            gn_store_be16(buf, (uint16_t)(n + 1));
            buf[2] = rows[r].type;
            bool ok = n >= rows[r].min && n <= rows[r].max;
            for (size_t cut = 0; cut <= n + 3; cut++) {
                uint8_t *p = exact(buf, cut);
                int want = cut < 3 ? 0 : !ok ? GN_SOUP_ERR_LENGTH : cut < n + 3 ? 0 : 1;
                CU_ASSERT_EQUAL_FATAL(gn_soup_next(p, cut, &pkt), want);
                if (want == 1)
                    CU_ASSERT_TRUE(pkt.type == rows[r].type && pkt.len == n && pkt.bytes == n + 3);
                free(p);
            }
        }
    }
    CU_ASSERT_EQUAL(gn_soup_header(buf, GN_SOUP_DEBUG, GN_SOUP_PAYLOAD_MAX), GN_SOUP_PAYLOAD_MAX + 3);
    CU_ASSERT_EQUAL(gn_soup_next(buf, sizeof buf, &pkt), 1);
    gn_store_be16(buf, GN_SOUP_PAYLOAD_MAX + 2);
    CU_ASSERT_EQUAL(gn_soup_next(buf, 2, &pkt), GN_SOUP_ERR_LONG);
    gn_store_be16(buf, 0);
    CU_ASSERT_EQUAL(gn_soup_next(buf, 2, &pkt), GN_SOUP_ERR_ZERO);
    CU_ASSERT_EQUAL(gn_soup_next((const uint8_t *)"\0\1?", 3, &pkt), GN_SOUP_ERR_TYPE);
}

static int number(const char *text, uint64_t *n)
{
    return gn_soup_number_parse((const uint8_t *)text, n);
}

static void numbers(void)
{
    static const uint64_t values[] = {0, 1, 9, 10, 123456789, UINT64_MAX};
    uint64_t n = 0;
    for (size_t i = 0; i < GN_ARRAY_LEN(values); i++) {
        uint8_t text[GN_SOUP_SEQUENCE];
        gn_soup_number_write(text, values[i]);
        CU_ASSERT_EQUAL(gn_soup_number_parse(text, &n), GN_SOUP_OK);
        CU_ASSERT_EQUAL(n, values[i]);
    }
    CU_ASSERT_TRUE(number("                   7", &n) == 0 && n == 7);
    CU_ASSERT_TRUE(number("00000000000000000042", &n) == 0 && n == 42);
    CU_ASSERT_TRUE(number("5                   ", &n) == 0 && n == 5);
    CU_ASSERT_EQUAL(number("                    ", &n), GN_SOUP_ERR_NUMBER);
    CU_ASSERT_EQUAL(number("               1 2  ", &n), GN_SOUP_ERR_NUMBER);
    CU_ASSERT_EQUAL(number("                  -1", &n), GN_SOUP_ERR_NUMBER);
    CU_ASSERT_EQUAL(number("18446744073709551616", &n), GN_SOUP_ERR_NUMBER);
    CU_ASSERT_EQUAL(number("99999999999999999999", &n), GN_SOUP_ERR_NUMBER);
}

static struct gn_soup_client client;
static struct gn_soup_server server;
static struct gn_soup_info info;
static uint8_t wire[512];

static enum gn_soup_event to_client(uint32_t bytes, uint64_t now)
{
    struct gn_soup_packet pkt;
    CU_ASSERT_EQUAL_FATAL(gn_soup_next(wire, bytes, &pkt), 1);
    CU_ASSERT_EQUAL_FATAL(pkt.bytes, bytes);
    return gn_soup_client_on_packet(&client, &pkt, now, &info);
}

static enum gn_soup_event to_server(uint32_t bytes, uint64_t now)
{
    struct gn_soup_packet pkt;
    CU_ASSERT_EQUAL_FATAL(gn_soup_next(wire, bytes, &pkt), 1);
    CU_ASSERT_EQUAL_FATAL(pkt.bytes, bytes);
    return gn_soup_server_on_packet(&server, &pkt, now, &info);
}

/* Opens a connection and logs in; the venue sends from next_seq on. The client's event. */
static enum gn_soup_event login(uint64_t next_seq, uint64_t now)
{
    gn_soup_server_open(&server, now);
    int n = gn_soup_client_login(&client, wire, sizeof wire, now);
    CU_ASSERT_EQUAL_FATAL(n, 49);
    CU_ASSERT_EQUAL_FATAL(to_server((uint32_t)n, now), GN_SOUP_EV_LOGIN);
    CU_ASSERT_EQUAL(info.seq, client.next_seq);
    CU_ASSERT_TRUE(gn_soup_server_check(&server, "GANNET", "secret"));
    CU_ASSERT_FALSE(gn_soup_server_check(&server, "GANNET", "secres"));
    CU_ASSERT_FALSE(gn_soup_server_check(&server, "gannet", "secret"));
    n = gn_soup_server_accept(&server, wire, sizeof wire, next_seq, now);
    CU_ASSERT_EQUAL_FATAL(n, 33);
    return to_client((uint32_t)n, now);
}

static void start(uint64_t next_seq)
{
    gn_soup_client_new(&client, "GANNET", "secret", "", next_seq, NULL);
    gn_soup_server_new(&server, "DAY1", NULL);
}

static enum gn_soup_event sequenced(uint64_t now)
{
    memcpy(wire + GN_SOUP_HEADER, "hello", 5);
    return to_client(gn_soup_server_sequenced(&server, wire, 5, now), now);
}

static void session_from_login_to_logout(void)
{
    start(1);
    CU_ASSERT_EQUAL(login(1, 0), GN_SOUP_EV_LOGGED_IN);
    CU_ASSERT_TRUE(info.seq == 1 && info.lost == 0 && info.replay == 0 && info.new_session == 0);
    CU_ASSERT_EQUAL(memcmp(client.session, "DAY1      ", 10), 0);
    for (uint64_t seq = 1; seq <= 3; seq++) {
        CU_ASSERT_EQUAL(sequenced(1), GN_SOUP_EV_DATA_SEQUENCED);
        CU_ASSERT_TRUE(info.seq == seq && info.len == 5 && memcmp(info.payload, "hello", 5) == 0);
        gn_soup_client_done(&client, seq);
    }
    memcpy(wire + GN_SOUP_HEADER, "order", 5);
    CU_ASSERT_EQUAL(to_server(gn_soup_client_order(&client, wire, 5, 2), 2), GN_SOUP_EV_DATA_UNSEQUENCED);
    CU_ASSERT_EQUAL(memcmp(info.payload, "order", 5), 0);
    CU_ASSERT_EQUAL(to_server(gn_soup_client_heartbeat(&client, wire, 3), 3), GN_SOUP_EV_HEARTBEAT);
    CU_ASSERT_EQUAL(to_client(gn_soup_server_heartbeat(&server, wire, 3), 3), GN_SOUP_EV_HEARTBEAT);
    CU_ASSERT_EQUAL(to_client(gn_soup_header(wire, GN_SOUP_DEBUG, 4), 3), GN_SOUP_EV_DEBUG_TEXT);
    CU_ASSERT_EQUAL(to_server(gn_soup_client_logout(&client, wire, 4), 4), GN_SOUP_EV_LOGGED_OUT);
    CU_ASSERT_EQUAL(server.state, GN_SOUP_ENDED);
    CU_ASSERT_EQUAL(to_client(gn_soup_server_end(&server, wire, 5), 5), GN_SOUP_EV_SESSION_END);
    CU_ASSERT_EQUAL(client.state, GN_SOUP_ENDED);
    CU_ASSERT_EQUAL(to_client(gn_soup_server_heartbeat(&server, wire, 5), 5), GN_SOUP_EV_NONE);
    CU_ASSERT_TRUE(client.stats.deaths == 0 && server.stats.deaths == 0 && client.stats.sequenced == 3);
}

static void resumes_where_it_stopped(void)
{
    start(1);
    CU_ASSERT_EQUAL(login(1, 0), GN_SOUP_EV_LOGGED_IN);
    CU_ASSERT_EQUAL(sequenced(1), GN_SOUP_EV_DATA_SEQUENCED);
    gn_soup_client_done(&client, info.seq);
    CU_ASSERT_EQUAL(sequenced(1), GN_SOUP_EV_DATA_SEQUENCED);
    /* the second one was handed out and not done when the process died; its bytes are in the stream still */
    CU_ASSERT_EQUAL(gn_soup_client_join(&client), GN_SOUP_OK);
    server.next_seq = 2;
    CU_ASSERT_EQUAL(sequenced(2), GN_SOUP_EV_DATA_SEQUENCED);
    CU_ASSERT_EQUAL(info.seq, 2);
    gn_soup_client_closed(&client);
    CU_ASSERT_EQUAL(client.stats.deaths, 1);
    /* the venue answers with what was asked for */
    CU_ASSERT_EQUAL(login(2, 3), GN_SOUP_EV_LOGGED_IN);
    CU_ASSERT_EQUAL(memcmp(server.login.session, "DAY1      ", 10), 0);
    CU_ASSERT_EQUAL(sequenced(3), GN_SOUP_EV_DATA_SEQUENCED);
    CU_ASSERT_EQUAL(info.seq, 2);
    gn_soup_client_done(&client, 2);
    gn_soup_client_closed(&client);
    /* the venue starts later: messages are lost, and it says so */
    CU_ASSERT_EQUAL(login(10, 4), GN_SOUP_EV_LOGGED_IN);
    CU_ASSERT_TRUE(info.lost == 7 && info.seq == 10 && client.stats.lost == 7);
    CU_ASSERT_EQUAL(sequenced(4), GN_SOUP_EV_DATA_SEQUENCED);
    CU_ASSERT_EQUAL(info.seq, 10);
    gn_soup_client_done(&client, 10);
    gn_soup_client_closed(&client);
    /* the venue knows fewer than we do: they come marked, and the next new one does not */
    CU_ASSERT_EQUAL(login(10, 5), GN_SOUP_EV_LOGGED_IN);
    CU_ASSERT_TRUE(info.replay == 1 && info.lost == 0);
    CU_ASSERT_EQUAL(sequenced(5), GN_SOUP_EV_DATA_REPLAYED);
    CU_ASSERT_EQUAL(info.seq, 10);
    CU_ASSERT_EQUAL(sequenced(5), GN_SOUP_EV_DATA_SEQUENCED);
    CU_ASSERT_EQUAL(info.seq, 11);
    gn_soup_client_closed(&client);
    /* a new session starts its own count */
    gn_soup_server_new(&server, "DAY2", NULL);
    gn_soup_server_open(&server, 6);
    CU_ASSERT_EQUAL(gn_soup_client_login(&client, wire, sizeof wire, 6), 49);
    memcpy(wire + GN_SOUP_HEADER, "DAY2      ", 10);
    gn_soup_number_write(wire + GN_SOUP_HEADER + 10, 1);
    CU_ASSERT_EQUAL(to_client(gn_soup_header(wire, GN_SOUP_ACCEPTED, 30), 6), GN_SOUP_EV_LOGGED_IN);
    CU_ASSERT_TRUE(info.new_session == 1 && client.next_seq == 1 && info.lost == 0);
}

static void joins_the_present(void)
{
    start(0);
    CU_ASSERT_EQUAL(login(500, 0), GN_SOUP_EV_LOGGED_IN);
    CU_ASSERT_TRUE(info.lost == 0 && client.next_seq == 500);
    CU_ASSERT_EQUAL(sequenced(1), GN_SOUP_EV_DATA_SEQUENCED);
    CU_ASSERT_EQUAL(info.seq, 500);
}

static void rejected_logins(void)
{
    start(1);
    gn_soup_server_open(&server, 0);
    int n = gn_soup_client_login(&client, wire, sizeof wire, 0);
    CU_ASSERT_EQUAL(to_server((uint32_t)n, 0), GN_SOUP_EV_LOGIN);
    CU_ASSERT_EQUAL(gn_soup_server_reject(&server, wire, 3, 'A', 0), GN_SOUP_ERR_ROOM);
    n = gn_soup_server_reject(&server, wire, sizeof wire, 'A', 0);
    CU_ASSERT_EQUAL(to_client((uint32_t)n, 0), GN_SOUP_EV_LOGIN_REJECTED);
    CU_ASSERT_TRUE(info.reason == 'A' && client.state == GN_SOUP_DEAD && server.state == GN_SOUP_DEAD);
    CU_ASSERT_EQUAL(gn_soup_server_accept(&server, wire, sizeof wire, 1, 0), GN_SOUP_ERR_STATE);
    CU_ASSERT_EQUAL(gn_soup_client_login(&client, wire, 48, 0), GN_SOUP_ERR_ROOM);
    /* another session than the current one */
    gn_soup_client_new(&client, "GANNET", "secret", "OTHER", 1, NULL);
    gn_soup_server_open(&server, 0);
    n = gn_soup_client_login(&client, wire, sizeof wire, 0);
    CU_ASSERT_EQUAL(to_server((uint32_t)n, 0), GN_SOUP_EV_LOGIN);
    CU_ASSERT_FALSE(gn_soup_server_check(&server, "GANNET", "secret"));
}

static void timers(void)
{
    start(1);
    CU_ASSERT_EQUAL(gn_soup_client_timer(&client, 100 * SECOND), GN_SOUP_TIMER_NONE);
    CU_ASSERT_EQUAL(login(1, 100 * SECOND), GN_SOUP_EV_LOGGED_IN);
    CU_ASSERT_EQUAL(gn_soup_client_timer(&client, 101 * SECOND - 1), GN_SOUP_TIMER_NONE);
    CU_ASSERT_EQUAL(gn_soup_client_timer(&client, 101 * SECOND), GN_SOUP_TIMER_HEARTBEAT);
    CU_ASSERT_EQUAL(gn_soup_server_timer(&server, 101 * SECOND), GN_SOUP_TIMER_HEARTBEAT);
    (void)gn_soup_client_heartbeat(&client, wire, 114 * SECOND);
    CU_ASSERT_EQUAL(gn_soup_client_timer(&client, 115 * SECOND - 1), GN_SOUP_TIMER_NONE);
    CU_ASSERT_EQUAL(gn_soup_client_timer(&client, 115 * SECOND), GN_SOUP_TIMER_DEAD);
    CU_ASSERT_EQUAL(gn_soup_client_timer(&client, 116 * SECOND), GN_SOUP_TIMER_NONE);
    CU_ASSERT_EQUAL(gn_soup_server_timer(&server, 115 * SECOND), GN_SOUP_TIMER_DEAD);
    CU_ASSERT_TRUE(client.stats.deaths == 1 && server.stats.deaths == 1);
    /* a clock that is behind does not kill */
    CU_ASSERT_EQUAL(login(1, 200 * SECOND), GN_SOUP_EV_LOGGED_IN);
    CU_ASSERT_EQUAL(gn_soup_client_timer(&client, 5), GN_SOUP_TIMER_NONE);
    /* nobody answers the login; nobody logs in, whatever heartbeats come */
    struct gn_soup_timing t = {.login_ns = 3 * SECOND};
    gn_soup_client_new(&client, "GANNET", "secret", "", 1, &t);
    gn_soup_server_new(&server, "DAY1", &t);
    gn_soup_server_open(&server, 0);
    CU_ASSERT_EQUAL(gn_soup_client_login(&client, wire, sizeof wire, 0), 49);
    CU_ASSERT_EQUAL(to_client(gn_soup_header(wire, GN_SOUP_SERVER_HEARTBEAT, 0), 2 * SECOND), GN_SOUP_EV_HEARTBEAT);
    CU_ASSERT_EQUAL(to_server(gn_soup_header(wire, GN_SOUP_CLIENT_HEARTBEAT, 0), 2 * SECOND), GN_SOUP_EV_HEARTBEAT);
    CU_ASSERT_EQUAL(gn_soup_client_timer(&client, 3 * SECOND), GN_SOUP_TIMER_DEAD);
    CU_ASSERT_EQUAL(gn_soup_server_timer(&server, 3 * SECOND), GN_SOUP_TIMER_DEAD);
}

/* Every packet type in every state and on either side: it has its meaning there, or it kills with a counted reason. */
static void every_type_in_every_state(void)
{
    static const uint8_t types[] = {
#define GN_X(wire, NAME, min, max, client, server, name) wire,
        GN_SOUP_PACKETS(GN_X)
#undef GN_X
    };
    uint8_t payload[64];
    for (uint8_t state = GN_SOUP_CLOSED; state <= GN_SOUP_DEAD; state++) {
        for (size_t i = 0; i < sizeof types; i++) {
            struct gn_soup_packet pkt = {.type = types[i], .payload = payload, .len = types[i] == 'L' ? 46 : 30};
            bool dead, rejected = state == GN_SOUP_LOGIN_SENT && types[i] == 'J';
            memset(payload, ' ', sizeof payload);
            gn_soup_number_write(payload + (types[i] == 'L' ? 26 : 10), 1);
            start(1);
            client.state = server.state = state;
            dead = gn_soup_client_on_packet(&client, &pkt, 1, &info) == GN_SOUP_EV_ERROR;
            CU_ASSERT_EQUAL(dead, client.stats.deaths == 1 && !rejected);
            CU_ASSERT_TRUE(!dead || (info.err < 0 && client.stats.errors[-info.err] == 1));
            bool waits = state == GN_SOUP_LOGIN_SENT, in = state == GN_SOUP_LOGGED_IN;
            bool fine = strchr("+HZ", types[i]) != NULL || (waits && strchr("AJ", types[i]) != NULL) ||
                        (in && strchr("SU", types[i]) != NULL);
            CU_ASSERT_EQUAL(dead, (waits || in) && !fine);
            dead = gn_soup_server_on_packet(&server, &pkt, 1, &info) == GN_SOUP_EV_ERROR;
            CU_ASSERT_EQUAL(dead, server.stats.deaths == 1);
            bool open = state >= GN_SOUP_LOGIN_WAIT && state <= GN_SOUP_LOGGED_IN;
            fine = strchr("+RO", types[i]) != NULL || (state == GN_SOUP_LOGIN_WAIT && types[i] == 'L') ||
                   (in && types[i] == 'U');
            CU_ASSERT_EQUAL(dead, open && !fine);
        }
    }
    CU_ASSERT_TRUE(gn_soup_client_join(&client) == GN_SOUP_OK);
    client.state = 99;
    CU_ASSERT_EQUAL(gn_soup_client_join(&client), GN_SOUP_ERR_STATE);
    client.magic = 0;
    CU_ASSERT_EQUAL(gn_soup_client_join(&client), GN_SOUP_ERR_MAGIC);
}

static void reasons_have_texts(void)
{
    for (int i = 1; i < GN_SOUP_ERRS; i++)
        CU_ASSERT_STRING_NOT_EQUAL(gn_soup_strerror(-i), "unknown");
    for (int i = GN_SOUP_EV_NONE; i <= GN_SOUP_EV_ERROR; i++)
        CU_ASSERT_STRING_NOT_EQUAL(gn_soup_event_name((enum gn_soup_event)i), "unknown");
    CU_ASSERT_STRING_EQUAL(gn_soup_strerror(-GN_SOUP_ERRS), "unknown");
}

GN_TEST_MAIN("soupbintcp", {"framing is bounded", framing_is_bounded}, {"numbers", numbers},
             {"a session from login to logout", session_from_login_to_logout},
             {"resumes where it stopped", resumes_where_it_stopped}, {"joins the present", joins_the_present},
             {"rejected logins", rejected_logins}, {"timers", timers},
             {"every type in every state", every_type_in_every_state}, {"every reason has a text", reasons_have_texts})
