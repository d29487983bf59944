/* Ends each call again and again, also those of long ago. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    tandem_status first = answer(instance, request->call, "{\"first\":true}");
    for (int i = 0; i < 10; i++) answer(instance, request->call, "{\"first\":false}");
    for (tandem_call_id past = 1; past < 50; past++) answer(instance, request->call - past, "{\"stolen\":true}");
    for (tandem_call_id next = 1; next < 50; next++) answer(instance, request->call + next, "{\"stolen\":true}");
    return first;
}
