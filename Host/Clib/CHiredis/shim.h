/* The reader of Redis's protocol (RESP2) and its replies: https://github.com/redis/hiredis */
#ifndef TANDEM_CHIREDIS_SHIM_H
#define TANDEM_CHIREDIS_SHIM_H

#include <errno.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A socket that neither blocks nor is inherited by processes that are started. */
static inline int tandem_socket(int family) { return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

static inline int tandem_event(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

/* The addresses of a host for TCP; 0, or an error of getaddrinfo(3). */
static inline int tandem_resolve(const char *host, const char *port, struct addrinfo **list) {
    struct addrinfo hints;
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    int result = getaddrinfo(host, port, &hints, list);
    if (result != 0) {
        /* Loopback addresses alone do not count as configured. */
        hints.ai_flags = 0;
        result = getaddrinfo(host, port, &hints, list);
    }
    return result;
}

/* Connects to a path; 0, or -1 with errno: ENAMETOOLONG for a path that does not fit. */
static inline int tandem_connect_path(int descriptor, const char *path) {
    struct sockaddr_un address;
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    size_t length = strlen(path);
    if (length >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, length);
    return connect(descriptor, (const struct sockaddr *)&address, sizeof address);
}

/* Sends at once; a dead peer is noticed after the time, also while data is on its way. */
static inline void tandem_tune(int descriptor, unsigned milliseconds) {
    int on = 1, idle = 15, interval = 5, probes = 3;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    setsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
}

/* What became of a connect(2) that was in progress: 0 or an errno. */
static inline int tandem_connect_result(int descriptor) {
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

/* Without SIGPIPE. */
static inline ssize_t tandem_send(int descriptor, const void *bytes, size_t count) {
    return send(descriptor, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static inline ssize_t tandem_receive(int descriptor, void *bytes, size_t count) {
    return recv(descriptor, bytes, count, MSG_DONTWAIT);
}

#endif
