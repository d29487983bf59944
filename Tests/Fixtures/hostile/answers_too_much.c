/* Answers more calls than it was asked, by frames that it writes itself: every number near its own. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

struct completion {
    struct frame_head head;
    struct {
        uint32_t size, flags, kind;
        int32_t status;
        uint32_t trust, reserved;
        uint64_t retry;
        uint64_t lengths[4];
        uint32_t withheld, padding;
    } outcome;
    char value[16];
};

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    struct completion frame = {.head = {.length = 72 + 16, .kind = 68}};
    frame.outcome.size = sizeof(tandem_outcome);
    frame.outcome.kind = TANDEM_OUTCOME_VALUE;
    frame.outcome.lengths[0] = 15;
    memcpy(frame.value, "{\"stolen\":true}", 15);
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
