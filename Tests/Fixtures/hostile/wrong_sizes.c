/* Says other sizes than its structs have. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    static const uint32_t SIZES[] = {0, 7, 8, 31, 32, 64, 159, 161, 4096, 0x7FFFFFFF, 0xFFFFFFFF};
    const tandem_host *host = self_of(instance)->host;
    static atomic_int round;
    tandem_outcome outcome = outcome_of(TANDEM_OUTCOME_VALUE);
    outcome.header.size = SIZES[(unsigned)atomic_fetch_add(&round, 1) % (sizeof SIZES / sizeof SIZES[0])];
    outcome.value = text("{}");
    host->complete(host, request->call, &outcome);
    return TANDEM_OK;
}
