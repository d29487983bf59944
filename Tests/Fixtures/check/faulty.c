/*
 * A plugin with one fault, chosen by a macro: each is one that `tandem plugin check` has to find. Without a macro it is
 * without fault up to silver.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <tandem/tandem.h>
#include <unistd.h>

#ifndef ARGUMENTS
#define ARGUMENTS "{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"}},\"additionalProperties\":false}"
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
    "\"utterances\":[{\"text\":\"run the faulty thing\"}]}],\"limits\":{\"maxInFlight\":16}}";

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
#elif defined(NO_MESSAGE)
    tandem_outcome outcome = outcome_of("{\"ok\":true}", "");
#elif defined(LONG_LINE)
    tandem_outcome outcome = outcome_of(
        "{\"ok\":true}", "This line goes on and on and on and on and on and on and on and on and on and on and on and on "
                         "and on and on and on and on and on and on and on and on and on and on and on and on and on.");
#else
    tandem_outcome outcome = outcome_of("{\"ok\":true}", "Done.");
#endif
    host->complete(host, call, &outcome);
#if defined(RELEASES_OWN)
    free((void *)outcome.value.owner);
#endif
}

#if defined(LATE) || defined(KEEPS_REQUEST) || defined(KEEPS_THREAD) || defined(USES_HOST_AFTER)
static void *late(void *context) {
    struct work work = *(struct work *)context;
    free(context);
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
    usleep(20000);
    host->is_cancelled(host, work.call);
    return NULL;
#endif
    atomic_fetch_sub(&work.self->running, 1);
    return NULL;
}
#endif

#if defined(USES_KEYS) || defined(KEEPS_BUFFER) || defined(RELEASES_TWICE) || defined(FREES_BUFFER)
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
    if (status != TANDEM_OK ||
        kv->get(work->self->host, work->call, (tandem_slice){(const uint8_t *)"key", 3}, work, have_key) != TANDEM_OK) {
        answer(work->self->host, work->call);
        atomic_fetch_sub(&work->self->running, 1);
        free(work);
    }
}
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
#endif
    return TANDEM_OK;
}

static tandem_status invoke(tandem_instance *instance, const tandem_request *request) {
    struct instance *self = (struct instance *)instance;
    if (request->header.size < sizeof *request) return TANDEM_E_SIZE_TOO_SMALL;
    if ((request->header.flags & TANDEM_FLAGS_MUST_UNDERSTAND) != 0) return TANDEM_E_UNSUPPORTED;
    if (request->tool.len != 10 || memcmp(request->tool.ptr, "faulty.run", 10) != 0) return TANDEM_E_UNSUPPORTED;
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
#elif defined(USES_KEYS) || defined(KEEPS_BUFFER) || defined(RELEASES_TWICE) || defined(FREES_BUFFER)
    const tandem_kv *kv = self->host->get_extension(self->host, TANDEM_EXT_KV);
    atomic_fetch_add(&self->running, 1);
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

static const void *get_extension(tandem_instance *instance, const char *id) {
    (void)instance, (void)id;
#if defined(CLAIMS_EXTENSIONS)
    static const tandem_health HEALTH = {.header = {.size = sizeof HEALTH}};
    return &HEALTH;
#else
    return NULL;
#endif
}

static tandem_status create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **out) {
    (void)plugin;
    *out = NULL;
    if (host->header.size < sizeof *host) return TANDEM_E_SIZE_TOO_SMALL;
    struct instance *self = calloc(1, sizeof *self);
#if defined(EARLY_THREAD)
    pthread_t thread;
    if (pthread_create(&thread, NULL, nothing, NULL) == 0) pthread_join(thread, NULL);
#elif defined(READS_ENVIRONMENT)
    if (getenv("HOME") == NULL) self->running = 0;
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
    return (tandem_slice){(const uint8_t *)MANIFEST, sizeof MANIFEST - 1};
}

TANDEM_EXPORT const tandem_plugin *tandem_plugin_entry(uint32_t host_major, uint32_t host_minor) {
    static const tandem_plugin PLUGIN = {.header = {.size = sizeof PLUGIN}, .abi_major = TANDEM_ABI_MAJOR,
                                         .abi_minor = TANDEM_ABI_MINOR, .manifest = manifest, .create = create};
    (void)host_major, (void)host_minor;
#if defined(ANY_MAJOR)
    return &PLUGIN;
#else
    return host_major == TANDEM_ABI_MAJOR ? &PLUGIN : NULL;
#endif
}
