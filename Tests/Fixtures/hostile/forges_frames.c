/* Writes well-formed frames with wrong contents to the socket that leads to the host. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

struct frame {
    struct frame_head head;
    uint8_t payload[256];
};

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    static atomic_int round;
    (void)instance;
    uint64_t state = request->call * 31 + (unsigned)atomic_fetch_add(&round, 1);
    for (int i = 0; i < 2000; i++) {
        struct frame frame;
        for (size_t j = 0; j < sizeof frame; j++) {
            state = state * 6364136223846793005ull + 1442695040888963407ull;
            ((uint8_t *)&frame)[j] = (uint8_t)(state >> 56);
        }
        frame.head.length = (uint32_t)(state >> 8) % 33 * 8;
        /* Every kind that a runner may send, and some that it may not. */
        frame.head.kind = (uint16_t)(64 + state % 12);
        frame.head.flags = state % 7 == 0;
        frame.head.instance = (uint32_t)(state >> 16) % 4;
        frame.head.code = state % 3 == 0 ? (uint32_t)(state % 14) << 16 | (uint32_t)(state >> 20) % 4 : (uint32_t)state;
        if (state % 2 == 0) frame.head.id = request->call + state % 16 - 8;
        if (write(HOST_SOCKET, &frame, 24 + frame.head.length) < 0) break;
    }
    return TANDEM_OK;
}
