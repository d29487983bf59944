/*
 * A plugin with one fault, chosen by a macro: each is one that `tandem plugin check` has to find. Without a macro it is
 * without fault up to silver.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <tandem/tandem.h>
#include <unistd.h>

#ifndef ARGUMENTS
#define ARGUMENTS "{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"}},\"additionalProperties\":false}"
#endif
#if defined(NO_UTTERANCES)
#define UTTERANCES "[]"
#else
#define UTTERANCES "[{\"text\":\"run the faulty thing\"}]"
#endif
#ifndef SALT
#define SALT "salt"
#endif

static const char MANIFEST[] =
    "{\"manifest\":1,\"id\":\"test.faulty\",\"namespace\":\"faulty\",\"name\":\"Faulty\",\"version\":\"1.0.0\","
    "\"summary\":\"Has one fault.\",\"license\":\"" SALT "\",\"abi\":{\"major\":1,\"minor\":0},"
    "\"extensions\":[\"tandem.kv/1\"],\"tools\":[{"
    "\"id\":\"faulty.run\",\"title\":\"Run\",\"description\":\"Does what it is compiled to do wrong.\","
    "\"parameters\":" ARGUMENTS ",\"result\":{\"type\":\"object\",\"required\":[\"ok\"]},\"effect\":\"read\","
    "\"utterances\":" UTTERANCES "}],\"limits\":{\"maxInFlight\":16}}";

struct instance {
    tandem_instance table;
    const tandem_host *host;
    _Atomic int running;
};

struct work {
    struct instance *self;
    tandem_call_id call;
    const uint8_t *text;
    uint64_t length;
};

static void give_back(void *owner) { free(owner); }

static tandem_buffer copy(const char *text) {
    size_t length = strlen(text);
    char *memory = malloc(length + 1);
    memcpy(memory, text, length + 1);
    return (tandem_buffer){(const uint8_t *)memory, length, memory, give_back};
}

static tandem_outcome outcome_of(const char *value, const char *message) {
    tandem_outcome outcome;
    memset(&outcome, 0, sizeof outcome);
    outcome.header.size = sizeof outcome;
    outcome.kind = TANDEM_OUTCOME_VALUE;
    outcome.value = copy(value);
    outcome.message = copy(message);
    return outcome;
}

static void answer(const tandem_host *host, tandem_call_id call) {
#if defined(WRONG_RESULT)
    tandem_outcome outcome = outcome_of("{\"no\":1}", "Done.");
#elif defined(LOOKS_AROUND)
    /* True in the host's process, false where no file can be opened. */
    int file = open("/etc/passwd", O_RDONLY);
    tandem_outcome outcome = outcome_of(file >= 0 ? "{\"ok\":true}" : "{\"ok\":false}", "Done.");
    if (file >= 0) close(file);
#elif defined(REACHES_OUT)
    int made = open("faulty-was-here", O_WRONLY | O_CREAT, 0600);
    bool reached = kill(getppid(), 0) == 0 || made >= 0;
    tandem_outcome outcome = outcome_of(reached ? "{\"ok\":true}" : "{\"ok\":false}", "Done.");
#elif defined(NOT_JSON)
    tandem_outcome outcome = outcome_of("{ok", "Done.");
#elif defined(NOT_UTF8)
    tandem_outcome outcome = outcome_of("{\"ok\":true}", "Done \xC3(.");
#elif defined(NO_MESSAGE)
    tandem_outcome outcome = outcome_of("{\"ok\":true}", "");
#elif defined(LONG_LINE)
    tandem_outcome outcome = outcome_of(
        "{\"ok\":true}", "This line goes on and on and on and on and on and on and on and on and on and on and on and on "
                         "and on and on and on and on and on and on and on and on and on and on and on and on and on.");
#else
    tandem_outcome outcome = outcome_of("{\"ok\":true}", "Done.");
#endif
#if defined(SMALL_OUTCOME)
    outcome.header.size = 8;
#elif defined(UNKNOWN_KIND)
    outcome.kind = 99;
#elif defined(UNKNOWN_TRUST)
    outcome.trust = 1;
#elif defined(HUGE_VALUE)
    outcome.value.len = (uint64_t)1 << 40;
#elif defined(NULL_BUFFER)
    outcome.message.ptr = NULL;
#endif
#if defined(NULL_OUTCOME)
    give_back(outcome.value.owner);
    give_back(outcome.message.owner);
    tandem_status status = host->complete(host, call, NULL);
#else
    tandem_status status = host->complete(host, call, &outcome);
#endif
    (void)status;
#if defined(RELEASES_OWN)
    free((void *)outcome.value.owner);
#elif defined(COMPLETES_TWICE)
    tandem_outcome second = outcome_of("{\"ok\":true}", "Done again.");
    host->complete(host, call, &second);
#elif defined(RETRIES)
    tandem_outcome second = outcome_of("{\"ok\":true}", "Done again.");
    if (status != TANDEM_OK) host->complete(host, call, &second);
    else give_back(second.value.owner), give_back(second.message.owner);
#elif defined(FREES_AFTER_FAILURE)
    if (status != TANDEM_OK) give_back(outcome.value.owner);
#elif defined(CALLS_NOBODY)
    host->complete(host, call ^ 1, &(tandem_outcome){.header = {.size = sizeof outcome}});
#endif
}

#if defined(FORGETS_UNDER_LOAD)
/* Of all people: an array of sixteen slots, as somebody might write it who tries one person only. */
static _Atomic int everywhere;
#endif

#if defined(QUIET_TOO_EARLY) || defined(FORGETS_UNDER_LOAD)
#define LATE
#endif
#if defined(LATE) || defined(KEEPS_REQUEST) || defined(KEEPS_THREAD) || defined(USES_HOST_AFTER)
static void *late(void *context) {
    struct work work = *(struct work *)context;
    free(context);
#if defined(FORGETS_UNDER_LOAD)
    usleep(20000);
    if (atomic_fetch_sub(&everywhere, 1) > 16) {
        atomic_fetch_sub(&work.self->running, 1);
        return NULL;
    }
#endif
    usleep(2000);
#if defined(KEEPS_REQUEST)
    volatile uint8_t first = work.text[0];
    (void)first;
#endif
    answer(work.self->host, work.call);
#if defined(KEEPS_THREAD)
    for (;;) pause();
#elif defined(USES_HOST_AFTER)
    const tandem_host *host = work.self->host;
    atomic_fetch_sub(&work.self->running, 1);
    usleep(400000); /* long enough that the instance is gone, on a busy machine, too */
    host->is_cancelled(host, work.call);
    return NULL;
#endif
    atomic_fetch_sub(&work.self->running, 1);
    return NULL;
}
#endif

#if defined(KEEPS_BUFFER) || defined(RELEASES_TWICE) || defined(FREES_BUFFER) || defined(NEEDS_EXTENSION) || \
    defined(FORGETS_FAILURES)
#define USES_KEYS
#endif
#if defined(USES_KEYS)
static void have_key(void *context, tandem_status status, const tandem_kv_result *result) {
    struct work *work = context;
    (void)status;
    tandem_buffer value = result->value;
#if defined(FREES_BUFFER)
    free((void *)value.owner);
#elif defined(RELEASES_TWICE)
    if (value.release != NULL) value.release(value.owner);
    if (value.release != NULL) value.release(value.owner);
#elif !defined(KEEPS_BUFFER)
    if (value.release != NULL) value.release(value.owner);
#else
    (void)value;
#endif
    answer(work->self->host, work->call);
    atomic_fetch_sub(&work->self->running, 1);
    free(work);
}

static void set_key(void *context, tandem_status status, const tandem_kv_result *result) {
    struct work *work = context;
    const tandem_kv *kv = work->self->host->get_extension(work->self->host, TANDEM_EXT_KV);
    (void)result;
#if defined(FORGETS_FAILURES)
    if (status != TANDEM_OK) {
        atomic_fetch_sub(&work->self->running, 1);
        free(work);
        return;
    }
#endif
    if (status != TANDEM_OK ||
        kv->get(work->self->host, work->call, (tandem_slice){(const uint8_t *)"key", 3}, work, have_key) != TANDEM_OK) {
        answer(work->self->host, work->call);
        atomic_fetch_sub(&work->self->running, 1);
        free(work);
    }
}
#endif

#if defined(IGNORES_CALLBACK)
static void have_nothing(void *context, tandem_status status, const tandem_kv_result *result) {
    (void)context, (void)status;
    if (result != NULL && result->value.release != NULL) result->value.release(result->value.owner);
}
#endif

#if defined(HANDLES_SIGNALS)
static void on_signal(int number) { (void)number; }
#endif

static tandem_status activate(tandem_instance *instance) {
    (void)instance;
#if defined(PRINTS)
    puts("hello");
    fflush(stdout);
#elif defined(OPENS_SOCKET)
    close(socket(AF_INET, SOCK_STREAM, 0));
#elif defined(EXITS)
    exit(0);
#elif defined(FORKS)
    pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid(child, NULL, 0);
#elif defined(RUNS_COMMANDS)
    if (system("true") == 77) puts("?");
#elif defined(HANDLES_SIGNALS)
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
#elif defined(SETS_LOCALE)
    setlocale(LC_ALL, "C.UTF-8");
#elif defined(HANGS)
    for (;;) pause();
#elif defined(ODD_STATUS)
    return 1;
#endif
    return TANDEM_OK;
}

static tandem_status invoke(tandem_instance *instance, const tandem_request *request) {
    struct instance *self = (struct instance *)instance;
#if defined(WANTS_EXACT_REQUEST)
    if (request->header.size != sizeof *request) return TANDEM_E_SIZE_TOO_SMALL;
#elif !defined(IGNORES_REQUEST_SIZE)
    if (request->header.size < sizeof *request) return TANDEM_E_SIZE_TOO_SMALL;
#else
    if (request->answers.len > 1000) return TANDEM_E_TOO_LARGE;
#endif
#if !defined(IGNORES_FLAGS)
    if ((request->header.flags & TANDEM_FLAGS_MUST_UNDERSTAND) != 0) return TANDEM_E_UNSUPPORTED;
#endif
#if defined(KNOWS_EVERY_TOOL)
    if (request->tool.len == 0) return TANDEM_E_UNSUPPORTED;
#else
    if (request->tool.len != 10 || memcmp(request->tool.ptr, "faulty.run", 10) != 0) return TANDEM_E_UNSUPPORTED;
#endif
#if defined(IGNORES_HOST_SIZE)
    self->host->progress(self->host, request->call, 1, (tandem_slice){NULL, 0});
#elif defined(LENT_AS_OWN)
    tandem_outcome echo = outcome_of("{\"ok\":true}", "");
    echo.message = (tandem_buffer){request->tool.ptr, request->tool.len, NULL, NULL};
    self->host->complete(self->host, request->call, &echo);
    return TANDEM_OK;
#elif defined(REFUSES_AND_COMPLETES)
    answer(self->host, request->call);
    return TANDEM_E_BUSY;
#elif defined(POSITIVE_STATUS)
    return 1;
#elif defined(NULL_ID)
    if (self->host->get_extension(self->host, NULL) != NULL) return TANDEM_E_INTERNAL;
#elif defined(BAD_PROGRESS)
    self->host->progress(self->host, request->call, 5000, (tandem_slice){NULL, 0});
#elif defined(SLOW_TO_END)
    /* Answers at its own pace, whatever becomes of the call. */
    if (request->deadline_ns < (uint64_t)1000000000) {
        atomic_fetch_add(&self->running, 1);
        return TANDEM_OK;
    }
#elif defined(IGNORES_CALLBACK)
    const tandem_kv *notebook = self->host->get_extension(self->host, TANDEM_EXT_KV);
    if (notebook != NULL)
        notebook->get(self->host, request->call, (tandem_slice){(const uint8_t *)"key", 3}, NULL, have_nothing);
#elif defined(NULL_DONE)
    const tandem_kv *without = self->host->get_extension(self->host, TANDEM_EXT_KV);
    if (without != NULL)
        without->get(self->host, request->call, (tandem_slice){(const uint8_t *)"key", 3}, NULL, NULL);
#elif defined(NULL_SLICE)
    const tandem_log *log = self->host->get_extension(self->host, TANDEM_EXT_LOG);
    if (log != NULL)
        log->write(self->host, TANDEM_LOG_INFO, request->call, (tandem_slice){NULL, 7}, (tandem_slice){NULL, 0});
#endif
    struct work *work = malloc(sizeof *work);
    *work = (struct work){self, request->call, request->arguments.ptr, request->arguments.len};
#if defined(READS_PAST_END)
    if (strlen((const char *)request->arguments.ptr) == 77777) abort();
#elif defined(TRUNCATES_ID)
    work->call = (uint32_t)request->call;
#elif defined(LEAKS_MEMORY)
    if (malloc(64) == NULL) abort();
#elif defined(BLOCKS)
    usleep(15000);
#elif defined(CRASHES_ON_ESCAPE)
    if (memmem(request->arguments.ptr, request->arguments.len, "\\u", 2) != NULL) abort();
#elif defined(WRITES_REQUEST)
    ((uint8_t *)(uintptr_t)request->arguments.ptr)[0] = ' ';
#elif defined(REFUSES_VALID)
    free(work);
    return TANDEM_E_INVALID_ARGUMENT;
#endif
#if defined(IGNORES_CANCEL)
    /* Accepted, and forgotten once somebody cancels. */
    if (self->host->is_cancelled(self->host, work->call) == 1) {
        free(work);
        return TANDEM_OK;
    }
#endif
#if defined(LATE) || defined(KEEPS_REQUEST) || defined(KEEPS_THREAD) || defined(USES_HOST_AFTER)
    pthread_t thread;
    atomic_fetch_add(&self->running, 1);
#if defined(FORGETS_UNDER_LOAD)
    atomic_fetch_add(&everywhere, 1);
#endif
    if (pthread_create(&thread, NULL, late, work) != 0) {
        atomic_fetch_sub(&self->running, 1);
        free(work);
        return TANDEM_E_NO_MEMORY;
    }
    pthread_detach(thread);
#if defined(KEEPS_THREAD)
    atomic_fetch_sub(&self->running, 1);
#endif
    return TANDEM_OK;
#elif defined(USES_KEYS)
    const tandem_kv *kv = self->host->get_extension(self->host, TANDEM_EXT_KV);
    atomic_fetch_add(&self->running, 1);
#if defined(NEEDS_EXTENSION)
    if (kv->header.size < sizeof *kv) return TANDEM_E_UNSUPPORTED;
#endif
    if (kv == NULL || kv->set(self->host, work->call, (tandem_slice){(const uint8_t *)"key", 3},
                              (tandem_slice){(const uint8_t *)"value", 5}, TANDEM_KV_ANY_VERSION, 0, work,
                              set_key) != TANDEM_OK) {
        answer(self->host, work->call);
        atomic_fetch_sub(&self->running, 1);
        free(work);
    }
    return TANDEM_OK;
#else
    answer(self->host, work->call);
    free(work);
    return TANDEM_OK;
#endif
}

static void cancel(tandem_instance *instance, tandem_call_id call, uint32_t reason) {
    (void)instance, (void)call, (void)reason;
}

static tandem_status quiesce(tandem_instance *instance) {
#if defined(QUIET_TOO_EARLY)
    (void)instance;
    return TANDEM_OK;
#elif defined(QUIESCE_FAILS)
    (void)instance;
    return TANDEM_E_INTERNAL;
#endif
    return atomic_load(&((struct instance *)instance)->running) == 0 ? TANDEM_OK : TANDEM_E_BUSY;
}

static void destroy(tandem_instance *instance) {
#if !defined(LEAKS_INSTANCE)
    free(instance);
#else
    (void)instance;
#endif
}

#if defined(EARLY_THREAD)
static void *nothing(void *context) { return context; }
#endif

#if defined(BAD_HEALTH)
static tandem_status unwell(tandem_instance *instance, const tandem_request *request) {
    const tandem_host *host = ((struct instance *)instance)->host;
    tandem_outcome outcome = outcome_of("{\"status\":\"splendid\"}", "");
    host->complete(host, request->call, &outcome);
    return TANDEM_OK;
}
#endif

static const void *get_extension(tandem_instance *instance, const char *id) {
    (void)instance, (void)id;
#if defined(CLAIMS_EXTENSIONS)
    static const tandem_health HEALTH = {.header = {.size = sizeof HEALTH}};
    return &HEALTH;
#elif defined(BAD_HEALTH)
    static const tandem_health HEALTH = {.header = {.size = sizeof HEALTH}, .check = unwell};
    return strcmp(id, TANDEM_EXT_HEALTH) == 0 ? &HEALTH : NULL;
#elif defined(SMALL_HEALTH)
    static const tandem_health HEALTH = {.header = {.size = 4}, .check = NULL};
    return strcmp(id, TANDEM_EXT_HEALTH) == 0 ? &HEALTH : NULL;
#else
    return NULL;
#endif
}

static tandem_status create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **out) {
    (void)plugin;
    *out = NULL;
#if defined(WANTS_EXACT_HOST)
    if (host->header.size != sizeof *host) return TANDEM_E_SIZE_TOO_SMALL;
#elif !defined(IGNORES_HOST_SIZE)
    if (host->header.size < sizeof *host) return TANDEM_E_SIZE_TOO_SMALL;
#endif
    struct instance *self = calloc(1, sizeof *self);
#if defined(EARLY_THREAD)
    pthread_t thread;
    if (pthread_create(&thread, NULL, nothing, NULL) == 0) pthread_join(thread, NULL);
#elif defined(READS_ENVIRONMENT)
    if (getenv("HOME") == NULL) self->running = 0;
#elif defined(LEAKS_DESCRIPTOR)
    if (open("/dev/null", O_RDONLY) < 0) self->running = 0;
#endif
    self->host = host;
    self->table = (tandem_instance){.header = {.size = sizeof self->table}, .activate = activate, .invoke = invoke,
                                    .cancel = cancel, .quiesce = quiesce, .destroy = destroy,
                                    .get_extension = get_extension};
    *out = &self->table;
    return TANDEM_OK;
}

static tandem_slice manifest(const tandem_plugin *plugin) {
    (void)plugin;
#if defined(MANIFEST_CHANGES)
    static char other[sizeof MANIFEST];
    static int count;
    if (count++ == 0) return (tandem_slice){(const uint8_t *)MANIFEST, sizeof MANIFEST - 1};
    memcpy(other, MANIFEST, sizeof MANIFEST);
    *strstr(other, "fault.") = 'F';
    return (tandem_slice){(const uint8_t *)other, sizeof MANIFEST - 1};
#endif
    return (tandem_slice){(const uint8_t *)MANIFEST, sizeof MANIFEST - 1};
}

#if defined(EXPORTS_MORE)
TANDEM_EXPORT int faulty_helper(void);
int faulty_helper(void) { return 1; }
#endif

TANDEM_EXPORT const tandem_plugin *tandem_plugin_entry(uint32_t host_major, uint32_t host_minor) {
    static const tandem_plugin PLUGIN = {.header = {.size = sizeof PLUGIN}, .abi_major = TANDEM_ABI_MAJOR,
                                         .abi_minor = TANDEM_ABI_MINOR, .manifest = manifest, .create = create};
    (void)host_major, (void)host_minor;
#if defined(FIRST_MINOR_ONLY)
    if (host_minor > 0) return NULL;
#elif defined(NEEDS_HOST)
    extern int tandem_host_of(uint32_t);
    if (tandem_host_of(host_minor) == 77) return NULL;
#endif
#if defined(ANY_MAJOR)
    return &PLUGIN;
#else
    return host_major == TANDEM_ABI_MAJOR ? &PLUGIN : NULL;
#endif
}
