#include "controlplane/journal/index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "controlplane/journal/crc32c.h"
#include "controlplane/journal/reader_impl.h"

#define PATH_BYTES 4096

static uint32_t add(uint64_t *out, uint32_t n, uint64_t id)
{
    for (uint32_t i = 0; i < n; i++)
        if (out[i] == id)
            return n;
    if (id != 0)
        out[n++] = id;
    return n;
}

uint32_t gn_journal_orders_of(const struct gn_journal_item *item, uint64_t out[GN_JOURNAL_ORDERS_MAX])
{
    const void *payload = item->payload;
    const struct gn_ev_order *order = payload;
    const struct gn_exec *exec = payload;
    const struct gn_intent *intent = payload;
    uint32_t n = 0;
    switch (item->rec->type) {
    case GN_EV_ORDER:
        if (item->payload_bytes < sizeof *order)
            return 0;
        n = add(out, n, order->order_id);
        n = add(out, n, order->intent.target);
        return n;
    case GN_EV_EXEC:
    case GN_EV_EXEC_REPORT:
        if (item->payload_bytes < sizeof *exec)
            return 0;
        n = add(out, n, exec->order_id);
        n = add(out, n, exec->prev_id);
        return add(out, n, item->rec->corr);
    case GN_EV_CANCEL:
        return item->payload_bytes < sizeof(struct gn_ev_cancel)
                   ? 0
                   : add(out, n, ((const struct gn_ev_cancel *)payload)->order_id);
    case GN_EV_INTENT:
        return item->payload_bytes < sizeof *intent ? 0 : add(out, n, intent->target);
    default:
        return 0;
    }
}

/* ---- building ---- */

struct list {
    struct gn_journal_index_entry *at;
    size_t count, room;
};

static bool append(struct list *l, uint64_t order, uint32_t batch)
{
    if (l->count == l->room) {
        size_t room = l->room == 0 ? 4096 : 2 * l->room;
        void *more = realloc(l->at, room * sizeof *l->at);
        if (more == NULL)
            return false;
        l->at = more;
        l->room = room;
    }
    l->at[l->count++] = (struct gn_journal_index_entry){.order = order, .batch = batch, .records = 1};
    return true;
}

static int by_order(const void *a, const void *b)
{
    const struct gn_journal_index_entry *x = a, *y = b;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return x->batch < y->batch ? -1 : x->batch > y->batch;
}

/* Sorts and joins the entries of one order in one batch. */
static void tidy(struct list *l)
{
    size_t to = 0;
    if (l->count == 0)
        return;
    qsort(l->at, l->count, sizeof *l->at, by_order);
    for (size_t i = 1; i < l->count; i++) {
        if (l->at[i].order == l->at[to].order && l->at[i].batch == l->at[to].batch)
            l->at[to].records++;
        else
            l->at[++to] = l->at[i];
    }
    l->count = to + 1;
}

static int collect(struct gn_journal_reader *r, uint64_t segment, struct list *l, struct gn_journal_index *h)
{
    struct gn_journal_item item;
    int rc = gn_journal_reader_seek(r, segment);
    h->segment_epoch = r->segment_epoch;
    h->first_ns = UINT64_MAX;
    while (rc == GN_JOURNAL_OK) {
        uint64_t orders[GN_JOURNAL_ORDERS_MAX];
        /* The end of this segment: its hash is the chain before the next header is taken in. */
        if (r->rec_left == 0) {
            memcpy(h->end_hash, r->chain, sizeof h->end_hash);
            const bool finished = (r->last_flags & (GN_JOURNAL_BATCH_LAST | GN_JOURNAL_BATCH_CLOSE)) != 0;
            rc = gn_jr_batch(r);
            if (rc == 0)
                return finished ? GN_JOURNAL_OK : GN_JOURNAL_ERR_ARG;
            if (rc < 0 || r->segment->number != segment)
                return rc < 0 ? rc : GN_JOURNAL_OK;
        }
        rc = gn_jr_record(r, &item);
        if (rc <= 0)
            continue;
        rc = GN_JOURNAL_OK;
        const uint32_t n = gn_journal_orders_of(&item, orders);
        for (uint32_t i = 0; i < n; i++)
            if (!append(l, orders[i], (uint32_t)item.batch->offset))
                return GN_JOURNAL_ERR_NOMEM;
        h->records++;
        h->first_ns = item.rec->time_ns < h->first_ns ? item.rec->time_ns : h->first_ns;
        h->last_ns = item.rec->time_ns > h->last_ns ? item.rec->time_ns : h->last_ns;
    }
    return rc;
}

static int path_of(char *path, const char *dir, uint64_t segment, const char *suffix)
{
    char name[GN_JOURNAL_NAME_BYTES];
    (void)snprintf(name, sizeof name, GN_JOURNAL_INDEX_FORMAT, (unsigned)segment);
    return snprintf(path, PATH_BYTES, "%s/%s%s", dir, name, suffix) < PATH_BYTES ? 0 : -1;
}

static int write_file(const char *dir, const struct gn_journal_index *h, const struct list *l)
{
    char path[PATH_BYTES], temp[PATH_BYTES];
    if (path_of(path, dir, h->segment, "") != 0 || path_of(temp, dir, h->segment, ".new") != 0)
        return GN_JOURNAL_ERR_ARG;
    FILE *f = fopen(temp, "we");
    if (f == NULL)
        return GN_JOURNAL_ERR_IO;
    bool ok =
        fwrite(h, sizeof *h, 1, f) == 1 && (l->count == 0 || fwrite(l->at, sizeof *l->at, l->count, f) == l->count);
    ok = fclose(f) == 0 && ok;
    if (ok && rename(temp, path) == 0)
        return GN_JOURNAL_OK;
    (void)unlink(temp);
    return GN_JOURNAL_ERR_IO;
}

static uint32_t header_crc(const struct gn_journal_index *h)
{
    struct gn_journal_index copy = *h;
    copy.header_crc = 0;
    return gn_crc32c(0, &copy, sizeof copy);
}

int gn_journal_index_build(const char *dir, uint64_t segment)
{
    struct gn_journal_reader *r;
    struct list l = {.count = 0};
    struct gn_journal_index h = {
        .magic = GN_JOURNAL_INDEX_MAGIC, .version = GN_JOURNAL_INDEX_VERSION, .segment = segment};
    int rc = gn_journal_reader_open(&r, dir, NULL, NULL);
    if (rc != GN_JOURNAL_OK)
        return rc;
    rc = collect(r, segment, &l, &h);
    gn_journal_reader_close(r);
    if (rc == GN_JOURNAL_OK) {
        tidy(&l);
        h.entries = l.count;
        h.entries_crc = gn_crc32c(0, l.at, l.count * sizeof *l.at);
        h.header_crc = header_crc(&h);
        rc = write_file(dir, &h, &l);
    }
    free(l.at);
    return rc;
}

/* ---- looking up ---- */

static bool read_at(int fd, void *out, size_t bytes, uint64_t offset)
{
    return pread(fd, out, bytes, (off_t)offset) == (ssize_t)bytes;
}

/* Handle of an index that fits the segment, its header in *h; negative when there is none. */
static int open_index(const char *dir, uint64_t segment, uint64_t epoch, const uint8_t *end_hash,
                      struct gn_journal_index *h)
{
    char path[PATH_BYTES];
    if (path_of(path, dir, segment, "") != 0)
        return -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (!read_at(fd, h, sizeof *h, 0) || h->magic != GN_JOURNAL_INDEX_MAGIC || h->version != GN_JOURNAL_INDEX_VERSION ||
        h->header_crc != header_crc(h) || h->segment != segment || h->segment_epoch != epoch ||
        (end_hash != NULL && memcmp(end_hash, h->end_hash, sizeof h->end_hash) != 0) ||
        lseek(fd, 0, SEEK_END) != (off_t)(sizeof *h + h->entries * sizeof(struct gn_journal_index_entry))) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static bool entry_at(int fd, uint64_t i, struct gn_journal_index_entry *e)
{
    return read_at(fd, e, sizeof *e, sizeof(struct gn_journal_index) + i * sizeof *e);
}

int64_t gn_journal_index_find(const char *dir, uint64_t segment, uint64_t segment_epoch, const uint8_t *end_hash,
                              uint64_t order, uint32_t *out, uint32_t room)
{
    struct gn_journal_index h;
    struct gn_journal_index_entry e;
    int fd = open_index(dir, segment, segment_epoch, end_hash, &h);
    if (fd < 0)
        return GN_JOURNAL_ERR_IO;
    uint64_t low = 0, high = h.entries;
    bool ok = true;
    while (ok && low < high) {
        const uint64_t mid = low + (high - low) / 2;
        ok = entry_at(fd, mid, &e);
        if (ok && e.order < order)
            low = mid + 1;
        else
            high = mid;
    }
    int64_t found = 0;
    for (; ok && low < h.entries; low++) {
        ok = entry_at(fd, low, &e);
        if (!ok || e.order != order)
            break;
        if ((uint64_t)found < room)
            out[found] = e.batch;
        found++;
    }
    (void)close(fd);
    return ok ? found : GN_JOURNAL_ERR_IO;
}

bool gn_journal_index_times(const char *dir, uint64_t segment, uint64_t segment_epoch, const uint8_t *end_hash,
                            uint64_t *first_ns, uint64_t *last_ns)
{
    struct gn_journal_index h;
    int fd = open_index(dir, segment, segment_epoch, end_hash, &h);
    if (fd < 0)
        return false;
    (void)close(fd);
    *first_ns = h.first_ns;
    *last_ns = h.last_ns;
    return true;
}
