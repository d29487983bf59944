/*
 * Tries what a plugin in a runner must not be able to do; each tool answers with what came of it. The same is tried by a
 * constructor, before the entry point is called, where it is forbidden no less.
 */
#ifndef ID
#define ID "test.probe"
#define NAMESPACE "probe"
#endif
#define PARAMETERS "{\"type\":\"object\",\"properties\":{\"value\":{}},\"additionalProperties\":false}"
#define TOOL(name)                                                                                                     \
    "{\"id\":\"" NAMESPACE "." name "\",\"title\":\"" name "\",\"description\":\"" name "\",\"parameters\":" PARAMETERS  \
    ",\"effect\":\"read\"}"
#define TOOLS                                                                                                          \
    TOOL("try") "," TOOL("early") "," TOOL("inside") "," TOOL("abort") "," TOOL("segv") "," TOOL("memory") ","          \
    TOOL("burn") "," TOOL("exit") "," TOOL("flood") "," TOOL("garbage") "," TOOL("big") "," TOOL("threads")
#include <tandem/tandem.h>
static tandem_status probe_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE probe_invoke
#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef CLONE_NEWUSER
#define CLONE_NEWUSER 0x10000000
#endif

extern char **environ;

static char early[2000];

static int failed(long result) { return result < 0 ? errno : 0; }

static int try_open(const char *path, int flags) {
    int file = open(path, flags, 0600);
    int code = failed(file);
    if (file >= 0) close(file);
    return code;
}

static int try_fork(void) {
    pid_t child = fork();
    if (child == 0) _exit(0);
    int code = failed(child);
    if (child > 0) waitpid(child, NULL, 0);
    return code;
}

static int try_exec(void) {
    char *const arguments[] = {"true", NULL};
    execv("/bin/true", arguments);
    return errno;
}

static int try_clone3(void) {
    long result = syscall(SYS_clone3, NULL, 0);
    return failed(result);
}

/* Numbers are errno values, 0 is success. */
static void try_all(char *out, size_t room) {
    int variables = 0, descriptors = 0;
    for (char **variable = environ; variable != NULL && *variable != NULL; variable++) variables++;
    /* Not by /proc/self/fd, which cannot be read. */
    for (int number = 0; number < 1024; number++) {
        if (fcntl(number, F_GETFD) >= 0) descriptors++;
    }
    struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    snprintf(out, room,
             "{\"inet\":%d,\"unix\":%d,\"netlink\":%d,\"pair\":%d,\"passwd\":%d,\"write\":%d,\"proc\":%d,\"fork\":%d,"
             "\"vfork\":%d,\"exec\":%d,\"clone3\":%d,\"ptrace\":%d,\"kill\":%d,\"limit\":%d,\"mount\":%d,\"bpf\":%d,"
             "\"perf\":%d,\"userfaultfd\":%d,\"keyctl\":%d,\"uring\":%d,\"unshare\":%d,\"setns\":%d,\"deathsig\":%d,"
             "\"root\":%d,\"variables\":%d,\"descriptors\":%d}",
             failed(socket(AF_INET, SOCK_STREAM, 0)), failed(socket(AF_UNIX, SOCK_STREAM, 0)),
             failed(socket(AF_NETLINK, SOCK_RAW, 0)), failed(socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){0, 0})),
             try_open("/etc/passwd", O_RDONLY), try_open("/tmp/tandem-probe", O_WRONLY | O_CREAT),
             try_open("/proc/self/environ", O_RDONLY), try_fork(), failed(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)),
             try_exec(), try_clone3(), failed(ptrace(PTRACE_TRACEME, 0, NULL, NULL)), failed(kill(getpid() + 1, 0)),
             failed(setrlimit(RLIMIT_CORE, &none)), failed(syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL)),
             failed(syscall(SYS_bpf, 0, NULL, 0)), failed(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0)),
             failed(syscall(SYS_userfaultfd, 0)), failed(syscall(SYS_keyctl, 0, 0, 0, 0, 0)),
             failed(syscall(425, 1, NULL)), failed(syscall(SYS_unshare, CLONE_NEWUSER)),
             failed(syscall(SYS_setns, 0, 0)),
             failed(syscall(SYS_prctl, 1, 0, 0, 0, 0)), try_open("/", O_RDONLY | O_DIRECTORY), variables, descriptors);
}

__attribute__((constructor)) static void before_everything(void) {
    try_all(early, sizeof early);
#if defined(CRASH_load)
    abort();
#endif
#if defined(HANG_load)
    for (;;) sleep(1000);
#endif
}

static int is(const tandem_request *request, const char *name) {
    const char *dot = memchr(request->tool.ptr, '.', request->tool.len);
    if (dot == NULL) return 0;
    size_t length = request->tool.len - (size_t)(dot + 1 - (const char *)request->tool.ptr);
    return length == strlen(name) && memcmp(dot + 1, name, length) == 0;
}

static void *sleeper(void *argument) {
    for (;;) sleep(1000);
    return argument;
}

static tandem_status answer(tandem_instance *instance, const tandem_request *request, const char *json) {
    const tandem_host *host = ((plugin_instance *)instance)->host;
    tandem_outcome outcome = outcome_of(TANDEM_OUTCOME_VALUE);
    outcome.value = text(json);
    return host->complete(host, request->call, &outcome);
}

static tandem_status probe_invoke(tandem_instance *instance, const tandem_request *request) {
    const tandem_host *host = ((plugin_instance *)instance)->host;
    char json[2000];
    if (is(request, "early")) return answer(instance, request, early);
    if (is(request, "try")) {
        try_all(json, sizeof json);
        return answer(instance, request, json);
    }
    if (is(request, "inside")) {
        /* The bundle's folder is the working directory and can be read. */
        snprintf(json, sizeof json, "{\"own\":%d,\"zone\":%d,\"library\":%d}", try_open("plugin.json", O_RDONLY),
                 try_open("/usr/share/zoneinfo/UTC", O_RDONLY), try_open("/usr/lib/os-release", O_RDONLY));
        return answer(instance, request, json);
    }
    if (is(request, "abort")) abort();
    if (is(request, "segv")) *(volatile int *)8 = 1;
    if (is(request, "exit")) _exit(3);
    if (is(request, "burn")) {
        for (volatile unsigned long count = 0;; count++) {
        }
    }
    if (is(request, "memory")) {
        size_t total = 0;
        for (; total < (size_t)4 << 30; total += 16 << 20) {
            char *block = malloc(16 << 20);
            if (block == NULL) break;
            memset(block, 1, 16 << 20);
        }
        snprintf(json, sizeof json, "{\"mebibytes\":%zu}", total >> 20);
        return answer(instance, request, json);
    }
    if (is(request, "threads")) {
        int started = 0;
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, 16384);
        for (pthread_t thread; started < 2000 && pthread_create(&thread, &attributes, sleeper, NULL) == 0;) started++;
        snprintf(json, sizeof json, "{\"threads\":%d}", started);
        return answer(instance, request, json);
    }
    if (is(request, "flood")) {
        const tandem_log *log = host->get_extension(host, TANDEM_EXT_LOG);
        tandem_slice line = {(const uint8_t *)"again", 5}, fields = {NULL, 0};
        for (int count = 0; count < 300000; count++) {
            log->write(host, TANDEM_LOG_INFO, request->call, line, fields);
            host->progress(host, request->call, 500, line);
        }
        return answer(instance, request, "{\"done\":true}");
    }
    if (is(request, "garbage")) {
        /* Straight to the host, past the runner. */
        char bytes[4096];
        memset(bytes, 0x5a, sizeof bytes);
        for (int round = 0; round < 100; round++) {
            if (send(3, bytes, sizeof bytes, MSG_NOSIGNAL) < 0) break;
        }
        pause();
    }
    if (is(request, "big")) {
        /* As long as a value may be, and as far as it matters for the transport: more than a frame holds. */
        size_t length = (1 << 20) - 16;
        char *value = malloc(length + 1);
        if (value == NULL) return TANDEM_E_NO_MEMORY;
        memset(value, 'x', length);
        value[0] = value[length - 1] = '"';
        value[length] = 0;
        tandem_status status = answer(instance, request, value);
        free(value);
        return status;
    }
    return TANDEM_E_UNSUPPORTED;
}
