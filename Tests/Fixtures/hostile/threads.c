/* Starts as many threads as it can. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static void *wait_for_ever(void *context) {
    hang();
    return context;
}

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    int count = 0;
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 16384);
    while (count < 100000 && pthread_create(&thread, &attributes, wait_for_ever, NULL) == 0) count++;
    char json[64];
    snprintf(json, sizeof json, "{\"threads\":%d}", count);
    return answer(instance, request->call, json);
}
