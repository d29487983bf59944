/*
 * A host that starts a runner, says which, and waits to be killed: `host RUNNER LIBRARY`. The socket's end is also held by
 * a child of its own, so that only the parent-death signal can end the runner.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <tandem_start.h>
#include <unistd.h>

int main(int count, char **arguments) {
    if (count != 3) return 64;
    struct stat status;
    int file = open(arguments[2], O_RDONLY);
    if (file < 0 || fstat(file, &status) != 0) return 66;
    void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    int library = tandem_sealed_copy(bytes, (size_t)status.st_size), folder = open("/", O_RDONLY | O_DIRECTORY);
    int pair[2];
    tandem_started started;
    if (tandem_socket_pair(pair) != 0) return 71;
    if (tandem_start_runner(arguments[1], pair[1], library, folder, &started) != 0) return 72;
    tandem_frame_start start;
    memset(&start, 0, sizeof start);
    start.version = TANDEM_FRAMES_VERSION;
    start.memory_bytes = 512u << 20;
    start.file_bytes = 8u << 20;
    start.processor_seconds = 60;
    start.descriptors = 48;
    start.threads = 64;
    struct {
        tandem_frame frame;
        tandem_frame_start start;
    } message = {{sizeof start, TANDEM_F_START, 0, 0, 0, 0}, start};
    if (write(pair[0], &message, sizeof message) != (ssize_t)sizeof message) return 73;
    pid_t holder = fork();
    if (holder == 0) {
        /* Its standard output must not keep the reader waiting. */
        close(1);
        sleep(30);
        _exit(0);
    }
    tandem_frame answer;
    while (read(pair[0], &answer, sizeof answer) < 0) usleep(1000);
    printf("%d %d %d\n", (int)started.pid, (int)holder, (int)answer.kind);
    fflush(stdout);
    for (;;) pause();
}
