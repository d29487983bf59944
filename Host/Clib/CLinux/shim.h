/* What Swift cannot call or does not see of Linux: sealed memory files, malloc_trim(3), mallopt(3), posix_spawn's newer
 * actions. Header only. */
#ifndef TANDEM_CLINUX_SHIM_H
#define TANDEM_CLINUX_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* memfd_create(2) with close-on-exec, sealing allowed and, where the kernel knows the flag (6.3), executable. */
static inline int tandem_memory_file(const char *name) {
    const unsigned cloexec = 0x1u, allow_sealing = 0x2u, executable = 0x10u;
    int descriptor = (int)syscall(SYS_memfd_create, name, cloexec | allow_sealing | executable);
    if (descriptor < 0 && errno == EINVAL) {
        descriptor = (int)syscall(SYS_memfd_create, name, cloexec | allow_sealing);
    }
    return descriptor;
}

/* Seals a memory file against every change of content, size and seals (fcntl F_ADD_SEALS); 0, or -1 with errno. */
static inline int tandem_seal(int descriptor) {
    const int add_seals = 1033, seal = 0x1, shrink = 0x2, grow = 0x4, write_ = 0x8;
    return fcntl(descriptor, add_seals, seal | shrink | grow | write_);
}

/* posix_spawn_file_actions_addclosefrom_np(3), which <spawn.h> hides without _GNU_SOURCE. `actions` is a
 * posix_spawn_file_actions_t. */
int tandem_spawn_close_from(void *actions, int from) __asm__("posix_spawn_file_actions_addclosefrom_np");

#endif
