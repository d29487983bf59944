/* Burns processor time on many threads and never returns. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static void *spin(void *context) {
    volatile unsigned long *turns = context;
    for (;;) ++*turns;
    return NULL;
}

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    static unsigned long turns[8];
    pthread_t thread;
    for (int i = 1; i < 8; i++) pthread_create(&thread, NULL, spin, &turns[i]);
    spin(&turns[0]);
    return answer(instance, request->call, "{}");
}
