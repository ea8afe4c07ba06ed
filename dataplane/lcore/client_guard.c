#include "dataplane/lcore/client_guard.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

static struct {
    uintptr_t at;
    uint64_t bytes;
    _Atomic uint32_t lost; /* release in the handler pairs with acquire in gn_client_guard_lost */
} guarded[GN_CLIENTS_MAX];

void gn_client_guard_add(uint32_t index, void *mem, uint64_t bytes)
{
    guarded[index].at = (uintptr_t)mem;
    guarded[index].bytes = bytes;
}

static void on_bus_error(int sig, siginfo_t *info, void *context)
{
    (void)context;
    const int kept = errno;
    const uintptr_t at = (uintptr_t)info->si_addr;
    for (uint32_t i = 0; i < GN_CLIENTS_MAX; i++) {
        if (guarded[i].bytes == 0 || at - guarded[i].at >= guarded[i].bytes)
            continue;
        const void *zeros = mmap((void *)guarded[i].at, guarded[i].bytes, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        if (zeros == MAP_FAILED)
            break;
        atomic_store_explicit(&guarded[i].lost, 1, memory_order_release);
        errno = kept;
        return; /* the instruction is tried again */
    }
    (void)signal(sig, SIG_DFL); /* not ours: the same instruction ends the process */
}

int gn_client_guard_on(void)
{
    struct sigaction sa = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    return sigaction(SIGBUS, &sa, NULL) != 0 ? -errno : 0;
}

bool gn_client_guard_lost(uint32_t index)
{
    return atomic_load_explicit(&guarded[index].lost, memory_order_acquire) != 0;
}
