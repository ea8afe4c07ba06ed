/* The configuration as the processes share it. Rows of docs/abi.md: what offsetof and sizeof cannot say. */
#include "dataplane/abi/region.h"
#include "tools/docs/abi_rows.h"

static const struct gn_doc_field conf_lcore_fields[] = {
    F(gn_conf_lcore, core, "", "CPU number"),
    F(gn_conf_lcore, stages, "", "bits of enum gn_stage; each stage is on exactly one lcore"),
};

static const struct gn_doc_field conf_port_fields[] = {
    F(gn_conf_port, name, "", "zero-terminated"),
    F(gn_conf_port, kind, "", "enum gn_port_kind"),
    F(gn_conf_port, server, "", "memif: 1 = this side makes the socket"),
    F(gn_conf_port, device, "", "memif: socket path; af_xdp, tap: interface; pcap: file read; pci: 0000:00:00.0"),
    F(gn_conf_port, device_tx, "", "pcap: file written; else empty"),
    F(gn_conf_port, memif_id, "", "memif: interface number"),
    F(gn_conf_port, queue, "", "af_xdp: receive queue"),
    F(gn_conf_port, rx_descs, "", "power of two"),
    F(gn_conf_port, tx_descs, "", "power of two"),
    F(gn_conf_port, mac, "", "all zero: the port's own"),
    F(gn_conf_port, vlan, "", "0 = untagged, else 1..4094"),
    F(gn_conf_port, mtu, "", "bytes"),
    F(gn_conf_port, ip, "", "gateway 0 = none"),
    F(gn_conf_port, prefix_len, "", "bits of the network"),
    F(gn_conf_port, gateway, "", "gateway 0 = none"),
};

static const struct gn_doc_field conf_line_fields[] = {
    F(gn_conf_line, port, "", "index in ports; GN_NONE32: this line is not there"),
    F(gn_conf_line, group, "", "multicast address"),
    F(gn_conf_line, udp_port, "", "host order"),
};

static const struct gn_doc_field conf_feed_fields[] = {
    F(gn_conf_feed, session, "", "MoldUDP64 session, up to 10 characters; empty = adopt the first seen"),
    F(gn_conf_feed, line, "", "A and B"),
    F(gn_conf_feed, request_port, "", "port index of the retransmission server; GN_NONE32 = none"),
    F(gn_conf_feed, request_ip, "", "of the retransmission server"),
    F(gn_conf_feed, request_udp_port, "", "its port"),
    F(gn_conf_feed, request_local_udp_port, "", "ours"),
    F(gn_conf_feed, gap_request_us, "", "wait before asking for a retransmission"),
    F(gn_conf_feed, gap_retries, "", "requests for one gap before it is given up"),
    F(gn_conf_feed, line_dead_ms, "", "silence after which a line counts as dead"),
    F(gn_conf_feed, reorder_packets, "", "slots for packets held behind a gap, power of two"),
};

static const struct gn_doc_field conf_session_fields[] = {
    F(gn_conf_session, name, "", "zero-terminated"),
    F(gn_conf_session, port, "", "index in ports"),
    F(gn_conf_session, remote_ip, "", "of the venue"),
    F(gn_conf_session, remote_port, "", "of the venue"),
    F(gn_conf_session, local_port, "", "first local TCP port; reconnects count up from it"),
    F(gn_conf_session, username, "", "up to 6 characters"),
    F(gn_conf_session, password, "", "up to 10; from password_env or password_file, never in the YAML"),
    F(gn_conf_session, firm, "", "up to 4 characters"),
    F(gn_conf_session, heartbeat_ms, "", "silence of ours after which we send one"),
    F(gn_conf_session, dead_ms, "", "silence of the venue after which the session is lost"),
    F(gn_conf_session, reconnect_ms, "", "first backoff; doubles to reconnect_max_ms, with jitter"),
    F(gn_conf_session, reconnect_max_ms, "", "largest backoff"),
    F(gn_conf_session, deadman_ms, "", "silence that the dead-man timers allow"),
    F(gn_conf_session, deadman_on, "", "bits of enum gn_deadman"),
    F(gn_conf_session, deadman_action, "", "enum gn_deadman_action"),
    F(gn_conf_session, breaker_losses, "", "lost connections in the window that open the breaker, 0 = never"),
    F(gn_conf_session, breaker_rejects, "", "rejected orders that do, 0 = never"),
    F(gn_conf_session, breaker_window_ms, "", "length of the window"),
    F(gn_conf_session, breaker_pause_ms, "", "time that it stays open"),
    F(gn_conf_session, cancel_on_disconnect, "", "1: the venue was told to cancel when the connection ends"),
    F(gn_conf_session, drop_copy_ip, "", "0: there is none"),
    F(gn_conf_session, drop_copy_port, "", ""),
    F(gn_conf_session, drop_copy_stale_ms, "", "silence of the drop copy that is a break"),
    F(gn_conf_session, drop_copy_grace_ms, "", "how long one side may be behind the other"),
    F(gn_conf_session, handover, "", "1: a restarted data plane takes the connection over"),
    F(gn_conf_session, fee_add, "",
      "of a share that added liquidity, in 1/100 of a price mantissa; negative: a rebate"),
    F(gn_conf_session, fee_remove, "", "of every other share"),
};

static const struct gn_doc_field conf_strategy_fields[] = {
    F(gn_conf_strategy, name, "", "zero-terminated"),
    F(gn_conf_strategy, kind, "", "a row of the strategy table: touch, maker, client"),
    F(gn_conf_strategy, session, "", "index in sessions"),
    F(gn_conf_strategy, enabled, "", "0: never called"),
    F(gn_conf_strategy, client, "", "kind client: index of the client file; else GN_NONE32"),
    F(gn_conf_strategy, all_instruments, "", "1: every configured instrument that no other strategy names"),
    F(gn_conf_strategy, param, "", "by the kind's own table of parameters (dataplane/abi/strategy_params.h)"),
};

static const struct gn_doc_field conf_instrument_fields[] = {
    F(gn_conf_instrument, symbol, "", "space-padded, as on the wire"),
    F(gn_conf_instrument, price_exp, "", "decimal exponent of price mantissas: -4"),
    F(gn_conf_instrument, strategy, "", "index of the strategy that trades it; GN_NONE32 = none"),
    F(gn_conf_instrument, tick, "", "price increment, mantissa"),
    F(gn_conf_instrument, lot, "", "quantity increment"),
};

static const struct gn_doc_field conf_journal_fields[] = {
    F(gn_conf_journal, dir, "", "absolute path"),
    F(gn_conf_journal, segment_mib, "", "size of a segment"),
    F(gn_conf_journal, segments_ahead, "", "prepared in advance"),
    F(gn_conf_journal, inputs, "", "1: market-data packets are journaled too"),
    F(gn_conf_journal, ring_cells, "", "of each event ring, power of two"),
    F(gn_conf_journal, key, "", "private key that signs checkpoints; empty: journal.key in run_dir"),
    F(gn_conf_journal, checkpoint_ms, "", "between two checkpoints"),
    F(gn_conf_journal, mode, "", "enum gn_journal_mode: 0 = async, 1 = sync"),
    F(gn_conf_journal, unsynced_records, "", "of the orders loop, not durable: above it no new orders"),
    F(gn_conf_journal, unsynced_ms, "", "age of the oldest of them: above it no new orders"),
};

static const struct gn_doc_field conf_fields[] = {
    F(gn_conf, instance, "", "name of the appliance"),
    F(gn_conf, mode, "", "enum gn_mode"),
    F(gn_conf, main_core, "", "housekeeping CPU of the data plane's main thread and of the control plane"),
    F(gn_conf, run_dir, "", "region, client files, sockets"),
    F(gn_conf, huge_dir, "", "hugetlbfs mount for the region; empty = ordinary pages in run_dir"),
    F(gn_conf, hugepages, "", "1: DPDK memory from hugepages; 0: --no-huge"),
    F(gn_conf, dpdk_mem_mib, "", "memory of DPDK"),
    F(gn_conf, n_lcores, "", "entries in use"),
    F(gn_conf, n_ports, "", "entries in use"),
    F(gn_conf, n_sessions, "", "entries in use"),
    F(gn_conf, n_strategies, "", "entries in use"),
    F(gn_conf, n_clients, "", "entries in use"),
    F(gn_conf, n_instruments, "", "entries in use"),
    F(gn_conf, n_venues, "", "entries in use"),
    F(gn_conf, n_accounts, "", "entries in use"),
    F(gn_conf, n_themes, "", "entries in use"),
    F(gn_conf, lcore, "", "struct gn_conf_lcore"),
    F(gn_conf, port, "", "struct gn_conf_port"),
    F(gn_conf, feed, "", "struct gn_conf_feed"),
    F(gn_conf, session, "", "struct gn_conf_session"),
    F(gn_conf, strategy, "", "struct gn_conf_strategy"),
    F(gn_conf, client, "", "names"),
    F(gn_conf, venue, "", "names"),
    F(gn_conf, account, "", "names"),
    F(gn_conf, theme, "", "names"),
    F(gn_conf, journal, "", "struct gn_conf_journal"),
    F(gn_conf, max_instruments, "", "table size: configured ones and those learnt from the feed"),
    F(gn_conf, max_orders, "", "own orders, power of two"),
    F(gn_conf, book_orders, "", "market orders over all books, power of two"),
    F(gn_conf, book_levels, "", "price levels over all books, power of two"),
    F(gn_conf, stage_ring_cells, "", "rings between lcores, power of two"),
    F(gn_conf, client_ring_cells, "", "of each client ring, power of two"),
    F(gn_conf, heartbeat_period_ms, "", "how often the control plane beats"),
    F(gn_conf, heartbeat_stale_ms, "", "silence after which no new risk is taken"),
    F(gn_conf, heartbeat_cancel_ms, "", "silence after which all orders are cancelled"),
    F(gn_conf, risk, "", "struct gn_conf_risk"),
    F(gn_conf, limits, "", "struct gn_limits_scope by enum gn_scope_row"),
    F(gn_conf, config_sha256, "", "of the YAML file's bytes"),
};

const struct gn_doc_struct gn_doc_abi_conf[] = {
    S(conf_lcore, "control plane", false, "dataplane/abi/conf.h"),
    S(conf_port, "control plane", false, "dataplane/abi/conf.h"),
    S(conf_line, "control plane", false, "dataplane/abi/conf.h"),
    S(conf_feed, "control plane", false, "dataplane/abi/conf.h"),
    S(conf_session, "control plane", false, "dataplane/abi/conf.h"),
    S(conf_strategy, "control plane", false, "dataplane/abi/conf.h"),
    S(conf_instrument, "control plane", false, "dataplane/abi/conf.h"),
    S(conf_journal, "control plane", false, "dataplane/abi/conf.h"),
    S(conf, "control plane", false, "dataplane/abi/conf.h"),
    {0},
};
