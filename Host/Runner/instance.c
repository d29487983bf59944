/* instance.c - one plugin for one person: its table, the host table that it gets, and what the host pushes to it. */
#include "runner.h"

#include <stdlib.h>
#include <string.h>
#include <tandem_start.h>
#include <time.h>

enum { BUCKETS = 256, KEPT = 256 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static instance *by_number[BUCKETS];
/* Ended ones stay readable for a while: a plugin that uses its host table too late gets a status. */
static instance *ended[KEPT];
static size_t next_ended;

instance *instance_find(uint32_t number) {
    pthread_mutex_lock(&mutex);
    instance *found = by_number[number % BUCKETS];
    while (found != NULL && found->number != number) found = found->next_by_number;
    pthread_mutex_unlock(&mutex);
    return found;
}

static void add(instance *self) {
    pthread_mutex_lock(&mutex);
    self->next_by_number = by_number[self->number % BUCKETS];
    by_number[self->number % BUCKETS] = self;
    pthread_mutex_unlock(&mutex);
}

static void drop(instance *self) {
    pthread_mutex_lock(&mutex);
    for (instance **link = &by_number[self->number % BUCKETS]; *link != NULL; link = &(*link)->next_by_number) {
        if (*link != self) continue;
        *link = self->next_by_number;
        break;
    }
    instance *old = ended[next_ended];
    ended[next_ended] = self;
    next_ended = (next_ended + 1) % KEPT;
    pthread_mutex_unlock(&mutex);
    if (old == NULL) return;
    free(old->config);
    free(old->locale);
    pthread_mutex_destroy(&old->mutex);
    pthread_cond_destroy(&old->unused);
    free(old);
}

int instance_use(instance *self) {
    pthread_mutex_lock(&self->mutex);
    int is_there = !atomic_load(&self->gone);
    if (is_there) self->users++;
    pthread_mutex_unlock(&self->mutex);
    return is_there;
}

void instance_unuse(instance *self) {
    pthread_mutex_lock(&self->mutex);
    if (--self->users == 0) pthread_cond_broadcast(&self->unused);
    pthread_mutex_unlock(&self->mutex);
}

tandem_status instance_permission(const instance *self, uint32_t number) {
    if (!(self->granted & 1ull << number)) return TANDEM_E_NOT_GRANTED;
    if (atomic_load_explicit(&self->revoked, memory_order_acquire)) return TANDEM_E_REVOKED;
    return atomic_load_explicit(&self->active, memory_order_acquire) ? TANDEM_OK : TANDEM_E_WRONG_STATE;
}

void answer_done(const job *work, uint32_t number, tandem_status status, const void *bytes, uint64_t length) {
    const part parts[] = {{bytes, length}};
    send_frame(TANDEM_F_DONE, number, (uint32_t)status, work->frame.id, parts, 1);
}

/* MARK: The host table */

static const void *host_get_extension(const tandem_host *host, const char *id) {
    const instance *self = instance_of(host);
    if (self == NULL || id == NULL) return NULL;
    for (size_t index = 0; host_extensions[index] != NULL; index++) {
        const host_extension *extension = host_extensions[index];
        if (strcmp(id, extension->id) == 0) {
            return self->granted & 1ull << extension->number ? extension->table : NULL;
        }
    }
    return NULL;
}

/* The host's limits (OutcomeDecoder.swift): what is longer is refused there, so its bytes need not travel. */
static const uint64_t longest[4] = {1 << 20, 16 << 10, 256 << 10, 64 << 10};

static void release(const tandem_buffer *buffer) {
    if (buffer->release != NULL) buffer->release(buffer->owner);
}

/*
 * What tells the host nothing that it has to act on (notes of late completions, progress) travels so often a second, over
 * the process; the rest is dropped here.
 */
enum { MOST_NOTES = 200, MOST_PROGRESS = 500 };

typedef struct gate {
    atomic_llong second;
    atomic_int passed;
} gate;

static gate notes, progress;

static int admits(gate *self, int most) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    long long second = atomic_load_explicit(&self->second, memory_order_relaxed);
    if (second != now.tv_sec && atomic_compare_exchange_strong(&self->second, &second, now.tv_sec)) {
        atomic_store(&self->passed, 0);
    }
    /* Read before it is counted: the number does not run over. */
    return atomic_load_explicit(&self->passed, memory_order_relaxed) < most && atomic_fetch_add(&self->passed, 1) < most;
}

/* The buffers that lie within the size that the outcome says. */
static size_t buffer_count(const tandem_outcome *outcome) {
    size_t size = outcome->header.size < sizeof *outcome ? outcome->header.size : sizeof *outcome;
    size_t first = offsetof(tandem_outcome, value);
    return size < first ? 0 : (size - first) / sizeof(tandem_buffer);
}

static tandem_status judge(const tandem_outcome *outcome) {
    if (outcome == NULL) return TANDEM_E_INVALID_ARGUMENT;
    if (outcome->header.size < sizeof *outcome) return TANDEM_E_SIZE_TOO_SMALL;
    if (outcome->header.flags & TANDEM_FLAGS_MUST_UNDERSTAND) return TANDEM_E_UNSUPPORTED;
    const tandem_buffer *buffers = &outcome->value;
    for (size_t index = 0; index < 4; index++) {
        if (buffers[index].len > longest[index] || (buffers[index].ptr == NULL && buffers[index].len > 0)) {
            return TANDEM_E_INVALID_ARGUMENT;
        }
    }
    if (outcome->reserved != 0 || outcome->trust == 1 || outcome->trust > TANDEM_TRUST_UNTRUSTED) {
        return TANDEM_E_INVALID_ARGUMENT;
    }
    int is_error = outcome->kind == TANDEM_OUTCOME_TOOL_ERROR;
    if (is_error ? outcome->status >= 0 : outcome->status != TANDEM_OK) return TANDEM_E_INVALID_ARGUMENT;
    return TANDEM_OK;
}

static tandem_status host_complete(const tandem_host *host, tandem_call_id call, const tandem_outcome *outcome) {
    instance *self = instance_of(host);
    if ((uintptr_t)outcome % _Alignof(tandem_outcome) != 0) outcome = NULL;
    const tandem_buffer *buffers = outcome != NULL ? &outcome->value : NULL;
    size_t count = outcome != NULL ? buffer_count(outcome) : 0;
    tandem_status status = TANDEM_E_INVALID_ARGUMENT;
    if (self != NULL) {
        int foreign;
        status = call_claim(call, self, &foreign);
        if (status != TANDEM_OK) {
            if (admits(&notes, MOST_NOTES)) send_frame(TANDEM_F_NOTE, self->number, (uint32_t)status, call, NULL, 0);
        } else {
            tandem_frame_outcome head = {0};
            part parts[5] = {{&head, sizeof head}};
            if (outcome != NULL) {
                /* A size of 0 is a null pointer; nobody says so otherwise. */
                head.size = outcome->header.size > 0 ? outcome->header.size : 1;
                if (outcome->header.size >= sizeof(tandem_header)) head.flags = outcome->header.flags;
                if (outcome->header.size >= sizeof *outcome) {
                    head.kind = outcome->kind;
                    head.status = outcome->status;
                    head.trust = outcome->trust;
                    head.reserved = outcome->reserved;
                    head.retry_after_ms = outcome->retry_after_ms;
                    for (size_t index = 0; index < 4; index++) {
                        head.lengths[index] = buffers[index].len;
                        if (buffers[index].ptr == NULL || buffers[index].len > longest[index]) {
                            head.withheld |= 1u << index;
                        } else {
                            parts[index + 1] = (part){buffers[index].ptr, buffers[index].len};
                        }
                    }
                }
            }
            status = judge(outcome);
            send_frame(TANDEM_F_COMPLETE, self->number, 0, call, parts, 5);
        }
    }
    for (size_t index = 0; index < count; index++) release(&buffers[index]);
    return status;
}

static int32_t host_is_cancelled(const tandem_host *host, tandem_call_id call) {
    const instance *self = instance_of(host);
    return self == NULL ? TANDEM_E_STALE : call_cancelled(call, self);
}

static tandem_status host_progress(const tandem_host *host, tandem_call_id call, int32_t permille, tandem_slice note) {
    const instance *self = instance_of(host);
    if (self == NULL || call_check(call, self) != TANDEM_OK) return TANDEM_E_STALE;
    if (permille < -1 || permille > 1000 || (note.ptr == NULL && note.len > 0)) return TANDEM_E_INVALID_ARGUMENT;
    const part parts[] = {{note.ptr, note.len <= 4096 ? note.len : 0}};
    if (admits(&progress, MOST_PROGRESS)) send_frame(TANDEM_F_PROGRESS, self->number, (uint32_t)permille, call, parts, 1);
    return TANDEM_OK;
}

/* MARK: Life */

static uint8_t *copy_of(const uint8_t *bytes, uint64_t length) {
    uint8_t *copy = malloc(length > 0 ? length : 1);
    if (copy != NULL && length > 0) memcpy(copy, bytes, length);
    return copy;
}

void instance_create(const job *work) {
    tandem_frame_create head;
    tandem_frame_created created = {0};
    instance *self = calloc(1, sizeof *self);
    if (self == NULL || work->frame.length < sizeof head) {
        free(self);
        answer_done(work, work->frame.instance, TANDEM_E_NO_MEMORY, &created, sizeof created);
        return;
    }
    memcpy(&head, work->payload, sizeof head);
    const uint8_t *rest = work->payload + sizeof head;
    uint64_t length = work->frame.length - sizeof head;
    if (head.person.locale_length > length || head.config_length > length - head.person.locale_length) {
        free(self);
        answer_done(work, work->frame.instance, TANDEM_E_INTERNAL, &created, sizeof created);
        return;
    }
    self->number = work->frame.instance;
    self->granted = head.extensions;
    self->person = head.person;
    atomic_store(&self->now_ms, head.person.now_ms);
    self->locale = copy_of(rest, head.person.locale_length);
    self->locale_length = head.person.locale_length;
    self->config = copy_of(rest + head.person.locale_length, head.config_length);
    self->config_length = head.config_length;
    self->config_generation = head.config_generation;
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->unused, NULL);
    self->host = (tandem_host){
        .header = {sizeof self->host, 0}, .abi_major = TANDEM_ABI_MAJOR, .abi_minor = TANDEM_ABI_MINOR,
        .context = self, .get_extension = host_get_extension, .complete = host_complete,
        .is_cancelled = host_is_cancelled, .progress = host_progress};
    add(self);
    tandem_instance *made = NULL;
    tandem_status status = the_plugin->create(the_plugin, &self->host, &made);
    if (made != NULL) {
        created.facts = TANDEM_TABLE_PRESENT;
        if ((uintptr_t)made % _Alignof(tandem_instance) == 0) {
            created.facts |= TANDEM_TABLE_ALIGNED;
            created.size = made->header.size;
            created.flags = made->header.flags;
            if (created.size >= sizeof *made) {
                created.functions = (made->activate != NULL ? 1u : 0) | (made->invoke != NULL ? 2u : 0) |
                                    (made->cancel != NULL ? 4u : 0) | (made->quiesce != NULL ? 8u : 0) |
                                    (made->destroy != NULL ? 16u : 0) | (made->get_extension != NULL ? 32u : 0);
                self->plugin = made;
                if (status == TANDEM_OK) created.extensions = plugin_extensions(made);
            }
        }
    }
    answer_done(work, self->number, status, &created, sizeof created);
    if (self->plugin == NULL || status != TANDEM_OK) {
        /* Nothing follows for it; the host table stays for a plugin that kept it all the same. */
        atomic_store(&self->gone, 1);
        drop(self);
    }
}

void instance_activate(instance *self, const job *work) {
    tandem_status status = TANDEM_E_WRONG_STATE;
    if (self->plugin != NULL && self->plugin->activate != NULL) {
        atomic_store(&self->active, 1);
        status = self->plugin->activate(self->plugin);
    }
    answer_done(work, self->number, status, NULL, 0);
}

void instance_invoke(instance *self, const job *work) {
    tandem_frame_invoke head;
    if (work->frame.length < sizeof head) return;
    memcpy(&head, work->payload, sizeof head);
    const uint32_t lengths[6] = {head.tool_length, head.arguments_length, head.trace_length,
                                 head.key_length,  head.resume_length,    head.answers_length};
    tandem_slice slices[6];
    const uint8_t *at = work->payload + sizeof head;
    uint64_t left = work->frame.length - sizeof head;
    for (size_t index = 0; index < 6; index++) {
        if (lengths[index] > left) return;
        slices[index] = (tandem_slice){lengths[index] > 0 ? at : NULL, lengths[index]};
        at += lengths[index];
        left -= lengths[index];
    }
    if (head.now_ms != INT64_MIN) atomic_store_explicit(&self->now_ms, head.now_ms, memory_order_relaxed);
    tandem_request request = {
        .header = {sizeof request, 0}, .call = work->frame.id, .deadline_ns = head.deadline_ns, .tool = slices[0],
        .arguments = slices[1], .trace_parent = slices[2], .idempotency_key = slices[3], .resume_state = slices[4],
        .answers = slices[5]};
    uint64_t started = tandem_now_ns();
    tandem_status status = TANDEM_E_WRONG_STATE;
    if (self->plugin != NULL && self->plugin->invoke != NULL && !atomic_load(&self->gone)) {
        /* Given up while it waited for its turn: the plugin never hears of it. */
        if (call_check(work->frame.id, self) != TANDEM_OK) return;
        request_fn function =
            work->frame.code == 0 ? self->plugin->invoke : plugin_extension(self->plugin, work->frame.code);
        status = function != NULL ? function(self->plugin, &request) : TANDEM_E_UNSUPPORTED;
    }
    uint64_t duration = tandem_now_ns() - started;
    int is_long = duration > 1000000;
    if (status == TANDEM_OK && !is_long) return;
    if (status != TANDEM_OK) call_forget(work->frame.id);
    const part parts[] = {{&duration, is_long ? sizeof duration : 0}};
    send_frame(TANDEM_F_RETURNED, self->number, (uint32_t)status, work->frame.id, parts, 1);
}

void instance_quiesce(instance *self, const job *work) {
    tandem_status status = TANDEM_OK;
    if (self->plugin != NULL && self->plugin->quiesce != NULL) status = self->plugin->quiesce(self->plugin);
    answer_done(work, self->number, status, NULL, 0);
}

void instance_destroy(instance *self, const job *work) {
    pthread_mutex_lock(&self->mutex);
    atomic_store(&self->gone, 1);
    while (self->users > 0) pthread_cond_wait(&self->unused, &self->mutex);
    pthread_mutex_unlock(&self->mutex);
    tandem_instance *plugin = self->plugin;
    self->plugin = NULL;
    if (plugin != NULL && plugin->destroy != NULL) plugin->destroy(plugin);
    atomic_store(&self->active, 0);
    answer_done(work, self->number, TANDEM_OK, NULL, 0);
    drop(self);
}

/* MARK: What the host pushes */

void instance_set_config(instance *self, uint64_t generation, const uint8_t *bytes, uint64_t length) {
    uint8_t *copy = copy_of(bytes, length);
    if (copy == NULL) return;
    pthread_mutex_lock(&self->mutex);
    uint8_t *old = self->config;
    self->config = copy;
    self->config_length = length;
    self->config_generation = generation;
    pthread_mutex_unlock(&self->mutex);
    free(old);
}

void instance_set_person(instance *self, const uint8_t *payload, uint64_t length) {
    tandem_frame_person head;
    if (length < sizeof head) return;
    memcpy(&head, payload, sizeof head);
    if (head.locale_length > length - sizeof head) return;
    uint8_t *copy = copy_of(payload + sizeof head, head.locale_length);
    if (copy == NULL) return;
    pthread_mutex_lock(&self->mutex);
    uint8_t *old = self->locale;
    self->locale = copy;
    self->locale_length = head.locale_length;
    self->person = head;
    pthread_mutex_unlock(&self->mutex);
    atomic_store(&self->now_ms, head.now_ms);
    free(old);
}
