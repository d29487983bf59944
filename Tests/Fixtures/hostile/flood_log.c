/* Logs as fast as it can, from several threads. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static const tandem_host *flooded;

static void *flood(void *context) {
    const tandem_log *log = context;
    static char line[65536];
    memset(line, 0x78, sizeof line);
    for (;;) log->write(flooded, TANDEM_LOG_ERROR, 0, (tandem_slice){(const uint8_t *)line, sizeof line}, (tandem_slice){NULL, 0});
    return NULL;
}

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    pthread_t thread;
    flooded = self_of(instance)->host;
    const tandem_log *log = flooded->get_extension(flooded, TANDEM_EXT_LOG);
    for (int i = 0; i < 4; i++) pthread_create(&thread, NULL, flood, (void *)(uintptr_t)log);
    return answer(instance, request->call, "{}");
}
