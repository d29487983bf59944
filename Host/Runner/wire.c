/* wire.c - frames to the host: gathered by all threads, sent together by one. */
#include "runner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <tandem_start.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 256 << 10, MOST_GATHERED = 1 << 20 };

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t idle;
    uint8_t *bytes;
    size_t length, capacity;
    uint8_t *spare;
    size_t spare_capacity;
    int sending;
} out = {.mutex = PTHREAD_MUTEX_INITIALIZER, .idle = PTHREAD_COND_INITIALIZER};

/* The host is gone, or has lost patience; or the plugin has broken the connection. Nothing is left to do. */
static _Noreturn void end(void) { _exit(errno == EPIPE || errno == ECONNRESET ? 0 : TANDEM_EXIT_HUNG_UP); }

/* Too many descriptors of this user are on their way to somewhere: not of our making, and soon over. */
static void wait_for_room(void) {
    struct timespec pause = {0, 2000000};
    nanosleep(&pause, NULL);
}

static void send_all(const uint8_t *bytes, size_t length) {
    while (length > 0) {
        ssize_t amount = send(TANDEM_RUNNER_SOCKET, bytes, length, MSG_NOSIGNAL);
        if (amount < 0) {
            if (errno == EINTR) continue;
            end();
        }
        bytes += amount;
        length -= (size_t)amount;
    }
}

/* With the mutex held, which is released while the system sends. */
static void flush_locked(void) {
    while (out.length > 0 && !out.sending) {
        uint8_t *bytes = out.bytes;
        size_t length = out.length, capacity = out.capacity;
        out.bytes = out.spare;
        out.capacity = out.spare_capacity;
        out.length = 0;
        out.spare = NULL;
        out.spare_capacity = 0;
        out.sending = 1;
        pthread_mutex_unlock(&out.mutex);
        send_all(bytes, length);
        pthread_mutex_lock(&out.mutex);
        out.sending = 0;
        if (capacity <= 4 * ROOM && out.spare == NULL) {
            out.spare = bytes;
            out.spare_capacity = capacity;
        } else {
            free(bytes);
        }
        pthread_cond_broadcast(&out.idle);
    }
}

void flush_frames(void) {
    pthread_mutex_lock(&out.mutex);
    flush_locked();
    pthread_mutex_unlock(&out.mutex);
}

size_t gathered_bytes(void) {
    pthread_mutex_lock(&out.mutex);
    size_t length = out.length;
    pthread_mutex_unlock(&out.mutex);
    return length;
}

/* With the mutex held. */
static uint8_t *reserve(size_t count) {
    if (out.length + count > out.capacity) {
        size_t capacity = out.capacity > 0 ? out.capacity : ROOM;
        while (capacity < out.length + count) capacity *= 2;
        uint8_t *bytes = realloc(out.bytes, capacity);
        if (bytes == NULL) _exit(70);
        out.bytes = bytes;
        out.capacity = capacity;
    }
    uint8_t *place = out.bytes + out.length;
    out.length += count;
    return place;
}

static void send_as_file(tandem_frame frame, const part *parts, size_t count, uint64_t length) {
    uint8_t *body = malloc(length);
    if (body == NULL) _exit(70);
    uint64_t at = 0;
    for (size_t index = 0; index < count; index++) {
        if (parts[index].length > 0) memcpy(body + at, parts[index].bytes, parts[index].length);
        at += parts[index].length;
    }
    int file = tandem_sealed_copy(body, length);
    free(body);
    if (file < 0) _exit(70);
    struct {
        tandem_frame frame;
        uint64_t size;
    } head = {frame, length};
    head.frame.length = sizeof head.size;
    head.frame.flags |= TANDEM_FRAME_FILE;
    pthread_mutex_lock(&out.mutex);
    /* In order: after everything that was gathered, before everything that comes. */
    for (;;) {
        flush_locked();
        if (!out.sending && out.length == 0) break;
        pthread_cond_wait(&out.idle, &out.mutex);
    }
    out.sending = 1;
    pthread_mutex_unlock(&out.mutex);
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    memset(&control, 0, sizeof control);
    struct iovec part_of_it = {&head, sizeof head};
    struct msghdr message = {0};
    message.msg_iov = &part_of_it;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &file, sizeof(int));
    ssize_t amount;
    do {
        amount = sendmsg(TANDEM_RUNNER_SOCKET, &message, MSG_NOSIGNAL);
        if (amount < 0 && errno == ETOOMANYREFS) wait_for_room();
    } while (amount < 0 && (errno == EINTR || errno == ETOOMANYREFS));
    if (amount < 0) end();
    if ((size_t)amount < sizeof head) send_all((const uint8_t *)&head + amount, sizeof head - (size_t)amount);
    close(file);
    pthread_mutex_lock(&out.mutex);
    out.sending = 0;
    pthread_cond_broadcast(&out.idle);
    flush_locked();
    pthread_mutex_unlock(&out.mutex);
}

int send_frame(uint16_t kind, uint32_t instance, uint32_t code, uint64_t id, const part *parts, size_t count) {
    uint64_t length = 0;
    for (size_t index = 0; index < count; index++) {
        if (parts[index].length > TANDEM_FRAME_MAX) return 0;
        length += parts[index].length;
    }
    if (length > TANDEM_FRAME_MAX) return 0;
    tandem_frame frame = {(uint32_t)length, kind, 0, instance, code, id};
    if (length > TANDEM_FRAME_INLINE) {
        send_as_file(frame, parts, count, length);
        return 1;
    }
    size_t padded = (size_t)(length + 7) & ~(size_t)7;
    pthread_mutex_lock(&out.mutex);
    /* The host does not read: whoever has something to say waits. */
    while (out.sending && out.length > MOST_GATHERED) pthread_cond_wait(&out.idle, &out.mutex);
    uint8_t *place = reserve(sizeof frame + padded);
    memcpy(place, &frame, sizeof frame);
    place += sizeof frame;
    for (size_t index = 0; index < count; index++) {
        if (parts[index].length > 0) memcpy(place, parts[index].bytes, parts[index].length);
        place += parts[index].length;
    }
    memset(place, 0, padded - (size_t)length);
    /* Asked with the mutex held: whoever takes the reading away sends what was gathered afterwards. */
    if (!is_gathering() || out.length > MOST_GATHERED / 4) flush_locked();
    pthread_mutex_unlock(&out.mutex);
    return 1;
}
