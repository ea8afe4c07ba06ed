/* A disk in memory that tears, fails and shortens writes on command; behind struct gn_journal_io. */
#ifndef GN_TEST_JOURNAL_MEM_DISK_H
#define GN_TEST_JOURNAL_MEM_DISK_H

#include "controlplane/journal/io.h"

#define MD_FILES 64

struct mem_file {
    char name[48];
    uint8_t *data;
    uint64_t bytes;
};

struct mem_disk {
    struct mem_file file[MD_FILES];
    /* the write in flight */
    bool pending;
    int handle;
    const uint8_t *buf;
    uint32_t bytes;
    uint64_t offset;
    uint64_t clock_ns;
    uint64_t commit_ns; /* what a commit takes; 0 = 50 us */
    uint64_t submits, syncs, prepares;
    /* faults: the call of that number (from 1) fails; 0 = never */
    uint64_t fail_submit, fail_write, fail_short, fail_sync, fail_prepare_from, fail_prepare_to;
    int fail_errno;
    bool dead; /* every write fails: the process that sends them is gone */
};

/* md_io: the table over d, which is all zeros to begin with. */
struct gn_journal_io md_io(struct mem_disk *d);

/* md_crash: the power goes: of the write in flight, each sector is there or not as the seed says. */
void md_crash(struct mem_disk *d, uint64_t *seed);

/* md_find: a file by its name, NULL when there is none. */
struct mem_file *md_find(struct mem_disk *d, const char *name);

void md_free(struct mem_disk *d);

#endif
