#define _GNU_SOURCE
#include "tandem_start.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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

static void set_threads(pid_t pid, const struct attributes *wanted, const struct attributes *otherwise) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    if (tasks == NULL) return;
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        pid_t task = atoi(entry->d_name);
        if (task <= 0 || syscall(SYS_sched_setattr, task, wanted, 0) == 0) continue;
        syscall(SYS_sched_setattr, task, otherwise, 0);
    }
    closedir(tasks);
}

void tandem_take_short_turns(void) {
    const struct attributes turns = {
        .size = sizeof turns, .policy = SCHED_OTHER, .nice = getpriority(PRIO_PROCESS, 0), .runtime = TANDEM_TURN_NS};
    /* Kernels that know no slices of one's own take the rest, which is as it was. */
    syscall(SYS_sched_setattr, 0, &turns, 0);
}

void tandem_answer_quickly(void) {
    struct attributes quick = {
        .size = sizeof quick, .policy = SCHED_OTHER, .nice = getpriority(PRIO_PROCESS, 0),
        .runtime = TANDEM_QUICK_TURN_NS};
    DIR *tasks = opendir("/proc/self/task");
    if (tasks == NULL) return;
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        pid_t task = atoi(entry->d_name);
        /* Others have been given their place by whoever started the program. */
        if (task <= 0 || sched_getscheduler(task) != SCHED_OTHER) continue;
        quick.nice = getpriority(PRIO_PROCESS, (id_t)task);
        syscall(SYS_sched_setattr, task, &quick, 0);
    }
    closedir(tasks);
}

void tandem_place_runner(pid_t pid, int place) {
    /*
     * For each thread against everybody's: many threads of one plugin shall weigh less than one of ours, and any other
     * may cut their turn short (a long slice does that from Linux 6.12 on, the idle policy always). Only who can take the
     * idle policy or a nice value back uses it.
     */
    const int own = getpriority(PRIO_PROCESS, (id_t)getpid());
    const int is_root = geteuid() == 0;
    const struct attributes idle = {.size = sizeof idle, .policy = SCHED_IDLE};
    const struct attributes batch = {.size = sizeof batch, .policy = SCHED_BATCH, .nice = 19, .runtime = TANDEM_LONG_TURN_NS};
    /* A third of the others' weight, or all of it: who is slow for a reason must not starve beside a busy machine. */
    const struct attributes behind = {
        .size = sizeof behind,
        .policy = SCHED_BATCH,
        .nice = !is_root ? own : own > 14 ? 19 : own + 5,
        .runtime = TANDEM_LONG_TURN_NS};
    const struct attributes normal = {
        .size = sizeof normal, .policy = SCHED_OTHER, .nice = own, .runtime = TANDEM_TURN_NS};
    /* The nice value stays when it may not be lowered again. */
    const struct attributes patient = {
        .size = sizeof patient, .policy = SCHED_OTHER, .nice = 19, .runtime = TANDEM_TURN_NS};
    if (place == TANDEM_PLACE_EQUAL) {
        set_threads(pid, &normal, &patient);
    } else if (place == TANDEM_PLACE_BEHIND) {
        set_threads(pid, &behind, &batch);
    } else if (is_root) {
        set_threads(pid, &idle, &batch);
    } else {
        set_threads(pid, &batch, &batch);
    }
    /*
     * For the session as a whole, where the kernel shares out the time by sessions first (CONFIG_SCHED_AUTOGROUP): a tenth
     * of what others get, or next to nothing.
     */
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/autogroup", (int)pid);
    write_text(path, place == TANDEM_PLACE_EQUAL ? "0" : place == TANDEM_PLACE_BEHIND ? "10" : "19");
}
