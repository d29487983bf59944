/*
 * answer-server - answers every HTTP/1.1 request on keep-alive connections with 1 KB, from one thread.
 *
 * Listens on a free port of 127.0.0.1, says it on stdout, and ends when stdin does. Requests have no body.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 512) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        return 1;
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);

    static char answer[2048];
    int head = snprintf(answer, sizeof answer,
                        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: max-age=3600\r\n"
                        "Content-Length: 1024\r\n\r\n");
    memset(answer + head, 'x', 1024);
    size_t length = (size_t)head + 1024;

    int poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, ready[256];
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    event.data.fd = STDIN_FILENO;
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    static char buffer[65536];
    for (;;) {
        int count = epoll_wait(poller, ready, 256, -1);
        for (int index = 0; index < count; index++) {
            int descriptor = ready[index].data.fd;
            if (descriptor == STDIN_FILENO) return 0;
            if (descriptor == listener) {
                int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                if (connection < 0) continue;
                setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                event.data.fd = connection;
                epoll_ctl(poller, EPOLL_CTL_ADD, connection, &event);
                continue;
            }
            ssize_t received = recv(descriptor, buffer, sizeof buffer, 0);
            if (received <= 0) {
                close(descriptor);
                continue;
            }
            /* libcurl sends one request at a time, in one piece: four bytes end it. */
            if (received >= 4 && memcmp(buffer + received - 4, "\r\n\r\n", 4) == 0 &&
                send(descriptor, answer, length, MSG_NOSIGNAL) != (ssize_t)length)
                close(descriptor);
        }
    }
}
