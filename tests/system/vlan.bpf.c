/* A VLAN for a kernel without VLAN interfaces: what leaves through a clsact hook gets tag GN_VLAN, and what comes in
 * loses its tag. Needs no header and no library.
 */
#ifndef GN_VLAN
    #define GN_VLAN 100
#endif

#define SECTION(name) __attribute__((section(name), used))

enum {
    TC_OK = 0,
    TC_STOLEN = 4,
    TYPE_VLAN = 0x0081, /* as on the wire */
};

static long (*const vlan_push)(void *skb, unsigned short type, unsigned short tag) = (void *)18;
static long (*const vlan_pop)(void *skb) = (void *)19;

int gn_push(void *skb);
int gn_pop(void *skb);

SECTION("push") int gn_push(void *skb)
{
    return vlan_push(skb, TYPE_VLAN, GN_VLAN) == 0 ? TC_OK : TC_STOLEN;
}

SECTION("pop") int gn_pop(void *skb)
{
    return vlan_pop(skb) == 0 ? TC_OK : TC_STOLEN;
}

SECTION("license") const char gn_license[] = "GPL";
