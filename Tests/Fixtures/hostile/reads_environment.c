/* Looks around: environment, command line, memory maps, other processes, leaked descriptors. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

#include <sys/ptrace.h>
#include <sys/uio.h>

extern char **environ;

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    struct worked worked = {0};
    static const char *const PATHS[] = {"/proc/self/environ", "/proc/self/cmdline", "/proc/self/maps", "/proc/self/mem",
                                        "/proc/self/mountinfo", "/proc/self/status", "/proc/1/environ", "/proc/meminfo",
                                        "/proc/self/root/etc/passwd"};
    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) note(&worked, open(PATHS[i], O_RDONLY) >= 0, PATHS[i]);
    for (char **variable = environ; variable != NULL && *variable != NULL; variable++)
        note(&worked, strncmp(*variable, "SWIFT_BACKTRACE=", 16) != 0, *variable);
    for (int file = 0; file < 256; file++) {
        int flags = fcntl(file, F_GETFD);
        char name[32];
        snprintf(name, sizeof name, "descriptor %d", file);
        /* Nothing, nothing, nothing, and the socket. */
        note(&worked, flags >= 0 && file > HOST_SOCKET, name);
    }
    note(&worked, ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0, "ptrace");
    char byte;
    struct iovec mine = {&byte, 1}, theirs = {(void *)0x400000, 1};
    note(&worked, process_vm_readv(getppid(), &mine, 1, &theirs, 1, 0) == 1, "process_vm_readv");
    note(&worked, syscall(SYS_pidfd_open, getppid(), 0) >= 0, "pidfd_open");
    return answer_worked(instance, request->call, &worked);
}
