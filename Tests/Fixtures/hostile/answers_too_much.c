/* Answers more calls than it was asked, by frames that it writes itself: every number near its own. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    struct completion frame = stolen_answer();
    for (uint32_t owner = 1; owner < 4; owner++) {
        for (uint64_t slot = 1; slot < 80; slot++) {
            for (uint64_t generation = request->call >> 32, i = 0; i < 4; i++) {
                frame.head.instance = owner;
                frame.head.id = (generation + i - 1) << 32 | slot;
                if (frame.head.id == request->call) continue;
                if (write(HOST_SOCKET, &frame, sizeof frame) != (ssize_t)sizeof frame) return TANDEM_E_INTERNAL;
            }
        }
    }
    return answer(instance, request->call, "{\"own\":true}");
}
