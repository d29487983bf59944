/* Tries to end its host and everybody else. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    struct worked worked = {0};
    pid_t parent = getppid();
    note(&worked, parent > 1 && kill(parent, SIGKILL) == 0, "kill parent");
    note(&worked, kill(-1, SIGTERM) == 0, "kill all");
    note(&worked, kill(0, SIGTERM) == 0, "kill group");
    for (pid_t pid = 2; pid < 200; pid++) note(&worked, pid != getpid() && kill(pid, SIGKILL) == 0, "kill by number");
    note(&worked, parent > 1 && syscall(SYS_tgkill, parent, parent, SIGKILL) == 0, "tgkill");
    note(&worked, fcntl(HOST_SOCKET, F_SETOWN, parent) == 0, "F_SETOWN");
    return answer_worked(instance, request->call, &worked);
}
