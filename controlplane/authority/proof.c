#include "controlplane/authority/proof.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void gn_hex(const uint8_t *in, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    out[2 * n] = 0;
}

static int nibble(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool gn_unhex(const char *in, uint8_t *out, size_t n)
{
    if (strlen(in) != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int hi = nibble(in[2 * i]), lo = nibble(in[2 * i + 1]);
        if (hi < 0 || lo < 0)
            return false;
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    return true;
}

char *gn_proof_request(const json_t *request)
{
    json_t *bare = json_copy((json_t *)(uintptr_t)request);
    if (bare == NULL)
        return NULL;
    json_object_del(bare, "auth");
    char *text = json_dumps(bare, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    json_decref(bare);
    if (text != NULL && strlen(text) > GN_AUTHORITY_TEXT_MAX) {
        free(text);
        return NULL;
    }
    return text;
}

size_t gn_proof_text(const struct gn_proof *p, const char *instance, const char *request,
                     char out[GN_AUTHORITY_TEXT_MAX + 512])
{
    int n = snprintf(out, GN_AUTHORITY_TEXT_MAX + 512,
                     "gannet-authority 1\ninstance=%s\nboot=%s\nperson=%s\nserial=%" PRIu64 "\nat_ns=%" PRIu64 "\n%s",
                     instance, p->boot, p->person, p->serial, p->at_ns, request);
    return n > 0 && n < (int)GN_AUTHORITY_TEXT_MAX + 512 ? (size_t)n : 0;
}

bool gn_proof_parse(const json_t *auth, struct gn_proof *out, char *err, size_t err_bytes)
{
    const char *boot = json_string_value(json_object_get(auth, "boot"));
    const char *person = json_string_value(json_object_get(auth, "person"));
    const char *sig = json_string_value(json_object_get(auth, "sig"));
    const json_t *serial = json_object_get(auth, "serial"), *at = json_object_get(auth, "at_ns");
    memset(out, 0, sizeof *out);
    if (boot == NULL || strlen(boot) != GN_AUTHORITY_BOOT_HEX || person == NULL ||
        strlen(person) >= sizeof out->person || sig == NULL || !gn_unhex(sig, out->sig, sizeof out->sig) ||
        !json_is_integer(serial) || json_integer_value(serial) < 0 || !json_is_integer(at) ||
        json_integer_value(at) < 0) {
        snprintf(err, err_bytes,
                 "auth: expected boot (%u digits), person, serial, at_ns and sig (%u hexadecimal digits): gannetctl "
                 "--as NAME --key FILE makes them",
                 GN_AUTHORITY_BOOT_HEX, 2 * GN_AUTHORITY_SIG);
        return false;
    }
    memcpy(out->boot, boot, strlen(boot));
    memcpy(out->person, person, strlen(person));
    out->serial = (uint64_t)json_integer_value(serial);
    out->at_ns = (uint64_t)json_integer_value(at);
    return true;
}

json_t *gn_proof_pack(const struct gn_proof *p)
{
    char sig[2 * GN_AUTHORITY_SIG + 1];
    gn_hex(p->sig, sizeof p->sig, sig);
    return json_pack("{s:s, s:s, s:I, s:I, s:s}", "boot", p->boot, "person", p->person, "serial", (json_int_t)p->serial,
                     "at_ns", (json_int_t)p->at_ns, "sig", sig);
}
