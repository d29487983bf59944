/*
 * wild.c - a plain C library as a manifest-only plugin would rather not have it: what its functions do does not fit what the
 * manifest says of them, or anything else.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#pragma GCC visibility push(default)

/* Text up to the last byte of the last page. */
const char *unended(void) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_NONE) != 0) return NULL;
    memset(pages, 'x', page);
    return pages + page - 16;
}
const char *nothing(void) { return NULL; }
const char *lent(void) { return "lent"; }
const char *nowhere(void) { return (const char *)(uintptr_t)0x10000; }
uint8_t *endless(uint64_t *length) {
    *length = (uint64_t)1 << 62;
    return calloc(1, 16);
}
void overruns(char *out, uint32_t capacity) { memset(out, 'y', (size_t)capacity + 8); }
/* Fills the whole buffer: no NUL is left. */
void fills(char *out, uint32_t capacity) { memset(out, 'y', capacity); }
int64_t length_of(const char *text) { return (int64_t)strlen(text); }
double undefined(void) { return NAN; }
double beyond(void) { return -INFINITY; }
void forever(void) {
    for (;;) pause();
}
void quits(void) { exit(0); }
int32_t breaks_out(void) {
    return (open("/etc/passwd", O_RDONLY) >= 0) + (socket(AF_INET, SOCK_STREAM, 0) >= 0) + (fork() >= 0) + (system(NULL) != 0);
}

static void *crash(void *context) {
    *(volatile int *)context = 1;
    return NULL;
}
int32_t crashes_later(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, crash, NULL);
    return 0;
}

/* Not made for several threads: counts how many were inside at once. */
static int inside, most;
int32_t unsafe_work(void) {
    struct timespec time = {0, 1000000};
    if (++inside > most) most = inside;
    nanosleep(&time, NULL);
    inside--;
    return most;
}
