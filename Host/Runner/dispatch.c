/*
 * dispatch.c - lets the runtime of Swift plugins live without /proc.
 *
 * libdispatch reads in /proc which of its threads run, to start more of them when too many wait, and ends the process when
 * it cannot (workqueue.c). There is no /proc here. It gets, in place of `/proc/TID/stat`, a file that says that
 * the thread runs: no more threads are started than there are processors. Everything else is opened as ever.
 */
#include "runner.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Passes over decimal digits; null when there are none. */
static const char *digits(const char *text) {
    const char *end = text;
    while (*end >= '0' && *end <= '9') end++;
    return end == text ? NULL : end;
}

static const char *word(const char *text, const char *expected) {
    size_t length = strlen(expected);
    return text != NULL && strncmp(text, expected, length) == 0 ? text + length : NULL;
}

static int is_thread_state(const char *path) {
    const char *at = word(path, "/proc/");
    if (at != NULL) at = digits(at);
    at = word(at, "/stat");
    return at != NULL && *at == 0;
}

static int running(void) {
    static const char state[] = "1 (thread) R 0 0 0\n";
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
    ssize_t written = write(ends[1], state, sizeof state - 1);
    (void)written;
    close(ends[1]);
    return ends[0];
}

/* In place of the C library's, also for the plugin and its libraries. */
__attribute__((visibility("default"))) int open(const char *path, int flags, ...) {
    unsigned mode = 0;
    if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, unsigned);
        va_end(arguments);
    }
    if (is_thread_state(path)) return running();
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
