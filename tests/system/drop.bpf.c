/* Loss on the wire for a clsact hook: GN_DROP_PER_10000 of 10,000 packets vanish. Needs no header and no library. What
 * is "stolen" on the way out was sent as far as the kernel's TCP knows; of one that is "shot" it would be told.
 */
#ifndef GN_DROP_PER_10000
    #define GN_DROP_PER_10000 100
#endif

#define SECTION(name) __attribute__((section(name), used))

enum {
    TC_OK = 0,
    TC_STOLEN = 4,
};

static unsigned (*const prandom_u32)(void) = (void *)7; /* BPF_FUNC_get_prandom_u32 */

int gn_drop(void *skb);

SECTION("classifier") int gn_drop(void *skb)
{
    (void)skb;
    return prandom_u32() % 10000 < GN_DROP_PER_10000 ? TC_STOLEN : TC_OK;
}

SECTION("license") const char gn_license[] = "Dual BSD/GPL";
