/* Takes all memory that it can get. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    size_t taken = 0;
    for (;;) {
        char *more = malloc(1 << 20);
        if (more == NULL) break;
        memset(more, 1, 1 << 20);
        taken++;
    }
    char *big = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int file = memfd_create("more", 0);
    long written = 0;
    static char block[1 << 16];
    signal(SIGXFSZ, SIG_IGN);
    while (file >= 0 && written < (4l << 30) && write(file, block, sizeof block) == (ssize_t)sizeof block) written += (long)sizeof block;
    char json[200];
    snprintf(json, sizeof json, "{\"megabytes\":%zu,\"mapped\":%d,\"file\":%ld}", taken, big != MAP_FAILED, written >> 20);
    return answer(instance, request->call, json);
}
