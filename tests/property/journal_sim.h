/* A simulated disk with a write-back cache behind struct gn_journal_io: seeded, so that every crash and every fault can
 * be repeated. What was written and not flushed is, after a loss of power, any subset of its 512-byte sectors.
 *
 *      sim_clone: the disk as a crash at this instant may leave it; cheap: unchanged files are shared.
 *
 * Every call that a real disk may fail counts as one I/O; the k-th one can be made to fail, once or from then on.
 */
#ifndef GN_TEST_JOURNAL_SIM_H
#define GN_TEST_JOURNAL_SIM_H

#include "controlplane/journal/io.h"

#define SIM_FILES 48

struct sim_file {
    char name[48];
    uint8_t *data; /* what a read sees; NULL = slot free */
    uint64_t bytes;
    bool shared; /* belongs to the disk that this one was cloned from */
};

/* What happens to writes that the disk acknowledges: the lies. */
enum sim_lie {
    SIM_HONEST = 0,
    SIM_MISDIRECT_OFFSET = 1, /* lands at another block of the same file */
    SIM_MISDIRECT_FILE = 2,   /* lands at the same offset of another segment */
    SIM_LOST = 3,             /* never lands */
    SIM_FLIP = 4,             /* one bit is another */
    SIM_LIES = 5,
};

struct sim_disk {
    struct sim_file file[SIM_FILES];
    uint64_t seed, clock_ns;
    /* the write in flight */
    bool pending;
    int handle;
    const uint8_t *buf;
    uint32_t bytes;
    uint64_t offset;
    uint32_t stalls; /* reaps that find nothing yet */
    /* faults */
    uint64_t ios, fail_at; /* calls so far; the one that fails, 0 = none */
    bool fail_for_good, hit;
    int fail_errno;
    bool fail_short; /* instead: a write of fail_at comes back short */
    uint64_t submits, lie_at;
    enum sim_lie lie;
    uint64_t changes;           /* removes and prepares: what a crash of recovery can fall between */
    uint64_t die_after_changes; /* 0 = never */
    bool dead;
};

struct gn_journal_io sim_io(struct sim_disk *d);

/* sim_clone: d as it may be after a loss of power now. */
void sim_clone(const struct sim_disk *d, struct sim_disk *out, uint64_t *seed);

/* sim_free: gives back what is not shared. */
void sim_free(struct sim_disk *d);

struct sim_file *sim_find(struct sim_disk *d, const char *name);

/* sim_flip: one random bit of a random segment that has a header; the file's private copy is changed. False when there
 * is none. */
bool sim_flip(struct sim_disk *d, uint64_t *seed);

#endif
