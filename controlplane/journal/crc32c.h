/* CRC32C (Castagnoli, RFC 3720 appendix B.4), the checksum of the journal. */
#ifndef GN_JOURNAL_CRC32C_H
#define GN_JOURNAL_CRC32C_H

#include "dataplane/abi/base.h"

/* gn_crc32c: continues crc (0 to begin) over bytes; gn_crc32c(gn_crc32c(0, a), b) is that of a followed by b. */
uint32_t gn_crc32c(uint32_t crc, const void *data, size_t bytes);

/* gn_crc32c_portable: the same by table; what gn_crc32c is where the machine has no instruction for it. */
uint32_t gn_crc32c_portable(uint32_t crc, const void *data, size_t bytes);

#endif
