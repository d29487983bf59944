/* Asks the host for rows as fast as it can, in large and in broken requests. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static atomic_long dones;

static void done(void *context, tandem_status status, tandem_buffer result) {
    (void)context;
    (void)status;
    atomic_fetch_add(&dones, 1);
    if (result.release != NULL) result.release(result.owner);
}

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    const tandem_host *host = self_of(instance)->host;
    const tandem_rows *rows = host->get_extension(host, TANDEM_EXT_ROWS);
    static char big[900000];
    static const char list[] = "[{\"list\":\"hostile_notes\"}]";
    long refused = 0;
    if (rows == NULL) return TANDEM_E_NOT_GRANTED;
    memset(big, 0x5B, sizeof big);
    for (int i = 0; i < 200000 && host->is_cancelled(host, request->call) == 0; i++) {
        tandem_slice operations = i % 100 == 0 ? (tandem_slice){(const uint8_t *)big, sizeof big}
                                               : (tandem_slice){(const uint8_t *)list, sizeof list - 1};
        if (rows->execute(host, request->call, operations, NULL, done) != TANDEM_OK) refused++;
    }
    char json[100];
    snprintf(json, sizeof json, "{\"dones\":%ld,\"refused\":%ld}", atomic_load(&dones), refused);
    return answer(instance, request->call, json);
}
