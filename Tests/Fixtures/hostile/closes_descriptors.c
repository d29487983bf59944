/* Closes every descriptor, and puts its own in their place. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    int pipes[2];
    for (int file = 0; file < 256; file++) close(file);
    for (int i = 0; i < 4; i++)
        if (pipe(pipes) != 0) break;
    answer(instance, request->call, "{}");
    return TANDEM_OK;
}
