/* The simulator's command line: one table feeds parser, defaults and --help; faults have their own table of the same
 * form (impair.h). An option that takes a value is written --name value or --name=value.
 */
#ifndef GN_SIM_OPTIONS_H
#define GN_SIM_OPTIONS_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/conf.h"
#include "drivers/venue/nasdaq/moldudp64.h"
#include "tools/venue-sim/gen.h"
#include "tools/venue-sim/impair.h"
#include "tools/venue-sim/link.h"
#include "tools/venue-sim/order_server.h"

#define GN_OPT_TEXT 256u

/* X(kind, member, "name", "default", "value", "help"). Kinds: TEXT; U64; IP; FLAG takes no value; RATE is a number or
 * max (0); SPEED a decimal (thousandths, 0 = not given). */
#define GN_SIM_OPTIONS(X)                                                                                              \
    X(TEXT, itch, "itch", "", "FILE", "replay this BinaryFILE of ITCH 5.0, plain or gzip'd, instead of the generator") \
    X(U64, seed, "seed", "1", "N", "of the generator and of the faults")                                               \
    X(U64, instruments, "instruments", "50", "N", "generator: how many, 1 to 1024")                                    \
    X(U64, live, "live", "600", "N", "generator: live orders of the busiest instrument, 20 to 1000")                   \
    X(U64, messages, "messages", "0", "N", "generator: stop after so many, 0 = never")                                 \
    X(RATE, rate, "rate", "100000", "N|max", "messages a second; max: without pause")                                  \
    X(SPEED, speed, "speed", "0", "X", "X times capture time instead of --rate: 1, 0.5, 100")                          \
    X(U64, pack_us, "pack-us", "10", "US", "least time between packets that are not full, up to 1000000")              \
    X(U64, seconds, "seconds", "0", "S", "stop so long after the first message, 0 = at the end or by a signal")        \
    X(U64, linger_ms, "linger-ms", "1000", "MS", "keep serving after the last message")                                \
    X(FLAG, stay, "stay", "0", "", "after the last message keep serving until a signal")                               \
    X(TEXT, start, "start", "login", "login|now|signal", "what begins the publication (signal: SIGUSR2)")              \
    X(TEXT, session, "session", "GNSIM00001", "NAME", "MoldUDP64 session, up to 10 letters")                           \
    X(IP, group_a, "group-a", "239.1.1.1", "IP", "multicast group of line A")                                          \
    X(U64, udp_a, "udp-a", "30001", "PORT", "UDP port of line A")                                                      \
    X(IP, group_b, "group-b", "239.1.1.2", "IP", "multicast group of line B")                                          \
    X(U64, udp_b, "udp-b", "30001", "PORT", "UDP port of line B")                                                      \
    X(U64, udp_source, "udp-source", "30000", "PORT", "source port of both lines")                                     \
    X(U64, request_port, "request-port", "31000", "PORT", "UDP port of the retransmission server")                     \
    X(U64, heartbeat_ms, "heartbeat-ms", "1000", "MS", "MoldUDP64 heartbeat after so much silence, 1 to 60000")        \
    X(U64, order_port, "order-port", "40123", "PORT", "TCP port of the order sessions")                                \
    X(TEXT, order_session, "order-session", "GNOUCH0001", "NAME", "SoupBinTCP session, up to 10 letters")              \
    X(U64, soup_heartbeat_ms, "soup-heartbeat-ms", "1000", "MS", "SoupBinTCP heartbeat, 10 to 60000")                  \
    X(U64, soup_dead_ms, "soup-dead-ms", "15000", "MS", "silence after which a client is disconnected, to 600000")     \
    X(U64, drop_copy_port, "drop-copy-port", "0", "PORT", "drop copy on this kernel TCP port of 127.0.0.1, 0 = none")  \
    X(U64, drop_copy_delay_us, "drop-copy-delay-us", "0", "US", "delay of the drop copy behind the order session")     \
    X(U64, drop_copy_lie, "drop-copy-lie", "0", "N",                                                                   \
      "tell a wrong quantity in an account's n-th execution, 0 = never")                                               \
    X(FLAG, cancel_on_disconnect, "cancel-on-disconnect", "0", "", "cancel an account's orders when it disconnects")   \
    X(U64, history_mib, "history-mib", "512", "MIB", "published messages kept for retransmission, 1 to 65536")         \
    X(U64, answers_mib, "answers-mib", "64", "MIB", "answers kept for each account, 1 to 4096")                        \
    X(U64, book_orders, "book-orders", "0", "N", "live orders the reference books can hold, 0 = by the source")        \
    X(U64, client_orders, "client-orders", "65536", "N", "live client orders, of all accounts, to 1048576")            \
    X(TEXT, json, "json", "", "FILE", "write the account of the run here at the end; - is standard output")            \
    X(TEXT, core, "core", "", "CPU", "pin the process to this CPU")                                                    \
    X(FLAG, yield, "yield", "0", "", "give the CPU away when there is nothing to do: for a core that others need too") \
    X(U64, dpdk_mem_mib, "dpdk-mem-mib", "128", "MIB", "memory for packet buffers, 32 to 4096")                        \
    X(FLAG, hugepages, "hugepages", "0", "", "take that memory from hugepages")                                        \
    X(TEXT, list_symbols, "list-symbols", "", "FILE|generator", "print the symbols of the source, one a line, and exit")

struct gn_sim_account_option {
    char username[GN_SOUP_USERNAME + 1];
    char password[GN_SOUP_PASSWORD + 1];
};

#define GN_OPT_TYPE_TEXT(m)  char m[GN_OPT_TEXT];
#define GN_OPT_TYPE_U64(m)   uint64_t m;
#define GN_OPT_TYPE_IP(m)    uint32_t m;
#define GN_OPT_TYPE_FLAG(m)  bool m;
#define GN_OPT_TYPE_RATE(m)  uint64_t m;
#define GN_OPT_TYPE_SPEED(m) uint64_t m;

struct gn_sim_options {
#define GN_X(kind, member, name, def, value, help) GN_OPT_TYPE_##kind(member)
    GN_SIM_OPTIONS(GN_X)
#undef GN_X
    struct gn_impair_config impair;
    uint32_t ports; /* --port, as often as there are: 1: everything; 2: feed, orders; 3: line A, line B, orders */
    struct gn_conf_port port[GN_SIM_LINKS_MAX];
    uint32_t accounts; /* --account USER:PASSWORD; one, GANNET:gannet, when none is given */
    struct gn_sim_account_option account[GN_ORDER_ACCOUNTS_MAX];
};

enum gn_opt_result {
    GN_OPT_RUN = 0,
    GN_OPT_HELP = 1,   /* --help was asked for */
    GN_OPT_ERROR = -1, /* the sentence in err says what, and what is allowed */
};

/* gn_options_parse: the command line, argv[0] left out of account. err: room for a sentence. */
int gn_options_parse(struct gn_sim_options *o, int argc, char **argv, char err[GN_OPT_TEXT]) GN_MUST_CHECK;

/* gn_options_help: prints every option with its default. */
void gn_options_help(void);

/* gn_port_spec_parse:
 * KIND:DEVICE,ip=10.0.1.1/24[,mac=..][,gw=..][,id=N][,role=server|client][,queue=N][,vlan=N][,mtu=N]
 * [,rx=N][,tx=N][,out=FILE]; index numbers the default MAC. False with a sentence in err. */
bool gn_port_spec_parse(const char *spec, uint32_t index, struct gn_conf_port *port,
                        char err[GN_OPT_TEXT]) GN_MUST_CHECK;

/* gn_ipv4_parse: dotted quad to a host-order integer. */
bool gn_ipv4_parse(const char *text, uint32_t *ip) GN_MUST_CHECK;

#endif
