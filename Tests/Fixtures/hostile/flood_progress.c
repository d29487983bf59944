/* Tells its progress without end. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    const tandem_host *host = self_of(instance)->host;
    static char note_text[4096];
    memset(note_text, 0x78, sizeof note_text);
    for (int i = 0; i < 2000000; i++) {
        if (host->is_cancelled(host, request->call) != 0) break;
        host->progress(host, request->call, i % 1000, (tandem_slice){(const uint8_t *)note_text, sizeof note_text});
    }
    return answer(instance, request->call, "{}");
}
