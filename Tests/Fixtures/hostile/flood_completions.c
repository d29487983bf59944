/* Completes calls that do not exist, without end. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_instance *flooded;

static void *flood(void *context) {
    static char body[60000];
    memset(body, 0x31, sizeof body - 1);
    for (tandem_call_id call = 1;; call++) answer(flooded, call, body);
    return context;
}

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    pthread_t thread;
    flooded = instance;
    for (int i = 0; i < 4; i++) pthread_create(&thread, NULL, flood, NULL);
    return answer(instance, request->call, "{}");
}
