#include "controlplane/journal/err.h"

const char *gn_journal_strerror(int err)
{
    switch (err) {
    case GN_JOURNAL_OK:
        return "ok";
    case GN_JOURNAL_ERR_ARG:
        return "a configured size or a ring is out of range";
    case GN_JOURNAL_ERR_NOMEM:
        return "out of memory";
    case GN_JOURNAL_ERR_IO:
        return "the storage failed";
    case GN_JOURNAL_ERR_SHORT:
        return "a write came back short";
    case GN_JOURNAL_ERR_RING:
        return "an event ring's indices or a record header are impossible";
    case GN_JOURNAL_ERR_SEQ:
        return "an event ring's sequence is not contiguous";
    case GN_JOURNAL_ERR_LOST:
        return "a ring released records as durable that the journal does not have";
    case GN_JOURNAL_ERR_AHEAD:
        return "the journal has records that the ring never published";
    case GN_JOURNAL_ERR_HOLE:
        return "a hole with whole batches after it";
    case GN_JOURNAL_ERR_DAMAGED:
        return "the journal is damaged in a way that no crash explains";
    case GN_JOURNAL_ERR_VERSION:
        return "the journal was written by a newer major format version";
    case GN_JOURNAL_ERR_LOCKED:
        return "another process journals into this directory";
    case GN_JOURNAL_ERR_NOSPACE:
        return "no segment is ready and none can be made";
    case GN_JOURNAL_ERR_THREAD:
        return "the journal thread cannot be started, or runs already";
    default:
        return "unknown journal error";
    }
}
