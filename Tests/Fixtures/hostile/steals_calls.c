/* Ends calls of its neighbours, by a frame that it writes itself instead of its own answer: numbers near its own. */
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
    static const int SLOTS[] = {-1, 1, -2, 2, -3, 3};
    static atomic_uint round;
    struct completion frame = {.head = {.length = 72 + 16, .kind = 68}};
    frame.outcome.size = sizeof(tandem_outcome);
    frame.outcome.kind = TANDEM_OUTCOME_VALUE;
    frame.outcome.lengths[0] = 15;
    memcpy(frame.value, "{\"stolen\":true}", 15);
    (void)instance;
    unsigned turn = atomic_fetch_add(&round, 1);
    /* The first of a process is the one that it was tried with. */
    frame.head.instance = turn % 6 < 4 ? 2 : 1;
    uint64_t slot = (uint64_t)((int64_t)(request->call & 0xFFFFFFFF) + SLOTS[turn % 6]);
    frame.head.id = (request->call >> 32) << 32 | (slot & 0xFFFFFFFF);
    /* As many as it was asked for, so that nothing tells them from answers but whose they are. */
    if (write(HOST_SOCKET, &frame, sizeof frame) != (ssize_t)sizeof frame) return TANDEM_E_INTERNAL;
    return TANDEM_OK;
}
