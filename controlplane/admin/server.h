/* The admin socket: a Unix stream in the run directory, one JSON object a line each way. Who may connect is decided by
 * the file system: the socket is for its owner and group.
 */
#ifndef GN_ADMIN_SERVER_H
#define GN_ADMIN_SERVER_H

#include "controlplane/appliance/appliance.h"

#define GN_ADMIN_CLIENTS_MAX 16u
#define GN_ADMIN_LINE_MAX    65536u

struct gn_admin_client {
    int fd;            /* -1 = free */
    uint32_t uid, pid; /* of the process that connected, as the kernel says */
    size_t len;
    char line[GN_ADMIN_LINE_MAX];
};

struct gn_admin_server {
    int listener;
    char path[GN_PATH_MAX + 16];
    uint32_t first; /* client that the next turn begins with */
    struct gn_admin_client client[GN_ADMIN_CLIENTS_MAX];
};

/* gn_admin_open: <run_dir>/admin.sock; one that a dead predecessor left is replaced. */
bool gn_admin_open(struct gn_admin_server *s, const char *run_dir, char err[GN_APPLIANCE_ERR_LEN]) GN_MUST_CHECK;

/* gn_admin_poll: waits up to timeout_ms for requests and answers at most one of each client; what waits then is
 * answered by the next call, which does not sleep. */
void gn_admin_poll(struct gn_admin_server *s, struct gn_appliance *a, int timeout_ms);

void gn_admin_close(struct gn_admin_server *s);

#endif
