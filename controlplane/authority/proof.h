/* What a person signs: the same text here and in gannetctl.
 *
 *      gannet-authority 1
 *      instance=NAME
 *      boot=32 hexadecimal digits       of the control plane's life: a signature of an earlier one is void
 *      person=NAME
 *      serial=N                         the person's next number: no signature counts twice
 *      at_ns=N                          when it was signed, ns since the Unix epoch
 *      {...}                            the request as canonical JSON: keys sorted, no spaces, without its "auth"
 */
#ifndef GN_AUTHORITY_PROOF_H
#define GN_AUTHORITY_PROOF_H

#include <jansson.h>

#include "config/people.h"

#define GN_AUTHORITY_BOOT_HEX 32u
#define GN_AUTHORITY_SIG      64u /* bytes of an Ed25519 signature */
#define GN_AUTHORITY_TEXT_MAX 4096u

/* One person's proof, as a request carries it in "auth". */
struct gn_proof {
    char boot[GN_AUTHORITY_BOOT_HEX + 1];
    char person[GN_NAME_MAX];
    uint64_t serial;
    uint64_t at_ns;
    uint8_t sig[GN_AUTHORITY_SIG];
};

/* gn_proof_request: the request as canonical JSON without "auth", malloc'ed; NULL when memory is short or it is longer
 * than GN_AUTHORITY_TEXT_MAX. */
char *gn_proof_request(const json_t *request) GN_MUST_CHECK;

/* gn_proof_text: what is signed, into out; its length, or 0 when it does not fit. */
size_t gn_proof_text(const struct gn_proof *p, const char *instance, const char *request,
                     char out[GN_AUTHORITY_TEXT_MAX + 512]) GN_MUST_CHECK;

/* gn_proof_parse: "auth" of a request; false with a sentence in err. */
bool gn_proof_parse(const json_t *auth, struct gn_proof *out, char *err, size_t err_bytes) GN_MUST_CHECK;

/* gn_proof_pack: the same as JSON, a new reference. */
json_t *gn_proof_pack(const struct gn_proof *p);

/* gn_hex, gn_unhex: bytes as 2 x n digits and back; out of gn_hex has room for the zero. */
void gn_hex(const uint8_t *in, size_t n, char *out);
bool gn_unhex(const char *in, uint8_t *out, size_t n) GN_MUST_CHECK;

#endif
