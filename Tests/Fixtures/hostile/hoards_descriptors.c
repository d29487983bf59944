/* Takes every descriptor number and every place on the way to the host, so that others might get none. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static int pipes[2];

static void *hoard(void *context) {
    int files[60];
    for (int i = 0; i < 60; i++) files[i] = pipes[i % 2];
    for (;;) {
        if (send_files("", 1, files, 60, 0) < 0) pause_ms(1);
    }
    return context;
}

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    pthread_t thread;
    tandem_status status = answer(instance, request->call, "{}");
    if (pipe(pipes) != 0) return status;
    pthread_create(&thread, NULL, hoard, NULL);
    while (dup(0) >= 0) {
    }
    return status;
}
