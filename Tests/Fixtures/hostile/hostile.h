/*
 * The shared part of the hostile plugins: the small plugin of ../plugins/fixture.h and ways to say what worked.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each file does one thing that no plugin may do. The tests give the manifest as a macro, so that they can lay out a
 * bundle without running its code.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#ifndef MANIFEST
#define MANIFEST "{}"
#endif
#include "../plugins/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

/* The socket to the host, as it happens to be numbered. */
#define HOST_SOCKET 3

/* As the host reads it (Host/Clib/CRunner/include/tandem_frames.h). */
struct frame_head {
    uint32_t length;
    uint16_t kind;
    uint16_t flags;
    uint32_t instance;
    uint32_t code;
    uint64_t id;
};

/* A completion, as the runner writes it. */
struct completion {
    struct frame_head head;
    struct {
        uint32_t size, flags, kind;
        int32_t status;
        uint32_t trust, reserved;
        uint64_t retry;
        uint64_t lengths[4];
        uint32_t withheld, padding;
    } outcome;
    char value[16];
};

/* With a value, of no call yet. */
static inline struct completion stolen_answer(void) {
    struct completion frame = {.head = {.length = 72 + 16, .kind = 68}};
    frame.outcome.size = sizeof(tandem_outcome);
    frame.outcome.kind = TANDEM_OUTCOME_VALUE;
    frame.outcome.lengths[0] = 15;
    memcpy(frame.value, "{\"stolen\":true}", 15);
    return frame;
}

#define FORGED_INSERT "[{\"insert\":\"hostile_notes\",\"values\":{\"body\":\"forged\"}}]"

/* A request for rows, as the runner writes it. */
struct insertion {
    struct frame_head head;
    uint64_t call;
    char operations[(sizeof FORGED_INSERT - 1 + 7) / 8 * 8];
};

/* Of no instance and no call yet. */
static inline struct insertion forged_insertion(void) {
    struct insertion frame = {.head = {.length = 8 + sizeof frame.operations, .kind = 70, .code = 4u << 16 | 1, .id = 1u << 30}};
    memset(frame.operations, ' ', sizeof frame.operations);
    memcpy(frame.operations, FORGED_INSERT, sizeof FORGED_INSERT - 1);
    return frame;
}

/* Sends bytes with descriptors; -1 when it is not to be. */
static inline ssize_t send_files(const void *bytes, size_t length, const int *files, size_t count, int flags) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * 64)];
    } control;
    struct iovec part = {(void *)(uintptr_t)bytes, length};
    struct msghdr message = {0};
    memset(&control, 0, sizeof control);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(&control.header), files, sizeof(int) * count);
    return sendmsg(HOST_SOCKET, &message, MSG_NOSIGNAL | flags);
}

static inline void pause_ms(long milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

static inline void crash(void) {
    volatile int *volatile nowhere = NULL;
    *nowhere = 1;
}

static inline void hang(void) {
    for (;;) pause_ms(1000);
}

static inline plugin_instance *self_of(tandem_instance *instance) { return (plugin_instance *)instance; }

/* What worked although it must not, as a JSON array of words. */
struct worked {
    char json[4096];
    size_t length;
};

static inline void note(struct worked *worked, int has_worked, const char *what) {
    if (!has_worked || worked->length + strlen(what) + 8 > sizeof worked->json) return;
    worked->length += (size_t)snprintf(worked->json + worked->length, sizeof worked->json - worked->length, "%s\"%s\"",
                                       worked->length == 0 ? "" : ",", what);
}

static inline tandem_status answer(tandem_instance *instance, tandem_call_id call, const char *json) {
    tandem_outcome outcome = outcome_of(TANDEM_OUTCOME_VALUE);
    outcome.value = text(json);
    outcome.message = text("Done.");
    return self_of(instance)->host->complete(self_of(instance)->host, call, &outcome);
}

static inline tandem_status answer_worked(tandem_instance *instance, tandem_call_id call, const struct worked *worked) {
    char json[4200];
    snprintf(json, sizeof json, "{\"worked\":[%s]}", worked->json);
    return answer(instance, call, json);
}

#endif
