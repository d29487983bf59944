/* Fills memory files, which no address space limit sees. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    static char block[1 << 20];
    long megabytes = 0;
    signal(SIGXFSZ, SIG_IGN);
    for (int i = 0; i < 4096; i++) {
        int file = memfd_create("more", 0);
        if (file < 0) break;
        for (int j = 0; j < 64 && write(file, block, sizeof block) == (ssize_t)sizeof block; j++) megabytes++;
        if (megabytes > 2048) break;
    }
    char json[100];
    snprintf(json, sizeof json, "{\"megabytes\":%ld}", megabytes);
    return answer(instance, request->call, json);
}
