#include "tools/venue-sim/market.h"

#include <stdlib.h>
#include <zlib.h>

#define ITCH_HEADER 11u /* type, locate, tracking number, timestamp */
#define READ_CHUNK  (1u << 20)

struct gn_market {
    struct gn_gen *gen; /* NULL for a file */
    uint8_t *bytes;
    size_t len, at;
    uint64_t messages;
};

const char *gn_market_strerror(int err)
{
    static const char *const text[] = {
        "ok",
        "cannot open the file",
        "cannot read the file",
        "no message in the file",
        "file ends inside a message",
        "message length is impossible for ITCH",
        "buffer is too small for the message",
        "out of memory",
        "generator configuration out of range",
    };
    return err <= 0 && err > -(int)GN_ARRAY_LEN(text) ? text[-err] : "unknown error";
}

void gn_market_close(struct gn_market *m)
{
    if (m == NULL)
        return;
    gn_gen_free(m->gen);
    free(m->bytes);
    free(m);
}

/* Walks the whole file once; a zero length ends a BinaryFILE. Sets len to the end of the last whole message. */
static int index_messages(struct gn_market *m, uint64_t *bad_offset)
{
    size_t at = 0;
    int err = GN_MARKET_OK;
    while (at < m->len) {
        *bad_offset = at;
        uint32_t n = m->len - at < 2 ? 0 : gn_load_be16(m->bytes + at);
        if (m->len - at < 2 || n > m->len - at - 2) {
            err = GN_MARKET_ERR_TRUNCATED;
            break;
        }
        if (n == 0)
            break;
        if (n < ITCH_HEADER || n > GN_MARKET_MSG_MAX)
            return GN_MARKET_ERR_LENGTH;
        at += 2 + n;
        m->messages++;
    }
    m->len = at;
    return m->messages == 0 && err == GN_MARKET_OK ? GN_MARKET_ERR_EMPTY : err;
}

static int finish_open(struct gn_market **out, struct gn_market *m, uint64_t *bad_offset)
{
    int err = index_messages(m, bad_offset);
    if (err != GN_MARKET_OK && (err != GN_MARKET_ERR_TRUNCATED || m->messages == 0)) {
        gn_market_close(m);
        return err;
    }
    *out = m;
    return err;
}

/* Reads what zlib gives: it passes through what is not gzip'd. */
static int slurp(struct gn_market *m, gzFile f)
{
    size_t room = 0;
    for (;;) {
        if (room - m->len < READ_CHUNK) {
            room = room == 0 ? 4 * READ_CHUNK : room * 2;
            uint8_t *bytes = room > GN_MARKET_BYTES_MAX ? NULL : realloc(m->bytes, room);
            if (bytes == NULL)
                return GN_MARKET_ERR_MEMORY;
            m->bytes = bytes;
        }
        int n = gzread(f, m->bytes + m->len, READ_CHUNK);
        if (n < 0)
            return GN_MARKET_ERR_READ;
        if (n == 0)
            break;
        m->len += (size_t)n;
    }
    int state;
    gzerror(f, &state);
    return state == Z_OK || state == Z_STREAM_END ? GN_MARKET_OK : GN_MARKET_ERR_READ;
}

int gn_market_open_file(struct gn_market **out, const char *path, uint64_t *bad_offset)
{
    *out = NULL;
    *bad_offset = 0;
    gzFile f = gzopen(path, "rb");
    if (f == NULL)
        return GN_MARKET_ERR_OPEN;
    gzbuffer(f, READ_CHUNK);
    struct gn_market *m = calloc(1, sizeof *m);
    int err = m == NULL ? GN_MARKET_ERR_MEMORY : slurp(m, f);
    if (gzclose_r(f) == Z_BUF_ERROR && err == GN_MARKET_OK)
        err = GN_MARKET_ERR_READ; /* the gzip stream is cut off */
    if (err != GN_MARKET_OK) {
        gn_market_close(m);
        return err;
    }
    return finish_open(out, m, bad_offset);
}

int gn_market_open_bytes(struct gn_market **out, const uint8_t *bytes, size_t len, uint64_t *bad_offset)
{
    *out = NULL;
    *bad_offset = 0;
    struct gn_market *m = calloc(1, sizeof *m);
    uint8_t *copy = malloc(len == 0 ? 1 : len);
    if (m == NULL || copy == NULL) {
        free(copy);
        free(m);
        return GN_MARKET_ERR_MEMORY;
    }
    if (len != 0)
        memcpy(copy, bytes, len);
    m->bytes = copy;
    m->len = len;
    return finish_open(out, m, bad_offset);
}

int gn_market_open_generator(struct gn_market **out, const struct gn_gen_config *config)
{
    *out = NULL;
    struct gn_market *m = calloc(1, sizeof *m);
    if (m == NULL)
        return GN_MARKET_ERR_MEMORY;
    m->gen = gn_gen_new(config);
    if (m->gen == NULL) {
        free(m);
        return GN_MARKET_ERR_CONFIG;
    }
    m->messages = config->messages;
    *out = m;
    return GN_MARKET_OK;
}

int gn_market_next(struct gn_market *m, uint8_t *msg, size_t size, uint64_t *time_ns)
{
    if (m->gen != NULL)
        return size < GN_GEN_MSG_MAX ? GN_MARKET_ERR_SIZE : (int)gn_gen_next(m->gen, msg, time_ns);
    if (m->at == m->len)
        return 0;
    const uint8_t *p = m->bytes + m->at;
    const uint32_t n = gn_load_be16(p);
    if (n > size)
        return GN_MARKET_ERR_SIZE;
    memcpy(msg, p + 2, n);
    *time_ns = gn_load_be48(p + 2 + 5);
    m->at += 2 + n;
    return (int)n;
}

uint64_t gn_market_messages(const struct gn_market *m)
{
    return m->messages;
}

/* ---- symbols ---- */

struct symbol_set {
    uint64_t *slots; /* symbols as integers, 0 = empty */
    uint32_t mask, n;
};

/* True when the symbol is new; a table that is full knows every symbol. */
static bool set_add(struct symbol_set *s, const uint8_t *symbol)
{
    uint64_t key;
    memcpy(&key, symbol, sizeof key);
    if (key == 0 || s->n > s->mask / 2)
        return false;
    for (uint32_t i = (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 40) & s->mask;; i = (i + 1) & s->mask) {
        if (s->slots[i] == key)
            return false;
        if (s->slots[i] == 0) {
            s->slots[i] = key;
            s->n++;
            return true;
        }
    }
}

uint32_t gn_market_symbols(struct gn_market *m, void (*each)(const char symbol[8], void *arg), void *arg)
{
    uint8_t msg[GN_MARKET_MSG_MAX];
    uint64_t time_ns;
    int len;
    struct symbol_set set = {.slots = calloc(1u << 18, sizeof(uint64_t)), .mask = (1u << 18) - 1};
    if (set.slots == NULL)
        return 0;
    while ((len = gn_market_next(m, msg, sizeof msg, &time_ns)) > 0) {
        const uint8_t *symbol = NULL;
        if (msg[0] == 'R' && len == 39)
            symbol = msg + 11;
        else if ((msg[0] == 'A' && len == 36) || (msg[0] == 'F' && len == 40))
            symbol = msg + 24;
        else if (m->gen != NULL && msg[0] == 'H')
            break; /* the generator's directory is complete, its flow may be endless */
        if (symbol != NULL && set_add(&set, symbol))
            each((const char *)symbol, arg);
    }
    free(set.slots);
    return set.n;
}
