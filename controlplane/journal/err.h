/* Error codes of the journal: writer, recovery and reader share them. */
#ifndef GN_JOURNAL_ERR_H
#define GN_JOURNAL_ERR_H

enum gn_journal_err {
    GN_JOURNAL_OK = 0,
    GN_JOURNAL_ERR_ARG = -1,      /* a configured size or a ring is out of range */
    GN_JOURNAL_ERR_NOMEM = -2,    /* memory, once, at open */
    GN_JOURNAL_ERR_IO = -3,       /* the storage said no; status.sys_errno tells what */
    GN_JOURNAL_ERR_SHORT = -4,    /* a write came back short */
    GN_JOURNAL_ERR_RING = -5,     /* a ring's indices or a record header are impossible */
    GN_JOURNAL_ERR_SEQ = -6,      /* a ring's sequence is not contiguous */
    GN_JOURNAL_ERR_LOST = -7,     /* a ring released records as durable that the journal does not have */
    GN_JOURNAL_ERR_AHEAD = -8,    /* the journal has records that the ring never published: not its journal */
    GN_JOURNAL_ERR_HOLE = -9,     /* valid records follow damage: cutting there would lose them */
    GN_JOURNAL_ERR_DAMAGED = -10, /* bytes are wrong in a way that no crash explains */
    GN_JOURNAL_ERR_VERSION = -11, /* written by a newer major format version */
    GN_JOURNAL_ERR_LOCKED = -12,  /* another process journals into this directory */
    GN_JOURNAL_ERR_NOSPACE = -13, /* no segment is ready and none can be made */
    GN_JOURNAL_ERR_THREAD = -14,  /* the journal thread could not be started or is running already */
};

/* gn_journal_strerror: a sentence for an enum gn_journal_err; never NULL. */
const char *gn_journal_strerror(int err);

#endif
