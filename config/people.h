/* Who may do what besides looking, killing and lowering a limit. A person is a name and an Ed25519 public key; the
 * private half signs each request, so that two names are two keys and not one login that types two names. Read by the
 * control plane alone: it is not in the shared region.
 */
#ifndef GN_CONFIG_PEOPLE_H
#define GN_CONFIG_PEOPLE_H

#include "dataplane/abi/conf.h"

#define GN_PEOPLE_MAX     32u
#define GN_PERSON_KEY     32u /* bytes of an Ed25519 public key */
#define GN_PERSON_KEY_HEX (2u * GN_PERSON_KEY)

/* Bits of gn_person.roles. */
enum gn_role {
    GN_ROLE_TRADER = 1,
    GN_ROLE_RISK = 2,
    GN_ROLE_OPERATOR = 4,
};

struct gn_person {
    char name[GN_NAME_MAX];
    char key_hex[GN_PERSON_KEY_HEX + 1];
    uint8_t key[GN_PERSON_KEY];
    uint32_t roles; /* enum gn_role */
    uint32_t uid;   /* of the connection that a request must come from; GN_NONE32: any that may connect */
};

struct gn_people {
    uint32_t n;
    struct gn_person person[GN_PEOPLE_MAX];
    uint32_t single_person; /* 1: one person suffices, unsigned; refused in mode live */
    uint32_t pending_ms;    /* how long a request waits for the second person */
};

#endif
