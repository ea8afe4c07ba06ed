/* memif: shared memory between two processes of this machine, no privilege needed. One side serves the socket. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "drivers/port/port.h"

static bool device(const struct gn_conf_port *c, uint32_t index, char *out, size_t size)
{
    (void)c;
    return snprintf(out, size, "net_memif%u", index) < (int)size;
}

static bool devargs(const struct gn_conf_port *c, uint32_t index, char *out, size_t size)
{
    uint32_t log2 = 31 - (uint32_t)__builtin_clz(c->rx_descs | 1);
    int n = snprintf(out, size, "net_memif%u,role=%s,id=%u,socket=%s,socket-abstract=no,rsize=%u,bsize=2048", index,
                     c->server ? "server" : "client", c->memif_id, c->device, log2);
    return n > 0 && n < (int)size;
}

static bool check(const struct gn_conf_port *c, char *err, size_t size)
{
    if (c->server || access(c->device, F_OK) == 0)
        return true;
    snprintf(err, size,
             "port %s: nobody serves the socket %s; start the other side first, or make this one role: server", c->name,
             c->device);
    return false;
}

const struct gn_port_ops gn_port_memif = {
    .kind = GN_PORT_MEMIF,
    .name = "memif",
    .devargs = devargs,
    .device = device,
    .check = check,
};

/* ---- a peer that goes away ---- */

/* When a memif peer goes away, DPDK's driver (22.11, memif_disconnect) unmaps the shared rings on the thread that
 * noticed it, while a lcore may be in the middle of a burst on them: a peer that dies would take this process with it.
 * The driver is a library of its own, so its munmap binds to this one: what the driver gives back goes a while later,
 * when no burst that began before can still be under way. Everybody else's munmap is as ever.
 */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    #define LATER_MAX 64u
    #define LATER_S   2 /* a burst is over in microseconds; a lcore that was put aside in it, within this */

static struct {
    void *at;
    size_t bytes;
    struct timespec since;
} later[LATER_MAX];
static uint32_t n_later;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool from_memif(const void *caller)
{
    Dl_info info;
    return dladdr(caller, &info) != 0 && info.dli_fname != NULL && strstr(info.dli_fname, "librte_net_memif") != NULL;
}

int munmap(void *at, size_t bytes)
{
    struct timespec now;
    if (!from_memif(__builtin_return_address(0)))
        return (int)syscall(SYS_munmap, at, bytes);
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)pthread_mutex_lock(&lock);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n_later; i++) {
        if (now.tv_sec - later[i].since.tv_sec > LATER_S || n_later == LATER_MAX)
            (void)syscall(SYS_munmap, later[i].at, later[i].bytes);
        else
            later[kept++] = later[i];
    }
    later[kept].at = at;
    later[kept].bytes = bytes;
    later[kept].since = now;
    n_later = kept + 1;
    (void)pthread_mutex_unlock(&lock);
    return 0;
}
#endif
