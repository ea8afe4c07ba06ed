/* A client may shorten its own file while the data plane has it mapped; the next look at it would end the process with
 * SIGBUS. The guard puts zeros under the whole mapping instead and says so: what the client can lose this way is its
 * own link, which is checked like everything it writes.
 *
 * The handler runs on the lcore that looked. It does one mmap(2) in the life of a mapping; the lcore's rule against
 * system calls gives way to staying alive.
 */
#ifndef GN_LCORE_CLIENT_GUARD_H
#define GN_LCORE_CLIENT_GUARD_H

#include "dataplane/abi/conf.h"

/* gn_client_guard_add: client `index` (< GN_CLIENTS_MAX) is mapped at mem, bytes a multiple of the page size. Before
 * gn_client_guard_on. */
void gn_client_guard_add(uint32_t index, void *mem, uint64_t bytes);

/* gn_client_guard_on: from here SIGBUS within a mapping is survived; anywhere else it ends the process as ever. 0, or a
 * negative errno. */
int gn_client_guard_on(void) GN_MUST_CHECK;

/* gn_client_guard_lost: the client's file was cut under us; stays so until the data plane is started again. */
bool gn_client_guard_lost(uint32_t index);

#endif
