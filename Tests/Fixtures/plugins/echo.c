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
#if defined(HEALTH_failing)
#include <tandem/ext/health.h>
#include <tandem/tandem.h>
static const void *health_extension(tandem_instance *instance, const char *id);
#define GET_EXTENSION health_extension
#endif
#include "fixture.h"

#if defined(OTHER_TOOLCHAIN)
/* Looks like Swift, and was made by another compiler than any Swift. */
static const int mark __attribute__((section("swift5_mark"), used)) = 1;
#endif

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
#if defined(HEALTH_failing)
static tandem_status check_health(tandem_instance *instance, const tandem_request *request) {
    const tandem_host *host = ((plugin_instance *)instance)->host;
    tandem_outcome outcome = outcome_of(TANDEM_OUTCOME_VALUE);
    outcome.value = text("{\"status\":\"failing\",\"checks\":[{\"name\":\"fuel\",\"status\":\"failing\","
                         "\"message\":\"none\"}]}");
    return host->complete(host, request->call, &outcome);
}

static const void *health_extension(tandem_instance *instance, const char *id) {
    static const tandem_health table = {.header = {sizeof table, 0}, .check = check_health};
    (void)instance;
    return strcmp(id, TANDEM_EXT_HEALTH) == 0 ? &table : NULL;
}
#endif
#if defined(CRASH_activate)
static tandem_status broken_activate(tandem_instance *instance) {
    (void)instance;
    abort();
}
#endif
