/* Answers with bytes that are no text. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    const tandem_host *host = self_of(instance)->host;
    static atomic_int round;
    static const char *const MESSAGES[] = {"caf\xE9", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\xFF\xFE"};
    tandem_outcome outcome = outcome_of(TANDEM_OUTCOME_VALUE);
    outcome.value = text("{\"value\":\"\xC3\x28\"}");
    outcome.message = text(MESSAGES[(unsigned)atomic_fetch_add(&round, 1) % 6]);
    host->complete(host, request->call, &outcome);
    return TANDEM_OK;
}
