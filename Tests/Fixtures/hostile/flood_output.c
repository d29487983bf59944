/* Writes without end to its output and its errors. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    static char block[1 << 16];
    memset(block, 0x78, sizeof block);
    for (int i = 0; i < 20000; i++) {
        if (write(1, block, sizeof block) < 0 || write(2, block, sizeof block) < 0) break;
    }
    for (int i = 0; i < 1000; i++) fputs("noise\n", stderr);
    return answer(instance, request->call, "{}");
}
