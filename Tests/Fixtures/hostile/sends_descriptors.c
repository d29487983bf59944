/* Sends descriptors of all kinds: with frames, without, the channel itself. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

struct frame {
    struct frame_head head;
    uint64_t size;
};

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    static atomic_int round;
    int files[40], pipes[2];
    struct frame frame = {{8, 68, 1, 1, 0, request->call}, 100};
    int file = memfd_create("body", MFD_ALLOW_SEALING);
    if (file < 0 || ftruncate(file, 4096) != 0 || pipe(pipes) != 0) return TANDEM_E_INTERNAL;
    switch (atomic_fetch_add(&round, 1) % 6 + (getpid() == 0)) {
    case 0: /* not sealed */ send_files(&frame, sizeof frame, &file, 1, MSG_DONTWAIT); break;
    case 1: /* can grow smaller */
        fcntl(file, F_ADD_SEALS, F_SEAL_WRITE);
        send_files(&frame, sizeof frame, &file, 1, MSG_DONTWAIT);
        break;
    case 2: /* no file at all */ send_files(&frame, sizeof frame, &pipes[0], 1, MSG_DONTWAIT); break;
    case 3: /* smaller than it says */
        fcntl(file, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);
        frame.size = 8 << 20;
        send_files(&frame, sizeof frame, &file, 1, MSG_DONTWAIT);
        break;
    case 4: /* the channel, in itself */
        files[0] = HOST_SOCKET;
        for (int i = 0; i < 100; i++) send_files(&frame, sizeof frame - 8, files, 1, MSG_DONTWAIT);
        break;
    default: /* many, with nothing to belong to */
        for (int i = 0; i < 15; i++) files[i] = pipes[i % 2];
        frame = (struct frame){{0, 73, 0, 0, 0, 0}, 0};
        for (int i = 0; i < 100; i++) send_files(&frame, 24, files, 15, MSG_DONTWAIT);
    }
    return answer(instance, request->call, "{}");
}
