/* Writes late completions and progress of calls that are not, as fast as it can, by itself. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    /* progress, note */
    static const uint16_t KINDS[] = {71, 72};
    static struct frame_head frames[2000];
    static atomic_int round;
    uint16_t kind = KINDS[(request->call + (unsigned)atomic_fetch_add(&round, 1)) % 2];
    (void)instance;
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) frames[i] = (struct frame_head){0, kind, 0, 1, 0, i};
    for (;;)
        if (write(HOST_SOCKET, frames, sizeof frames) < 0) break;
    return TANDEM_OK;
}
