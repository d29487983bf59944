/* Asks the kernel for everything that changes the machine, watches others or gets out. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

#include <sched.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/uio.h>

#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#define SYS_fsopen 430
#define SYS_fsmount 432
#endif

/* Numbers that are the same on every architecture, or that this one has. */
static const struct {
    const char *name;
    long number;
    long arguments[6];
} CALLS[] = {
    {"io_uring_setup", 425, {8, 0}}, {"io_uring_enter", 426, {0}}, {"io_uring_register", 427, {0}},
    {"pidfd_send_signal", 424, {HOST_SOCKET, SIGKILL}}, {"pidfd_open", 434, {1}}, {"pidfd_getfd", 438, {HOST_SOCKET, 0}},
    {"open_tree", SYS_open_tree, {AT_FDCWD, 0}}, {"move_mount", SYS_move_mount, {-1, 0, -1, 0}},
    {"fsopen", SYS_fsopen, {0}}, {"fsmount", SYS_fsmount, {0}}, {"mount_setattr", 442, {AT_FDCWD}},
    {"process_madvise", 440, {-1}}, {"process_mrelease", 448, {-1}}, {"memfd_secret", 447, {0}},
    {"openat2", 437, {AT_FDCWD, 0}}, {"close_range", 436, {1000, 1001}}, {"cachestat", 451, {-1}},
    {"bpf", SYS_bpf, {0}}, {"perf_event_open", SYS_perf_event_open, {0, 0, -1, -1}}, {"userfaultfd", SYS_userfaultfd, {0}},
    {"seccomp", SYS_seccomp, {0}}, {"unshare", SYS_unshare, {CLONE_NEWUSER}}, {"setns", SYS_setns, {HOST_SOCKET, 0}},
    {"mount", SYS_mount, {0}}, {"umount", SYS_umount2, {0}}, {"pivot_root", SYS_pivot_root, {0}}, {"chroot", SYS_chroot, {0}},
    {"acct", SYS_acct, {0}}, {"swapon", SYS_swapon, {0}}, {"swapoff", SYS_swapoff, {0}}, {"reboot", SYS_reboot, {0}},
    {"sethostname", SYS_sethostname, {0}}, {"setdomainname", SYS_setdomainname, {0}}, {"init_module", SYS_init_module, {0}},
    {"finit_module", SYS_finit_module, {-1}}, {"delete_module", SYS_delete_module, {0}}, {"kexec_load", SYS_kexec_load, {0}},
    {"syslog", SYS_syslog, {3, 0, 0}}, {"quotactl", SYS_quotactl, {0}}, {"add_key", SYS_add_key, {0}},
    {"request_key", SYS_request_key, {0}}, {"keyctl", SYS_keyctl, {0, -3, 1}}, {"settimeofday", SYS_settimeofday, {0}},
    {"clock_settime", SYS_clock_settime, {0}}, {"adjtimex", SYS_adjtimex, {0}}, {"clock_adjtime", SYS_clock_adjtime, {0}},
    {"ptrace", SYS_ptrace, {0}}, {"process_vm_readv", SYS_process_vm_readv, {1}}, {"process_vm_writev", SYS_process_vm_writev, {1}},
    {"kcmp", SYS_kcmp, {1, 1, 0, 0, 0}}, {"lookup_dcookie", 212, {0}}, {"name_to_handle_at", SYS_name_to_handle_at, {AT_FDCWD}},
    {"open_by_handle_at", SYS_open_by_handle_at, {-1}}, {"fanotify_init", SYS_fanotify_init, {0}},
    {"inotify_init1", SYS_inotify_init1, {0}}, {"personality", SYS_personality, {ADDR_NO_RANDOMIZE}},
    {"shmget", SYS_shmget, {0, 4096, 01600}}, {"shmat", SYS_shmat, {0}}, {"semget", SYS_semget, {0, 1, 01600}},
    {"msgget", SYS_msgget, {0, 01600}}, {"mq_open", SYS_mq_open, {0}}, {"setpriority", SYS_setpriority, {0, 0, -20}},
    {"sched_setscheduler", SYS_sched_setscheduler, {0, SCHED_FIFO}}, {"sched_setattr", SYS_sched_setattr, {0}},
    {"sched_setaffinity", SYS_sched_setaffinity, {0}}, {"ioprio_set", SYS_ioprio_set, {1, 0, 0}},
    {"rt_sigqueueinfo", SYS_rt_sigqueueinfo, {1, SIGTERM}}, {"rt_tgsigqueueinfo", SYS_rt_tgsigqueueinfo, {1, 1, SIGTERM}},
    {"timer_create", SYS_timer_create, {0}}, {"setitimer", SYS_setitimer, {0}}, {"setuid", SYS_setuid, {0}},
    {"setgid", SYS_setgid, {0}}, {"setresuid", SYS_setresuid, {0}}, {"setgroups", SYS_setgroups, {0}},
    {"capset", SYS_capset, {0}}, {"setsid", SYS_setsid, {0}}, {"setpgid", SYS_setpgid, {0}}, {"vhangup", SYS_vhangup, {0}},
    {"mlockall", SYS_mlockall, {3}}, {"mbind", SYS_mbind, {0}}, {"migrate_pages", SYS_migrate_pages, {0}},
    {"move_pages", SYS_move_pages, {1}}, {"fallocate", SYS_fallocate, {HOST_SOCKET, 0, 0, 4096}},
    {"sync", SYS_sync, {0}}, {"wait4", SYS_wait4, {-1, 0, 1}}, {"clone3", SYS_clone3, {0}}, {"accept", SYS_accept, {HOST_SOCKET}},
    {"socketpair", SYS_socketpair, {AF_UNIX, SOCK_STREAM}}, {"setsockopt", SYS_setsockopt, {HOST_SOCKET}},
    {"mkdirat", SYS_mkdirat, {AT_FDCWD}}, {"mknodat", SYS_mknodat, {AT_FDCWD}}, {"unlinkat", SYS_unlinkat, {AT_FDCWD}},
    {"renameat2", SYS_renameat2, {AT_FDCWD}}, {"linkat", SYS_linkat, {AT_FDCWD}}, {"symlinkat", SYS_symlinkat, {0}},
    {"fchmod", SYS_fchmod, {HOST_SOCKET, 0777}}, {"fchown", SYS_fchown, {HOST_SOCKET, 0, 0}}, {"utimensat", SYS_utimensat, {AT_FDCWD}},
    {"setxattr", SYS_setxattr, {0}}, {"chdir", SYS_chdir, {0}}, {"flock", SYS_flock, {HOST_SOCKET, 2}},
    {"splice", SYS_splice, {-1}}, {"vmsplice", SYS_vmsplice, {-1}}, {"sendfile", SYS_sendfile, {-1, -1}},
    {"io_setup", SYS_io_setup, {1, 0}}, {"signalfd4", SYS_signalfd4, {-1}}, {"nfsservctl", 180, {0}},
#if defined(__x86_64__)
    {"iopl", SYS_iopl, {3}}, {"ioperm", SYS_ioperm, {0x80, 1, 1}}, {"modify_ldt", SYS_modify_ldt, {0}},
    {"fork", SYS_fork, {0}}, {"vfork", SYS_vfork, {0}}, {"uselib", SYS_uselib, {0}}, {"ustat", SYS_ustat, {0}},
    {"sysfs", SYS_sysfs, {1}}, {"create_module", SYS_create_module, {0}}, {"alarm", SYS_alarm, {0}},
#endif
};

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    struct worked worked = {0};
    for (size_t i = 0; i < sizeof CALLS / sizeof CALLS[0]; i++) {
        const long *a = CALLS[i].arguments;
        errno = 0;
        long result = syscall(CALLS[i].number, a[0], a[1], a[2], a[3], a[4], a[5]);
        /* Forbidden or not there; any other answer shows that the kernel looked at the arguments. */
        note(&worked, result >= 0 || (errno != EPERM && errno != ENOSYS), CALLS[i].name);
    }
    char byte = 'x';
    for (int file = 0; file <= HOST_SOCKET; file++) {
        note(&worked, ioctl(file, TIOCSTI, &byte) == 0, "TIOCSTI");
        note(&worked, ioctl(file, TIOCSCTTY, 1) == 0, "TIOCSCTTY");
    }
    note(&worked, open("/dev/tty", O_RDWR) >= 0 || open("/dev/ptmx", O_RDWR) >= 0, "a terminal");
    note(&worked, shm_open("/tandem-hostile", O_RDWR | O_CREAT, 0600) >= 0, "shm_open");
    note(&worked, open("/proc/self/oom_score_adj", O_WRONLY) >= 0, "oom_score_adj");
    note(&worked, open("/proc/sys/kernel/core_pattern", O_WRONLY) >= 0, "core_pattern");
    note(&worked, open("/sys/fs/cgroup/cgroup.procs", O_WRONLY) >= 0, "cgroup");
    return answer_worked(instance, request->call, &worked);
}
