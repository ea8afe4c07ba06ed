/* The configuration as the processes share it: plain fixed-size data, filled by config/load from the YAML file, checked
 * there, copied into the region by the control plane. The data plane reads nothing else. Strings are zero-terminated.
 * Zero is a valid value only where the comment says so. IPv4 addresses are host-order integers.
 */
#ifndef GN_ABI_CONF_H
#define GN_ABI_CONF_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/limits.h"

#define GN_LCORES_MAX      8u
#define GN_PORTS_MAX       8u
#define GN_SESSIONS_MAX    4u
#define GN_CLIENTS_MAX     8u
#define GN_INSTRUMENTS_MAX 65536u
#define GN_NAME_MAX        16u
#define GN_PATH_MAX        108u /* fits sockaddr_un */
#define GN_SYMBOL_LEN      8u

enum gn_mode {
    GN_MODE_PAPER = 0, /* absent means paper */
    GN_MODE_LIVE = 1,
    GN_MODE_SHADOW = 2,
    GN_MODE_MOCK = 3, /* against a simulator */
};

enum gn_port_kind {
    GN_PORT_MEMIF = 1,
    GN_PORT_AF_XDP = 2,
    GN_PORT_TAP = 3,
    GN_PORT_PCAP = 4,
    GN_PORT_PCI = 5,
};

enum gn_stage {
    GN_STAGE_FEED = 1,
    GN_STAGE_STRATEGY = 2,
    GN_STAGE_ORDERS = 4,
};

struct gn_conf_lcore {
    uint32_t core;   /* CPU number */
    uint32_t stages; /* bits of enum gn_stage; each stage is on exactly one lcore */
};

struct gn_conf_port {
    char name[GN_NAME_MAX];
    uint32_t kind;               /* enum gn_port_kind */
    uint32_t server;             /* memif: 1 = this side makes the socket */
    char device[GN_PATH_MAX];    /* memif: socket path; af_xdp, tap: interface; pcap: file read; pci: 0000:00:00.0 */
    char device_tx[GN_PATH_MAX]; /* pcap: file written; else empty */
    uint32_t memif_id;
    uint32_t queue;    /* af_xdp: receive queue */
    uint32_t rx_descs; /* power of two */
    uint32_t tx_descs; /* power of two */
    uint8_t mac[6];    /* all zero: the port's own */
    uint16_t vlan;     /* 0 = untagged, else 1..4094 */
    uint32_t mtu;
    uint32_t ip, prefix_len, gateway; /* gateway 0 = none */
};

struct gn_conf_line {
    uint32_t port;  /* index in ports; GN_NONE32: this line is not there */
    uint32_t group; /* multicast address */
    uint32_t udp_port;
    uint32_t pad;
};

struct gn_conf_feed {
    char session[12]; /* MoldUDP64 session, up to 10 characters; empty = adopt the first seen */
    uint32_t pad;
    struct gn_conf_line line[2]; /* A and B */
    uint32_t request_port;       /* port index of the retransmission server; GN_NONE32 = none */
    uint32_t request_ip;
    uint32_t request_udp_port;
    uint32_t request_local_udp_port;
    uint32_t gap_request_us;  /* wait before asking for a retransmission */
    uint32_t gap_retries;     /* requests for one gap before it is given up */
    uint32_t line_dead_ms;    /* silence after which a line counts as dead */
    uint32_t reorder_packets; /* slots for packets held behind a gap, power of two */
};

struct gn_conf_session {
    char name[GN_NAME_MAX];
    uint32_t port; /* index in ports */
    uint32_t remote_ip, remote_port;
    uint32_t local_port; /* first local TCP port; reconnects count up from it */
    char username[8];    /* up to 6 characters */
    char password[12];   /* up to 10; from password_env or password_file, never in the YAML */
    char firm[8];        /* up to 4 characters */
    uint32_t heartbeat_ms;
    uint32_t dead_ms;      /* silence of the venue after which the session is lost */
    uint32_t reconnect_ms; /* first backoff; doubles to reconnect_max_ms, with jitter */
    uint32_t reconnect_max_ms;
    uint32_t venue;           /* index in venues */
    uint32_t deadman_ms;      /* silence that the dead-man timers allow */
    uint32_t deadman_on;      /* bits of enum gn_deadman */
    uint32_t deadman_action;  /* enum gn_deadman_action */
    uint32_t breaker_losses;  /* lost connections in the window that open the breaker; 0 = never */
    uint32_t breaker_rejects; /* rejected orders that do; 0 = never */
    uint32_t breaker_window_ms, breaker_pause_ms;
    uint32_t cancel_on_disconnect;         /* 1: the venue was told to cancel when the connection ends */
    uint32_t drop_copy_ip, drop_copy_port; /* 0: there is none */
    uint32_t drop_copy_stale_ms, drop_copy_grace_ms;
    uint32_t handover;           /* 1: a restarted data plane takes the connection over */
    int64_t fee_add, fee_remove; /* of a share that added, removed liquidity: 1/100 of a price mantissa; < 0: rebate */
};

#define GN_STRATEGY_PARAMS 16u

struct gn_conf_strategy {
    char name[GN_NAME_MAX];
    char kind[GN_NAME_MAX]; /* a row of the strategy table: touch, maker, client */
    uint32_t session;       /* index in sessions */
    uint32_t enabled;
    uint32_t client;                   /* kind client: index of the client file; else GN_NONE32 */
    uint32_t all_instruments;          /* 1: every configured instrument that no other strategy names */
    uint32_t account;                  /* index in accounts */
    uint32_t algo_id;                  /* as reported to the venue and the regulator; never 0 */
    char trader[GN_NAME_MAX];          /* person or desk in charge */
    int64_t param[GN_STRATEGY_PARAMS]; /* by the kind's own table of parameters (dataplane/abi/strategy_params.h) */
};

struct gn_conf_instrument {
    char symbol[GN_SYMBOL_LEN]; /* space-padded, as on the wire */
    int32_t price_exp;          /* decimal exponent of price mantissas: -4 */
    uint32_t strategy;          /* index of the strategy that trades it; GN_NONE32 = none */
    int64_t tick;               /* price increment, mantissa */
    int64_t lot;                /* quantity increment */
    uint32_t theme;             /* index in themes; GN_NONE32 = none */
    uint32_t venue;             /* index in venues */
    int64_t multiplier;         /* of the contract: units of the underlying */
    int64_t fx_ppm;             /* millionths of the base currency for one of its currency */
    int64_t prev_close;         /* price mantissa, 0 = not known */
};

/* Lengths of the windows in which the gate counts. */
struct gn_conf_risk {
    uint32_t window_ms;    /* short-period sums */
    uint32_t duplicate_ms; /* identical orders */
    uint32_t velocity_ms;  /* moves of the market */
    uint32_t period_ms;    /* collar over a period */
    uint32_t day_roll_s;   /* start of the trading day, seconds after midnight UTC */
    uint32_t mark_us;      /* between two looks at the marks of open positions, one instrument a look */
};

enum gn_journal_mode {
    GN_JOURNAL_ASYNC = 0, /* an order does not wait for the disk */
    GN_JOURNAL_SYNC = 1,  /* an order leaves when its record is durable */
};

struct gn_conf_journal {
    char dir[GN_PATH_MAX];
    uint32_t segment_mib;
    uint32_t segments_ahead;
    uint32_t inputs;           /* 1: market-data packets are journaled too */
    uint32_t ring_cells;       /* of each event ring, power of two */
    char key[GN_PATH_MAX];     /* private key that signs checkpoints; empty: journal.key in run_dir */
    uint32_t checkpoint_ms;    /* between two of them */
    uint32_t mode;             /* enum gn_journal_mode */
    uint32_t unsynced_records; /* of the ring that orders are recorded in, not durable: above it no new orders */
    uint32_t unsynced_ms;      /* age of the oldest of them: above it no new orders */
};

struct gn_conf {
    char instance[GN_NAME_MAX];
    uint32_t mode;              /* enum gn_mode */
    uint32_t main_core;         /* housekeeping CPU of the data plane's main thread and of the control plane */
    char run_dir[GN_PATH_MAX];  /* region, client files, sockets */
    char huge_dir[GN_PATH_MAX]; /* hugetlbfs mount for the region; empty = ordinary pages in run_dir */
    uint32_t hugepages;         /* 1: DPDK memory from hugepages; 0: --no-huge */
    uint32_t dpdk_mem_mib;

    uint32_t n_lcores, n_ports, n_sessions, n_strategies, n_clients, n_instruments;
    uint32_t n_venues, n_accounts, n_themes, pad0;
    struct gn_conf_lcore lcore[GN_LCORES_MAX];
    struct gn_conf_port port[GN_PORTS_MAX];
    struct gn_conf_feed feed;
    struct gn_conf_session session[GN_SESSIONS_MAX];
    struct gn_conf_strategy strategy[GN_STRATEGIES_MAX];
    char client[GN_CLIENTS_MAX][GN_NAME_MAX];
    char venue[GN_VENUES_MAX][GN_NAME_MAX];
    char account[GN_ACCOUNTS_MAX][GN_NAME_MAX];
    char theme[GN_THEMES_MAX][GN_NAME_MAX];
    struct gn_conf_journal journal;

    uint32_t max_instruments;  /* table size: configured ones and those learnt from the feed */
    uint32_t max_orders;       /* own orders, power of two */
    uint32_t book_orders;      /* market orders over all books, power of two */
    uint32_t book_levels;      /* price levels over all books, power of two */
    uint32_t stage_ring_cells; /* rings between lcores, power of two */
    uint32_t client_ring_cells;

    uint32_t heartbeat_period_ms; /* how often the control plane beats */
    uint32_t heartbeat_stale_ms;  /* silence after which no new risk is taken */
    uint32_t heartbeat_cancel_ms; /* silence after which all orders are cancelled */
    uint32_t pad;

    struct gn_conf_risk risk;
    struct gn_limits_scope limits[GN_SCOPE_ROWS]; /* by enum gn_scope_row */
    uint8_t config_sha256[32];                    /* of the YAML file's bytes */
};

#endif
