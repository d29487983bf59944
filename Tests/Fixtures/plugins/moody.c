/* Answers at once, like `echo`, until it is told otherwise: by a thread after a while, never, or with its end. */
#include <tandem/tandem.h>
static tandem_status moody_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE moody_invoke
#include "fixture.h"

static int has(const tandem_request *request, const char *word) {
    size_t length = strlen(word);
    for (uint64_t at = 0; at + length <= request->arguments.len; at++) {
        if (memcmp(request->arguments.ptr + at, word, length) == 0) return 1;
    }
    return 0;
}

typedef struct later {
    const tandem_host *host;
    tandem_call_id call;
} later;

static void *answer_later(void *context) {
    later *self = context;
    usleep(20000);
    tandem_outcome outcome = outcome_of(TANDEM_OUTCOME_VALUE);
    outcome.value = text("{\"value\":\"later\"}");
    self->host->complete(self->host, self->call, &outcome);
    free(self);
    return NULL;
}

static tandem_status moody_invoke(tandem_instance *instance, const tandem_request *request) {
    if (has(request, "crash")) abort();
    if (has(request, "never")) return TANDEM_OK;
    if (!has(request, "later")) return default_invoke(instance, request);
    later *self = malloc(sizeof *self);
    pthread_t thread;
    if (self == NULL) return TANDEM_E_NO_MEMORY;
    *self = (later){((plugin_instance *)instance)->host, request->call};
    if (pthread_create(&thread, NULL, answer_later, self) != 0) return TANDEM_E_INTERNAL;
    pthread_detach(thread);
    return TANDEM_OK;
}
