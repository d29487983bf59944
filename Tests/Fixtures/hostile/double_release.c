/* Frees what it does not own, twice. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    const tandem_host *host = self_of(instance)->host;
    tandem_outcome outcome = outcome_of(TANDEM_OUTCOME_VALUE);
    void *shared = malloc(64);
    memcpy(shared, "{}", 2);
    outcome.value = (tandem_buffer){shared, 2, shared, free};
    outcome.message = (tandem_buffer){shared, 2, shared, free};
    outcome.shown = (tandem_buffer){shared, 2, (void *)(uintptr_t)request->arguments.ptr, free};
    host->complete(host, request->call, &outcome);
    free((void *)(uintptr_t)request->arguments.ptr);
    free((void *)(uintptr_t)host);
    return TANDEM_OK;
}
