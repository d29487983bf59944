/* Runs out of stack in a call. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static int deeper(volatile char *above) {
    volatile char frame[4096];
    frame[0] = above == NULL ? 1 : above[0];
    return deeper(frame) + frame[0];
}

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    return deeper(NULL) == 0 ? TANDEM_OK : answer(instance, request->call, "{}");
}
