/* Ends calls of its neighbours, by a frame that it writes itself instead of its own answer: numbers near its own. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    static const int SLOTS[] = {-1, 1, -2, 2, -3, 3};
    static atomic_uint round;
    struct completion frame = stolen_answer();
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
