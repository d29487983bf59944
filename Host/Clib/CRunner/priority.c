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

static void set_threads(pid_t pid, const struct attributes *wanted, const struct attributes *otherwise, const cpu_set_t *where) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    if (tasks == NULL) return;
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        pid_t task = atoi(entry->d_name);
        if (task <= 0) continue;
        if (where != NULL) sched_setaffinity(task, sizeof *where, where);
        if (syscall(SYS_sched_setattr, task, wanted, 0) == 0) continue;
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

/* The processors of this process; without all but the last of them when a place is to be given to who is in the way. */
static int processors(cpu_set_t *set, int only_last) {
    if (sched_getaffinity(getpid(), sizeof *set, set) != 0) return 0;
    int count = CPU_COUNT(set);
    if (!only_last || count < 2) return count;
    int last = CPU_SETSIZE - 1;
    while (!CPU_ISSET(last, set)) last--;
    CPU_ZERO(set);
    CPU_SET(last, set);
    return count;
}

void tandem_place_runner(pid_t pid, int place) {
    /*
     * Who has to stand behind others shares one processor with all who have to, where there are several. Weight alone does
     * not do: a woken thread that is not due yet (EEVDF) waits for the running one until the next tick, some milliseconds.
     * Where there is only one, the idle policy comes nearest; elsewhere it would make that processor look free to others.
     */
    cpu_set_t where;
    const int count = processors(&where, place != TANDEM_PLACE_EQUAL);
    const cpu_set_t *there = count > 1 ? &where : NULL;
    const int own = getpriority(PRIO_PROCESS, (id_t)getpid());
    const int is_root = geteuid() == 0;
    const struct attributes normal = {
        .size = sizeof normal, .policy = SCHED_OTHER, .nice = own, .runtime = TANDEM_TURN_NS};
    /* A third of the others' weight: who is slow for a reason must not starve beside a busy machine. */
    const struct attributes behind = {
        .size = sizeof behind, .policy = SCHED_BATCH, .nice = own > 14 ? 19 : own + 5, .runtime = TANDEM_TURN_NS};
    const struct attributes last = {
        .size = sizeof last, .policy = SCHED_BATCH, .nice = 19, .runtime = TANDEM_TURN_NS};
    const struct attributes idle = {.size = sizeof idle, .policy = SCHED_IDLE};
    /* The nice value stays when it may not be lowered again: only root can, and only root uses the idle policy. */
    const struct attributes patient = {
        .size = sizeof patient, .policy = SCHED_OTHER, .nice = 19, .runtime = TANDEM_TURN_NS};
    if (place == TANDEM_PLACE_EQUAL) {
        set_threads(pid, &normal, &patient, there);
    } else if (place == TANDEM_PLACE_BEHIND) {
        set_threads(pid, is_root ? &behind : &normal, &patient, there);
    } else {
        set_threads(pid, is_root && there == NULL ? &idle : &last, &last, there);
    }
    /*
     * For the session as a whole, where the kernel shares out the time by sessions first (CONFIG_SCHED_AUTOGROUP): a tenth
     * of what others get, or next to nothing.
     */
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/autogroup", (int)pid);
    write_text(path, place == TANDEM_PLACE_EQUAL ? "0" : place == TANDEM_PLACE_BEHIND ? "10" : "19");
}
