/* Sends requests, by frames that it writes itself, in the name of instances that its process never had. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    static const char insert[] = "[{\"insert\":\"hostile_notes\",\"values\":{\"body\":\"forged\"}}]   ";
    struct {
        struct frame_head head;
        uint64_t call;
        char operations[(sizeof insert - 1 + 7) / 8 * 8];
    } frame = {.head = {.length = 8 + sizeof insert - 1, .kind = 70, .code = 4u << 16 | 1, .id = 1u << 30}};
    (void)instance;
    frame.call = request->call;
    memset(frame.operations, ' ', sizeof frame.operations);
    memcpy(frame.operations, insert, sizeof insert - 1);
    for (uint32_t owner = 100; owner > 1; owner--) {
        frame.head.instance = owner;
        frame.head.id++;
        if (write(HOST_SOCKET, &frame, sizeof frame) != (ssize_t)sizeof frame) break;
    }
    return TANDEM_OK;
}
