/* The order connection of the kernel peer: the calls of dataplane/net/tcp.h that the stages make, over one TCP socket
 * of the kernel. The build gives those calls other names (meson.build), so that the stages' sources are the very same.
 *
 *      gn_tcp_connect -> ksock_poll (connected, bytes) -> gn_tcp_events, _readable, _consume
 *      gn_tcp_prepare, _commit -> send(2)
 */
#ifndef GN_BENCH_KERNEL_TCP_H
#define GN_BENCH_KERNEL_TCP_H

#include "dataplane/net/tcp.h"

/* ksock_poll: finishes a connect, sends what the kernel would not take before, reads what has come. True when bytes
 * came. */
bool ksock_poll(void);

/* ksock_fd: the socket, -1 when there is none; changes counts every change of it. */
int ksock_fd(uint32_t *changes);

/* ksock_udp: the socket that retransmission requests leave from. */
void ksock_udp(int fd);

#endif
