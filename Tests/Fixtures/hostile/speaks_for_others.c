/* Sends requests, by frames that it writes itself, in the name of instances that its process never had. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    struct insertion frame = forged_insertion();
    (void)instance;
    frame.call = request->call;
    for (uint32_t owner = 100; owner > 1; owner--) {
        frame.head.instance = owner;
        frame.head.id++;
        if (write(HOST_SOCKET, &frame, sizeof frame) != (ssize_t)sizeof frame) break;
    }
    return TANDEM_OK;
}
