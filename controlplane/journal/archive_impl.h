/* Shared by archive.c (reading) and retention.c (writing, deleting). */
#ifndef GN_JOURNAL_ARCHIVE_IMPL_H
#define GN_JOURNAL_ARCHIVE_IMPL_H

#include "controlplane/journal/archive.h"

#define GN_ARCHIVE_PATH 4096

/* An open .gnz with its last frame decompressed; fd is the caller's. */
struct gn_packed {
    int fd;
    struct gn_archive_head head;
    struct gn_archive_frame *table;
    uint8_t *frame, *packed;
    uint32_t cached; /* frame that is in `frame` */
};

/* gn_packed_open: NULL, or what is wrong; nothing to close then. gn_packed_read: as io.read, damage is -EBADMSG. */
const char *gn_packed_open(struct gn_packed *p, int fd);
int64_t gn_packed_read(struct gn_packed *p, void *buf, uint32_t bytes, uint64_t offset) GN_MUST_CHECK;
void gn_packed_close(struct gn_packed *p);

/* gn_archive_path: of a file of segment `number` in dir's archive folder; false when it is too long. */
bool gn_archive_path(char path[GN_ARCHIVE_PATH], const char *dir, uint64_t number, const char *ending) GN_MUST_CHECK;

/* gn_archive_number: segment number of a file name with that ending, 0 = not such a name. */
uint64_t gn_archive_number(const char *name, const char *ending);

#endif
