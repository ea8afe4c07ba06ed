#include "controlplane/journal/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096

struct gn_journal_key {
    EVP_PKEY *pkey;
    uint8_t public_key[GN_JOURNAL_PUBLIC_KEY];
};

#define SAY(...) ((void)snprintf(err, err_bytes, __VA_ARGS__))

/* Takes pkey over; NULL when it is not an Ed25519 key. */
static struct gn_journal_key *wrap(EVP_PKEY *pkey)
{
    size_t n = GN_JOURNAL_PUBLIC_KEY;
    struct gn_journal_key *key = pkey != NULL ? calloc(1, sizeof *key) : NULL;
    if (key == NULL || EVP_PKEY_get_base_id(pkey) != EVP_PKEY_ED25519 ||
        EVP_PKEY_get_raw_public_key(pkey, key->public_key, &n) != 1 || n != GN_JOURNAL_PUBLIC_KEY) {
        EVP_PKEY_free(pkey);
        free(key);
        return NULL;
    }
    key->pkey = pkey;
    return key;
}

struct gn_journal_key *gn_journal_key_from_seed(const uint8_t seed[32])
{
    return wrap(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32));
}

void gn_journal_key_free(struct gn_journal_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

const uint8_t *gn_journal_key_public(const struct gn_journal_key *key)
{
    return key->public_key;
}

static int sync_folder(const char *path)
{
    char copy[PATH_BYTES];
    (void)snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 || fsync(fd) != 0 ? -errno : 0;
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

/* Writes one half as PEM into path.new and renames it: a half-written key file never has the name. */
static int write_pem(const char *path, EVP_PKEY *pkey, bool private_half)
{
    char temp[PATH_BYTES];
    if (snprintf(temp, sizeof temp, "%s.new", path) >= (int)sizeof temp)
        return -ENAMETOOLONG;
    int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, private_half ? 0600 : 0644);
    if (fd < 0)
        return -errno;
    FILE *f = fdopen(fd, "w");
    if (f == NULL) {
        (void)close(fd);
        return -ENOMEM;
    }
    bool ok = fchmod(fd, private_half ? 0600 : 0644) == 0;
    ok = ok &&
         (private_half ? PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL) : PEM_write_PUBKEY(f, pkey)) == 1;
    ok = fflush(f) == 0 && ok && fsync(fd) == 0;
    ok = fclose(f) == 0 && ok;
    if (!ok || rename(temp, path) != 0) {
        int rc = errno != 0 ? -errno : -EIO;
        (void)unlink(temp);
        return rc;
    }
    return sync_folder(path);
}

static struct gn_journal_key *make_key(const char *path, char *err, size_t err_bytes)
{
    struct gn_journal_key *key = wrap(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
    if (key == NULL) {
        SAY("%s: OpenSSL made no Ed25519 key", path);
        return NULL;
    }
    int rc = write_pem(path, key->pkey, true);
    if (rc != 0) {
        SAY("%s: cannot write the journal's key: %s", path, strerror(-rc));
        gn_journal_key_free(key);
        return NULL;
    }
    return key;
}

static struct gn_journal_key *read_key(int fd, const char *path, char *err, size_t err_bytes)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_mode & 077) != 0) {
        SAY("%s: mode %04o; the journal's key must be a file that only its owner may read (0600)", path,
            (unsigned)(st.st_mode & 07777));
        (void)close(fd);
        return NULL;
    }
    FILE *f = fdopen(fd, "r");
    if (f == NULL) {
        (void)close(fd);
        SAY("%s: out of memory", path);
        return NULL;
    }
    struct gn_journal_key *key = wrap(PEM_read_PrivateKey(f, NULL, NULL, NULL));
    (void)fclose(f);
    if (key == NULL)
        SAY("%s: holds no Ed25519 private key as PEM", path);
    return key;
}

struct gn_journal_key *gn_journal_key_load(const char *path, char *err, size_t err_bytes)
{
    char pub[PATH_BYTES];
    if (snprintf(pub, sizeof pub, "%s.pub", path) >= (int)sizeof pub) {
        SAY("%.100s...: the path is too long", path);
        return NULL;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno != ENOENT) {
        SAY("%s: cannot read the journal's key: %s", path, strerror(errno));
        return NULL;
    }
    struct gn_journal_key *key = fd >= 0 ? read_key(fd, path, err, err_bytes) : make_key(path, err, err_bytes);
    if (key == NULL)
        return NULL;
    int rc = fd < 0 || access(pub, F_OK) != 0 ? write_pem(pub, key->pkey, false) : 0;
    if (rc != 0) {
        SAY("%s: cannot write the public key: %s", pub, strerror(-rc));
        gn_journal_key_free(key);
        return NULL;
    }
    return key;
}

bool gn_journal_public_load(const char *path, uint8_t out[GN_JOURNAL_PUBLIC_KEY], char *err, size_t err_bytes)
{
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        SAY("%s: %s", path, strerror(errno));
        return false;
    }
    struct gn_journal_key *key = wrap(PEM_read_PUBKEY(f, NULL, NULL, NULL));
    (void)fclose(f);
    if (key == NULL) {
        SAY("%s: holds no Ed25519 public key as PEM", path);
        return false;
    }
    memcpy(out, key->public_key, GN_JOURNAL_PUBLIC_KEY);
    gn_journal_key_free(key);
    return true;
}

bool gn_journal_sign(const struct gn_journal_key *key, const void *data, size_t bytes,
                     uint8_t out[GN_JOURNAL_SIGNATURE])
{
    size_t n = GN_JOURNAL_SIGNATURE;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
              EVP_DigestSign(ctx, out, &n, data, bytes) == 1 && n == GN_JOURNAL_SIGNATURE;
    EVP_MD_CTX_free(ctx);
    return ok;
}

bool gn_journal_signed(const uint8_t public_key[GN_JOURNAL_PUBLIC_KEY], const void *data, size_t bytes,
                       const uint8_t signature[GN_JOURNAL_SIGNATURE])
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, GN_JOURNAL_PUBLIC_KEY);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = pkey != NULL && ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
              EVP_DigestVerify(ctx, signature, GN_JOURNAL_SIGNATURE, data, bytes) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return ok;
}
