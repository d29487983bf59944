/*
 * Sets a processor aside and gives it back, with a runner that stands behind and two that do not, each with threads of its own.
 * Prints what went wrong; nothing when all threads are where they belong, "one" where there is only one processor.
 */
#define _GNU_SOURCE
#include "tandem_start.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 3 };
static cpu_set_t all, last, others;

static void *rest(void *context) {
    (void)context;
    for (;;) pause();
    return NULL;
}

static void start_threads(void) {
    for (int index = 0; index < THREADS; index++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, rest, NULL) != 0) exit(2);
    }
}

static pid_t start_runner(void) {
    int ready[2];
    if (pipe(ready) != 0) exit(2);
    pid_t pid = fork();
    if (pid < 0) exit(2);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        start_threads();
        if (write(ready[1], "r", 1) != 1) _exit(2);
        rest(NULL);
    }
    char letter;
    if (read(ready[0], &letter, 1) != 1) exit(2);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void expect(const char *when, const char *who, pid_t pid, const cpu_set_t *where) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    int count = 0;
    for (struct dirent *entry; tasks != NULL && (entry = readdir(tasks)) != NULL;) {
        pid_t task = atoi(entry->d_name);
        cpu_set_t now;
        if (task <= 0) continue;
        count++;
        if (sched_getaffinity(task, sizeof now, &now) != 0 || !CPU_EQUAL(&now, where)) {
            printf("%s: a thread of %s is not where it belongs\n", when, who);
        }
    }
    if (tasks != NULL) closedir(tasks);
    if (count <= THREADS) printf("%s: %s has %d threads\n", when, who, count);
}

int main(void) {
    if (sched_getaffinity(0, sizeof all, &all) != 0) return 2;
    if (tandem_processor_count() != CPU_COUNT(&all)) printf("%d processors\n", tandem_processor_count());
    if (CPU_COUNT(&all) < 2) {
        printf("one");
        return 0;
    }
    int number = CPU_SETSIZE - 1;
    while (!CPU_ISSET(number, &all)) number--;
    CPU_ZERO(&last);
    CPU_SET(number, &last);
    others = all;
    CPU_CLR(number, &others);

    start_threads();
    const pid_t burner = start_runner(), one = start_runner(), two = start_runner();
    tandem_place_runner(burner, TANDEM_PLACE_LAST);
    expect("placed", "the burner", burner, &last);
    expect("placed", "the host", getpid(), &all);

    const pid_t equals[2] = {one, two};
    tandem_set_aside(1, equals, 2);
    start_threads();
    const pid_t late = start_runner();
    tandem_place_runner(late, TANDEM_PLACE_EQUAL);
    expect("set aside", "the burner", burner, &last);
    expect("set aside", "the host", getpid(), &others);
    expect("set aside", "the first runner", one, &others);
    expect("set aside", "the second runner", two, &others);
    expect("set aside", "a runner started then", late, &others);
    if (tandem_processor_count() != CPU_COUNT(&all)) printf("set aside: %d processors\n", tandem_processor_count());
    tandem_place_runner(two, TANDEM_PLACE_BEHIND);
    expect("set aside", "who has to stand behind", two, &last);

    const pid_t rest_of_them[2] = {one, late};
    tandem_set_aside(0, rest_of_them, 2);
    expect("given back", "the host", getpid(), &all);
    expect("given back", "the first runner", one, &all);
    expect("given back", "a runner started then", late, &all);
    expect("given back", "the burner", burner, &last);
    tandem_place_runner(two, TANDEM_PLACE_EQUAL);
    expect("given back", "who stands like everybody again", two, &all);

    const pid_t runners[] = {burner, one, two, late};
    for (int index = 0; index < 4; index++) {
        kill(runners[index], SIGKILL);
        waitpid(runners[index], NULL, 0);
    }
    return 0;
}
