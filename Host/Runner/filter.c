/*
 * filter.c - the system calls that a plugin may make (seccomp, mode 2).
 *
 * An allow-list: what C, Rust and Swift with Foundation need to compute, to allocate, to use threads and to read files
 * that Landlock lets them read. Everything else fails with EPERM, so that a library that merely tries something (a
 * terminal, a scheduler's policy) goes on; calls in the manner of another architecture end the process.
 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SECCOMP_RET_KILL_PROCESS
#define SECCOMP_RET_KILL_PROCESS 0x80000000U
#endif

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the system calls of this architecture are not listed"
#endif

enum { MOST = 512 };

static struct sock_filter program[MOST];
static unsigned length;
static int is_full;

static void emit(uint16_t code, uint32_t value, uint8_t if_true, uint8_t if_false) {
    if (length == MOST) {
        is_full = 1;
        return;
    }
    program[length++] = (struct sock_filter){code, if_true, if_false, value};
}

static void load(uint32_t offset) { emit(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0); }
static void load_number(void) { load(offsetof(struct seccomp_data, nr)); }
/* Both architectures are little-endian. */
static uint32_t low(unsigned argument) { return (uint32_t)(offsetof(struct seccomp_data, args) + argument * 8); }
static uint32_t high(unsigned argument) { return low(argument) + 4; }
static void answer(uint32_t what) { emit(BPF_RET | BPF_K, what, 0, 0); }
static void refuse(int error) { answer(SECCOMP_RET_ERRNO | ((uint32_t)error & SECCOMP_RET_DATA)); }

static void always(long number) {
    emit(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1);
    answer(SECCOMP_RET_ALLOW);
}

static void never(long number, int error) {
    emit(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1);
    refuse(error);
}

/* Allowed when the low half of an argument has none of these bits; otherwise EPERM. */
static void unless_bits(long number, unsigned argument, uint32_t bits) {
    emit(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 4);
    load(low(argument));
    emit(BPF_JMP | BPF_JSET | BPF_K, bits, 1, 0);
    answer(SECCOMP_RET_ALLOW);
    refuse(EPERM);
}

/* Allowed when the argument is one of these, which fit 32 bits; otherwise EPERM. */
static void when_one_of(long number, unsigned argument, const uint32_t *values, unsigned count) {
    emit(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, (uint8_t)(count + 3));
    load(low(argument));
    for (unsigned index = 0; index < count; index++) {
        emit(BPF_JMP | BPF_JEQ | BPF_K, values[index], (uint8_t)(count - index), 0);
    }
    refuse(EPERM);
    answer(SECCOMP_RET_ALLOW);
}

/* Allowed when a pointer is null; otherwise EPERM. */
static void when_null(long number, unsigned argument) {
    emit(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 6);
    load(low(argument));
    emit(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
    load(high(argument));
    emit(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
    answer(SECCOMP_RET_ALLOW);
    refuse(EPERM);
}

static const long free_calls[] = {
    /* the busiest first */
    SYS_futex, SYS_recvmsg, SYS_sendto, SYS_sendmsg, SYS_recvfrom, SYS_read, SYS_write, SYS_clock_nanosleep,
    SYS_nanosleep, SYS_madvise, SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_brk,
    SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_lseek, SYS_close,
    SYS_fstat, SYS_statx, SYS_statfs, SYS_fstatfs, SYS_faccessat, SYS_readlinkat, SYS_getdents64, SYS_getcwd,
    SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday, SYS_times, SYS_getrusage, SYS_sysinfo, SYS_uname,
    SYS_getpid, SYS_gettid, SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getpgid, SYS_getsid,
    SYS_getgroups, SYS_getresuid, SYS_getresgid, SYS_getpriority,
    SYS_sched_yield, SYS_sched_getaffinity, SYS_sched_getparam, SYS_sched_getscheduler, SYS_sched_get_priority_max,
    SYS_sched_get_priority_min, SYS_getcpu,
    SYS_set_robust_list, SYS_get_robust_list, SYS_set_tid_address, SYS_rt_sigaction, SYS_rt_sigprocmask,
    SYS_rt_sigreturn, SYS_rt_sigtimedwait, SYS_rt_sigpending, SYS_rt_sigsuspend, SYS_sigaltstack, SYS_restart_syscall,
    SYS_exit, SYS_exit_group, SYS_getrandom, SYS_membarrier, SYS_mincore, SYS_msync, SYS_getrlimit,
    SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_eventfd2, SYS_timerfd_create, SYS_timerfd_settime,
    SYS_timerfd_gettime, SYS_ppoll, SYS_pselect6, SYS_pipe2, SYS_dup, SYS_dup3,
    SYS_memfd_create, SYS_ftruncate, SYS_fadvise64, SYS_shutdown, SYS_getsockopt,
#ifdef SYS_newfstatat
    SYS_newfstatat,
#endif
#ifdef SYS_rseq
    SYS_rseq,
#endif
#ifdef SYS_faccessat2
    SYS_faccessat2,
#endif
#ifdef SYS_epoll_pwait2
    SYS_epoll_pwait2,
#endif
#ifdef SYS_futex_waitv
    SYS_futex_waitv,
#endif
#if defined(__x86_64__)
    SYS_arch_prctl, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_poll, SYS_select, SYS_epoll_wait, SYS_epoll_create,
    SYS_eventfd, SYS_pipe, SYS_dup2, SYS_time, SYS_getpgrp,
#endif
    444, 445, 446, /* Landlock: it can only take away */
};

uint32_t contain_calls(void) {
    const uint32_t own_pid[] = {(uint32_t)getpid()};
    const uint32_t name_calls[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS, PR_CAPBSET_READ,
                                   0x53564d41 /* PR_SET_VMA */};
    const uint32_t descriptor_calls[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD, F_DUPFD_CLOEXEC,
                                         1033 /* F_ADD_SEALS */, 1034 /* F_GET_SEALS */};
    const uint32_t writing = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);
    const uint32_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    load(offsetof(struct seccomp_data, arch));
    emit(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    answer(SECCOMP_RET_KILL_PROCESS);
    load_number();
#if defined(__x86_64__)
    /* x32 */
    emit(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);
    answer(SECCOMP_RET_KILL_PROCESS);
#endif
    for (size_t index = 0; index < sizeof free_calls / sizeof free_calls[0]; index++) always(free_calls[index]);
    /* Threads, but no processes: the flags of clone are in a register, those of clone3 in memory. */
    never(SYS_clone3, ENOSYS);
    emit(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 7);
    load(low(0));
    emit(BPF_ALU | BPF_AND | BPF_K, thread, 0, 0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, thread, 0, 3);
    load(low(0));
    emit(BPF_JMP | BPF_JSET | BPF_K,
         CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | 0x02000000 /* cgroup */,
         1, 0);
    answer(SECCOMP_RET_ALLOW);
    refuse(EPERM);
    unless_bits(SYS_openat, 2, writing);
#if defined(__x86_64__)
    unless_bits(SYS_open, 1, writing);
#endif
    when_one_of(SYS_prctl, 0, name_calls, sizeof name_calls / sizeof name_calls[0]);
    when_one_of(SYS_fcntl, 1, descriptor_calls, sizeof descriptor_calls / sizeof descriptor_calls[0]);
    /* abort, raise, pthread_kill; never another process */
    when_one_of(SYS_tgkill, 0, own_pid, 1);
    when_one_of(SYS_kill, 0, own_pid, 1);
    /* Limits may be read, not set. */
    when_null(SYS_prlimit64, 2);
    /* A terminal is asked for before something is printed. */
    never(SYS_ioctl, ENOTTY);
    refuse(EPERM);
    if (is_full) return 0;
    struct sock_fprog filter = {(unsigned short)length, program};
    /* For every thread that there is. */
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) != 0) return 0;
    return TANDEM_ISOLATION_SECCOMP;
}
