/*
 * What holds a plugin in while it is checked: the system calls that a runner allows, and limits. A stranger's plugin can
 * be looked at that way; it still reads what this user may read.
 */
#include "worker.h"

#include <sys/resource.h>
#include <tandem_start.h>
#include <unistd.h>

static void limit(int resource, rlim_t most) {
    struct rlimit value;
    if (getrlimit(resource, &value) != 0) return;
    if (value.rlim_max == RLIM_INFINITY || value.rlim_max > most) value.rlim_max = most;
    if (value.rlim_cur == RLIM_INFINITY || value.rlim_cur > value.rlim_max) value.rlim_cur = value.rlim_max;
    setrlimit(resource, &value);
}

void contain_worker(void) {
    limit(RLIMIT_AS, (rlim_t)4 << 30);
    limit(RLIMIT_FSIZE, 64 << 20);
    limit(RLIMIT_CORE, 0);
    if (!tandem_hold_in()) {
        finding(LEVEL_ERROR, "worker_failed", "this kernel has no seccomp: plugins cannot be held in while they are checked");
        report_end();
        _exit(70);
    }
}
