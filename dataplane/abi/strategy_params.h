/* Parameters of the strategies: one row each, by kind. The config loader reads keys of these names into
 * gn_conf_strategy.param[number], the strategies read them by number, the documentation is made from them.
 */
#ifndef GN_ABI_STRATEGY_PARAMS_H
#define GN_ABI_STRATEGY_PARAMS_H

/* X(kind, number, NAME, "key", default, minimum, maximum, "unit", "help") */
#define GN_STRATEGY_PARAM_TABLE(X)                                                                                    \
    X(touch, 0, QTY, "qty", 1, 1, 1000000, "quantity", "quantity of each order")                                      \
    X(touch, 1, EVERY, "every", 1, 1, 1000000000, "changes", "react to every n-th change of the best price")          \
    X(touch, 2, CROSS, "cross", 1, 0, 1, "0|1",                                                                       \
      "1: take the far side of the moved quote; 0: join the near side and cancel")                                    \
    X(maker, 0, QTY, "qty", 100, 1, 1000000, "quantity", "quantity of each quote")                                    \
    X(maker, 1, EDGE_TICKS, "edge_ticks", 1, 0, 1000, "ticks", "distance of a quote from the best price of its side") \
    X(maker, 2, SKEW_QTY, "skew_qty", 500, 1, 1000000, "quantity", "inventory that moves both quotes one tick")       \
    X(maker, 3, REQUOTE_US, "requote_us", 1000, 0, 10000000, "us", "least time between two changes of one quote")     \
    X(maker, 4, MAX_POSITION, "max_position", 1000, 0, 1000000000, "quantity",                                        \
      "inventory at which the adding side stops")

enum {
#define GN_X(kind, num, NAME, key, def, min, max, unit, help) GN_PARAM_##kind##_##NAME = num,
    GN_STRATEGY_PARAM_TABLE(GN_X)
#undef GN_X
};

#endif
