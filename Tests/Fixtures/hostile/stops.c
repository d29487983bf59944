/* Stops its own process without ending it. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    kill(getpid(), SIGSTOP);
    raise(SIGSTOP);
    syscall(SYS_tgkill, getpid(), (int)syscall(SYS_gettid), SIGSTOP);
    return answer(instance, request->call, "{}");
}
