/* Answers with 100 MB. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    const tandem_host *host = self_of(instance)->host;
    size_t size = 100u << 20;
    char *body = malloc(size);
    if (body == NULL) return TANDEM_E_NO_MEMORY;
    memset(body, 0x31, size);
    tandem_outcome outcome = outcome_of(TANDEM_OUTCOME_VALUE);
    outcome.value = (tandem_buffer){(const uint8_t *)body, size, body, free};
    outcome.message = (tandem_buffer){(const uint8_t *)body, UINT64_MAX, NULL, NULL};
    host->complete(host, request->call, &outcome);
    return TANDEM_OK;
}
