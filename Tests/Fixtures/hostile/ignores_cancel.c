/* Works on after it was cancelled, and answers much later. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_instance *late_instance;

static void *work(void *context) {
    tandem_call_id call = (tandem_call_id)(uintptr_t)context;
    pause_ms(4000);
    answer(late_instance, call, "{\"late\":true}");
    return NULL;
}

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    pthread_t thread;
    late_instance = instance;
    pthread_create(&thread, NULL, work, (void *)(uintptr_t)request->call);
    pthread_detach(thread);
    return TANDEM_OK;
}
