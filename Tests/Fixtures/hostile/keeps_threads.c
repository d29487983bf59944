/* Keeps threads that use the host after quiesce and destroy. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static const tandem_host *kept;

static void *work(void *context) {
    const tandem_log *log = context;
    for (;;) {
        kept->get_extension(kept, TANDEM_EXT_ROWS);
        log->write(kept, TANDEM_LOG_INFO, 0, (tandem_slice){(const uint8_t *)"still here", 10}, (tandem_slice){NULL, 0});
        kept->is_cancelled(kept, 1);
        pause_ms(1);
    }
    return NULL;
}

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    pthread_t thread;
    kept = self_of(instance)->host;
    for (int i = 0; i < 4; i++) pthread_create(&thread, NULL, work, (void *)(uintptr_t)kept->get_extension(kept, TANDEM_EXT_LOG));
    return answer(instance, request->call, "{}");
}
