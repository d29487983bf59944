/* Answers with JSON that is nested without end. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    const tandem_host *host = self_of(instance)->host;
    static char body[1000000];
    memset(body, 0x5B, sizeof body / 2);
    memset(body + sizeof body / 2, 0x5D, sizeof body / 2);
    tandem_outcome outcome = outcome_of(TANDEM_OUTCOME_VALUE);
    outcome.value = (tandem_buffer){(const uint8_t *)body, sizeof body, NULL, NULL};
    outcome.message = text("Done.");
    host->complete(host, request->call, &outcome);
    return TANDEM_OK;
}
