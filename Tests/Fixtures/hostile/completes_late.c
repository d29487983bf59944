/* Ends calls after the host has given up on them. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_instance *late_instance;

static void *work(void *context) {
    pause_ms(1500);
    for (int i = 0; i < 20; i++) answer(late_instance, (tandem_call_id)(uintptr_t)context, "{\"late\":true}");
    return NULL;
}

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    pthread_t thread;
    late_instance = instance;
    pthread_create(&thread, NULL, work, (void *)(uintptr_t)request->call);
    pthread_detach(thread);
    return TANDEM_OK;
}
