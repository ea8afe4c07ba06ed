/* --port of the simulator: one line says kind, device and addresses of a port. */
#include <stdio.h>
#include <stdlib.h>

#include "tools/venue-sim/options.h"

static const struct {
    const char *name;
    uint32_t kind;
} kinds[] = {
    {"memif", GN_PORT_MEMIF}, {"af_xdp", GN_PORT_AF_XDP}, {"tap", GN_PORT_TAP},
    {"pcap", GN_PORT_PCAP},   {"pci", GN_PORT_PCI},
};

bool gn_ipv4_parse(const char *text, uint32_t *ip)
{
    uint32_t out = 0;
    const char *p = text;
    for (int i = 0; i < 4; i++) {
        uint32_t v = 0;
        int digits = 0;
        for (; *p >= '0' && *p <= '9' && digits < 3; p++, digits++)
            v = v * 10 + (uint32_t)(*p - '0');
        if (digits == 0 || v > 255 || *p != (i == 3 ? '\0' : '.'))
            return false;
        p++;
        out = out << 8 | v;
    }
    *ip = out;
    return true;
}

static bool number(const char *text, uint64_t min, uint64_t max, uint32_t *out)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    unsigned long long v = strtoull(text, &end, 10);
    if (*end != '\0' || v < min || v > max)
        return false;
    *out = (uint32_t)v;
    return true;
}

static bool address(char *text, struct gn_conf_port *port)
{
    char *slash = strchr(text, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    return gn_ipv4_parse(text, &port->ip) && number(slash + 1, 1, 32, &port->prefix_len);
}

static bool mac(const char *text, uint8_t out[6])
{
    unsigned v[6];
    char rest;
    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &rest) != 6)
        return false;
    for (int i = 0; i < 6; i++)
        out[i] = (uint8_t)v[i];
    return (out[0] & 1) == 0;
}

static bool power_of_two(const char *text, uint32_t *out)
{
    return number(text, 64, 32768, out) && gn_is_pow2(*out);
}

static bool set_key(struct gn_conf_port *port, const char *key, char *value)
{
    uint32_t v;
    if (strcmp(key, "ip") == 0)
        return address(value, port);
    if (strcmp(key, "mac") == 0)
        return mac(value, port->mac);
    if (strcmp(key, "gw") == 0)
        return gn_ipv4_parse(value, &port->gateway);
    if (strcmp(key, "id") == 0)
        return number(value, 0, UINT32_MAX, &port->memif_id);
    if (strcmp(key, "queue") == 0)
        return number(value, 0, 1023, &port->queue);
    if (strcmp(key, "mtu") == 0)
        return number(value, GN_NET_MTU_MIN, GN_NET_MTU_MAX, &port->mtu);
    if (strcmp(key, "rx") == 0)
        return power_of_two(value, &port->rx_descs);
    if (strcmp(key, "tx") == 0)
        return power_of_two(value, &port->tx_descs);
    if (strcmp(key, "out") == 0)
        return snprintf(port->device_tx, sizeof port->device_tx, "%s", value) < (int)sizeof port->device_tx;
    if (strcmp(key, "vlan") == 0 && number(value, 1, GN_NET_VLAN_MAX, &v)) {
        port->vlan = (uint16_t)v;
        return true;
    }
    if (strcmp(key, "role") == 0 && (strcmp(value, "server") == 0 || strcmp(value, "client") == 0)) {
        port->server = value[0] == 's';
        return true;
    }
    return false;
}

static bool set_kind(struct gn_conf_port *port, const char *name)
{
    for (uint32_t i = 0; i < GN_ARRAY_LEN(kinds); i++)
        if (strcmp(name, kinds[i].name) == 0)
            port->kind = kinds[i].kind;
    return port->kind != 0;
}

bool gn_port_spec_parse(const char *spec, uint32_t index, struct gn_conf_port *port, char err[GN_OPT_TEXT])
{
    char text[GN_OPT_TEXT];
    char *rest = text;
    *port = (struct gn_conf_port){.server = 1, .rx_descs = 1024, .tx_descs = 1024, .mtu = 1500};
    snprintf(port->name, sizeof port->name, "sim%u", index);
    if (snprintf(text, sizeof text, "%s", spec) >= (int)sizeof text) {
        snprintf(err, GN_OPT_TEXT, "--port: longer than %u characters", GN_OPT_TEXT - 1);
        return false;
    }
    char *head = strsep(&rest, ",");
    char *device = strchr(head, ':');
    if (device != NULL)
        *device++ = '\0';
    if (device == NULL || !set_kind(port, head) ||
        snprintf(port->device, sizeof port->device, "%s", device) >= (int)sizeof port->device) {
        snprintf(err, GN_OPT_TEXT, "--port %.60s: begins with KIND:DEVICE; kinds: memif, af_xdp, tap, pcap, pci", spec);
        return false;
    }
    if (port->kind == GN_PORT_MEMIF) /* it has no address of its own */
        memcpy(port->mac, (uint8_t[]){0x02, 0x47, 0x4e, 0x53, 0x00, (uint8_t)(index + 1)}, sizeof port->mac);
    for (char *item; (item = strsep(&rest, ",")) != NULL;) {
        char *value = strchr(item, '=');
        if (value != NULL)
            *value++ = '\0';
        if (value == NULL || !set_key(port, item, value)) {
            snprintf(err, GN_OPT_TEXT,
                     "--port: %.30s: allowed are ip=A.B.C.D/N mac= gw= id= role=server|client queue= "
                     "vlan= mtu=576..1500 rx= tx= (powers of two) out=",
                     item);
            return false;
        }
    }
    if (port->ip == 0) {
        snprintf(err, GN_OPT_TEXT, "--port %.60s: ip=ADDRESS/BITS is missing", spec);
        return false;
    }
    return true;
}
