/* The network endpoint below TCP: Ethernet with VLAN, ARP, IPv4, ICMP, IGMPv3 and UDP for one port of one lcore.
 *
 *      port burst --> gn_net_input --> HANDLED (ARP, ICMP, IGMP: answered into the txq)
 *                                  --> UDP     (payload pointer into the frame)
 *                                  --> TCP     (connection index; bytes are read with gn_tcp_readable)
 *                                  --> DROP    (a counted reason)
 *      loop end   --> gn_net_timer, gn_tcp_timer
 *
 * struct gn_net holds no pointer and lives in memory of the caller, the shared region for one that must outlive its
 * process. Time and frames are arguments: the same calls give the same bytes. IPv4 addresses are host-order integers
 * (10.0.0.1 is 0x0a000001), ports too. The clock of the caller may step: a step back stops the timers for no longer
 * than one call, a step forward makes them fire once.
 *
 * Kill -9: every table entry becomes valid by one aligned 64-bit store after its other fields are written, so that a
 * process that dies between any two instructions leaves either the old entry or the new one. gn_net_join checks the
 * header and drops entries that are impossible.
 */
#ifndef GN_NET_NET_H
#define GN_NET_NET_H

#include "dataplane/abi/base.h"
#include "dataplane/abi/frame.h"

#define GN_NET_MAGIC       0x676e6e6574303031ull /* "gnnet001" */
#define GN_NET_ARP_MAX     128u                  /* neighbours, static ones included */
#define GN_NET_GROUP_MAX   64u                   /* multicast memberships */
#define GN_NET_ACCEPT      64u                   /* power of two */
#define GN_NET_FLOWS       32u                   /* power of two */
#define GN_NET_MTU_MIN     576u
#define GN_NET_MTU_MAX     1500u /* GN_FRAME_MAX less Ethernet header and VLAN tag */
#define GN_NET_VLAN_MAX    4094u
#define GN_NET_NEVER       UINT64_MAX /* a deadline that does not come */
#define GN_NET_NO_CONN     0xffffffffu
#define GN_UDP_PAYLOAD_MAX (GN_NET_MTU_MAX - 28u)

struct gn_tcp;

/* Why a frame was dropped. X(NAME, "name", "help"); the number is the row, counted in gn_net.drops. */
#define GN_NET_DROPS(X)                                                                                                \
    X(NONE, "none", "not dropped")                                                                                     \
    X(SHORT, "short", "frame ends before its Ethernet header or is longer than a frame may be")                        \
    X(VLAN, "vlan", "tag missing, unexpected or of another VLAN")                                                      \
    X(NOT_OUR_MAC, "not_our_mac", "destination MAC is neither ours, broadcast nor a joined group")                     \
    X(ETHERTYPE, "ethertype", "neither ARP nor IPv4")                                                                  \
    X(ARP_BAD, "arp_bad", "ARP packet malformed or with an impossible sender")                                         \
    X(ARP_NOT_US, "arp_not_us", "ARP packet about others")                                                             \
    X(ARP_CONFLICT, "arp_conflict", "another station claims our IPv4 address")                                         \
    X(ARP_STATIC, "arp_static", "ARP packet contradicts a static neighbour")                                           \
    X(IP_SHORT, "ip_short", "frame ends before the IPv4 header or its total length")                                   \
    X(IP_VERSION, "ip_version", "IP version is not 4 or the header length is below 20")                                \
    X(IP_CSUM, "ip_csum", "IPv4 header checksum wrong")                                                                \
    X(IP_OPTIONS, "ip_options", "IPv4 options, which only IGMP may carry here")                                        \
    X(IP_FRAGMENT, "ip_fragment", "IPv4 fragment: nothing is reassembled here")                                        \
    X(IP_TTL, "ip_ttl", "TTL is 0")                                                                                    \
    X(IP_SRC, "ip_src", "source address is ours, loopback, multicast, broadcast or zero")                              \
    X(IP_NOT_US, "ip_not_us", "destination address is neither ours nor a joined group")                                \
    X(IP_PROTO, "ip_proto", "protocol is none of ICMP, IGMP, TCP, UDP")                                                \
    X(ICMP_BAD, "icmp_bad", "ICMP message too short or its checksum wrong")                                            \
    X(ICMP_TYPE, "icmp_type", "ICMP type that is not answered")                                                        \
    X(ICMP_QUOTE, "icmp_quote", "ICMP error that quotes no segment in flight of a connection of ours")                 \
    X(ICMP_RATE, "icmp_rate", "echo request beyond the rate limit")                                                    \
    X(IGMP_BAD, "igmp_bad", "IGMP message too short or its checksum wrong")                                            \
    X(IGMP_TYPE, "igmp_type", "IGMP message that is not a query")                                                      \
    X(UDP_BAD, "udp_bad", "UDP length impossible or destination port 0")                                               \
    X(UDP_CSUM, "udp_csum", "UDP checksum wrong")                                                                      \
    X(TCP_BAD, "tcp_bad", "TCP header length impossible or a port is 0")                                               \
    X(TCP_CSUM, "tcp_csum", "TCP checksum wrong")                                                                      \
    X(TCP_MULTICAST, "tcp_multicast", "TCP segment to a group or broadcast address")                                   \
    X(TCP_NO_TABLE, "tcp_no_table", "TCP segment on a port without a TCP table")                                       \
    X(TCP_NO_CONN, "tcp_no_conn", "TCP segment for no connection and no listener: answered with RST within the limit") \
    X(TCP_NO_SLOT, "tcp_no_slot", "SYN for a listener while the table or its backlog is full")                         \
    X(TCP_PAWS, "tcp_paws", "timestamp older than the last one (RFC 7323 section 5)")                                  \
    X(TCP_SEQ, "tcp_seq", "segment outside the receive window: answered with an ACK within the limit")                 \
    X(TCP_RST, "tcp_rst", "RST that is not at the next sequence number (RFC 5961 section 3)")                          \
    X(TCP_SYN, "tcp_syn", "SYN on a synchronised connection (RFC 5961 section 4)")                                     \
    X(TCP_ACK, "tcp_ack", "ACK number missing or unacceptable (RFC 5961 section 5)")                                   \
    X(TCP_OOO_FULL, "tcp_ooo_full", "out-of-order data beyond what can be remembered")                                 \
    X(TCP_NO_WINDOW, "tcp_no_window", "data beyond the receive window")                                                \
    X(TCP_STATE, "tcp_state", "segment that the connection's state has no use for")                                    \
    X(TX_FULL, "tx_full", "an answer was due and the txq was full")

enum gn_net_drop {
#define GN_X(NAME, name, help) GN_NET_DROP_##NAME,
    GN_NET_DROPS(GN_X)
#undef GN_X
        GN_NET_DROP_COUNT
};

enum gn_net_err {
    GN_NET_OK = 0,
    GN_NET_ERR_NO_ARP = -1,   /* neighbour unknown: an ARP request was sent, if the txq had room */
    GN_NET_ERR_TXQ_FULL = -2, /* no empty frame in the txq */
    GN_NET_ERR_TOO_LONG = -3, /* payload does not fit the MTU */
    GN_NET_ERR_FULL = -4,     /* neighbour or group table full */
    GN_NET_ERR_ARG = -5,      /* address, port or configuration outside its limits */
    GN_NET_ERR_MAGIC = -6,    /* no gn_net at this address, or of another layout */
    GN_NET_ERR_CORRUPT = -7,  /* gn_net_join: fields outside their limits */
    GN_NET_ERR_NO_ROUTE = -8, /* not on the link, and no gateway */
    GN_NET_ERR_UNKNOWN = -9,  /* no such group or neighbour */
};

struct gn_net_conf {
    uint8_t mac[6];
    uint16_t mtu;          /* IPv4 bytes, GN_NET_MTU_MIN to GN_NET_MTU_MAX */
    uint32_t ip;           /* host order */
    uint32_t gateway;      /* 0 = none */
    uint8_t prefix_bits;   /* 1 to 32 */
    uint8_t ttl;           /* of unicast, 1 to 255 */
    uint8_t multicast_ttl; /* 1 to 255 */
    uint8_t pad0;
    uint16_t vlan_id;         /* 0 = untagged, 1 to GN_NET_VLAN_MAX */
    uint16_t arp_retry_ms;    /* between requests for an unknown neighbour, 10 to 60,000 */
    uint32_t arp_refresh_ms;  /* age at which a used neighbour is asked again, 100 to 86,400,000 */
    uint32_t arp_expire_ms;   /* age at which it is forgotten, > arp_refresh_ms */
    uint32_t igmp_refresh_ms; /* unsolicited reports at this interval, 0 = only when queried */
    uint32_t icmp_per_s;      /* echo answers a second, 0 = none */
    uint64_t seed;            /* of the IGMP response delays */
};

struct gn_net_arp {
    uint32_t ip;        /* written before mac_state makes the entry valid */
    uint32_t tries;     /* requests since the last answer */
    uint64_t mac_state; /* low 48 bits MAC (first byte lowest), bits 48.. enum gn_net_arp_state; 0 = free */
    uint64_t heard_ns;  /* last confirmation */
    uint64_t asked_ns;  /* last request */
    uint64_t used_ns;   /* last look-up */
};

enum gn_net_arp_state {
    GN_NET_ARP_FREE = 0,
    GN_NET_ARP_PENDING = 1,
    GN_NET_ARP_VALID = 2,
    GN_NET_ARP_STATIC = 3,
};

struct gn_net_group {
    uint64_t group_source; /* group << 32 | source (0 = any); 0 = free */
    uint64_t report_ns;    /* next report, GN_NET_NEVER = none */
    uint32_t resend;       /* unsolicited reports still to send at 1 s distance */
    uint32_t leaving;      /* 1: the reports left are of leaving; then the entry is freed */
};

enum gn_net_rx_kind {
    GN_NET_RX_DROP = 0,    /* reason tells */
    GN_NET_RX_HANDLED = 1, /* nothing for the caller to do */
    GN_NET_RX_UDP = 2,
    GN_NET_RX_TCP = 3, /* conn had something happen: events */
};

struct gn_net_rx {
    uint8_t kind;    /* enum gn_net_rx_kind */
    uint8_t ttl;     /* UDP, else 0 is possible */
    uint16_t reason; /* enum gn_net_drop */
    uint32_t src_ip, dst_ip;
    uint16_t src_port, dst_port;
    uint32_t conn;          /* TCP: index of the connection */
    uint32_t events;        /* TCP: GN_TCP_EV_* that are pending on it */
    uint32_t len;           /* UDP payload bytes; TCP: bytes readable now */
    const uint8_t *payload; /* UDP: into the frame, valid as long as the frame is */
};

/* A flow of datagrams whose headers were checked in full once: what the next one of it looks like, and what is said of
 * it. See plain_udp in input.c. */
struct gn_net_flow {
    uint8_t head[32]; /* the frame's first bytes */
    uint64_t key;     /* destination address and ports as they lie in the frame; 0 = free */
    struct gn_net_rx rx;
};

/* One endpoint: everything below is the endpoint's own; callers read the counters and conf. */
struct gn_net {
    uint64_t magic;   /* written last by gn_net_new */
    uint32_t bytes;   /* sizeof(struct gn_net): the layout check of gn_net_join */
    uint32_t arp_gen; /* changes whenever a neighbour's MAC may have: connections cache theirs under it */
    struct gn_net_conf conf;
    uint64_t now_ns;  /* latest internal time */
    uint64_t skew_ns; /* added to the caller's time: swallows steps back */
    uint64_t next_ns; /* no timer is due before, internal time */
    uint64_t rng;
    uint64_t icmp_window_ns, icmp_in_window;
    uint64_t igmp_v2_until_ns; /* an IGMPv2 querier was heard: answer as version 2 */
    uint64_t igmp_refresh_ns;
    uint64_t announce_ns; /* next gratuitous ARP, GN_NET_NEVER = none */
    uint64_t defend_ns;   /* no defence of our address before */
    uint32_t announces;   /* still to send */
    uint16_t ip_id;
    uint16_t pad0;
    uint64_t rx_frames, rx_bytes, rx_udp, rx_tcp, tx_arp, tx_icmp, tx_igmp, tx_udp;
    uint64_t drops[GN_NET_DROP_COUNT];
    struct gn_net_arp arp[GN_NET_ARP_MAX];
    struct gn_net_group groups[GN_NET_GROUP_MAX];
    uint64_t accept[GN_NET_ACCEPT];        /* group << 32 | source of frames found acceptable */
    struct gn_net_flow flow[GN_NET_FLOWS]; /* the fast path of market data */
    uint8_t unicast_head[32];              /* first bytes of an untagged IPv4 frame with TCP that is to us */
};

/* What the NIC has verified already. */
enum gn_net_in_flag {
    GN_NET_IN_IP_CSUM_OK = 1,
    GN_NET_IN_L4_CSUM_OK = 2,    /* UDP or TCP checksum */
    GN_NET_IN_VLAN_STRIPPED = 4, /* the NIC took our VLAN's tag off */
};

const char *gn_net_strerror(int err);

/* gn_net_drop_name, gn_net_drop_help: the columns of GN_NET_DROPS; "unknown" when out of range. */
const char *gn_net_drop_name(uint32_t reason);
const char *gn_net_drop_help(uint32_t reason);

/* gn_net_conf_default: MTU 1500, TTL 64 and 16, ARP 1 s / 30 s / 90 s, IGMP refresh 60 s, 100 echoes a second; the
 * caller sets mac, ip, prefix_bits, and what else it needs. */
void gn_net_conf_default(struct gn_net_conf *conf);

/* gn_net_conf_check: GN_NET_OK, or GN_NET_ERR_ARG with *field naming the first member outside its limits. */
int gn_net_conf_check(const struct gn_net_conf *conf, const char **field) GN_MUST_CHECK;

/* gn_net_footprint: bytes to provide, 64-byte aligned. */
uint64_t gn_net_footprint(void);

/* gn_net_new: lays an endpoint at mem. It announces its address (two gratuitous ARPs) from gn_net_timer. Returns
 * GN_NET_ERR_ARG when conf is outside its limits. */
int gn_net_new(void *mem, const struct gn_net_conf *conf, uint64_t now_ns) GN_MUST_CHECK;

/* gn_net_join: an endpoint that an earlier process made in mem, of max_bytes. Neighbours and groups are kept; groups
 * are reported anew. On success *net is mem. */
int gn_net_join(void *mem, uint64_t max_bytes, uint64_t now_ns, struct gn_net **net) GN_MUST_CHECK;

/* gn_net_input: takes one frame in. tcp may be NULL; flags are GN_NET_IN_*. Answers go to txq. *out is always filled;
 * its kind is returned as well. Never reads past frame + len. RFC 826, 791, 1122, 792, 3376, 768. */
int gn_net_input(struct gn_net *net, struct gn_tcp *tcp, const uint8_t *frame, uint32_t len, uint32_t flags,
                 uint64_t now_ns, struct gn_txq *txq, struct gn_net_rx *out);

/* gn_net_timer: does what is due (announcements, ARP retries, refresh and expiry, IGMP reports) and returns the time of
 * the next call worth making, in the caller's clock, or GN_NET_NEVER. One compare when nothing is due. */
uint64_t gn_net_timer(struct gn_net *net, uint64_t now_ns, struct gn_txq *txq);

/* gn_net_add_static: a neighbour that ARP never changes. */
int gn_net_add_static(struct gn_net *net, uint32_t ip, const uint8_t mac[6]) GN_MUST_CHECK;

/* gn_net_resolve: the MAC of the next hop towards ip (gateway when off the link, group mapping for multicast); when it
 * is not known a request goes out, at most one every arp_retry_ms, and GN_NET_ERR_NO_ARP is returned. */
int gn_net_resolve(struct gn_net *net, uint32_t ip, uint64_t now_ns, struct gn_txq *txq, uint8_t mac[6]) GN_MUST_CHECK;

/* gn_net_join_group: joins group, of one source or of any (source 0), and reports it twice at 1 s distance from the
 * next gn_net_timer on. Joining again is GN_NET_OK. Frames of a group are accepted only after this. RFC 3376. */
int gn_net_join_group(struct gn_net *net, uint32_t group, uint32_t source) GN_MUST_CHECK;

/* gn_net_leave_group: stops accepting at once and reports the leave. */
int gn_net_leave_group(struct gn_net *net, uint32_t group, uint32_t source) GN_MUST_CHECK;

/* gn_udp_send: one datagram, unicast or multicast, with checksum. */
int gn_udp_send(struct gn_net *net, uint32_t dst_ip, uint16_t src_port, uint16_t dst_port, const void *payload,
                uint32_t len, uint64_t now_ns, struct gn_txq *txq) GN_MUST_CHECK;

/* gn_udp_prepare: the headers of a datagram in the next frame of txq; *payload has room for *room bytes (MTU - 28).
 * Write there, then gn_udp_commit; or do nothing, and the frame is reused. Nothing else may be put into txq between the
 * two. */
int gn_udp_prepare(struct gn_net *net, uint32_t dst_ip, uint16_t src_port, uint16_t dst_port, uint64_t now_ns,
                   struct gn_txq *txq, uint8_t **payload, uint32_t *room) GN_MUST_CHECK;

/* gn_udp_commit: finishes lengths and checksums of the prepared datagram of len payload bytes and commits the frame. */
int gn_udp_commit(struct gn_net *net, uint32_t len, struct gn_txq *txq) GN_MUST_CHECK;

#endif
