/* Answers with buffers that lie nowhere. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    tandem_outcome outcome = outcome_of(TANDEM_OUTCOME_VALUE);
    outcome.value = (tandem_buffer){(const uint8_t *)(uintptr_t)0x10000, 4096, NULL, NULL};
    self_of(instance)->host->complete(self_of(instance)->host, request->call, &outcome);
    return TANDEM_OK;
}
