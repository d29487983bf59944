/* Reads from the channel what was meant for the runner. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static void *steal(void *context) {
    static char bytes[4096];
    while (recv(HOST_SOCKET, bytes, sizeof bytes, 0) > 0) {
    }
    return context;
}

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    pthread_t thread;
    for (int i = 0; i < 4; i++) pthread_create(&thread, NULL, steal, NULL);
    return answer(instance, request->call, "{}");
}
