#define _GNU_SOURCE
#include "worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

struct options host_options;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct call *calls[MAX_CALLS];
static unsigned call_count;

/* Ids fill all 64 bits: a plugin that keeps fewer is found. */
static const tandem_call_id FIRST_ID = 0xC0DE5A5A00000091u;
static const tandem_call_id ID_STEP = 0x0000000100000100u;

enum { BEHIND = 64 };

/* Where this thread stands: time on the clock and on the processor, and how often it waited of its own accord. */
struct stand {
    uint64_t clock_ns, processor_ns;
    long waits;
};

static struct stand stand_now(void) {
    struct rusage usage = {0};
    struct timespec processor = {0};
    getrusage(RUSAGE_THREAD, &usage);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &processor);
    return (struct stand){now_ns(), (uint64_t)processor.tv_sec * 1000000000u + (uint64_t)processor.tv_nsec,
                          usage.ru_nvcsw};
}

/* How long something took. What never waited took the time of the processor: that others had it meanwhile is not its fault. */
static uint64_t time_between(struct stand start, struct stand end) {
    return end.waits == start.waits ? end.processor_ns - start.processor_ns : end.clock_ns - start.clock_ns;
}

static void set_up(void) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attributes);
}

void lock_calls(void) { pthread_mutex_lock(&lock); }
void unlock_calls(void) { pthread_mutex_unlock(&lock); }

uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void sleep_ms(unsigned milliseconds) {
    struct timespec time = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
    while (nanosleep(&time, &time) != 0 && errno == EINTR) {}
}

static struct timespec until(unsigned milliseconds) {
    uint64_t then = now_ns() + (uint64_t)milliseconds * 1000000u;
    return (struct timespec){(time_t)(then / 1000000000u), (long)(then % 1000000000u)};
}

/* ---- The table ---- */

static const struct person *person_of(const tandem_host *host) { return host->context; }

struct call *find_call(const tandem_host *host, tandem_call_id id) {
    tandem_call_id distance = id - FIRST_ID;
    if (distance % ID_STEP != 0) return NULL;
    tandem_call_id index = distance / ID_STEP;
    if (index >= MAX_CALLS) return NULL;
    struct call *call = calls[index];
    if (call == NULL || host == NULL || call->person != person_of(host)) return NULL;
    return call;
}

static const void *host_get_extension(const tandem_host *host, const char *id) {
    if (id == NULL) {
        finding(LEVEL_ERROR, "null_id", "get_extension was called with a null id");
        return NULL;
    }
    return host_options.no_extensions ? NULL : extension_table(host, id);
}

static void release(tandem_buffer buffer) {
    if (buffer.release != NULL) buffer.release(buffer.owner);
}

static void release_outcome(const tandem_outcome *outcome) {
    release(outcome->value);
    release(outcome->message);
    release(outcome->shown);
    release(outcome->resume_state);
}

static void check_buffer(const struct call *call, const char *part, tandem_buffer buffer, uint64_t limit) {
    if (buffer.ptr == NULL && buffer.len > 0)
        finding(LEVEL_ERROR, "null_buffer", "the %s of %s is null and says %llu bytes", part, call->tool,
                (unsigned long long)buffer.len);
    if (buffer.len > limit)
        finding(LEVEL_ERROR, "too_large", "the %s of %s says %llu bytes; %llu are allowed", part, call->tool,
                (unsigned long long)buffer.len, (unsigned long long)limit);
    const char *label = buffer.ptr == NULL ? NULL : describe_address(buffer.ptr, NULL, NULL);
    if (label != NULL && strncmp(label, "the request", 11) == 0)
        finding(LEVEL_ERROR, "lent_as_own",
                "the %s of %s points into %s, which is only lent: copy it, or it is gone when the host reads it", part,
                call->tool, label);
}

static tandem_status host_complete(const tandem_host *host, tandem_call_id id, const tandem_outcome *outcome) {
    tandem_outcome copy;
    memset(&copy, 0, sizeof copy);
    if (outcome != NULL && (uintptr_t)outcome % _Alignof(tandem_outcome) != 0) {
        finding(LEVEL_ERROR, "misaligned", "complete was called with an outcome that is not aligned");
        outcome = NULL;
    } else if (outcome == NULL) {
        finding(LEVEL_ERROR, "null_outcome", "complete was called with a null outcome");
    } else {
        uint32_t size = outcome->header.size;
        if (size < sizeof copy) {
            finding(LEVEL_ERROR, "small_outcome", "complete was called with an outcome of size %u; ABI 1.0 has %zu (set "
                    "header.size)", size, sizeof copy);
            outcome = NULL;
        } else {
            copy = *outcome;
            if ((copy.header.flags & TANDEM_FLAGS_MUST_UNDERSTAND) != 0)
                finding(LEVEL_ERROR, "unknown_flags", "an outcome has flags that no host understands: 0x%08x",
                        copy.header.flags);
        }
    }
    pthread_mutex_lock(&lock);
    struct call *call = find_call(host, id);
    if (call == NULL || !call->is_submitted || call->is_refused) {
        bool is_refused = call != NULL && call->is_refused;
        pthread_mutex_unlock(&lock);
        finding(LEVEL_ERROR, is_refused ? "completed_refused" : "unknown_call",
                is_refused ? "a call that invoke had refused was completed"
                           : "complete was called with an id that is no call of this instance (0x%llx)",
                (unsigned long long)id);
        release_outcome(&copy);
        return TANDEM_E_STALE;
    }
    call->completions++;
    if (call->completions > 1) {
        pthread_mutex_unlock(&lock);
        finding(LEVEL_ERROR, "completed_twice", "a call of %s was completed %d times", call->tool, call->completions);
        release_outcome(&copy);
        return TANDEM_E_ALREADY_DONE;
    }
    call->completed_ns = now_ns();
    call->completed_before_return = !call->has_returned;
    call->outcome = copy;
    call->person->waiting--;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    if (outcome != NULL) {
        check_buffer(call, "value", copy.value, 1u << 20);
        check_buffer(call, "message", copy.message, 16u << 10);
        check_buffer(call, "shown", copy.shown, 256u << 10);
        check_buffer(call, "resume_state", copy.resume_state, 64u << 10);
        if (copy.reserved != 0) finding(LEVEL_ERROR, "reserved_used", "an outcome of %s uses the reserved member", call->tool);
        if (copy.trust == 1 || copy.trust > TANDEM_TRUST_UNTRUSTED)
            finding(LEVEL_ERROR, "unknown_trust", "an outcome of %s has the trust %u", call->tool, copy.trust);
        if (copy.kind == 0 || copy.kind > TANDEM_OUTCOME_ACCEPTED)
            finding(LEVEL_ERROR, "unknown_kind", "an outcome of %s has the kind %u", call->tool, copy.kind);
    }
    if (outcome == NULL) return TANDEM_E_INVALID_ARGUMENT;
    return host_options.complete_answers;
}

static int32_t host_is_cancelled(const tandem_host *host, tandem_call_id id) {
    pthread_mutex_lock(&lock);
    struct call *call = find_call(host, id);
    int32_t answer = call == NULL || call->completions > 0 ? TANDEM_E_STALE : call->is_cancelled ? 1 : 0;
    pthread_mutex_unlock(&lock);
    return answer;
}

static tandem_status host_progress(const tandem_host *host, tandem_call_id id, int32_t permille, tandem_slice note) {
    if (permille < -1 || permille > 1000 || (note.ptr == NULL && note.len > 0)) {
        finding(LEVEL_ERROR, "bad_progress", "progress was called with %d permille", permille);
        return TANDEM_E_INVALID_ARGUMENT;
    }
    pthread_mutex_lock(&lock);
    struct call *call = find_call(host, id);
    bool is_known = call != NULL && call->completions == 0;
    pthread_mutex_unlock(&lock);
    return is_known ? TANDEM_OK : TANDEM_E_STALE;
}

void make_person(struct person *person, int number) {
    pthread_once(&once, set_up);
    struct {
        tandem_host table;
        uint8_t behind[BEHIND];
    } memory;
    memset(&memory, 0xA5, sizeof memory);
    memory.table = (tandem_host){
        .header = {.size = host_options.host_size != 0 ? host_options.host_size : (uint32_t)sizeof(tandem_host)},
        .abi_major = TANDEM_ABI_MAJOR,
        .abi_minor = TANDEM_ABI_MINOR,
        .context = person,
        .get_extension = host_get_extension,
        .complete = host_complete,
        .is_cancelled = host_is_cancelled,
        .progress = host_progress,
    };
    uint32_t size = memory.table.header.size;
    person->region = lend(&memory, size, true, "the host's table");
    person->instance = NULL;
    person->is_alive = true;
    person->number = number;
    person->waiting = 0;
    atomic_store(&person->owed, 0);
}

void retire_person(struct person *person) {
    person->is_alive = false;
    person->instance = NULL;
    end_loan(person->region);
}

const tandem_host *host_table(const struct person *person) { return loan(person->region); }

/* ---- Calls ---- */

struct call *new_call(struct person *person, const char *tool) {
    struct call *call = calloc(1, sizeof *call);
    if (call == NULL) abort();
    pthread_mutex_lock(&lock);
    unsigned index = call_count;
    if (index >= MAX_CALLS) abort();
    call->index = index;
    call->id = FIRST_ID + (tandem_call_id)index * ID_STEP;
    call->tool = tool;
    call->person = person;
    calls[index] = call;
    call_count++;
    pthread_mutex_unlock(&lock);
    return call;
}

static tandem_slice part(struct call *call, unsigned number, const void *bytes, size_t length, const char *label) {
    if (length == 0) return (tandem_slice){NULL, 0};
    call->loans[number] = lend(bytes, length, true, label);
    return (tandem_slice){.ptr = loan(call->loans[number]), .len = length};
}

void submit_call(struct call *call, const char *arguments, size_t length, const struct request_shape *shape) {
    static const struct request_shape PLAIN;
    if (shape == NULL) shape = &PLAIN;
    struct {
        tandem_request request;
        uint8_t behind[BEHIND];
    } memory;
    memset(&memory, 0xA5, sizeof memory);
    char key[48];
    int key_length = snprintf(key, sizeof key, "check-%u", call->index);
    uint32_t size = shape->size != 0 ? shape->size : (uint32_t)sizeof(tandem_request);
    memory.request = (tandem_request){
        .header = {.size = size, .flags = shape->flags},
        .call = call->id,
        .deadline_ns = shape->deadline_ns != 0 ? shape->deadline_ns : now_ns() + 10000000000u,
        .tool = part(call, 1, call->tool, strlen(call->tool), "the request's tool"),
        .arguments = part(call, 2, arguments, length, "the request's arguments"),
        .trace_parent = part(call, 3, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", 55,
                             "the request's trace_parent"),
        .idempotency_key = part(call, 4, key, (size_t)key_length, "the request's idempotency_key"),
        .resume_state = part(call, 5, shape->resume_state, shape->resume_length, "the request's resume_state"),
        .answers = part(call, 6, shape->answers, shape->answers == NULL ? 0 : strlen(shape->answers),
                        "the request's answers"),
    };
    call->loans[0] = lend(&memory, size, true, size < sizeof(tandem_request) ? "the request (shorter than ABI 1.0)" : "the request");
    pthread_mutex_lock(&lock);
    call->is_submitted = true;
    call->started_ns = now_ns();
    call->person->waiting++;
    pthread_mutex_unlock(&lock);
    tandem_instance *instance = call->person->instance;
    stage("invoke", call->tool);
    struct stand start = stand_now();
    tandem_status status =
        (shape->function != NULL ? shape->function : instance->invoke)(instance, loan(call->loans[0]));
    struct stand end = stand_now();
    for (unsigned index = 0; index < sizeof call->loans / sizeof *call->loans; index++) end_loan(call->loans[index]);
    stage("after invoke", call->tool);
    pthread_mutex_lock(&lock);
    call->invoke_ns = time_between(start, end);
    call->invoke_status = status;
    call->has_returned = true;
    bool completed_and_refused = status != TANDEM_OK && call->completions > 0;
    if (status != TANDEM_OK) {
        call->is_refused = true;
        if (call->completions == 0) call->person->waiting--;
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    if (completed_and_refused)
        finding(LEVEL_ERROR, "refused_and_completed", "invoke of %s completed the call and then refused it (%d)", call->tool,
                status);
    if (status > 0)
        finding(LEVEL_ERROR, "positive_status", "invoke of %s answered %d; positive values are reserved", call->tool, status);
}

void cancel_call(struct call *call, uint32_t reason) {
    pthread_mutex_lock(&lock);
    call->is_cancelled = true;
    pthread_mutex_unlock(&lock);
    tandem_instance *instance = call->person->instance;
    instance->cancel(instance, call->id, reason);
}

bool wait_for_call(struct call *call, unsigned milliseconds) {
    struct timespec limit = until(milliseconds);
    pthread_mutex_lock(&lock);
    while (!(call->has_returned && (call->is_refused || call->completions > 0)) || call->services > 0)
        if (pthread_cond_timedwait(&changed, &lock, &limit) == ETIMEDOUT) break;
    bool is_over = call->has_returned && (call->is_refused || call->completions > 0);
    pthread_mutex_unlock(&lock);
    return is_over;
}

unsigned calls_in_flight(const struct person *person) {
    pthread_mutex_lock(&lock);
    unsigned count = person->waiting;
    pthread_mutex_unlock(&lock);
    return count;
}

bool begin_service(struct call *call) {
    pthread_mutex_lock(&lock);
    bool is_open = call->is_submitted && call->completions == 0 && !call->is_refused;
    if (is_open) call->services++;
    pthread_mutex_unlock(&lock);
    return is_open;
}

void end_service(struct call *call) {
    pthread_mutex_lock(&lock);
    call->services--;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void *release_elsewhere(void *outcome) {
    release_outcome(outcome);
    return NULL;
}

static struct {
    char *bytes;
    size_t length;
} last_state;

static void keep_state(const tandem_outcome *outcome) {
    if (outcome->kind != TANDEM_OUTCOME_INPUT_REQUIRED) return;
    tandem_buffer state = outcome->resume_state;
    free(last_state.bytes);
    last_state.length = state.ptr == NULL || state.len > (64u << 10) ? 0 : (size_t)state.len;
    last_state.bytes = malloc(last_state.length + 1);
    if (last_state.bytes == NULL) abort();
    if (last_state.length > 0) memcpy(last_state.bytes, state.ptr, last_state.length);
}

const char *last_resume_state(size_t *length) {
    *length = last_state.length;
    return last_state.bytes;
}

void collect_call(struct call *call, bool is_reported) {
    if (call->is_collected) return;
    call->is_collected = true;
    tandem_outcome *outcome = &call->outcome;
    bool is_completed = call->completions > 0;
    stage("reading the outcome", call->tool);
    if (is_reported) {
        const tandem_buffer none = {0};
        const tandem_buffer buffers[] = {is_completed ? outcome->value : none, is_completed ? outcome->message : none,
                                         is_completed ? outcome->shown : none,
                                         is_completed ? outcome->resume_state : none};
        char *parts[4];
        for (int index = 0; index < 4; index++) {
            bool is_readable = buffers[index].ptr != NULL && buffers[index].len <= (4u << 20);
            parts[index] = hex(buffers[index].ptr, is_readable ? buffers[index].len : 0);
        }
        report_event("outcome",
                     "\"n\":%u,\"completed\":%d,\"invoke\":%d,\"kind\":%u,\"status\":%d,\"trust\":%u,\"retry\":%llu,"
                     "\"inline\":%s,\"invokeMicroseconds\":%llu,\"value\":\"%s\",\"message\":\"%s\",\"shown\":\"%s\","
                     "\"resume\":\"%s\"",
                     call->index, call->completions, call->invoke_status, outcome->kind, outcome->status,
                     outcome->trust, (unsigned long long)outcome->retry_after_ms,
                     call->completed_before_return ? "true" : "false", (unsigned long long)(call->invoke_ns / 1000),
                     parts[0], parts[1], parts[2], parts[3]);
        for (int index = 0; index < 4; index++) free(parts[index]);
    }
    if (!is_completed) return;
    keep_state(outcome);
    stage("releasing the outcome", call->tool);
    /* From any thread: every other time from one that the plugin has never seen. */
    pthread_t thread;
    if (call->index % 2 == 1 && pthread_create(&thread, NULL, release_elsewhere, outcome) == 0)
        pthread_join(thread, NULL);
    else
        release_outcome(outcome);
}

void forget_calls(void) {
    pthread_mutex_lock(&lock);
    for (unsigned index = 0; index < call_count; index++) {
        struct call *call = calls[index];
        if (call != NULL && call->is_collected && call->services == 0) {
            free(call);
            calls[index] = NULL;
        }
    }
    pthread_mutex_unlock(&lock);
}
