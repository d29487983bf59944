/* What lies in the bundle after the check: says so when it runs. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    return answer(instance, request->call, "{\"swapped\":true}");
}
