/*
 * The host's extensions: what they answer comes from the parent, who has tables, keys and settings. Every other request is
 * answered before its function returns, the others later on a thread of the host: both are promised.
 */
#define _GNU_SOURCE
#include "worker.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_NUMBERS = 2, WAIT_SECONDS = 60 };

struct answer {
    struct answer *next;
    uint64_t id;
    bool is_there;
    tandem_status status;
    uint8_t *bytes;
    size_t length;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct answer *answers;
static uint64_t next_id;

/* ---- Asking the parent ---- */

struct question {
    const char *extension, *function;
    char *slices[4];
    int slice_count;
    uint64_t numbers[MAX_NUMBERS];
    int number_count;
};

static void free_question(struct question *question) {
    for (int index = 0; index < question->slice_count; index++) free(question->slices[index]);
}

static struct answer ask(const struct question *question, const struct call *call) {
    struct answer mine = {0};
    pthread_mutex_lock(&lock);
    mine.id = ++next_id;
    mine.next = answers;
    answers = &mine;
    pthread_mutex_unlock(&lock);
    size_t room = 1;
    for (int index = 0; index < question->slice_count; index++) room += strlen(question->slices[index]) + 3;
    char *slices = malloc(room);
    if (slices == NULL) abort();
    size_t at = 0;
    for (int index = 0; index < question->slice_count; index++)
        at += (size_t)snprintf(slices + at, room - at, "%s\"%s\"", index > 0 ? "," : "", question->slices[index]);
    slices[at] = 0;
    report_event("ask", "\"id\":%llu,\"n\":%u,\"tool\":\"%s\",\"extension\":\"%s\",\"function\":\"%s\",\"slices\":[%s],"
                 "\"numbers\":[\"%llu\",\"%llu\"]",
                 (unsigned long long)mine.id, call->index, call->tool, question->extension, question->function, slices,
                 (unsigned long long)question->numbers[0], (unsigned long long)question->numbers[1]);
    free(slices);
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += WAIT_SECONDS;
    pthread_mutex_lock(&lock);
    while (!mine.is_there)
        if (pthread_cond_timedwait(&changed, &lock, &limit) == ETIMEDOUT) {
            mine.status = TANDEM_E_INTERNAL;
            break;
        }
    for (struct answer **at = &answers; *at != NULL; at = &(*at)->next)
        if (*at == &mine) {
            *at = mine.next;
            break;
        }
    pthread_mutex_unlock(&lock);
    return mine;
}

void extension_answer(uint64_t id, tandem_status status, uint8_t *bytes, size_t length) {
    pthread_mutex_lock(&lock);
    for (struct answer *answer = answers; answer != NULL; answer = answer->next)
        if (answer->id == id) {
            answer->status = status;
            answer->bytes = bytes;
            answer->length = length;
            answer->is_there = true;
            bytes = NULL;
            break;
        }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    free(bytes);
}

/* ---- Requests with a callback ---- */

struct job {
    struct job *next;
    struct question question;
    const tandem_host *host;
    struct call *call;
    void *context;
    void (*deliver)(struct job *job, tandem_status status, const uint8_t *bytes, size_t length);
    void (*done)(void); /* of the type that deliver knows */
    uint64_t id;
};

static struct job *first_job, *last_job;
static pthread_cond_t job_came = PTHREAD_COND_INITIALIZER;
static _Atomic unsigned jobs_open, jobs_made;

static void perform(struct job *job) {
    struct answer answer = ask(&job->question, job->call);
    stage("a callback for", job->question.extension);
    /* Before the plugin hears of it: it may be at rest once it has. */
    atomic_fetch_sub(&job->call->person->owed, 1);
    job->deliver(job, answer.status, answer.bytes, answer.length);
    free(answer.bytes);
    end_service(job->call);
    free_question(&job->question);
    free(job);
    atomic_fetch_sub(&jobs_open, 1);
}

static void *serve(void *unused) {
    for (;;) {
        pthread_mutex_lock(&lock);
        while (first_job == NULL) pthread_cond_wait(&job_came, &lock);
        struct job *job = first_job;
        first_job = job->next;
        if (first_job == NULL) last_job = NULL;
        pthread_mutex_unlock(&lock);
        /* Long enough that the function has returned, mostly. */
        struct timespec moment = {0, 200000};
        nanosleep(&moment, NULL);
        perform(job);
    }
    return unused;
}

void extensions_start(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve, NULL) != 0) abort();
}

bool wait_for_services(unsigned milliseconds) {
    uint64_t limit = now_ns() + (uint64_t)milliseconds * 1000000u;
    while (atomic_load(&jobs_open) > 0 && now_ns() < limit) sleep_ms(1);
    return atomic_load(&jobs_open) == 0;
}

static const struct person *person_of(const tandem_host *host) { return host->context; }

/* TANDEM_OK with a job, or why not. */
static tandem_status begin(const tandem_host *host, tandem_call_id id, const char *extension, const char *function,
                           const void *done, struct job **out) {
    if (done == NULL) {
        finding(LEVEL_ERROR, "null_done", "%s of %s was called without a callback", function, extension);
        return TANDEM_E_INVALID_ARGUMENT;
    }
    lock_calls();
    struct call *call = find_call(host, id);
    unlock_calls();
    if (call == NULL) {
        finding(LEVEL_WARNING, "service_for_unknown_call", "%s of %s was called for a call that does not exist", function,
                extension);
        return TANDEM_E_STALE;
    }
    if (!begin_service(call)) return TANDEM_E_STALE;
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL) abort();
    job->host = host;
    job->call = call;
    job->question.extension = extension;
    job->question.function = function;
    *out = job;
    return TANDEM_OK;
}

static bool add(struct job *job, tandem_slice slice) {
    if (slice.ptr == NULL && slice.len > 0) {
        finding(LEVEL_ERROR, "null_slice", "%s of %s was given a null slice of %llu bytes", job->question.function,
                job->question.extension, (unsigned long long)slice.len);
        return false;
    }
    job->question.slices[job->question.slice_count++] = hex(slice.ptr, slice.len <= (9u << 20) ? slice.len : 0);
    return true;
}

static void number(struct job *job, uint64_t value) { job->question.numbers[job->question.number_count++] = value; }

static tandem_status refuse(struct job *job, tandem_status status) {
    end_service(job->call);
    free_question(&job->question);
    free(job);
    return status;
}

static tandem_status start(struct job *job, void *context, void (*done)(void),
                           void (*deliver)(struct job *, tandem_status, const uint8_t *, size_t)) {
    job->context = context;
    job->done = done;
    job->deliver = deliver;
    atomic_fetch_add(&job->call->person->owed, 1);
    atomic_fetch_add(&jobs_open, 1);
    if (atomic_fetch_add(&jobs_made, 1) % 2 == 0) {
        perform(job);
        return TANDEM_OK;
    }
    pthread_mutex_lock(&lock);
    if (last_job != NULL)
        last_job->next = job;
    else
        first_job = job;
    last_job = job;
    pthread_cond_signal(&job_came);
    pthread_mutex_unlock(&lock);
    return TANDEM_OK;
}

/* rows, secret, timer, event and memory share the shape of their callback. */
typedef void (*plain_done)(void *context, tandem_status status, tandem_buffer result);

static void deliver_plain(struct job *job, tandem_status status, const uint8_t *bytes, size_t length) {
    const char *name = job->question.extension;
    const char *text = strcmp(name, "rows") == 0     ? "a result of tandem.rows"
                       : strcmp(name, "secret") == 0 ? "a secret"
                       : strcmp(name, "timer") == 0  ? "a result of tandem.timer"
                       : strcmp(name, "event") == 0  ? "a result of tandem.event"
                                                     : "a result of tandem.memory";
    const tandem_buffer empty = {0};
    ((plain_done)job->done)(job->context, status, length > 0 ? gift(bytes, length, text) : empty);
}

#define PLAIN(job) start(job, context, (void (*)(void))done, deliver_plain)
#define BEGIN(extension, function)                                                                                     \
    struct job *job = NULL;                                                                                            \
    tandem_status begun = begin(host, call, extension, function, (const void *)(uintptr_t)done, &job);                 \
    if (begun != TANDEM_OK) return begun
#define ADD(slice)                                                                                                     \
    if (!add(job, slice)) return refuse(job, TANDEM_E_INVALID_ARGUMENT)

static tandem_status rows_execute(const tandem_host *host, tandem_call_id call, tandem_slice operations, void *context,
                                  tandem_rows_done done) {
    BEGIN("rows", "execute");
    if (operations.len > 1u << 20) return refuse(job, TANDEM_E_TOO_LARGE);
    ADD(operations);
    return PLAIN(job);
}

static tandem_status secret_get(const tandem_host *host, tandem_call_id call, tandem_slice name, void *context,
                                tandem_secret_done done) {
    BEGIN("secret", "get");
    ADD(name);
    return PLAIN(job);
}

static tandem_status secret_entered(const tandem_host *host, tandem_call_id call, void *context, tandem_secret_done done) {
    BEGIN("secret", "entered");
    return PLAIN(job);
}

static tandem_status timer_set(const tandem_host *host, tandem_call_id call, tandem_slice name,
                               const tandem_timer_plan *plan, void *context, tandem_timer_done done) {
    BEGIN("timer", "set");
    if (plan == NULL) return refuse(job, TANDEM_E_INVALID_ARGUMENT);
    if (plan->header.size < sizeof *plan) {
        finding(LEVEL_ERROR, "small_struct", "tandem_timer_plan says a size of %u; set header.size", plan->header.size);
        return refuse(job, TANDEM_E_SIZE_TOO_SMALL);
    }
    ADD(name);
    ADD(plan->handler);
    ADD(plan->data);
    number(job, (uint64_t)plan->due_ms);
    number(job, (uint64_t)plan->repeat_unit << 32 | plan->repeat_every);
    return PLAIN(job);
}

static tandem_status timer_cancel(const tandem_host *host, tandem_call_id call, tandem_slice name, void *context,
                                  tandem_timer_done done) {
    BEGIN("timer", "cancel");
    ADD(name);
    return PLAIN(job);
}

static tandem_status timer_list(const tandem_host *host, tandem_call_id call, void *context, tandem_timer_done done) {
    BEGIN("timer", "list");
    return PLAIN(job);
}

static tandem_status event_publish(const tandem_host *host, tandem_call_id call, tandem_slice topic, tandem_slice data,
                                   tandem_slice key, void *context, tandem_event_done done) {
    BEGIN("event", "publish");
    ADD(topic);
    ADD(data);
    ADD(key);
    return PLAIN(job);
}

static tandem_status memory_recall(const tandem_host *host, tandem_call_id call, tandem_slice query, uint32_t limit,
                                   void *context, tandem_memory_done done) {
    BEGIN("memory", "recall");
    ADD(query);
    number(job, limit);
    return PLAIN(job);
}

static tandem_status memory_propose(const tandem_host *host, tandem_call_id call, tandem_slice kind, tandem_slice text,
                                    void *context, tandem_memory_done done) {
    BEGIN("memory", "propose");
    ADD(kind);
    ADD(text);
    return PLAIN(job);
}

/* kv: the answer's first 16 bytes are version and expiry, little-endian. */
static void deliver_kv(struct job *job, tandem_status status, const uint8_t *bytes, size_t length) {
    tandem_kv_result result;
    memset(&result, 0, sizeof result);
    result.header.size = sizeof result;
    if (length >= 16) {
        memcpy(&result.version, bytes, 8);
        memcpy(&result.expires_at_ms, bytes + 8, 8);
        if (length > 16) result.value = gift(bytes + 16, length - 16, "a value of tandem.kv");
    }
    struct region *region = lend(&result, sizeof result, true, "a tandem_kv_result");
    ((tandem_kv_done)job->done)(job->context, status, loan(region));
    end_loan(region);
}

#define KV(job) start(job, context, (void (*)(void))done, deliver_kv)

static tandem_status kv_get(const tandem_host *host, tandem_call_id call, tandem_slice key, void *context,
                            tandem_kv_done done) {
    BEGIN("kv", "get");
    ADD(key);
    return KV(job);
}

static tandem_status kv_set(const tandem_host *host, tandem_call_id call, tandem_slice key, tandem_slice value,
                            uint64_t expected, uint64_t ttl_ms, void *context, tandem_kv_done done) {
    BEGIN("kv", "set");
    if (value.len > 256u << 10) return refuse(job, TANDEM_E_TOO_LARGE);
    ADD(key);
    ADD(value);
    number(job, expected);
    number(job, ttl_ms);
    return KV(job);
}

static tandem_status kv_remove(const tandem_host *host, tandem_call_id call, tandem_slice key, uint64_t expected,
                               void *context, tandem_kv_done done) {
    BEGIN("kv", "remove");
    ADD(key);
    number(job, expected);
    return KV(job);
}

static tandem_status kv_list(const tandem_host *host, tandem_call_id call, tandem_slice prefix, tandem_slice after,
                             uint32_t limit, void *context, tandem_kv_done done) {
    BEGIN("kv", "list");
    ADD(prefix);
    ADD(after);
    number(job, limit);
    return KV(job);
}

static tandem_status kv_usage(const tandem_host *host, tandem_call_id call, void *context, tandem_kv_done done) {
    BEGIN("kv", "usage");
    return KV(job);
}

/* http: the answer begins with the HTTP status in 4 bytes and the length of its type in 2, little-endian, and the type. */
static void deliver_http(struct job *job, tandem_status status, const uint8_t *bytes, size_t length) {
    tandem_http_response response;
    memset(&response, 0, sizeof response);
    response.header.size = sizeof response;
    static const char TYPE[] = "content-type";
    size_t type = length >= 6 ? (size_t)bytes[4] | (size_t)bytes[5] << 8 : 0;
    if (type > length - 6 && length >= 6) type = length - 6;
    tandem_http_field field = {{(const uint8_t *)TYPE, sizeof TYPE - 1}, {type > 0 ? bytes + 6 : NULL, type}};
    struct region *fields = lend(&field, sizeof field, true, "the headers of an HTTP response");
    if (length >= 6) {
        memcpy(&response.status_code, bytes, 4);
        response.headers = (tandem_array){loan(fields), 1, sizeof field};
        if (length > 6 + type) response.body = gift(bytes + 6 + type, length - 6 - type, "the body of an HTTP response");
    }
    struct region *region = lend(&response, sizeof response, true, "a tandem_http_response");
    ((tandem_http_done)job->done)(job->context, status, loan(region));
    end_loan(region);
    end_loan(fields);
}

/* The grant, then a line `name:value` for each header; to be freed. */
static char *about_request(const tandem_http_request *request) {
    const uint8_t *first = request->headers.first;
    size_t length = request->grant.len + 2, at = 0;
    for (uint64_t index = 0; index < request->headers.count; index++) {
        const tandem_http_field *field = (const void *)(first + index * request->headers.stride);
        length += field->name.len + field->value.len + 2;
    }
    char *text = malloc(length);
    if (text == NULL) abort();
#define PUT(slice)                                                                                                     \
    if ((slice).len > 0) memcpy(text + at, (slice).ptr, (slice).len);                                                  \
    at += (slice).len
    PUT(request->grant);
    text[at++] = '\n';
    for (uint64_t index = 0; index < request->headers.count; index++) {
        const tandem_http_field *field = (const void *)(first + index * request->headers.stride);
        PUT(field->name);
        text[at++] = ':';
        PUT(field->value);
        text[at++] = '\n';
    }
#undef PUT
    text[at] = 0;
    return text;
}

static tandem_status http_send(const tandem_host *host, tandem_call_id call, const tandem_http_request *request,
                               void *context, tandem_http_done done, uint64_t *id) {
    static _Atomic uint64_t next;
    if (id != NULL) *id = 0;
    BEGIN("http", "send");
    if (request == NULL) return refuse(job, TANDEM_E_INVALID_ARGUMENT);
    if (request->header.size < sizeof *request) {
        finding(LEVEL_ERROR, "small_struct", "tandem_http_request says a size of %u; set header.size", request->header.size);
        return refuse(job, TANDEM_E_SIZE_TOO_SMALL);
    }
    if ((request->header.flags & TANDEM_FLAGS_MUST_UNDERSTAND) != 0) return refuse(job, TANDEM_E_UNSUPPORTED);
    if (request->headers.count > 0 && request->headers.stride < sizeof(tandem_http_field)) {
        finding(LEVEL_ERROR, "small_stride", "an array of headers has a stride of %llu",
                (unsigned long long)request->headers.stride);
        return refuse(job, TANDEM_E_INVALID_ARGUMENT);
    }
    ADD(request->method);
    ADD(request->url);
    ADD(request->body);
    char *about = about_request(request);
    bool is_added = add(job, (tandem_slice){(const uint8_t *)about, strlen(about)});
    free(about);
    if (!is_added) return refuse(job, TANDEM_E_INVALID_ARGUMENT);
    if (id != NULL) *id = atomic_fetch_add(&next, 1) + 1;
    return start(job, context, (void (*)(void))done, deliver_http);
}

static tandem_status http_read(const tandem_host *host, uint64_t id, uint64_t max_bytes, void *context,
                               tandem_http_chunk chunk) {
    (void)host, (void)id, (void)max_bytes, (void)context, (void)chunk;
    return TANDEM_E_STALE;
}

static tandem_status http_cancel(const tandem_host *host, uint64_t id) {
    (void)host, (void)id;
    return TANDEM_E_STALE;
}

/* tools: the answer is the value of the inner call. */
static void deliver_tools(struct job *job, tandem_status status, const uint8_t *bytes, size_t length) {
    if (status != TANDEM_OK) {
        ((tandem_tools_done)job->done)(job->context, status, NULL);
        return;
    }
    tandem_outcome outcome;
    memset(&outcome, 0, sizeof outcome);
    outcome.header.size = sizeof outcome;
    outcome.kind = TANDEM_OUTCOME_VALUE;
    outcome.value = gift(bytes, length, "the value of an inner call");
    outcome.message = gift("Done.", 5, "the message of an inner call");
    struct region *region = lend(&outcome, sizeof outcome, true, "the outcome of an inner call");
    ((tandem_tools_done)job->done)(job->context, TANDEM_OK, loan(region));
    end_loan(region);
}

static tandem_status tools_call(const tandem_host *host, tandem_call_id call, tandem_slice tool, tandem_slice arguments,
                                void *context, tandem_tools_done done) {
    BEGIN("tools", "call");
    ADD(tool);
    ADD(arguments);
    return start(job, context, (void (*)(void))done, deliver_tools);
}

static int32_t tools_is_available(const tandem_host *host, tandem_slice tool) {
    (void)host, (void)tool;
    return number_setting("tools", 0) != 0;
}

/* ---- What needs no parent ---- */

static int64_t clock_now_ms(const tandem_host *host) {
    (void)host;
    return 1795255200000; /* 2026-11-21T10:00:00Z: transcripts are the same tomorrow */
}

static uint64_t clock_monotonic_ns(const tandem_host *host) {
    (void)host;
    return now_ns();
}

static int32_t clock_utc_offset_at(const tandem_host *host, int64_t unix_ms) {
    (void)host, (void)unix_ms;
    return 3600;
}

static tandem_status clock_locale(const tandem_host *host, tandem_buffer *out) {
    static const char LOCALE[] = "{\"timeZone\":\"Europe/Paris\",\"currency\":\"EUR\",\"language\":\"en\"}";
    (void)host;
    *out = gift(LOCALE, sizeof LOCALE - 1, "the locale");
    return TANDEM_OK;
}

static tandem_status config_values(const tandem_host *host, tandem_buffer *out) {
    const char *values = setting("config", "{}");
    (void)host;
    *out = gift(values, strlen(values), "the settings");
    return TANDEM_OK;
}

static uint64_t config_generation(const tandem_host *host) {
    (void)host;
    return 1;
}

static tandem_status log_write(const tandem_host *host, uint32_t level, tandem_call_id call, tandem_slice message,
                               tandem_slice fields) {
    (void)host, (void)call;
    if (level < TANDEM_LOG_DEBUG || level > TANDEM_LOG_HOST_MISBEHAVING) {
        finding(LEVEL_WARNING, "log_level", "it logs with the level %u", level);
        return TANDEM_E_INVALID_ARGUMENT;
    }
    if ((message.ptr == NULL && message.len > 0) || (fields.ptr == NULL && fields.len > 0)) {
        finding(LEVEL_ERROR, "null_slice", "it logs a null slice");
        return TANDEM_E_INVALID_ARGUMENT;
    }
    char *text = hex(message.ptr, message.len < 4096 ? message.len : 4096);
    char *more = hex(fields.ptr, fields.len < 4096 ? fields.len : 4096);
    report_event("log", "\"level\":%u,\"message\":\"%s\",\"fields\":\"%s\"", level, text, more);
    free(text);
    free(more);
    return TANDEM_OK;
}

static tandem_status metrics_note(const char *function, tandem_slice name, tandem_array labels, double value) {
    if (name.ptr == NULL || (labels.first == NULL && labels.count > 0) ||
        (labels.count > 0 && labels.stride < sizeof(tandem_slice)))
        return TANDEM_E_INVALID_ARGUMENT;
    char *text = hex(name.ptr, name.len < 256 ? name.len : 256);
    report_event("metric", "\"function\":\"%s\",\"name\":\"%s\",\"value\":\"%g\"", function, text, value);
    free(text);
    return TANDEM_OK;
}

static tandem_status metrics_add(const tandem_host *host, tandem_slice name, tandem_array labels, double amount) {
    (void)host;
    return metrics_note("add", name, labels, amount);
}

static tandem_status metrics_set(const tandem_host *host, tandem_slice name, tandem_array labels, double value) {
    (void)host;
    return metrics_note("set", name, labels, value);
}

static tandem_status metrics_observe(const tandem_host *host, tandem_slice name, tandem_array labels, double value) {
    (void)host;
    return metrics_note("observe", name, labels, value);
}

/* ---- The tables, lent like everything else ---- */

#define HEADER(type) .header = {.size = sizeof(type)}

static const tandem_clock CLOCK = {HEADER(tandem_clock), clock_now_ms, clock_monotonic_ns, clock_utc_offset_at, clock_locale};
static const tandem_log LOG = {HEADER(tandem_log), log_write};
static const tandem_config CONFIG = {HEADER(tandem_config), config_values, config_generation};
static const tandem_rows ROWS = {HEADER(tandem_rows), rows_execute};
static const tandem_tools TOOLS = {HEADER(tandem_tools), tools_call, tools_is_available};
static const tandem_http HTTP = {HEADER(tandem_http), http_send, http_read, http_cancel};
static const tandem_kv KEYS = {HEADER(tandem_kv), kv_get, kv_set, kv_remove, kv_list, kv_usage};
static const tandem_secret SECRET = {HEADER(tandem_secret), secret_get, secret_entered};
static const tandem_metrics METRICS = {HEADER(tandem_metrics), metrics_add, metrics_set, metrics_observe};
static const tandem_timer TIMER = {HEADER(tandem_timer), timer_set, timer_cancel, timer_list};
static const tandem_event EVENT = {HEADER(tandem_event), event_publish};
static const tandem_memory MEMORY = {HEADER(tandem_memory), memory_recall, memory_propose};

static const struct {
    const char *id;
    const void *table;
    size_t size;
    const char *label;
} TABLES[] = {
    {TANDEM_EXT_CLOCK, &CLOCK, sizeof CLOCK, "the table of tandem.clock/1"},
    {TANDEM_EXT_LOG, &LOG, sizeof LOG, "the table of tandem.log/1"},
    {TANDEM_EXT_CONFIG, &CONFIG, sizeof CONFIG, "the table of tandem.config/1"},
    {TANDEM_EXT_ROWS, &ROWS, sizeof ROWS, "the table of tandem.rows/1"},
    {TANDEM_EXT_TOOLS, &TOOLS, sizeof TOOLS, "the table of tandem.tools/1"},
    {TANDEM_EXT_HTTP, &HTTP, sizeof HTTP, "the table of tandem.http/1"},
    {TANDEM_EXT_KV, &KEYS, sizeof KEYS, "the table of tandem.kv/1"},
    {TANDEM_EXT_SECRET, &SECRET, sizeof SECRET, "the table of tandem.secret/1"},
    {TANDEM_EXT_METRICS, &METRICS, sizeof METRICS, "the table of tandem.metrics/1"},
    {TANDEM_EXT_TIMER, &TIMER, sizeof TIMER, "the table of tandem.timer/1"},
    {TANDEM_EXT_EVENT, &EVENT, sizeof EVENT, "the table of tandem.event/1"},
    {TANDEM_EXT_MEMORY, &MEMORY, sizeof MEMORY, "the table of tandem.memory/1"},
};

const void *extension_table(const tandem_host *host, const char *id) {
    static struct region *lent[sizeof TABLES / sizeof *TABLES];
    static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
    if (!person_of(host)->is_alive) return NULL;
    const char *granted = setting("extensions", "");
    for (size_t index = 0; index < sizeof TABLES / sizeof *TABLES; index++) {
        if (strcmp(TABLES[index].id, id) != 0) continue;
        size_t length = strlen(id);
        for (const char *at = granted; (at = strstr(at, id)) != NULL; at += length)
            if ((at == granted || at[-1] == ',') && (at[length] == ',' || at[length] == 0)) {
                pthread_mutex_lock(&guard);
                if (lent[index] == NULL)
                    lent[index] = lend(TABLES[index].table, TABLES[index].size, true, TABLES[index].label);
                pthread_mutex_unlock(&guard);
                return loan(lent[index]);
            }
    }
    return NULL;
}
