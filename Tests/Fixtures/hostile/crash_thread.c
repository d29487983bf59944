/* Answers, and crashes on a thread of its own. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static void *work(void *context) {
    (void)context;
    crash();
    return NULL;
}

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    pthread_t thread;
    tandem_status status = answer(instance, request->call, "{}");
    pthread_create(&thread, NULL, work, NULL);
    return status;
}
