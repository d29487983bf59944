#define _GNU_SOURCE
#include "tandem_start.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif
#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#endif
#define SEAL_SEAL 0x1
#define SEAL_SHRINK 0x2
#define SEAL_GROW 0x4
#define SEAL_WRITE 0x8

typedef struct child_plan {
    const char *path;
    int from[3];
    int null;
    volatile int error;
} child_plan;

enum { STACK_BYTES = 64 << 10, HIGH = 64 };

/*
 * Lets the program keep CAP_SETUID of its own user namespace: it becomes a user of its own there (Host/Runner/contain.c), so
 * that the kernel counts its threads. Without a user namespace, and without privileges, this fails, and nothing is lost.
 */
static void keep_identity_right(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0) return;
    data[0].inheritable |= 1u << CAP_SETUID;
    if (syscall(SYS_capset, &header, data) != 0) return;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETUID, 0, 0);
}

/* Runs on its own stack in the parent's memory, with the parent's thread stopped: system calls only. */
static int child_main(void *argument) {
    child_plan *plan = argument;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    for (int number = 1; number < 65; number++) {
        /* 32 and 33 are the C library's; those that cannot be changed answer EINVAL. */
        if (number != 32 && number != 33) sigaction(number, &action, NULL);
    }
    setsid();
    keep_identity_right();
    int high[4];
    const int sources[4] = {plan->from[0], plan->from[1], plan->from[2], plan->null};
    for (int index = 0; index < 4; index++) {
        high[index] = fcntl(sources[index], F_DUPFD_CLOEXEC, HIGH);
        if (high[index] < 0) goto failed;
    }
    for (int target = 0; target < 3; target++) {
        if (dup2(high[3], target) < 0) goto failed;
    }
    const int targets[3] = {TANDEM_RUNNER_SOCKET, TANDEM_RUNNER_LIBRARY, TANDEM_RUNNER_FOLDER};
    for (int index = 0; index < 3; index++) {
        if (dup2(high[index], targets[index]) < 0) goto failed;
    }
#ifdef SYS_close_range
    if (syscall(SYS_close_range, TANDEM_RUNNER_FOLDER + 1, ~0u, 0) != 0)
#endif
    {
        struct rlimit limit;
        rlim_t last = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536 ? limit.rlim_cur : 65536;
        for (int number = TANDEM_RUNNER_FOLDER + 1; number < (int)last; number++) close(number);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    char name[] = "tandem-plugin-runner";
    char variable[] = "SWIFT_BACKTRACE=enable=no";
    char *const arguments[] = {name, NULL};
    char *const environment[] = {variable, NULL};
    execve(plan->path, arguments, environment);
failed:
    plan->error = errno;
    _exit(127);
}

/*
 * Gives a user namespace, made by root, itself and one more user, whom nobody else is: the kernel does not limit root's
 * threads. The runner makes that one its real user. Of another user threads are limited anyway.
 */
static void map_users(pid_t pid) {
    char path[64], map[64];
    if (geteuid() != 0) return;
    snprintf(path, sizeof path, "/proc/%d/uid_map", (int)pid);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return;
    /* All at once or not at all: a map is written once. */
    int length = snprintf(map, sizeof map, "0 0 1\n%u %u 1\n", TANDEM_RUNNER_USER, 0x40000000u + (unsigned)pid);
    ssize_t written = write(file, map, (size_t)length);
    if (written < 0) {
        /* Within a container there may be fewer users. */
        length = snprintf(map, sizeof map, "0 0 1\n%u %u 1\n", TANDEM_RUNNER_USER, TANDEM_RUNNER_USER);
        written = write(file, map, (size_t)length);
    }
    (void)written;
    close(file);
}

int tandem_start_runner(const char *path, int socket_fd, int library, int folder, tandem_started *started) {
    static const struct {
        int flags;
        uint32_t granted;
    } attempts[] = {
        /* Without privileges, a user namespace first; it has to come with the others. */
        {CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWUTS,
         TANDEM_ISOLATION_USER | TANDEM_ISOLATION_PROCESSES | TANDEM_ISOLATION_NETWORK | TANDEM_ISOLATION_IPC |
             TANDEM_ISOLATION_MOUNTS},
        /* A container may forbid user namespaces and yet be privileged. */
        {CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWUTS,
         TANDEM_ISOLATION_PROCESSES | TANDEM_ISOLATION_NETWORK | TANDEM_ISOLATION_IPC | TANDEM_ISOLATION_MOUNTS},
        {CLONE_NEWUSER | CLONE_NEWNET, TANDEM_ISOLATION_USER | TANDEM_ISOLATION_NETWORK},
        {0, 0},
    };
    memset(started, 0, sizeof *started);
    started->process = -1;
    child_plan plan = {path, {socket_fd, library, folder}, open("/dev/null", O_RDWR | O_CLOEXEC), 0};
    if (plan.null < 0) {
        started->error = errno;
        return -1;
    }
    char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) {
        started->error = errno;
        close(plan.null);
        return -1;
    }
    /* No handler of ours may run in the child while it shares our memory. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = -1;
    int process = -1;
    for (size_t index = 0; index < sizeof attempts / sizeof attempts[0] && pid < 0; index++) {
        plan.error = 0;
        process = -1;
        pid = clone(child_main, stack + STACK_BYTES,
                    CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD | attempts[index].flags, &plan, &process);
        if (pid < 0) {
            plan.error = errno;
        } else {
            started->granted = attempts[index].granted;
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    munmap(stack, STACK_BYTES);
    close(plan.null);
    if (pid < 0 || plan.error != 0) {
        started->error = plan.error;
        if (pid >= 0) {
            while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR) {
            }
            if (process >= 0) close(process);
        }
        return -1;
    }
    if (started->granted & TANDEM_ISOLATION_USER) map_users(pid);
    started->pid = pid;
    started->process = process;
    return 0;
}

int tandem_reap(pid_t pid, int *status) {
    pid_t result;
    do {
        result = waitpid(pid, status, WNOHANG | __WALL);
    } while (result < 0 && errno == EINTR);
    return result == pid ? 1 : result == 0 ? 0 : -1;
}

void tandem_kill_runner(pid_t pid, int process) {
#ifdef SYS_pidfd_send_signal
    if (process >= 0) {
        syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0);
        return;
    }
#endif
    kill(pid, SIGKILL);
}

int tandem_socket_pair(int pair[2]) {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return -1;
    int flags = fcntl(pair[0], F_GETFL);
    if (flags < 0 || fcntl(pair[0], F_SETFL, flags | O_NONBLOCK) != 0) {
        int error = errno;
        close(pair[0]);
        close(pair[1]);
        errno = error;
        return -1;
    }
    /* What a runner writes and the host has not read yet: bounded, since the host frees it when the runner ends. */
    const int sizes[2] = {1 << 20, 256 << 10};
    for (int index = 0; index < 2; index++) setsockopt(pair[index], SOL_SOCKET, SO_SNDBUF, &sizes[index], sizeof sizes[index]);
    return 0;
}

ssize_t tandem_send(int socket_fd, const void *bytes, size_t count, int descriptor) {
    if (descriptor < 0) return send(socket_fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    memset(&control, 0, sizeof control);
    struct iovec part = {(void *)bytes, count};
    struct msghdr message = {0};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
    return sendmsg(socket_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

uint64_t tandem_now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

int tandem_await_readable(int socket_fd, uint64_t nanoseconds) {
    const uint64_t end = tandem_now_ns() + nanoseconds;
    for (;;) {
        char byte;
        ssize_t amount = recv(socket_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        if (amount >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) return 1;
        if (tandem_now_ns() >= end) return 0;
        sched_yield();
    }
}

size_t tandem_unread(int socket_fd) {
    int count = 0;
    return ioctl(socket_fd, FIONREAD, &count) == 0 && count > 0 ? (size_t)count : 0;
}

/* How soon something has to come to be looked for, and how long a thread takes to give way to nobody. */
enum { SOON_NS = 60000, YIELD_NS = 10000 };

int tandem_look_on(uint64_t began, uint64_t *now) {
    const uint64_t before = *now;
    sched_yield();
    *now = tandem_now_ns();
    return *now - before <= YIELD_NS && *now - began <= SOON_NS;
}

int tandem_came_soon(uint64_t began) { return tandem_now_ns() - began < SOON_NS; }

int tandem_await_events(int queue, struct epoll_event *events, int room, int milliseconds, int *is_awaited_often) {
    const uint64_t began = tandem_now_ns();
    int count = 0;
    for (uint64_t now = began; *is_awaited_often && count == 0;) {
        count = epoll_wait(queue, events, room, 0);
        if (count != 0 || !tandem_look_on(began, &now)) break;
    }
    if (count == 0) count = epoll_wait(queue, events, room, milliseconds);
    *is_awaited_often = tandem_came_soon(began);
    return count;
}

int tandem_ticker(void) { return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK); }

void tandem_set_ticker(int ticker, uint64_t nanoseconds) {
    const struct timespec time = {(time_t)(nanoseconds / 1000000000u), (long)(nanoseconds % 1000000000u)};
    const struct itimerspec interval = {time, time};
    timerfd_settime(ticker, 0, &interval, NULL);
}

void tandem_take_ticks(int ticker) {
    uint64_t count;
    ssize_t amount = read(ticker, &count, sizeof count);
    (void)amount;
}

ssize_t tandem_receive(int socket_fd, void *bytes, size_t count, int *descriptors, int room, int *taken) {
    enum { MOST = 16 };
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * MOST)];
    } control;
    if (room > MOST) room = MOST;
    struct iovec part = {bytes, count};
    struct msghdr message = {0};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)room);
    *taken = 0;
    ssize_t amount;
    do {
        amount = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (amount < 0 && errno == EINTR);
    if (amount <= 0) return amount;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        int number = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (int index = 0; index < number; index++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(header) + (size_t)index * sizeof(int), sizeof(int));
            if (*taken < room) {
                descriptors[(*taken)++] = descriptor;
            } else {
                close(descriptor);
            }
        }
    }
    if (message.msg_flags & MSG_CTRUNC) {
        for (int index = 0; index < *taken; index++) close(descriptors[index]);
        *taken = -1;
    }
    return amount;
}

const void *tandem_map_sealed(int descriptor, uint64_t size) {
    struct stat status;
    int seals = fcntl(descriptor, F_GET_SEALS);
    if (seals < 0 || (seals & (SEAL_SHRINK | SEAL_WRITE)) != (SEAL_SHRINK | SEAL_WRITE)) return NULL;
    if (fstat(descriptor, &status) != 0 || status.st_size < 0 || (uint64_t)status.st_size < size || size == 0) return NULL;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    return bytes == MAP_FAILED ? NULL : bytes;
}

int tandem_sealed_copy(const void *bytes, size_t count) {
    int descriptor = (int)syscall(SYS_memfd_create, "tandem-body", 0x1u | 0x2u);
    if (descriptor < 0) return -1;
    size_t done = 0;
    while (done < count) {
        ssize_t amount = write(descriptor, (const char *)bytes + done, count - done);
        if (amount < 0 && errno == EINTR) continue;
        if (amount <= 0) goto failed;
        done += (size_t)amount;
    }
    if (fcntl(descriptor, F_ADD_SEALS, SEAL_SEAL | SEAL_SHRINK | SEAL_GROW | SEAL_WRITE) == 0) return descriptor;
failed:;
    int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

int tandem_limit_processor(pid_t pid, uint64_t seconds) {
    struct rlimit limit;
    if (prlimit(pid, RLIMIT_CPU, NULL, &limit) != 0) return -1;
    limit.rlim_cur = seconds < limit.rlim_max ? seconds : limit.rlim_max;
    return prlimit(pid, RLIMIT_CPU, &limit, NULL);
}

const char *tandem_library_of(const char *symbol) {
    Dl_info info;
    void *address = dlsym(RTLD_DEFAULT, symbol);
    return address != NULL && dladdr(address, &info) != 0 ? info.dli_fname : NULL;
}
