/* What the tests of the configuration share: a machine that exists in memory only, and a small valid file. */
#ifndef GN_TEST_CONFIG_FIXTURE_H
#define GN_TEST_CONFIG_FIXTURE_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/load.h"

static const char fixture_yaml[] =
    "instance: unit\n"                                                                                   /* 1 */
    "mode: mock\n"                                                                                       /* 2 */
    "run_dir: /run/unit\n"                                                                               /* 3 */
    "cores:\n"                                                                                           /* 4 */
    "  main: 0\n"                                                                                        /* 5 */
    "  lcores:\n"                                                                                        /* 6 */
    "    - { core: 1, stages: [feed] }\n"                                                                /* 7 */
    "    - { core: 2, stages: [strategy, orders] }\n"                                                    /* 8 */
    "ports:\n"                                                                                           /* 9 */
    "  - { name: fa, kind: memif, device: /run/fa.sock, ip: 10.0.1.2/24, mac: '02:00:00:00:00:0a' }\n"   /* 10 */
    "  - { name: fb, kind: tap, device: tap0, ip: 10.0.2.2/24 }\n"                                       /* 11 */
    "  - { name: order, kind: af_xdp, device: eth1, queue: 3, ip: 10.0.3.2/24, gateway: 10.0.3.1 }\n"    /* 12 */
    "feed:\n"                                                                                            /* 13 */
    "  session: S1\n"                                                                                    /* 14 */
    "  line_a: { port: fa, group: 239.1.1.1, udp_port: 30001 }\n"                                        /* 15 */
    "  line_b: { port: fb, group: 239.1.1.2, udp_port: 30002 }\n"                                        /* 16 */
    "  retransmit: { port: fa, ip: 10.0.1.1, udp_port: 31000, local_udp_port: 31001 }\n"                 /* 17 */
    "  gap_request: 200us\n"                                                                             /* 18 */
    "sessions:\n"                                                                                        /* 19 */
    "  - name: oe1\n"                                                                                    /* 20 */
    "    port: order\n"                                                                                  /* 21 */
    "    remote: 192.0.2.9:40123\n"                                                                      /* 22 */
    "    local_port: 41000\n"                                                                            /* 23 */
    "    username: GANNET\n"                                                                             /* 24 */
    "    password_env: OE1_PASSWORD\n"                                                                   /* 25 */
    "    firm: GNNT\n"                                                                                   /* 26 */
    "    heartbeat: 1s\n"                                                                                /* 27 */
    "    dead: 15s\n"                                                                                    /* 28 */
    "clients: [desk1]\n"                                                                                 /* 29 */
    "strategies:\n"                                                                                      /* 30 */
    "  - { name: mm, kind: maker, session: oe1, instruments: all, params: { qty: 7, edge_ticks: 2 } }\n" /* 31 */
    "  - { name: desk, kind: client, client: desk1, session: oe1, instruments: [CC] }\n"                 /* 32 */
    "instruments:\n"                                                                                     /* 33 */
    "  list:\n"                                                                                          /* 34 */
    "    - AA\n"                                                                                         /* 35 */
    "    - { symbol: BB.A, tick: 50, limits: { max_qty: 500 } }\n"                                       /* 36 */
    "    - CC\n"                                                                                         /* 37 */
    "  defaults: { price_exp: -4, tick: 100, lot: 1, limits: { tradable: true, max_qty: 1000, "
    "max_value: 1000000, collar: 500bps, max_position: 5000, max_open_orders: 10 } }\n" /* 38 */
    "  file: more.txt\n"                                                                /* 39 */
    "limits: { max_open_orders: 100, message_rate: 1000/s, message_burst: 100, cancel_reserve: 20, max_gross: "
    "1000000000, "
    "max_net: 1000000000, max_day_value: 1000000000, max_positions: 10, max_loss: 1000000, max_drawdown: 1000000, "
    "equity: 1000000000 }\n"                                  /* 40 */
    "tables: { max_instruments: 16 }\n"                       /* 41 */
    "journal: { dir: /var/unit, segment: 64MiB }\n"           /* 42 */
    "heartbeat: { period: 10ms, stale: 200ms, cancel: 1s }\n" /* 43 */
    "authority: { single_person: true }\n";                   /* 44 */

struct fixture {
    const char *password; /* of the variable OE1_PASSWORD and of the file oe1.password */
    const char *more;     /* bytes of the instruments file more.txt; NULL: it is not there */
    bool open_password;   /* others can read the password file */
};

static inline const char *fixture_getenv(void *user, const char *name)
{
    const struct fixture *f = user;
    return strcmp(name, "OE1_PASSWORD") == 0 ? f->password : NULL;
}

static inline int fixture_read(void *user, const char *path, bool secret, size_t max, uint8_t **bytes, size_t *len)
{
    const struct fixture *f = user;
    const char *text = NULL;
    if (strcmp(path, "etc/more.txt") == 0)
        text = f->more;
    if (strcmp(path, "etc/oe1.password") == 0)
        text = f->password;
    if (text == NULL)
        return -ENOENT;
    if (secret && f->open_password)
        return -EPERM;
    *len = strlen(text);
    if (*len > max)
        return -EFBIG;
    *bytes = malloc(*len + 1);
    if (*bytes == NULL)
        return -ENOMEM;
    memcpy(*bytes, text, *len + 1);
    return 0;
}

static inline struct gn_conf_host fixture_host(struct fixture *f)
{
    return (struct gn_conf_host){.user = f, .cpus = 8, .getenv = fixture_getenv, .read_file = fixture_read};
}

/* fixture_edit: the valid file with the first `from` replaced by `to`; malloc'ed. NULL when `from` is not in it. */
static inline char *fixture_edit(const char *from, const char *to)
{
    const char *at = strstr(fixture_yaml, from);
    size_t head = at != NULL ? (size_t)(at - fixture_yaml) : 0;
    char *out = at != NULL ? calloc(1, sizeof fixture_yaml + strlen(to)) : NULL;
    if (out == NULL)
        return NULL;
    memcpy(out, fixture_yaml, head);
    memcpy(out + head, to, strlen(to));
    memcpy(out + head + strlen(to), at + strlen(from), strlen(at + strlen(from)));
    return out;
}

#endif
