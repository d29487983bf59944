/*
 * Functions of the C library that this program defines itself, so that the dynamic linker gives them to the plugin: what
 * the plugin's own code asks for is noted, then done. Calls from other libraries pass through unnoted.
 */
#define _GNU_SOURCE
#include "worker.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

static _Thread_local enum phase current = PHASE_RUN;
static _Atomic unsigned seen;

enum { ENVIRONMENT = 1, THREADS = 2, SOCKETS = 4, PROCESSES = 8, SIGNALS = 16, LOCALE = 32 };

void set_phase(enum phase phase) { current = phase; }

static bool is_early(void) { return current != PHASE_RUN; }

/* True for the first call of its kind out of the plugin's own code, early and later counted apart. */
static bool is_noted(unsigned what, const void *from) {
    if (!is_in_image(from)) return false;
    unsigned bit = is_early() ? what : what << 8;
    return (atomic_fetch_or(&seen, bit) & bit) == 0;
}

#define REAL(type, name) ((type)(uintptr_t)dlsym(RTLD_NEXT, name))
#define EXPORT __attribute__((visibility("default")))

EXPORT char *getenv(const char *name) {
    static char *(*real)(const char *);
    if (real == NULL) real = REAL(char *(*)(const char *), "getenv");
    if (is_noted(ENVIRONMENT, __builtin_return_address(0)))
        finding(is_early() ? LEVEL_ERROR : LEVEL_WARNING, "environment",
                "it reads the environment (getenv); settings come from tandem.config/1, and a runner's is empty");
    return real(name);
}

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *context) {
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (real == NULL)
        real = REAL(int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *), "pthread_create");
    if (is_early() && is_noted(THREADS, __builtin_return_address(0)))
        finding(LEVEL_ERROR, "early_thread", "it starts a thread before activate");
    return real(thread, attributes, function, context);
}

EXPORT int socket(int domain, int type, int protocol) {
    static int (*real)(int, int, int);
    if (real == NULL) real = REAL(int (*)(int, int, int), "socket");
    if (is_noted(SOCKETS, __builtin_return_address(0)))
        finding(LEVEL_ERROR, "socket", "it opens a socket, which a runner forbids; use tandem.http/1");
    return real(domain, type, protocol);
}

EXPORT pid_t fork(void) {
    static pid_t (*real)(void);
    if (real == NULL) real = REAL(pid_t(*)(void), "fork");
    if (is_noted(PROCESSES, __builtin_return_address(0)))
        finding(LEVEL_ERROR, "process", "it starts a process, which a runner forbids");
    return real();
}

EXPORT int system(const char *command) {
    static int (*real)(const char *);
    if (real == NULL) real = REAL(int (*)(const char *), "system");
    if (is_noted(PROCESSES, __builtin_return_address(0)))
        finding(LEVEL_ERROR, "process", "it runs a command, which a runner forbids");
    return real(command);
}

EXPORT int sigaction(int number, const struct sigaction *action, struct sigaction *old) {
    static int (*real)(int, const struct sigaction *, struct sigaction *);
    if (real == NULL) real = REAL(int (*)(int, const struct sigaction *, struct sigaction *), "sigaction");
    if (action != NULL && is_noted(SIGNALS, __builtin_return_address(0)))
        finding(LEVEL_ERROR, "signals", "it installs a signal handler: signals belong to the host's process");
    return real(number, action, old);
}

EXPORT char *setlocale(int category, const char *locale) {
    static char *(*real)(int, const char *);
    if (real == NULL) real = REAL(char *(*)(int, const char *), "setlocale");
    if (locale != NULL && is_noted(LOCALE, __builtin_return_address(0)))
        finding(LEVEL_WARNING, "locale", "it sets the process's locale, which others share");
    return real(category, locale);
}
