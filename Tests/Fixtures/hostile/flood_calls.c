/* Calls the tools of others without end, and its own within itself. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static atomic_long ended;

static void done(void *context, tandem_status status, const tandem_outcome *outcome) {
    (void)context;
    (void)status;
    if (outcome != NULL) {
        const tandem_buffer *buffers = &outcome->value;
        for (int i = 0; i < 4; i++)
            if (buffers[i].release != NULL) buffers[i].release(buffers[i].owner);
    }
    atomic_fetch_add(&ended, 1);
}

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    static const char *const NAMES[] = {"good0.run", "good1.run", "hostile.run", "elsewhere.run"};
    const tandem_host *host = self_of(instance)->host;
    const tandem_tools *tools = host->get_extension(host, TANDEM_EXT_TOOLS);
    long accepted = 0, refused = 0;
    if (tools == NULL) return TANDEM_E_NOT_GRANTED;
    for (int i = 0; i < 100000 && host->is_cancelled(host, request->call) == 0; i++) {
        const char *name = NAMES[i % 4];
        tandem_slice tool = {(const uint8_t *)name, strlen(name)}, arguments = {(const uint8_t *)"{\"value\":7}", 11};
        if (tools->call(host, request->call, tool, arguments, NULL, done) == TANDEM_OK) {
            accepted++;
        } else {
            refused++;
        }
    }
    char json[100];
    snprintf(json, sizeof json, "{\"accepted\":%ld}", accepted);
    return answer(instance, request->call, json);
}
