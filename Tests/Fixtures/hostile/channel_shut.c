/* Shuts down its half of the channel and goes on. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    (void)instance;
    (void)request;
    shutdown(HOST_SOCKET, SHUT_WR);
    hang();
    return TANDEM_OK;
}
