/* Fills whatever takes bytes: its folder, the usual places for temporary files, memory files, pipes. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    struct worked worked = {0};
    static const char *const FOLDERS[] = {".", "/tmp", "/var/tmp", "/dev/shm", "/run", "/proc/self/cwd", "/"};
    static char block[1 << 16];
    for (size_t i = 0; i < sizeof FOLDERS / sizeof FOLDERS[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/tandem-hostile", FOLDERS[i]);
        int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (file < 0) file = open(FOLDERS[i], O_TMPFILE | O_RDWR, 0600);
        note(&worked, file >= 0 && write(file, block, sizeof block) > 0, FOLDERS[i]);
    }
    signal(SIGXFSZ, SIG_IGN);
    long total = 0;
    for (int i = 0; i < 200; i++) {
        int file = memfd_create("fill", 0);
        if (file < 0) break;
        while (write(file, block, sizeof block) == (ssize_t)sizeof block) total += (long)sizeof block;
        if (ftruncate(file, 1l << 40) == 0) note(&worked, 1, "a memory file of a terabyte");
    }
    note(&worked, total > 600l << 20, "memory files");
    return answer_worked(instance, request->call, &worked);
}
