/* The stages of the replay beside those of the data plane in one program (tests): every function of theirs has another
 * name here. Included before anything else by the compiler (tools/replay/meson.build).
 */
#ifndef GN_REPLAY_STAGE_NAMES_H
#define GN_REPLAY_STAGE_NAMES_H

#define gn_command_start            gn_rp_command_start
#define gn_command_take             gn_rp_command_take
#define gn_execution_message        gn_rp_execution_message
#define gn_feed_set_flag            gn_rp_feed_set_flag
#define gn_feed_take_commands       gn_rp_feed_take_commands
#define gn_feed_tell_all            gn_rp_feed_tell_all
#define gn_guard_answered           gn_rp_guard_answered
#define gn_guard_connecting         gn_rp_guard_connecting
#define gn_guard_lost               gn_rp_guard_lost
#define gn_guard_poll               gn_rp_guard_poll
#define gn_guard_rejected           gn_rp_guard_rejected
#define gn_guard_start              gn_rp_guard_start
#define gn_held_drop                gn_rp_held_drop
#define gn_held_drop_session        gn_rp_held_drop_session
#define gn_held_lag                 gn_rp_held_lag
#define gn_held_poll                gn_rp_held_poll
#define gn_held_take                gn_rp_held_take
#define gn_inputs_control           gn_rp_inputs_control
#define gn_inputs_digest            gn_rp_inputs_digest
#define gn_inputs_end               gn_rp_inputs_end
#define gn_inputs_limits            gn_rp_inputs_limits
#define gn_inputs_news_slow         gn_rp_inputs_news_slow
#define gn_inputs_send_failed       gn_rp_inputs_send_failed
#define gn_inputs_send_works        gn_rp_inputs_send_works
#define gn_inputs_session           gn_rp_inputs_session
#define gn_inputs_start             gn_rp_inputs_start
#define gn_orders_alert             gn_rp_orders_alert
#define gn_orders_break             gn_rp_orders_break
#define gn_orders_cancel            gn_rp_orders_cancel
#define gn_orders_event             gn_rp_orders_event
#define gn_orders_exec_of           gn_rp_orders_exec_of
#define gn_orders_fill              gn_rp_orders_fill
#define gn_orders_halted            gn_rp_orders_halted
#define gn_orders_mass_cancel       gn_rp_orders_mass_cancel
#define gn_orders_move              gn_rp_orders_move
#define gn_orders_place             gn_rp_orders_place
#define gn_orders_report            gn_rp_orders_report
#define gn_orders_room              gn_rp_orders_room
#define gn_orders_send_held         gn_rp_orders_send_held
#define gn_session_logout           gn_rp_session_logout
#define gn_session_poll             gn_rp_session_poll
#define gn_session_query            gn_rp_session_query
#define gn_session_reconciled       gn_rp_session_reconciled
#define gn_session_retry            gn_rp_session_retry
#define gn_session_start            gn_rp_session_start
#define gn_stage_feed_arb_config    gn_rp_stage_feed_arb_config
#define gn_stage_feed_command_start gn_rp_stage_feed_command_start
#define gn_stage_feed_poll          gn_rp_stage_feed_poll
#define gn_stage_feed_rebuild       gn_rp_stage_feed_rebuild
#define gn_stage_feed_start         gn_rp_stage_feed_start
#define gn_stage_feed_udp           gn_rp_stage_feed_udp
#define gn_stage_orders_decide      gn_rp_stage_orders_decide
#define gn_stage_orders_drain       gn_rp_stage_orders_drain
#define gn_stage_orders_intent      gn_rp_stage_orders_intent
#define gn_stage_orders_poll        gn_rp_stage_orders_poll
#define gn_stage_orders_start       gn_rp_stage_orders_start
#define gn_stage_orders_stop        gn_rp_stage_orders_stop
#define gn_stage_orders_tell        gn_rp_stage_orders_tell
#define gn_stage_strategy_md        gn_rp_stage_strategy_md
#define gn_stage_strategy_poll      gn_rp_stage_strategy_poll
#define gn_sweep_left               gn_rp_sweep_left
#define gn_sweep_mass               gn_rp_sweep_mass
#define gn_sweep_poll               gn_rp_sweep_poll
#define gn_tcp_close                gn_rp_tcp_close
#define gn_tcp_commit               gn_rp_tcp_commit
#define gn_tcp_connect              gn_rp_tcp_connect
#define gn_tcp_consume              gn_rp_tcp_consume
#define gn_tcp_events               gn_rp_tcp_events
#define gn_tcp_prepare              gn_rp_tcp_prepare
#define gn_tcp_quiet                gn_rp_tcp_quiet
#define gn_tcp_readable             gn_rp_tcp_readable
#define gn_tcp_release              gn_rp_tcp_release
#define gn_tcp_send                 gn_rp_tcp_send
#define gn_tcp_warm                 gn_rp_tcp_warm
#define gn_udp_send                 gn_rp_udp_send

#endif
