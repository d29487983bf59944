/* Has a release function that never returns. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static void never(void *owner) {
    (void)owner;
    hang();
}

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    tandem_outcome outcome = outcome_of(TANDEM_OUTCOME_VALUE);
    outcome.value = (tandem_buffer){(const uint8_t *)"{}", 2, NULL, never};
    outcome.message = text("Done.");
    self_of(instance)->host->complete(self_of(instance)->host, request->call, &outcome);
    return TANDEM_OK;
}
