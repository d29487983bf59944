/* Tries to make processes in every way. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

#include <sched.h>
#include <spawn.h>

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    struct worked worked = {0};
    char *arguments[] = {"/bin/true", NULL};
    pid_t child = -1;
    if ((child = fork()) == 0) hang();
    note(&worked, child > 0, "fork");
    if ((child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL)) == 0) hang();
    note(&worked, child > 0, "clone");
#ifdef SYS_fork
    if ((child = (pid_t)syscall(SYS_fork)) == 0) hang();
    note(&worked, child > 0, "SYS_fork");
#endif
    if ((child = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL)) == 0) hang();
    note(&worked, child > 0, "clone newuser");
    note(&worked, unshare(CLONE_NEWUSER) == 0, "unshare");
    note(&worked, posix_spawn(&child, "/bin/true", NULL, NULL, arguments, NULL) == 0, "posix_spawn");
    return answer_worked(instance, request->call, &worked);
}
