/* Two persons. A request that needs authority carries a signature of the person who asks; when the act needs a second
 * one, it waits until another person, with another key and a role that may approve, signs the request's digest:
 *
 *      asked --signature good, one suffices----------------------------------> applied
 *        |
 *        +--> pending --another person approves--> applied
 *                |----- withdrawn by anybody, expired, control plane restarted --> void
 *
 * A signature is good once: it names the life of the control plane (boot) and the person's serial number, which both
 * grow old with it. So nothing of this is kept on disk: a restart voids what was pending and every signature of before,
 * and says so in the journal.
 *
 * With authority.single_person one unsigned request suffices; status says so, and mode live refuses it.
 */
#ifndef GN_AUTHORITY_H
#define GN_AUTHORITY_H

#include "controlplane/authority/acts.h"
#include "controlplane/authority/proof.h"
#include "dataplane/abi/event.h"

#define GN_AUTHORITY_ERR_LEN 320u
#define GN_PENDING_MAX       16u
#define GN_AUTHORITY_OLD_NS  120000000000ull /* a signature is sent within this time */
#define GN_AUTHORITY_NEW_NS  5000000000ull   /* and may be ahead of our clock by this much */

/* X(number, NAME, "text") */
#define GN_AUTHORITY_ERRORS(X)                                                       \
    X(1, UNSIGNED, "the act needs a signature: gannetctl --as NAME --key FILE")      \
    X(2, PERSON, "the configuration names no such person")                           \
    X(3, UID, "the connection does not come from the person's user id")              \
    X(4, BOOT, "the signature was made for another life of the control plane")       \
    X(5, SERIAL, "the signature was used before, or another one was used meanwhile") \
    X(6, TIME, "the signature is too old, or from the future")                       \
    X(7, SIGNATURE, "the signature is not the person's over this request")           \
    X(8, ROLE, "the person's roles do not allow it")                                 \
    X(9, SAME_PERSON, "the one who asked cannot approve: another person must")       \
    X(10, NO_SUCH, "nothing of this number is pending")                              \
    X(11, FULL, "too many requests are pending: approve or withdraw some")           \
    X(12, DIGEST, "the request that is pending is another one than was signed")

enum gn_authority_error {
    GN_AUTHORITY_OK = 0,
#define GN_X(num, NAME, text) GN_AUTHORITY_ERR_##NAME = -(num),
    GN_AUTHORITY_ERRORS(GN_X)
#undef GN_X
};

struct gn_pending {
    uint64_t id; /* 0 = free */
    uint32_t act;
    char person[GN_NAME_MAX];
    uint64_t asked_ns, expires_ns;
    char *request;      /* canonical JSON, malloc'ed */
    uint8_t digest[32]; /* SHA-256 of it */
};

struct gn_authority {
    const struct gn_people *people;
    const char *instance;
    char boot[GN_AUTHORITY_BOOT_HEX + 1];
    uint64_t serial[GN_PEOPLE_MAX]; /* the next one that counts */
    uint64_t next_id;
    struct gn_pending pending[GN_PENDING_MAX];
};

/* gn_authority_open: boot: 16 bytes that no other life has. people and instance stay the caller's. */
void gn_authority_open(struct gn_authority *g, const struct gn_people *people, const char *instance,
                       const uint8_t boot[16]);
void gn_authority_close(struct gn_authority *g);

/* gn_authority_prove: the person whose proof this is over `request` (canonical JSON), from a connection of `uid`. The
 * serial is used up when everything else is right. Enum gn_authority_error. */
int gn_authority_prove(struct gn_authority *g, const struct gn_proof *p, const char *request, uint32_t uid,
                       uint64_t now_ns, const struct gn_person **out) GN_MUST_CHECK;

/* gn_authority_may: OK or ROLE: whether a person may ask for an act (second false) or approve it. */
int gn_authority_may(const struct gn_person *p, uint32_t act, bool second) GN_MUST_CHECK;

/* gn_authority_two: the act needs a second person. */
bool gn_authority_two(const struct gn_authority *g, uint32_t act);

/* gn_authority_ask: keeps a request for the second person. *out stays valid until it is taken or void. */
int gn_authority_ask(struct gn_authority *g, uint32_t act, const struct gn_person *who, const char *request,
                     uint64_t now_ns, const struct gn_pending **out) GN_MUST_CHECK;

/* gn_authority_find: a pending request that is not over; NULL. */
struct gn_pending *gn_authority_find(struct gn_authority *g, uint64_t id, uint64_t now_ns);

/* gn_authority_approve: another person with the right role, for the request with this digest. */
int gn_authority_approve(const struct gn_pending *k, const struct gn_person *who,
                         const uint8_t digest[32]) GN_MUST_CHECK;

/* gn_authority_void: forgets it. gn_authority_expired: the next one whose time is over, NULL when none is. */
void gn_authority_void(struct gn_pending *k);
struct gn_pending *gn_authority_expired(struct gn_authority *g, uint64_t now_ns);

const char *gn_act_name(uint32_t act);
const char *gn_authority_strerror(int err);

/* gn_roles_text: "risk, trader" into out. */
const char *gn_roles_text(uint32_t roles, char out[48]);

/* gn_act_roles: who may ask, who may approve. */
uint32_t gn_act_roles(uint32_t act, bool second);

#endif
