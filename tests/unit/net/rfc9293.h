/* RFC 9293's MUST-1 to MUST-69 (its Appendix B), one row each: what is demanded, whether dataplane/net does it, what it
 * does instead where it does not, and the test function that proves either. docs/tcp-conformance.md is printed from
 * this table, and tcp_conformance_test runs it: a row without a passing test fails.
 *
 * X(number, "demand", STATUS, "how, or what happens instead", test)      STATUS: TESTED, OUT_OF_SCOPE
 */
#ifndef GN_TEST_NET_RFC9293_H
#define GN_TEST_NET_RFC9293_H

#define GN_RFC9293(X)                                                                                                  \
    X(1, "the window field is an unsigned number", TESTED, "a window of 65,535 is one", windows_are_unsigned)          \
    X(2, "the sender computes the checksum", TESTED, "in software, or by the NIC", checksums_are_made_and_checked)     \
    X(3, "the receiver checks it", TESTED, "counted as tcp_csum", checksums_are_made_and_checked)                      \
    X(4, "end of list, no-operation and MSS options are supported", TESTED, "", mandatory_options_are_understood)      \
    X(5, "an option may come in any segment", TESTED, "", options_come_in_any_segment)                                 \
    X(6, "unknown options are skipped", TESTED, "", options_come_in_any_segment)                                       \
    X(7, "an impossible option length does no harm", TESTED, "the list ends there; what came before it holds",         \
      impossible_option_lengths_do_no_harm)                                                                            \
    X(8, "initial sequence numbers follow a clock", TESTED, "RFC 6528: a tick every 4.096 us",                         \
      initial_sequence_numbers_follow_a_clock)                                                                         \
    X(9, "outsiders cannot compute the initial sequence number", TESTED, "SipHash-2-4 with a key from the caller",     \
      initial_sequence_numbers_are_keyed)                                                                              \
    X(10, "both ends may open at the same time", TESTED, "", both_ends_open_at_once)                                   \
    X(11, "SYN-RECEIVED remembers whether it came of a passive or an active open", TESTED, "",                         \
      syn_received_remembers_its_open)                                                                                 \
    X(12, "the application learns that the peer aborted", TESTED, "event ABORTED, reason reset, bytes in doubt",       \
      an_abort_is_told)                                                                                                \
    X(13, "TIME-WAIT lasts twice the segment lifetime", TESTED, "time_wait_ms, 60 s unless configured",                \
      time_wait_lasts)                                                                                                 \
    X(14, "MSS options are sent and understood", TESTED, "", the_mss_option_goes_both_ways)                            \
    X(15, "without an MSS option the peer's is 536", TESTED, "IPv4; there is no IPv6 here", the_mss_default_is_536)    \
    X(16, "the effective segment size follows MSS, MTU and options", TESTED, "", segments_have_the_effective_size)     \
    X(17, "Nagle's algorithm can be turned off", TESTED, "it is never used", nothing_waits_for_nagle)                  \
    X(18, "Karn's rule for round-trip samples", TESTED, "", karn_takes_no_sample_of_what_went_twice)                   \
    X(19, "backoff, slow start and congestion avoidance", TESTED, "RFC 6298, RFC 5681", congestion_is_controlled)      \
    X(20, "R1 tells IP, R2 ends the connection", TESTED,                                                               \
      "R2 is data_retries; instead of advice to IP at R1 (there is one gateway) ARP asks the next hop again by "       \
      "itself",                                                                                                        \
      retries_end_at_r2)                                                                                               \
    X(21, "the application sets R2", TESTED, "data_retries, syn_retries", retries_end_at_r2)                           \
    X(22, "SYNs are given up in the same way", TESTED, "syn_retries", syn_retries_last_three_minutes)                  \
    X(23, "SYNs are tried for at least 3 minutes", TESTED, "183 s by default", syn_retries_last_three_minutes)         \
    X(24, "keepalives can be turned on and off", TESTED, "keepalive_idle_ms", keepalives_are_off_until_asked_for)      \
    X(25, "keepalives are off by default", TESTED, "", keepalives_are_off_until_asked_for)                             \
    X(26, "keepalives come of an idle connection only", TESTED, "", keepalives_wait_for_silence)                       \
    X(27, "the keepalive interval can be configured", TESTED, "keepalive_idle_ms, keepalive_interval_ms",              \
      keepalives_wait_for_silence)                                                                                     \
    X(28, "the default interval is 2 hours or more", TESTED,                                                           \
      "there is no default interval: off until one is configured", keepalives_are_off_until_asked_for)                 \
    X(29, "one unanswered keepalive is no dead connection", TESTED, "keepalive_probes",                                \
      a_lost_keepalive_does_not_kill)                                                                                  \
    X(30, "the urgent pointer is supported", OUT_OF_SCOPE,                                                             \
      "URG is ignored and never sent; its octets are in the stream in order, as RFC 6093 advises", urgent_is_in_line)  \
    X(31, "urgent data may have any length", OUT_OF_SCOPE, "as MUST-30: all of it is in the stream",                   \
      urgent_is_in_line)                                                                                               \
    X(32, "the application is told of urgent data", OUT_OF_SCOPE, "as MUST-30: it reads it as it comes",               \
      urgent_is_in_line)                                                                                               \
    X(33, "the application can learn how much urgent data there is", OUT_OF_SCOPE,                                     \
      "as MUST-30: gn_tcp_readable has the number of octets", urgent_is_in_line)                                       \
    X(34, "a window that shrinks does no harm", TESTED, "", a_shrinking_window_does_no_harm)                           \
    X(35, "a window that shrank to nothing is probed", TESTED, "", a_shrinking_window_does_no_harm)                    \
    X(36, "zero windows are probed", TESTED, "", zero_windows_are_probed)                                              \
    X(37, "a closed window may stay so as long as probes are answered", TESTED, "", zero_windows_are_probed)           \
    X(38, "the sender avoids silly windows", TESTED, "", the_sender_avoids_silly_windows)                              \
    X(39, "the receiver avoids silly windows", TESTED, "", the_receiver_avoids_silly_windows)                          \
    X(40, "ACKs are delayed by less than 0.5 s", TESTED, "delack_us, 40 ms, at most 500 ms", acks_come_in_time)        \
    X(41, "a passive open leaves other connections alone", TESTED, "", listeners_leave_connections_alone)              \
    X(42, "listening works on a port that is opening a connection", TESTED, "", listeners_leave_connections_alone)     \
    X(43, "an open may name the local address", TESTED,                                                                \
      "an endpoint has one address: the gn_net given to gn_tcp_connect is the choice",                                 \
      the_endpoint_is_the_source_address)                                                                              \
    X(44, "else IP chooses the source address", TESTED, "that of the endpoint", the_endpoint_is_the_source_address)    \
    X(45, "all segments of a connection have the same source address", TESTED, "", the_endpoint_is_the_source_address) \
    X(46, "opens to broadcast and multicast addresses are refused", TESTED, "GN_TCP_ERR_ARG",                          \
      opens_to_impossible_addresses_are_refused)                                                                       \
    X(47, "soft errors are reported", TESTED, "event SOFT_ERROR and a count", icmp_is_heard_and_does_not_abort)        \
    X(48, "the application sets the DS field", OUT_OF_SCOPE, "it is 0 in every packet",                                \
      ttl_is_configured_and_ds_is_zero)                                                                                \
    X(49, "the TTL can be configured", TESTED, "gn_net_conf.ttl", ttl_is_configured_and_ds_is_zero)                    \
    X(50, "unknown IP options are ignored", OUT_OF_SCOPE,                                                              \
      "a TCP packet with IP options is dropped and counted (ip_options): no venue sends one, attackers do",            \
      ip_options_are_counted_and_dropped)                                                                              \
    X(51, "the application may give a source route", OUT_OF_SCOPE, "packets leave without IP options",                 \
      ip_options_are_counted_and_dropped)                                                                              \
    X(52, "which takes precedence over one received", OUT_OF_SCOPE, "as MUST-51: none is ever used",                   \
      ip_options_are_counted_and_dropped)                                                                              \
    X(53, "a received source route is used for the way back", OUT_OF_SCOPE, "as MUST-50: the packet is dropped",       \
      ip_options_are_counted_and_dropped)                                                                              \
    X(54, "ICMP errors reach their connection", TESTED, "if they quote what is in flight (RFC 5927)",                  \
      icmp_is_heard_and_does_not_abort)                                                                                \
    X(55, "source quench is discarded", TESTED, "", source_quench_is_discarded)                                        \
    X(56, "soft ICMP errors do not abort", TESTED, "no ICMP message does", icmp_is_heard_and_does_not_abort)           \
    X(57, "segments to broadcast and multicast addresses are discarded in silence", TESTED, "",                        \
      segments_to_groups_are_discarded)                                                                                \
    X(58, "ACKs are aggregated", TESTED, "one for two segments, or with data", acks_come_in_time)                      \
    X(59, "all queued segments are processed before an ACK", TESTED,                                                   \
      "the queue is that of segments out of order; frames are handed in one by one", one_ack_for_all_that_was_queued)  \
    X(60, "without PUSH nothing waits for ever", TESTED, "everything leaves at once", pushed_and_never_held_back)      \
    X(61, "PSH is set on the last segment of what is queued", TESTED, "", pushed_and_never_held_back)                  \
    X(62, "the urgent pointer is that of the octet after urgent data", OUT_OF_SCOPE,                                   \
      "as MUST-30: the pointer is not looked at", urgent_is_in_line)                                                   \
    X(63, "SYNs from impossible addresses are ignored", TESTED, "", syns_from_impossible_addresses_are_ignored)        \
    X(64, "options need not be aligned", TESTED, "", mandatory_options_are_understood)                                 \
    X(65, "MSS options are in SYNs only", TESTED, "and mean nothing elsewhere", the_mss_option_goes_both_ways)         \
    X(66, "RST and URG are processed with the window closed", TESTED, "URG as in MUST-30",                             \
      a_closed_window_still_hears_rst_and_urg)                                                                         \
    X(67, "the MSS sent is no larger than what can be received", TESTED, "MTU less 40", the_mss_option_goes_both_ways) \
    X(68, "options have a length octet", TESTED, "but for end of list and no-operation", our_options_are_well_formed)  \
    X(69, "the header is padded with zeros", TESTED, "ours ends with its last option; no-operations align",            \
      our_options_are_well_formed)

#define GN_X(number, demand, status, how, test) void test(void);
GN_RFC9293(GN_X)
#undef GN_X

#endif
