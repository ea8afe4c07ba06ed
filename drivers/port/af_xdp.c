/* af_xdp: a queue of a kernel interface, also of a veth; needs CAP_NET_ADMIN and CAP_BPF. */
#include <net/if.h>
#include <stdio.h>

#include "drivers/port/port.h"

static bool device(const struct gn_conf_port *c, uint32_t index, char *out, size_t size)
{
    (void)c;
    return snprintf(out, size, "net_af_xdp%u", index) < (int)size;
}

static bool devargs(const struct gn_conf_port *c, uint32_t index, char *out, size_t size)
{
    int n = snprintf(out, size, "net_af_xdp%u,iface=%s,start_queue=%u,queue_count=1,busy_budget=0", index, c->device,
                     c->queue);
    return n > 0 && n < (int)size;
}

static bool check(const struct gn_conf_port *c, char *err, size_t size)
{
    if (if_nametoindex(c->device) != 0)
        return true;
    snprintf(err, size, "port %s: there is no interface %s here; `ip link` lists those that are", c->name, c->device);
    return false;
}

const struct gn_port_ops gn_port_af_xdp = {
    .kind = GN_PORT_AF_XDP,
    .name = "af_xdp",
    .devargs = devargs,
    .device = device,
    .check = check,
};
