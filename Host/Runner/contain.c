/* contain.c - what holds the plugin in, besides the namespaces that the process was started in: limits, privileges, files. */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* MARK: Landlock (include/uapi/linux/landlock.h; older headers know less than the kernel that we may run on) */

struct ruleset_attr {
    uint64_t handled_fs;
    uint64_t handled_net;
    uint64_t scoped;
};

struct path_attr {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

enum { NR_CREATE_RULESET = 444, NR_ADD_RULE = 445, NR_RESTRICT_SELF = 446, RULE_PATH_BENEATH = 1 };

#define FS_EXECUTE (1ull << 0)
#define FS_READ_FILE (1ull << 2)
#define FS_READ_DIR (1ull << 3)

/* Every right on files that an ABI version handles. */
static uint64_t rights_of(int version) {
    if (version >= 5) return (1ull << 16) - 1; /* ioctl of devices */
    if (version >= 3) return (1ull << 15) - 1; /* truncate */
    if (version >= 2) return (1ull << 14) - 1; /* refer */
    return (1ull << 13) - 1;
}

static void allow(int ruleset, int folder, uint64_t rights) {
    struct stat status;
    if (folder < 0 || fstat(folder, &status) != 0) return;
    if (!S_ISDIR(status.st_mode)) rights &= ~FS_READ_DIR;
    struct path_attr rule = {rights, folder};
    syscall(NR_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0);
}

static void allow_path(int ruleset, const char *path, uint64_t rights) {
    int folder = open(path, O_PATH | O_CLOEXEC);
    if (folder < 0) return;
    allow(ruleset, folder, rights);
    close(folder);
}

uint32_t contain_files(const char *runtime_folder, int while_loading) {
    long version = syscall(NR_CREATE_RULESET, NULL, 0, 1);
    if (version < 1) return 0;
    struct ruleset_attr attributes = {rights_of((int)version), 0, 0};
    size_t size = sizeof attributes.handled_fs;
    if (version >= 4) {
        /* bind and connect of TCP, with no rule that allows one */
        attributes.handled_net = 3;
        size = offsetof(struct ruleset_attr, scoped);
    }
    if (version >= 6) {
        /* abstract sockets and signals beyond the process */
        attributes.scoped = 3;
        size = sizeof attributes;
    }
    int ruleset = (int)syscall(NR_CREATE_RULESET, &attributes, size, 0);
    if (ruleset < 0) return 0;
    allow(ruleset, TANDEM_RUNNER_FOLDER, FS_READ_FILE | FS_READ_DIR);
    if (while_loading) {
        static const char *const libraries[] = {"/lib",       "/lib64",           "/usr/lib",         "/usr/lib64",
                                                "/usr/lib32", "/etc/ld.so.cache", "/usr/local/lib"};
        for (size_t index = 0; index < sizeof libraries / sizeof libraries[0]; index++) {
            allow_path(ruleset, libraries[index], FS_READ_FILE | FS_READ_DIR | FS_EXECUTE);
        }
        if (runtime_folder[0] != 0) allow_path(ruleset, runtime_folder, FS_READ_FILE | FS_READ_DIR | FS_EXECUTE);
    }
    /* Public data that the C library and Foundation read when they like: time zones. And nothing. */
    allow_path(ruleset, "/usr/share/zoneinfo", FS_READ_FILE | FS_READ_DIR);
    allow_path(ruleset, "/dev/null", FS_READ_FILE);
    int result = (int)syscall(NR_RESTRICT_SELF, ruleset, 0);
    close(ruleset);
    return result == 0 ? TANDEM_ISOLATION_LANDLOCK : 0;
}

/* MARK: The rest */

uint32_t contain_parent(void) {
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 ? TANDEM_ISOLATION_PARENT : 0;
}

uint32_t contain_privileges(void) {
    /* A user of its own, for the kernel to count by; the effective one stays, so files are read as before. */
    syscall(SYS_setresuid, TANDEM_RUNNER_USER, -1, -1);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 0;
    for (int capability = 0; capability < 64; capability++) prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2];
    memset(none, 0, sizeof none);
    return syscall(SYS_capset, &header, none) == 0 ? TANDEM_ISOLATION_USER : 0;
}

static int limit(int resource, uint64_t soft, uint64_t hard) {
    struct rlimit now, wanted = {soft, hard};
    if (getrlimit((__rlimit_resource_t)resource, &now) != 0) return 0;
    if (now.rlim_max < wanted.rlim_max) wanted.rlim_max = now.rlim_max;
    if (wanted.rlim_cur > wanted.rlim_max) wanted.rlim_cur = wanted.rlim_max;
    return setrlimit((__rlimit_resource_t)resource, &wanted) == 0;
}

uint32_t contain_limits(const tandem_frame_start *start) {
    int all = 1;
    all &= limit(RLIMIT_AS, start->memory_bytes, start->memory_bytes);
    /* The host moves the soft limit on as it sees fit; SIGXCPU ends us otherwise. */
    all &= limit(RLIMIT_CPU, start->processor_seconds, RLIM_INFINITY);
    all &= limit(RLIMIT_NOFILE, start->descriptors, start->descriptors);
    all &= limit(RLIMIT_NPROC, start->threads, start->threads);
    /* Of memory files, the only ones that can be written: bodies on their way to the host. */
    all &= limit(RLIMIT_FSIZE, start->file_bytes, start->file_bytes);
    /* Nowhere: 0 is for files; with 1 no program that collects cores gets what a plugin knew of a person either. */
    all &= limit(RLIMIT_CORE, 1, 1);
    all &= limit(RLIMIT_MEMLOCK, 0, 0);
    all &= limit(RLIMIT_MSGQUEUE, 0, 0);
    return all ? TANDEM_ISOLATION_LIMITS : 0;
}
