/* tap: an interface of the kernel that this process makes; for tests against Linux. */
#include <stdio.h>

#include "drivers/port/port.h"

static bool device(const struct gn_conf_port *c, uint32_t index, char *out, size_t size)
{
    (void)c;
    return snprintf(out, size, "net_tap%u", index) < (int)size;
}

static bool devargs(const struct gn_conf_port *c, uint32_t index, char *out, size_t size)
{
    int n = snprintf(out, size, "net_tap%u,iface=%s", index, c->device);
    return n > 0 && n < (int)size;
}

const struct gn_port_ops gn_port_tap = {
    .kind = GN_PORT_TAP,
    .name = "tap",
    .devargs = devargs,
    .device = device,
};
