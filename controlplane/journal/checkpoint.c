#include "controlplane/journal/checkpoint.h"

#include <errno.h>

#include "controlplane/journal/segment.h"

#define SIGNED_BYTES offsetof(struct gn_journal_checkpoint, signature)

const char *gn_journal_checkpoint_shape(const union gn_journal_checkpoint_block *b)
{
    const struct gn_journal_batch *h = &b->at.batch;
    const struct gn_journal_checkpoint *c = &b->at.checkpoint;
    if (gn_journal_check_batch_header(h, GN_JOURNAL_BLOCK) != GN_JOURNAL_BLOCK_OK ||
        gn_journal_check_batch(h) != GN_JOURNAL_BLOCK_OK)
        return "its checksums do not hold";
    if (h->kind != GN_JOURNAL_BATCH_CHECKPOINT || h->bytes != sizeof b->at || h->records != 0 ||
        c->magic != GN_JOURNAL_CHECKPOINT_MAGIC || c->bytes != sizeof *c || c->number == 0 ||
        c->instance[sizeof c->instance - 1] != 0)
        return "it is no checkpoint";
    if (c->flags != h->flags || c->time_ns != h->time_ns || c->segment_epoch != h->segment_epoch ||
        c->offset != h->offset || c->batch != h->seq || c->records != h->first_record ||
        memcmp(c->chain, h->prev_hash, sizeof c->chain) != 0)
        return "what it signs is not what its batch says";
    return NULL;
}

bool gn_journal_checkpoint_sign(struct gn_journal_checkpoint *c, const struct gn_journal_key *key)
{
    memcpy(c->public_key, gn_journal_key_public(key), sizeof c->public_key);
    return gn_journal_sign(key, c, SIGNED_BYTES, c->signature);
}

bool gn_journal_checkpoint_signed(const struct gn_journal_checkpoint *c)
{
    return gn_journal_signed(c->public_key, c, SIGNED_BYTES, c->signature);
}

int gn_journal_head_read(const struct gn_journal_io *io, const char *dir, union gn_journal_checkpoint_block *out)
{
    union gn_journal_checkpoint_block slot;
    bool direct;
    int found = 0;
    int handle = io->open(io->ctx, dir, GN_JOURNAL_HEAD_NAME, GN_JOURNAL_OPEN_READ, &direct);
    if (handle < 0)
        return handle == -ENOENT ? 0 : handle;
    for (uint32_t i = 0; i < GN_JOURNAL_HEAD_SLOTS; i++) {
        int64_t n = io->read(io->ctx, handle, &slot, sizeof slot, (uint64_t)i * sizeof slot);
        if (n < 0) {
            io->close(io->ctx, handle);
            return (int)n;
        }
        if (n != sizeof slot || gn_journal_checkpoint_shape(&slot) != NULL ||
            (found != 0 && slot.at.checkpoint.number <= out->at.checkpoint.number) ||
            !gn_journal_checkpoint_signed(&slot.at.checkpoint))
            continue;
        *out = slot;
        found = 1;
    }
    io->close(io->ctx, handle);
    return found;
}
