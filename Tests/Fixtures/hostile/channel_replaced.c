/* Puts another descriptor where the channel was and keeps a copy of the channel. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    int pipes[2];
    if (pipe(pipes) != 0) return TANDEM_E_INTERNAL;
    for (int i = 0; i < 20; i++) dup(HOST_SOCKET);
    dup2(pipes[0], HOST_SOCKET);
    answer(instance, request->call, "{}");
    return TANDEM_OK;
}
