/* pcap: frames from one capture file, frames to another; for replaying what was recorded. */
#include <stdio.h>
#include <unistd.h>

#include "drivers/port/port.h"

static bool device(const struct gn_conf_port *c, uint32_t index, char *out, size_t size)
{
    (void)c;
    return snprintf(out, size, "net_pcap%u", index) < (int)size;
}

static bool devargs(const struct gn_conf_port *c, uint32_t index, char *out, size_t size)
{
    int n = c->device_tx[0] != 0
                ? snprintf(out, size, "net_pcap%u,rx_pcap=%s,tx_pcap=%s", index, c->device, c->device_tx)
                : snprintf(out, size, "net_pcap%u,rx_pcap=%s", index, c->device);
    return n > 0 && n < (int)size;
}

static bool check(const struct gn_conf_port *c, char *err, size_t size)
{
    if (access(c->device, R_OK) == 0)
        return true;
    snprintf(err, size, "port %s: the capture file %s can't be read", c->name, c->device);
    return false;
}

const struct gn_port_ops gn_port_pcap = {
    .kind = GN_PORT_PCAP,
    .name = "pcap",
    .devargs = devargs,
    .device = device,
    .check = check,
};
