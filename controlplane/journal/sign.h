/* The key that signs checkpoints: Ed25519 (RFC 8032) by OpenSSL. The private key is a PEM file (PKCS #8) that nobody
 * but its owner may read; the public key stands beside it as PEM in <path>.pub, for those who verify elsewhere.
 */
#ifndef GN_JOURNAL_SIGN_H
#define GN_JOURNAL_SIGN_H

#include "dataplane/abi/base.h"

#define GN_JOURNAL_PUBLIC_KEY 32u
#define GN_JOURNAL_SIGNATURE  64u

struct gn_journal_key;

/* gn_journal_key_load: reads the private key, or makes one (mode 0600, durable before it is used) and its public half
 * when the file is absent. Refuses a file that group or others may read, and one that is not Ed25519. NULL with a
 * sentence in err. */
struct gn_journal_key *gn_journal_key_load(const char *path, char *err, size_t err_bytes) GN_MUST_CHECK;

/* gn_journal_key_from_seed: the key of a 32-byte seed, for tests. NULL when the library refuses. */
struct gn_journal_key *gn_journal_key_from_seed(const uint8_t seed[32]) GN_MUST_CHECK;

void gn_journal_key_free(struct gn_journal_key *key);

/* gn_journal_key_public: its 32 bytes. */
const uint8_t *gn_journal_key_public(const struct gn_journal_key *key);

/* gn_journal_public_load: the 32 bytes of a PEM file with a public key; false with a sentence in err. */
bool gn_journal_public_load(const char *path, uint8_t out[GN_JOURNAL_PUBLIC_KEY], char *err,
                            size_t err_bytes) GN_MUST_CHECK;

/* gn_journal_sign: signature over bytes; false when the library refuses. gn_journal_signed: it is this key's. */
bool gn_journal_sign(const struct gn_journal_key *key, const void *data, size_t bytes,
                     uint8_t out[GN_JOURNAL_SIGNATURE]) GN_MUST_CHECK;
bool gn_journal_signed(const uint8_t public_key[GN_JOURNAL_PUBLIC_KEY], const void *data, size_t bytes,
                       const uint8_t signature[GN_JOURNAL_SIGNATURE]) GN_MUST_CHECK;

#endif
