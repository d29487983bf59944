/* Tries to get rid of what holds it in. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

#include <sys/prctl.h>
#include <sys/resource.h>

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    struct worked worked = {0};
    struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    static const int RESOURCES[] = {RLIMIT_AS, RLIMIT_CPU, RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_FSIZE, RLIMIT_CORE};
    for (size_t i = 0; i < sizeof RESOURCES / sizeof RESOURCES[0]; i++) {
        note(&worked, setrlimit((__rlimit_resource_t)RESOURCES[i], &unlimited) == 0, "setrlimit");
        note(&worked, prlimit(getppid(), (enum __rlimit_resource)RESOURCES[i], &unlimited, NULL) == 0, "prlimit");
    }
    note(&worked, setuid(0) == 0 && getuid() == 0 && syscall(SYS_chroot, "/") == 0, "root");
    note(&worked, prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) == 0, "parent death");
    note(&worked, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0, "dumpable");
    note(&worked, prctl(PR_SET_SECCOMP, 0, NULL, 0, 0) == 0, "seccomp");
    note(&worked, syscall(SYS_setns, HOST_SOCKET, 0) == 0, "setns");
    note(&worked, syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL) == 0, "mount");
    note(&worked, nice(-20) != -1, "nice");
    note(&worked, syscall(SYS_bpf, 0, NULL, 0) >= 0, "bpf");
    note(&worked, syscall(SYS_io_uring_setup, 8, NULL) >= 0, "io_uring");
    note(&worked, syscall(SYS_keyctl, 0, -3, 1, 0, 0) >= 0, "keyctl");
    note(&worked, syscall(SYS_userfaultfd, 0) >= 0, "userfaultfd");
    return answer_worked(instance, request->call, &worked);
}
