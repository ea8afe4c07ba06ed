#include "tools/venue-sim/link.h"

int gn_links_udp(struct gn_sim_links *l, uint32_t link, uint32_t ip, uint16_t src_port, uint16_t dst_port,
                 const uint8_t *payload, uint32_t len, uint64_t now_ns)
{
    struct gn_sim_link *k = &l->link[link];
    gn_links_room(l, link, 1);
    return gn_udp_send(k->net, ip, src_port, dst_port, payload, len, now_ns, &k->txq);
}
