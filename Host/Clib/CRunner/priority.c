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
        if (task <= 0) continue;
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

/* Of the calling thread of the host alone: who looks after runners. */
static struct {
    cpu_set_t all, last, others;
    int count;
    int is_set_aside;
} processors;

/* What this process may run on, as the operator has it now: not while one of them is set aside, which narrows that. */
static void find_processors(void) {
    if (processors.is_set_aside) return;
    processors.count = 0;
    if (sched_getaffinity(getpid(), sizeof processors.all, &processors.all) != 0) return;
    processors.count = CPU_COUNT(&processors.all);
    if (processors.count < 2) return;
    int last = CPU_SETSIZE - 1;
    while (!CPU_ISSET(last, &processors.all)) last--;
    CPU_ZERO(&processors.last);
    CPU_SET(last, &processors.last);
    processors.others = processors.all;
    CPU_CLR(last, &processors.others);
}

static const cpu_set_t *processors_of_equals(void) {
    return processors.is_set_aside ? &processors.others : &processors.all;
}

/* Of every thread of a process: those too that were started by one that had not been moved yet. */
static void move_threads(pid_t pid, const cpu_set_t *where) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    int moved = 1;
    for (int pass = 0; pass < 4 && moved; pass++) {
        DIR *tasks = opendir(path);
        if (tasks == NULL) return;
        moved = 0;
        for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
            pid_t task = atoi(entry->d_name);
            cpu_set_t now;
            if (task <= 0 || sched_getaffinity(task, sizeof now, &now) != 0 || CPU_EQUAL(&now, where)) continue;
            if (sched_setaffinity(task, sizeof *where, where) == 0) moved = 1;
        }
        closedir(tasks);
    }
}

int tandem_processor_count(void) {
    find_processors();
    return processors.count;
}

void tandem_set_aside(int wanted, const pid_t *equals, size_t count) {
    find_processors();
    if (processors.count < 2) return;
    processors.is_set_aside = wanted != 0;
    const cpu_set_t *where = processors_of_equals();
    move_threads(getpid(), where);
    for (size_t index = 0; index < count; index++) move_threads(equals[index], where);
}

void tandem_place_runner(pid_t pid, int place) {
    /*
     * Who has to stand behind others shares one processor with all who have to, where there are several. Weight alone does
     * not do: a woken thread that is not due yet (EEVDF) waits for the running one until the next tick, some milliseconds.
     * Where there is only one, the idle policy comes nearest; elsewhere it would make that processor look free to others.
     */
    find_processors();
    if (processors.count > 1) move_threads(pid, place == TANDEM_PLACE_EQUAL ? processors_of_equals() : &processors.last);
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
        set_threads(pid, &normal, &patient);
    } else if (place == TANDEM_PLACE_BEHIND) {
        set_threads(pid, is_root ? &behind : &normal, &patient);
    } else {
        set_threads(pid, is_root && processors.count < 2 ? &idle : &last, &last);
    }
    /*
     * For the session as a whole, where the kernel shares out the time by sessions first (CONFIG_SCHED_AUTOGROUP): a tenth
     * of what others get, or next to nothing.
     */
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/autogroup", (int)pid);
    write_text(path, place == TANDEM_PLACE_EQUAL ? "0" : place == TANDEM_PLACE_BEHIND ? "10" : "19");
}
