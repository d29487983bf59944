/* tandem_start.h - starts tandem-plugin-runner from a large, many-threaded process without copying its memory. */
#ifndef TANDEM_START_H
#define TANDEM_START_H

#include "tandem_frames.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

typedef struct tandem_started {
    pid_t pid;
    int process;      /* a pidfd, close-on-exec; -1: the kernel has none */
    uint32_t granted; /* TANDEM_ISOLATION_* that starting has brought about */
    int error;        /* of the exec, when there is no process */
} tandem_started;

/*
 * Starts `path` in namespaces of its own, as far as the kernel lets us, with three descriptors (TANDEM_RUNNER_*), an
 * environment of one variable (the Swift runtime's backtraces off), no signal blocked or ignored, in a session of its own.
 *
 * Blocks until the program has been replaced; the parent-death signal follows the calling thread, so the caller is a
 * thread that lives as long as the process. 0, or -1 with `error`.
 */
int tandem_start_runner(const char *path, int socket_fd, int library, int folder, tandem_started *started);

/* Reaps a process. 1: *status is as of waitpid; 0: it has not ended; -1: there is nothing to reap. */
int tandem_reap(pid_t pid, int *status);

/* SIGKILL, through the pidfd where there is one. */
void tandem_kill_runner(pid_t pid, int process);

/* A connected pair of stream sockets, close-on-exec; the first one does not block. 0 or -1 with errno. */
int tandem_socket_pair(int pair[2]);

/*
 * Sends bytes and, with the first of them, a descriptor (or -1). Never blocks. The bytes taken, or -1 with errno;
 * no SIGPIPE.
 */
ssize_t tandem_send(int socket_fd, const void *bytes, size_t count, int descriptor);

/*
 * Receives bytes and up to `room` descriptors (close-on-exec). The bytes, 0 at the end, or -1 with errno. Descriptors
 * beyond `room` are closed by the kernel, and *taken is -1.
 */
ssize_t tandem_receive(int socket_fd, void *bytes, size_t count, int *descriptors, int room, int *taken);

/* Maps a memory file for reading when it is sealed against writing and shrinking and has at least `size` bytes. */
const void *tandem_map_sealed(int descriptor, uint64_t size);

/* A sealed memory file with these bytes, or -1 with errno. */
int tandem_sealed_copy(const void *bytes, size_t count);

/* Sets the soft limit of processor seconds of another process; 0 or -1. */
int tandem_limit_processor(pid_t pid, uint64_t seconds);

/* The processor time that a process has taken, in nanoseconds; 0: it is gone. */
uint64_t tandem_processor_ns(pid_t pid);
/*
 * What a runner's turn on a processor lasts while others wait, in nanoseconds (custom slices of EEVDF, Linux 6.12): its
 * neighbours are answered in between. A short one costs nobody anything who has a processor to himself.
 */
#define TANDEM_TURN_NS 200000u
/* The host's own: who asks for less at a time is served first, and the host has all neighbours' answers in its hands. */
#define TANDEM_QUICK_TURN_NS 100000u

/* Gives the calling thread, and those that it starts, short turns; it is no more or less important than before. */
void tandem_take_short_turns(void);

/* Gives all threads of this process that have no other policy, and those that they start, the shortest turns. */
void tandem_answer_quickly(void);

enum {
    /* Its turn like everybody's, as far as the host has the right to (a nice value is lowered by root only). */
    TANDEM_PLACE_EQUAL,
    /* On one processor with all who stand there; for root, who alone could take it back, a third of the others' weight. */
    TANDEM_PLACE_BEHIND,
    /* There, with next to no weight. */
    TANDEM_PLACE_LAST
};

/* Puts all threads of a runner at a place (TANDEM_PLACE_*) among those who wait for a processor. Always on the same thread. */
void tandem_place_runner(pid_t pid, int place);

/* How many processors this process may use; 0: the system does not say. On the thread of `tandem_place_runner`. */
int tandem_processor_count(void);

/*
 * Keeps this process and the runners that stand like everybody off the processor of those who have to stand behind, until it is
 * called with 0: nobody who is woken is put there to wait. Nothing where there is only one. On the thread of
 * `tandem_place_runner`.
 */
void tandem_set_aside(int wanted, const pid_t *equals, size_t count);

/*
 * Looks, giving way to who else waits for this processor, until a socket can be read from or its other end is gone: 1; 0 after
 * so many nanoseconds. Without a timer, which costs more than the wait where a hypervisor keeps it.
 */
int tandem_await_readable(int socket_fd, uint64_t nanoseconds);

/* Nanoseconds of the monotonic clock. */
uint64_t tandem_now_ns(void);

/*
 * For a thread that looks for something instead of sleeping, since to wake a thread takes longer than most calls: gives way to
 * who else waits for this processor. 0: somebody did, or it has been looking for too long since `began`; *now is the time.
 */
int tandem_look_on(uint64_t began, uint64_t *now);

/* Whether something that came now came soon enough after `began` to be looked for the next time. */
int tandem_came_soon(uint64_t began);

/* How many bytes can be read from a socket. */
size_t tandem_unread(int socket_fd);

/*
 * epoll_wait that looks a while for events before the thread sleeps, giving way to who else waits for this processor, when the
 * last ones came soon: to wake a thread takes longer than most events to handle. *is_awaited_often: 0 at first, then its own.
 */
int tandem_await_events(int queue, struct epoll_event *events, int room, int milliseconds, int *is_awaited_often);

/* A clock that can be waited for by epoll, or -1: it ticks when it has been given an interval. */
int tandem_ticker(void);

/* Ticks each so many nanoseconds from now on; 0: not at all. */
void tandem_set_ticker(int ticker, uint64_t nanoseconds);

/* Takes the ticks that there were. */
void tandem_take_ticks(int ticker);

/* The path of the library that has a symbol in this process, or null. */
const char *tandem_library_of(const char *symbol);

/*
 * Holds this process in as far as a runner does by its filter of system calls (Host/Runner/filter.c), every thread of it:
 * no new processes, no sockets, no writing to files, no signals to others. Cannot be undone. 0 when the kernel does not do it.
 */
int tandem_hold_in(void);

#endif
