/* memif: shared memory between two processes of this machine, no privilege needed. One side serves the socket. */
#include <stdio.h>
#include <unistd.h>

#include "drivers/port/port.h"

static bool device(const struct gn_conf_port *c, uint32_t index, char *out, size_t size)
{
    (void)c;
    return snprintf(out, size, "net_memif%u", index) < (int)size;
}

static bool devargs(const struct gn_conf_port *c, uint32_t index, char *out, size_t size)
{
    uint32_t log2 = 31 - (uint32_t)__builtin_clz(c->rx_descs | 1);
    int n = snprintf(out, size, "net_memif%u,role=%s,id=%u,socket=%s,socket-abstract=no,rsize=%u,bsize=2048", index,
                     c->server ? "server" : "client", c->memif_id, c->device, log2);
    return n > 0 && n < (int)size;
}

static bool check(const struct gn_conf_port *c, char *err, size_t size)
{
    if (c->server || access(c->device, F_OK) == 0)
        return true;
    snprintf(err, size,
             "port %s: nobody serves the socket %s; start the other side first, or make this one role: server", c->name,
             c->device);
    return false;
}

const struct gn_port_ops gn_port_memif = {
    .kind = GN_PORT_MEMIF,
    .name = "memif",
    .devargs = devargs,
    .device = device,
    .check = check,
};
