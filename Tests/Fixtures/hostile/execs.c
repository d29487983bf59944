/* Tries to become another program. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    struct worked worked = {0};
    char *arguments[] = {"/bin/sh", "-c", "sleep 1000", NULL};
    execve("/bin/sh", arguments, NULL);
    int file = open("/bin/sh", O_RDONLY | O_CLOEXEC);
    if (file >= 0) fexecve(file, arguments, (char *[]){NULL});
    int memory = memfd_create("program", 0);
    if (memory >= 0) syscall(SYS_execveat, memory, "", arguments, NULL, AT_EMPTY_PATH);
    note(&worked, system("true") == 0, "system");
    return answer_worked(instance, request->call, &worked);
}
