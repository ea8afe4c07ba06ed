#include "controlplane/journal/segment.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#include "controlplane/journal/crc32c.h"

/* Bytes of the batch header that header_crc covers. */
#define HEADER_CRC_BYTES offsetof(struct gn_journal_batch, header_crc)

bool gn_journal_hash(const void *data, size_t bytes, uint8_t out[GN_JOURNAL_HASH])
{
    return SHA256(data, bytes, out) != NULL;
}

bool gn_journal_is_zero(const void *data, size_t bytes)
{
    const uint8_t *p = data;
    for (; bytes >= 32; p += 32, bytes -= 32) {
        uint64_t w[4];
        memcpy(w, p, sizeof w);
        if ((w[0] | w[1] | w[2] | w[3]) != 0)
            return false;
    }
    while (bytes-- != 0)
        if (*p++ != 0)
            return false;
    return true;
}

bool gn_journal_has_zero_sector(const void *data, size_t bytes)
{
    const uint8_t *p = data;
    for (size_t at = 0; at < bytes; at += GN_JOURNAL_SECTOR)
        if (gn_journal_is_zero(p + at, GN_JOURNAL_SECTOR))
            return true;
    return false;
}

/* CRC of `bytes` at p, of which the 4 at crc_at count as zeros. */
static uint32_t crc_without(const void *p, size_t bytes, size_t crc_at)
{
    static const uint32_t zero = 0;
    const uint8_t *b = p;
    uint32_t crc = gn_crc32c(0, b, crc_at);
    crc = gn_crc32c(crc, &zero, sizeof zero);
    return gn_crc32c(crc, b + crc_at + sizeof zero, bytes - crc_at - sizeof zero);
}

void gn_journal_seal_segment(struct gn_journal_segment *s)
{
    s->crc = crc_without(s, sizeof *s, offsetof(struct gn_journal_segment, crc));
}

enum gn_journal_block_state gn_journal_check_segment(const struct gn_journal_segment *s)
{
    if (gn_journal_is_zero(s, GN_JOURNAL_SECTOR))
        return GN_JOURNAL_BLOCK_NONE;
    /* The version comes before the checksum: a newer one may keep it elsewhere. */
    if (s->magic == GN_JOURNAL_SEGMENT_MAGIC && s->major > GN_JOURNAL_MAJOR)
        return GN_JOURNAL_BLOCK_NEWER;
    if (s->magic == GN_JOURNAL_SEGMENT_MAGIC &&
        s->crc == crc_without(s, sizeof *s, offsetof(struct gn_journal_segment, crc)) &&
        s->header_bytes == GN_JOURNAL_BLOCK && s->segment_bytes % GN_JOURNAL_BLOCK == 0 &&
        s->segment_bytes >= 2 * GN_JOURNAL_BLOCK && s->segment_bytes <= GN_JOURNAL_SEGMENT_BYTES_MAX &&
        s->table_magic == GN_JOURNAL_TABLE_MAGIC && s->instance[sizeof s->instance - 1] == 0 &&
        s->build[sizeof s->build - 1] == 0)
        return GN_JOURNAL_BLOCK_OK;
    return gn_journal_has_zero_sector(s, 2 * GN_JOURNAL_SECTOR) ? GN_JOURNAL_BLOCK_TORN : GN_JOURNAL_BLOCK_BAD;
}

void gn_journal_seal_batch(struct gn_journal_batch *b)
{
    uint32_t padded = gn_journal_padded(b->bytes);
    memset((uint8_t *)b + b->bytes, 0, padded - b->bytes);
    b->header_crc = crc_without(b, HEADER_CRC_BYTES, offsetof(struct gn_journal_batch, crc));
    b->crc = crc_without(b, padded, offsetof(struct gn_journal_batch, crc));
}

enum gn_journal_block_state gn_journal_check_batch_header(const struct gn_journal_batch *b, uint64_t room)
{
    if (gn_journal_is_zero(b, GN_JOURNAL_SECTOR))
        return GN_JOURNAL_BLOCK_NONE;
    if (b->magic != GN_JOURNAL_BATCH_MAGIC ||
        b->header_crc != crc_without(b, HEADER_CRC_BYTES, offsetof(struct gn_journal_batch, crc)) ||
        b->bytes < sizeof *b || b->bytes > GN_JOURNAL_BATCH_BYTES_MAX || gn_journal_padded(b->bytes) > room)
        return GN_JOURNAL_BLOCK_BAD;
    return GN_JOURNAL_BLOCK_OK;
}

enum gn_journal_block_state gn_journal_check_batch(const struct gn_journal_batch *b)
{
    if (b->crc == crc_without(b, gn_journal_padded(b->bytes), offsetof(struct gn_journal_batch, crc)))
        return GN_JOURNAL_BLOCK_OK;
    return gn_journal_has_zero_sector(b, b->bytes) ? GN_JOURNAL_BLOCK_TORN : GN_JOURNAL_BLOCK_BAD;
}

void gn_journal_file_name(uint64_t number, char name[GN_JOURNAL_NAME_BYTES])
{
    (void)snprintf(name, GN_JOURNAL_NAME_BYTES, GN_JOURNAL_NAME_FORMAT, (unsigned)number);
}

uint64_t gn_journal_file_number(const char *name)
{
    char again[GN_JOURNAL_NAME_BYTES];
    static const char prefix[] = "gannet-journal-";
    if (strncmp(name, prefix, sizeof prefix - 1) != 0 || strlen(name) >= sizeof again)
        return 0;
    uint64_t number = strtoull(name + sizeof prefix - 1, NULL, 10);
    if (number == 0 || number > 0xffffffffu)
        return 0;
    gn_journal_file_name(number, again);
    return strcmp(name, again) == 0 ? number : 0;
}
