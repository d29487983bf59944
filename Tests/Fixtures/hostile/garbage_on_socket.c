/* Writes garbage to the socket that leads to the host. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    static uint8_t garbage[4096];
    (void)instance;
    uint64_t state = request->call | 1;
    for (size_t i = 0; i < sizeof garbage; i++) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        garbage[i] = (uint8_t)(state >> 56);
    }
    for (int i = 0; i < 100; i++)
        if (write(HOST_SOCKET, garbage, sizeof garbage) < 0) break;
    return TANDEM_OK;
}
