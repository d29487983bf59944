#define _GNU_SOURCE
#include "tandem_start.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* As of include/uapi/linux/sched/types.h, first version: newer libraries name it, older ones do not. */
struct attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime;
    uint64_t deadline;
    uint64_t period;
};

/* A tenth of what others get: not so little that a call never ends on a machine that is busy with other things. */
#define NICE 10
#define NICE_TEXT "10"

uint64_t tandem_processor_ns(pid_t pid) {
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void write_text(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return;
    ssize_t written = write(file, text, strlen(text));
    (void)written;
    close(file);
}

void tandem_yield_runner(pid_t pid, int must_yield) {
    char path[64];
    /*
     * For the threads among themselves and against ours; a long slice is what any other thread may cut short (Linux 6.12,
     * ignored before).
     */
    struct attributes attributes = {
        .size = sizeof attributes, .policy = must_yield ? SCHED_BATCH : SCHED_OTHER, .nice = must_yield ? NICE : 0,
        .runtime = must_yield ? 100000000 : 0};
    struct attributes without_nice = attributes;
    without_nice.nice = NICE;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    for (struct dirent *entry; tasks != NULL && (entry = readdir(tasks)) != NULL;) {
        pid_t task = atoi(entry->d_name);
        if (task > 0 && syscall(SYS_sched_setattr, task, &attributes, 0) != 0) {
            syscall(SYS_sched_setattr, task, &without_nice, 0);
        }
    }
    if (tasks != NULL) closedir(tasks);
    /* For the session as a whole, where the kernel shares out the time by sessions first (CONFIG_SCHED_AUTOGROUP). */
    snprintf(path, sizeof path, "/proc/%d/autogroup", (int)pid);
    write_text(path, must_yield ? NICE_TEXT : "0");
}
