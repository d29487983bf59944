/*
 * load-driver ADDRESS PORT CONNECTIONS FILE - sends prepared HTTP/1.1 requests over keep-alive connections and says how
 * long the answers took.
 *
 * FILE holds requests one after the other, each preceded by its length as a 32-bit little-endian number: they are made
 * and signed beforehand, so that the driver costs little of the machine that it shares with the server. Each request is
 * sent once, in order, on whichever connection is free. One JSON object on stdout:
 *   {"requests":N,"failed":F,"seconds":S,"perSecond":R,"p50_ms":…,"p90_ms":…,"p99_ms":…,"max_ms":…}
 * A request counts as failed when its status is not 200. Exit 0 when all were answered, 1 otherwise, 2 on bad usage.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct connection {
    int descriptor;
    uint64_t sent_at;
    const uint8_t *unsent;
    size_t unsent_count;
    char answer[65536];
    size_t answer_count;
};

static uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int by_value(const void *left, const void *right) {
    const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static const uint8_t *file, *cursor, *file_end;
static size_t sent_count;

/* Takes the next request; 0 when there is none left. */
static int take(struct connection *connection) {
    uint32_t length;
    if (cursor + 4 > file_end) return 0;
    memcpy(&length, cursor, 4);
    if (length > (size_t)(file_end - cursor - 4)) return 0;
    connection->unsent = cursor + 4;
    connection->unsent_count = length;
    cursor += 4 + length;
    connection->answer_count = 0;
    connection->sent_at = now_ns();
    sent_count++;
    return 1;
}

/* 1 when all is written, 0 when the socket is full, -1 on failure. */
static int push(struct connection *connection) {
    while (connection->unsent_count > 0) {
        ssize_t count = send(connection->descriptor, connection->unsent, connection->unsent_count, MSG_NOSIGNAL);
        if (count < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
        connection->unsent += count;
        connection->unsent_count -= (size_t)count;
    }
    return 1;
}

/* The status once the whole answer is there, 0 before, -1 on failure. */
static int pull(struct connection *connection) {
    for (;;) {
        size_t room = sizeof connection->answer - 1 - connection->answer_count;
        if (room == 0) return -1;
        ssize_t count = recv(connection->descriptor, connection->answer + connection->answer_count, room, 0);
        if (count == 0) return -1;
        if (count < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
        connection->answer_count += (size_t)count;
        connection->answer[connection->answer_count] = 0;
        char *body = strstr(connection->answer, "\r\n\r\n");
        if (body == NULL) continue;
        char *length = strcasestr(connection->answer, "\r\ncontent-length:");
        size_t expected = length != NULL && length < body ? (size_t)strtoul(length + 17, NULL, 10) : 0;
        if (connection->answer_count >= (size_t)(body + 4 - connection->answer) + expected)
            return atoi(connection->answer + 9);
    }
}

int main(int count, char **arguments) {
    if (count != 5) {
        fprintf(stderr, "usage: load-driver ADDRESS PORT CONNECTIONS FILE\n");
        return 2;
    }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[2]))};
    int wanted = atoi(arguments[3]);
    int input = open(arguments[4], O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (inet_pton(AF_INET, arguments[1], &address.sin_addr) != 1 || wanted < 1 || wanted > 4096 || input < 0 ||
        fstat(input, &status) != 0 || status.st_size == 0) {
        fprintf(stderr, "load-driver: bad address, number of connections or file\n");
        return 2;
    }
    file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, input, 0);
    if (file == MAP_FAILED) return 2;
    cursor = file;
    file_end = file + status.st_size;

    size_t capacity = (size_t)status.st_size / 64 + 1, answered = 0, failed = 0;
    uint64_t *latencies = calloc(capacity, sizeof *latencies);
    struct connection *connections = calloc((size_t)wanted, sizeof *connections);
    int poll = epoll_create1(EPOLL_CLOEXEC), open_count = 0;
    if (latencies == NULL || connections == NULL || poll < 0) return 2;

    for (int index = 0; index < wanted; index++) {
        int one = 1, descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
            perror("load-driver: connect");
            return 1;
        }
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        fcntl(descriptor, F_SETFL, O_NONBLOCK);
        connections[index].descriptor = descriptor;
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = &connections[index]};
        epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event);
    }
    uint64_t start = now_ns();
    for (int index = 0; index < wanted; index++) {
        if (!take(&connections[index])) break;
        open_count++;
        push(&connections[index]);
    }
    while (open_count > 0) {
        struct epoll_event events[256];
        int ready = epoll_wait(poll, events, 256, 30000);
        if (ready <= 0) break;
        for (int index = 0; index < ready; index++) {
            struct connection *connection = events[index].data.ptr;
            if (connection->descriptor < 0 || connection->sent_at == 0) continue;
            int code = push(connection) < 0 ? -1 : pull(connection);
            if (code == 0) continue;
            if (code < 0) {
                failed++;
                close(connection->descriptor);
                connection->descriptor = -1;
                open_count--;
                continue;
            }
            if (code != 200) failed++;
            latencies[answered++] = now_ns() - connection->sent_at;
            connection->sent_at = 0;
            if (take(connection)) {
                if (push(connection) < 0) failed++;
            } else {
                open_count--;
            }
        }
    }
    double seconds = (double)(now_ns() - start) / 1e9;
    qsort(latencies, answered, sizeof *latencies, by_value);
#define AT(fraction) (answered == 0 ? 0.0 : (double)latencies[(size_t)((double)(answered - 1) * (fraction))] / 1e6)
    printf("{\"requests\":%zu,\"answered\":%zu,\"failed\":%zu,\"seconds\":%.3f,\"perSecond\":%.0f,"
           "\"p50_ms\":%.2f,\"p90_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f}\n",
           sent_count, answered, failed, seconds, seconds > 0 ? (double)answered / seconds : 0, AT(0.5), AT(0.9), AT(0.99),
           AT(1.0));
    return failed == 0 && answered == sent_count ? 0 : 1;
}
