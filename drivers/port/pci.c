/* pci: a NIC bound to vfio-pci (or of a bifurcated driver), by its PCI address: the bare-metal port. */
#include <stdio.h>
#include <unistd.h>

#include "drivers/port/port.h"

static bool device(const struct gn_conf_port *c, uint32_t index, char *out, size_t size)
{
    (void)index;
    return snprintf(out, size, "%s", c->device) < (int)size;
}

static bool devargs(const struct gn_conf_port *c, uint32_t index, char *out, size_t size)
{
    return device(c, index, out, size);
}

static bool check(const struct gn_conf_port *c, char *err, size_t size)
{
    char path[GN_PATH_MAX + 32];
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%s", c->device);
    if (access(path, F_OK) == 0)
        return true;
    snprintf(err, size, "port %s: there is no PCI device %s; `dpdk-devbind.py --status` lists those that are", c->name,
             c->device);
    return false;
}

const struct gn_port_ops gn_port_pci = {
    .kind = GN_PORT_PCI,
    .name = "pci",
    .pci = true,
    .devargs = devargs,
    .device = device,
    .check = check,
};
