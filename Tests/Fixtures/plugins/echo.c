/* A good plugin: answers with its arguments, at once. The variant's macros give it other names, or make it a bad one. */
#if defined(CRASH_invoke) || defined(REFUSE_invoke)
#include <tandem/tandem.h>
static tandem_status broken_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE broken_invoke
#endif
#if defined(CRASH_activate)
#include <tandem/tandem.h>
static tandem_status broken_activate(tandem_instance *instance);
#define ACTIVATE broken_activate
#endif
#include "fixture.h"

#if defined(CRASH_invoke)
static tandem_status broken_invoke(tandem_instance *instance, const tandem_request *request) {
    (void)instance;
    (void)request;
    abort();
}
#elif defined(REFUSE_invoke)
static tandem_status broken_invoke(tandem_instance *instance, const tandem_request *request) {
    (void)instance;
    (void)request;
    return TANDEM_E_INTERNAL;
}
#endif
#if defined(CRASH_activate)
static tandem_status broken_activate(tandem_instance *instance) {
    (void)instance;
    abort();
}
#endif
