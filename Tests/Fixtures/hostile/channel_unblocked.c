/* Turns its channel to the host into one that does not wait. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static void *talk(void *context) {
    const tandem_host *host = context;
    /* Until the channel is full. */
    for (;;) host->complete(host, 1, NULL);
    return NULL;
}

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    pthread_t thread;
    fcntl(HOST_SOCKET, F_SETFL, O_NONBLOCK);
    tandem_status status = answer(instance, request->call, "{}");
    for (int i = 0; i < 4; i++) pthread_create(&thread, NULL, talk, (void *)(uintptr_t)self_of(instance)->host);
    return status;
}
