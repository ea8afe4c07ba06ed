#include "config/value.h"

#include <stdio.h>

struct unit {
    const char *name;
    int64_t scale; /* in the smallest unit of its kind */
};

static const struct unit durations[] = {
    {"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {"min", 60000000000}};
static const struct unit sizes[] = {{"KiB", 1024}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};

/* units_of: the units that a value of this key may have: those from the stored one up. */
static const struct unit *units_of(const struct gn_schema_key *key, size_t *n)
{
    const struct unit *u = key->type == GN_TYPE_DURATION ? durations : sizes;
    *n = key->type == GN_TYPE_DURATION ? GN_ARRAY_LEN(durations) : GN_ARRAY_LEN(sizes);
    for (; *n > 1 && strcmp(u->name, key->unit) != 0; u++)
        (*n)--;
    return u;
}

const struct gn_schema_name *gn_value_name(const struct gn_schema_name *names, const char *text)
{
    for (; names->name != NULL; names++)
        if (strcmp(names->name, text) == 0)
            return names;
    return NULL;
}

bool gn_value_int(const char *text, size_t len, int64_t *out)
{
    bool negative = len > 0 && text[0] == '-';
    uint64_t v = 0;
    size_t i = negative ? 1 : 0;

    if (i == len || len > 20 || (text[i] == '0' && len > 1))
        return false;
    for (; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || v > (uint64_t)INT64_MAX / 10)
            return false;
        v = v * 10 + (uint64_t)(text[i] - '0');
    }
    if (v > (uint64_t)INT64_MAX)
        return false;
    *out = negative ? -(int64_t)v : (int64_t)v;
    return true;
}

static bool in_set(char c, const char *extra)
{
    return (c >= '0' && c <= '9') || (c != '\0' && strchr(extra, c) != NULL);
}

bool gn_value_symbol(const char *text, size_t len, char out[8])
{
    if (len < 1 || len > 8)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!(text[i] >= 'A' && text[i] <= 'Z') && !in_set(text[i], ".+-=*#^$@~!"))
            return false;
    memset(out, ' ', 8);
    memcpy(out, text, len);
    return true;
}

static bool parse_ip(const char *text, size_t len, uint32_t *out)
{
    uint32_t ip = 0;
    size_t at = 0;

    for (int part = 0; part < 4; part++) {
        size_t start = at;
        int64_t v;
        while (at < len && text[at] >= '0' && text[at] <= '9')
            at++;
        if (!gn_value_int(text + start, at - start, &v) || v > 255)
            return false;
        ip = ip << 8 | (uint32_t)v;
        if (part < 3 && (at == len || text[at++] != '.'))
            return false;
    }
    *out = ip;
    return at == len;
}

/* parse_pair: address, separator, number lo..hi; stored as two words. */
static bool parse_pair(const char *text, size_t len, char separator, int64_t lo, int64_t hi, void *dest)
{
    const char *sep = memchr(text, separator, len);
    uint32_t pair[2];
    int64_t v;

    if (sep == NULL || !parse_ip(text, (size_t)(sep - text), &pair[0]) ||
        !gn_value_int(sep + 1, len - (size_t)(sep - text) - 1, &v) || v < lo || v > hi)
        return false;
    pair[1] = (uint32_t)v;
    memcpy(dest, pair, sizeof pair);
    return true;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static const char *parse_mac(const char *text, size_t len, void *dest)
{
    uint8_t mac[6], any = 0;

    if (len != 17)
        return "";
    for (size_t i = 0; i < 6; i++) {
        int hi = hex(text[3 * i]), lo = hex(text[3 * i + 1]);
        if (hi < 0 || lo < 0 || (i < 5 && text[3 * i + 2] != ':'))
            return "";
        mac[i] = (uint8_t)(hi << 4 | lo);
        any |= mac[i];
    }
    if ((mac[0] & 1) != 0)
        return ", a multicast address";
    if (any == 0)
        return "";
    memcpy(dest, mac, sizeof mac);
    return NULL;
}

static void store(const struct gn_schema_key *key, int64_t v, void *dest)
{
    /* the machine is little-endian (base.h): the low bytes are the narrow value */
    memcpy(dest, &v, key->size <= sizeof v ? key->size : sizeof v);
}

static const char *ranged(const struct gn_schema_key *key, int64_t v, void *dest)
{
    if (v < key->min || v > key->max)
        return " out of range";
    if ((key->flags & GN_KEY_POW2) != 0 && !gn_is_pow2((uint64_t)v))
        return "";
    store(key, v, dest);
    return NULL;
}

/* digits: how many characters at the start are a number. */
static size_t digits(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && (in_set(text[n], "") || (n == 0 && text[n] == '-')))
        n++;
    return n;
}

static const char *parse_suffixed(const struct gn_schema_key *key, const char *text, size_t len, const char *suffix,
                                  void *dest)
{
    size_t n = digits(text, len);
    int64_t v;

    if (!gn_value_int(text, n, &v))
        return "";
    if (n == len)
        return " without a unit";
    if (len - n != strlen(suffix) || memcmp(text + n, suffix, len - n) != 0)
        return " with a wrong unit";
    return ranged(key, v, dest);
}

static const char *parse_quantity(const struct gn_schema_key *key, const char *text, size_t len, void *dest)
{
    size_t n = digits(text, len), n_units;
    const struct unit *u = units_of(key, &n_units);
    int64_t v;

    if (!gn_value_int(text, n, &v))
        return "";
    if (n == len)
        return " without a unit";
    if (text[n] == '.')
        return ", not a whole number";
    for (size_t i = 0; i < n_units; i++) {
        if (strlen(u[i].name) != len - n || memcmp(u[i].name, text + n, len - n) != 0)
            continue;
        if (v < 0 || v > INT64_MAX / u[i].scale)
            return " out of range";
        return ranged(key, v * (u[i].scale / u[0].scale), dest);
    }
    return " with a wrong unit";
}

static const char *parse_text(const struct gn_schema_key *key, const char *text, size_t len, void *dest)
{
    char *out = dest;

    if (key->names != NULL) {
        const struct gn_schema_name *name = strlen(text) == len ? gn_value_name(key->names, text) : NULL;
        if (name == NULL)
            return "";
    } else if ((int64_t)len < key->min || (int64_t)len > key->max) {
        return len == 0 ? "" : " of a wrong length";
    }
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool ok = key->type == GN_TYPE_NAME ? (c >= 'a' && c <= 'z') || in_set(c, "_-") : c >= ' ' && c <= '~';
        if (!ok)
            return " with a character that is not allowed";
    }
    if (len >= key->size)
        return " of a wrong length";
    memset(out, 0, key->size);
    memcpy(out, text, len);
    return NULL;
}

const char *gn_value_parse(const struct gn_schema_key *key, const char *text, size_t len, void *dest)
{
    const struct gn_schema_name *name;
    int64_t v;
    uint32_t ip;

    switch (key->type) {
    case GN_TYPE_STRING:
    case GN_TYPE_NAME:
    case GN_TYPE_PATH:
        return parse_text(key, text, len, dest);
    case GN_TYPE_SYMBOL:
        return gn_value_symbol(text, len, dest) ? NULL : "";
    case GN_TYPE_INT:
    case GN_TYPE_CPU:
        return gn_value_int(text, len, &v) ? ranged(key, v, dest) : "";
    case GN_TYPE_BOOL:
        if (!(len == 4 && memcmp(text, "true", 4) == 0) && !(len == 5 && memcmp(text, "false", 5) == 0))
            return "";
        store(key, len == 4, dest);
        return NULL;
    case GN_TYPE_ENUM:
        name = strlen(text) == len ? gn_value_name(key->names, text) : NULL;
        if (name == NULL)
            return "";
        store(key, name->value, dest);
        return NULL;
    case GN_TYPE_IPV4:
        if (!parse_ip(text, len, &ip) || ip == 0)
            return "";
        memcpy(dest, &ip, sizeof ip);
        return NULL;
    case GN_TYPE_NET:
        return parse_pair(text, len, '/', 1, 32, dest) ? NULL : "";
    case GN_TYPE_ENDPOINT:
        return parse_pair(text, len, ':', 1, 65535, dest) ? NULL : "";
    case GN_TYPE_MAC:
        return parse_mac(text, len, dest);
    case GN_TYPE_SIZE:
    case GN_TYPE_DURATION:
        return parse_quantity(key, text, len, dest);
    case GN_TYPE_RATE:
        return parse_suffixed(key, text, len, "/s", dest);
    case GN_TYPE_BPS:
        return parse_suffixed(key, text, len, "bps", dest);
    default:
        return "";
    }
}

/* ---- what is allowed, in words ---- */

/* with_unit: v of the stored unit in the largest unit that divides it. */
static void with_unit(const struct gn_schema_key *key, int64_t v, char *buf, size_t n)
{
    size_t n_units, best = 0;
    const struct unit *u = units_of(key, &n_units);

    for (size_t i = 1; i < n_units && v != 0; i++)
        if (v % (u[i].scale / u[0].scale) == 0)
            best = i;
    (void)snprintf(buf, n, "%lld%s", (long long)(v / (u[best].scale / u[0].scale)), u[best].name);
}

static void allowed_quantity(const struct gn_schema_key *key, char *buf, size_t n)
{
    char lo[32], hi[32];
    size_t n_units;
    const struct unit *u = units_of(key, &n_units);
    int at;

    with_unit(key, key->min, lo, sizeof lo);
    with_unit(key, key->max, hi, sizeof hi);
    at = snprintf(buf, n, "%s..%s, with a unit of ", lo, hi);
    for (size_t i = 0; i < n_units && at >= 0 && (size_t)at < n; i++)
        at += snprintf(buf + at, n - (size_t)at, "%s%s", i == 0 ? "" : ", ", u[i].name);
}

static void allowed_names(const struct gn_schema_name *names, const char *lead, char *buf, size_t n)
{
    int at = snprintf(buf, n, "%s", lead);
    for (uint32_t i = 0; names[i].name != NULL && at >= 0 && (size_t)at < n; i++)
        at += snprintf(buf + at, n - (size_t)at, "%s%s", i == 0 ? "" : ", ", names[i].name);
}

const char *gn_schema_keys(const struct gn_schema_key *parent, char *buf, size_t n)
{
    const struct gn_schema_key *k = NULL;
    int at = snprintf(buf, n, "keys ");
    bool first = true;
    while ((k = gn_schema_child(parent, k)) != NULL && at >= 0 && (size_t)at < n) {
        if (k->type == GN_TYPE_REFUSED)
            continue;
        at += snprintf(buf + at, n - (size_t)at, "%s%s", first ? "" : ", ", gn_schema_leaf(k));
        first = false;
    }
    return buf;
}

const char *gn_schema_allowed(const struct gn_schema_key *key, char *buf, size_t n)
{
    long long lo = key != NULL ? key->min : 0, hi = key != NULL ? key->max : 0;

    if (key == NULL || key->type == GN_TYPE_MAP) {
        return gn_schema_keys(key, buf, n);
    }
    switch (key->type) {
    case GN_TYPE_LIST:
        (void)snprintf(buf, n, "a list of %lld..%lld items", lo, hi);
        break;
    case GN_TYPE_STRING:
        (void)snprintf(buf, n, "%lld..%lld printable characters", lo, hi);
        break;
    case GN_TYPE_NAME:
        if (key->names != NULL)
            allowed_names(key->names, "", buf, n);
        else
            (void)snprintf(buf, n, "%lld..%lld of a-z, 0-9, _ and -", lo, hi);
        break;
    case GN_TYPE_SYMBOL:
        (void)snprintf(buf, n, "%lld..%lld of A-Z, 0-9 and .+-=*#^$@~!", lo, hi);
        break;
    case GN_TYPE_PATH:
        (void)snprintf(buf, n, "a path of %lld..%lld printable characters", lo, hi);
        break;
    case GN_TYPE_INT:
    case GN_TYPE_CPU:
        (void)snprintf(buf, n, "%lld..%lld%s", lo, hi, (key->flags & GN_KEY_POW2) != 0 ? ", a power of two" : "");
        break;
    case GN_TYPE_BOOL:
        (void)snprintf(buf, n, "true, false");
        break;
    case GN_TYPE_ENUM:
        allowed_names(key->names, "", buf, n);
        break;
    case GN_TYPE_SET:
        allowed_names(key->names, "a list of ", buf, n);
        break;
    case GN_TYPE_IPV4:
        (void)snprintf(buf, n, "an IPv4 address like 10.0.0.1");
        break;
    case GN_TYPE_NET:
        (void)snprintf(buf, n, "an IPv4 address and prefix length like 10.0.0.1/24");
        break;
    case GN_TYPE_ENDPOINT:
        (void)snprintf(buf, n, "an IPv4 address and port like 10.0.0.1:4000");
        break;
    case GN_TYPE_MAC:
        (void)snprintf(buf, n, "a unicast address like 02:00:00:00:00:01");
        break;
    case GN_TYPE_SIZE:
    case GN_TYPE_DURATION:
        allowed_quantity(key, buf, n);
        break;
    case GN_TYPE_RATE:
        (void)snprintf(buf, n, "%lld/s..%lld/s, with the unit /s", lo, hi);
        break;
    case GN_TYPE_BPS:
        (void)snprintf(buf, n, "%lldbps..%lldbps, with the unit bps", lo, hi);
        break;
    case GN_TYPE_REF:
        (void)snprintf(buf, n, "a name of %s", key->of);
        break;
    case GN_TYPE_SYMBOLS:
        (void)snprintf(buf, n, "a list of symbols, or all");
        break;
    case GN_TYPE_PARAMS:
        (void)snprintf(buf, n, "keys of the strategy's kind");
        break;
    default:
        (void)snprintf(buf, n, "nothing");
        break;
    }
    return buf;
}

const char *gn_schema_type_name(enum gn_conf_type type)
{
    static const char *const names[] = {
        [GN_TYPE_MAP] = "map",
        [GN_TYPE_LIST] = "list",
        [GN_TYPE_STRING] = "string",
        [GN_TYPE_NAME] = "name",
        [GN_TYPE_SYMBOL] = "symbol",
        [GN_TYPE_PATH] = "path",
        [GN_TYPE_INT] = "integer",
        [GN_TYPE_BOOL] = "boolean",
        [GN_TYPE_ENUM] = "choice",
        [GN_TYPE_SET] = "choices",
        [GN_TYPE_CPU] = "CPU",
        [GN_TYPE_IPV4] = "address",
        [GN_TYPE_NET] = "address/prefix",
        [GN_TYPE_ENDPOINT] = "address:port",
        [GN_TYPE_MAC] = "MAC address",
        [GN_TYPE_SIZE] = "size",
        [GN_TYPE_DURATION] = "duration",
        [GN_TYPE_RATE] = "rate",
        [GN_TYPE_BPS] = "basis points",
        [GN_TYPE_REF] = "reference",
        [GN_TYPE_SYMBOLS] = "symbols",
        [GN_TYPE_PARAMS] = "parameters",
        [GN_TYPE_REFUSED] = "refused",
    };
    return (size_t)type < GN_ARRAY_LEN(names) ? names[type] : "?";
}
