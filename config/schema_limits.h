/* How the rows of the limit tables are written in YAML. A new limit does not compile until it has its two lines here.
 */
#ifndef GN_CONFIG_SCHEMA_LIMITS_H
#define GN_CONFIG_SCHEMA_LIMITS_H

#include "config/schema.h"

#define KEY_tradable            "tradable"
#define TYPE_tradable           GN_TYPE_BOOL
#define KEY_max_qty             "max_qty"
#define TYPE_max_qty            GN_TYPE_INT
#define KEY_max_value           "max_value"
#define TYPE_max_value          GN_TYPE_INT
#define KEY_collar_bps          "collar"
#define TYPE_collar_bps         GN_TYPE_BPS
#define KEY_max_position        "max_position"
#define TYPE_max_position       GN_TYPE_INT
#define KEY_max_open_orders     "max_open_orders"
#define TYPE_max_open_orders    GN_TYPE_INT
#define KEY_max_short           "max_short"
#define TYPE_max_short          GN_TYPE_INT
#define KEY_max_exposure        "max_exposure"
#define TYPE_max_exposure       GN_TYPE_INT
#define KEY_max_exposure_bps    "max_exposure_bps"
#define TYPE_max_exposure_bps   GN_TYPE_INT
#define KEY_max_day_value       "max_day_value"
#define TYPE_max_day_value      GN_TYPE_INT
#define KEY_window_qty          "window_qty"
#define TYPE_window_qty         GN_TYPE_INT
#define KEY_window_value        "window_value"
#define TYPE_window_value       GN_TYPE_INT
#define KEY_min_value           "min_value"
#define TYPE_min_value          GN_TYPE_INT
#define KEY_max_loss            "max_loss"
#define TYPE_max_loss           GN_TYPE_INT
#define KEY_stop_loss_bps       "stop_loss_bps"
#define TYPE_stop_loss_bps      GN_TYPE_INT
#define KEY_max_trade_loss      "max_trade_loss"
#define TYPE_max_trade_loss     GN_TYPE_INT
#define KEY_max_age_ms          "max_age_ms"
#define TYPE_max_age_ms         GN_TYPE_INT
#define KEY_max_spread_bps      "max_spread_bps"
#define TYPE_max_spread_bps     GN_TYPE_INT
#define KEY_max_move_bps        "max_move_bps"
#define TYPE_max_move_bps       GN_TYPE_INT
#define KEY_outlier_bps         "outlier_bps"
#define TYPE_outlier_bps        GN_TYPE_INT
#define KEY_period_collar_bps   "period_collar_bps"
#define TYPE_period_collar_bps  GN_TYPE_INT
#define KEY_auction_collar_bps  "auction_collar_bps"
#define TYPE_auction_collar_bps GN_TYPE_INT
#define KEY_max_duplicates      "max_duplicates"
#define TYPE_max_duplicates     GN_TYPE_INT
#define KEY_smp_mode            "smp_mode"
#define TYPE_smp_mode           GN_TYPE_INT
#define KEY_otr_warn            "otr_warn"
#define TYPE_otr_warn           GN_TYPE_INT
#define KEY_permit              "permit"
#define TYPE_permit             GN_TYPE_INT
#define KEY_message_rate        "message_rate"
#define TYPE_message_rate       GN_TYPE_RATE
#define KEY_message_burst       "message_burst"
#define TYPE_message_burst      GN_TYPE_INT
#define KEY_cancel_reserve      "cancel_reserve"
#define TYPE_cancel_reserve     GN_TYPE_INT
#define KEY_max_gross           "max_gross"
#define TYPE_max_gross          GN_TYPE_INT
#define KEY_max_net             "max_net"
#define TYPE_max_net            GN_TYPE_INT
#define KEY_max_positions       "max_positions"
#define TYPE_max_positions      GN_TYPE_INT
#define KEY_max_drawdown        "max_drawdown"
#define TYPE_max_drawdown       GN_TYPE_INT
#define KEY_equity              "equity"
#define TYPE_equity             GN_TYPE_INT
#define KEY_max_leverage_bps    "max_leverage_bps"
#define TYPE_max_leverage_bps   GN_TYPE_INT
#define KEY_throttled_rate      "throttled_rate"
#define TYPE_throttled_rate     GN_TYPE_INT
#define KEY_max_repeats         "max_repeats"
#define TYPE_max_repeats        GN_TYPE_INT
#define KEY_loss_action         "loss_action"
#define TYPE_loss_action        GN_TYPE_INT
#define KEY_venues              "venues"
#define TYPE_venues             GN_TYPE_INT

#define LIMIT_ROW(prefix, base, row, num, field, unit_, lo, hi, deflt, text) \
    {.path = prefix "." KEY_##field,                                         \
     .type = TYPE_##field,                                                   \
     .unit = unit_,                                                          \
     .def = deflt,                                                           \
     .min = (lo),                                                            \
     .max = (hi),                                                            \
     .offset = (uint32_t)offsetof(base, row.field),                          \
     .size = (uint32_t)sizeof(((base *)0)->row.field),                       \
     .flags = GN_KEY_LIMIT,                                                  \
     .bit = num,                                                             \
     .set_offset = (uint32_t)offsetof(base, row.set),                        \
     .help = text},
#define DEFAULT_LIMIT(num, NAME, field, unit_, lo, hi, looser, def, text) \
    LIMIT_ROW("instruments.defaults.limits", struct gn_draft, defaults.limits, num, field, unit_, lo, hi, def, text)
#define LISTED_LIMIT(num, NAME, field, unit_, lo, hi, looser, def, text) \
    LIMIT_ROW("instruments.list[].limits", struct gn_draft_instrument, limits, num, field, unit_, lo, hi, "", text)
#define FIRM_LIMIT(num, NAME, field, unit_, lo, hi, looser, def, text) \
    LIMIT_ROW("limits", struct gn_draft, conf.limits[GN_ROW_FIRM], num, field, unit_, lo, hi, def, text)
#define STRATEGY_LIMIT(num, NAME, field, unit_, lo, hi, looser, def, text) \
    LIMIT_ROW("strategies[].limits", struct gn_draft_strategy, limits, num, field, unit_, lo, hi, "", text)
#define VENUE_LIMIT(num, NAME, field, unit_, lo, hi, looser, def, text) \
    LIMIT_ROW("venues[].limits", struct gn_draft_group, limits, num, field, unit_, lo, hi, "", text)
#define ACCOUNT_LIMIT(num, NAME, field, unit_, lo, hi, looser, def, text) \
    LIMIT_ROW("accounts[].limits", struct gn_draft_group, limits, num, field, unit_, lo, hi, "", text)
#define THEME_LIMIT(num, NAME, field, unit_, lo, hi, looser, def, text) \
    LIMIT_ROW("themes[].limits", struct gn_draft_group, limits, num, field, unit_, lo, hi, "", text)

#endif
