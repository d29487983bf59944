/*
 * adapter.c - presents a plan as an ordinary tandem_plugin: instances, a queue, threads that call the library.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * `invoke` copies the arguments and returns; calls run on threads of the plugin, one after the other unless the manifest
 * says that the library is safe for several. A call that waits is dropped when it is cancelled or its deadline passes. A
 * call that runs cannot be stopped: it is answered all the same, and what comes of it later is thrown away. When the
 * library does not return for a second after the deadline, the next call ends the process: the supervisor starts a
 * new one, which is the only way to get the thread back.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "call.h"
#include "tandem/tandem.h"
#include "tandem_foreign.h"

enum { MAX_THREADS = 4 };
#define STUCK_NS ((uint64_t)1000000000)

struct instance {
    tandem_instance table; /* first: a pointer to the table is a pointer to this */
    struct adapter *adapter;
    const tandem_host *host;
    struct call_objects objects; /* those that are not shared */
    unsigned in_flight;          /* queued and running calls, answered or not */
    bool is_active;
};

enum state { STATE_QUEUED, STATE_RUNNING, STATE_ANSWERED };

struct job {
    struct job *next;
    struct instance *instance;
    const struct function *function;
    tandem_call_id call;
    uint64_t deadline;
    uint64_t begun; /* when a worker took it up: it may have waited beyond its deadline */
    enum state state;
    size_t length;
    char arguments[];
};

struct worker {
    struct worker *next;
    struct adapter *adapter;
    pthread_t thread;
    bool must_stop;
};

struct adapter {
    tandem_plugin table; /* first, as above */
    struct plan plan;
    char *manifest;
    size_t manifest_length;
    pthread_mutex_t mutex; /* guards all below, and the instances' counters */
    pthread_cond_t wake;
    struct job *queued;      /* the oldest first */
    struct job **queue_end;
    struct job *running;
    struct worker *workers;
    unsigned worker_count;
    unsigned idle_count;
    unsigned active_count;   /* instances between activate and the last quiesce */
    pthread_mutex_t library; /* held while objects are made or destroyed, and during every call of a library that is not
                                safe for several threads */
    struct call_objects shared;
    unsigned instance_count;
};

static struct instance *instance_of(tandem_instance *table) { return (struct instance *)(void *)table; }
static const struct adapter *adapter_of(const tandem_plugin *table) { return (const struct adapter *)(const void *)table; }

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- Answers ---- */

static tandem_buffer owned(void *bytes, size_t length) {
    if (bytes == NULL) return (tandem_buffer){0};
    return (tandem_buffer){.ptr = bytes, .len = length, .owner = bytes, .release = free};
}

/* Hands the outcome's memory to the host. */
static void answer(const tandem_host *host, tandem_call_id call, struct call_outcome *from) {
    tandem_outcome outcome = {
        .header = {.size = sizeof outcome, .flags = 0},
        .kind = from->status == TANDEM_OK ? TANDEM_OUTCOME_VALUE : TANDEM_OUTCOME_TOOL_ERROR,
        .status = from->status,
        .value = owned(from->value, from->value_length),
        .message = owned(from->message.bytes, from->message.length),
    };
    memset(from, 0, sizeof *from);
    host->complete(host, call, &outcome);
}

static void answer_error(const struct instance *instance, tandem_call_id call, tandem_status status, const char *code) {
    struct call_outcome outcome = {0};
    const char *name = instance->adapter->plan.name;
    if (status == TANDEM_E_CANCELLED)
        call_fail(&outcome, status, code, "Cancelled.");
    else
        call_fail(&outcome, status, code, "%s took too long.", name);
    answer(instance->host, call, &outcome);
}

/* ---- Work ---- */

/* Makes what the function needs and does not yet exist. */
static bool make_objects(struct instance *instance, const struct function *function, struct call_objects *objects,
                         struct call_outcome *outcome) {
    struct adapter *adapter = instance->adapter;
    bool is_ready = true;
    pthread_mutex_lock(&adapter->library);
    for (unsigned i = 0; i <= function->count && is_ready; i++) {
        const struct value *value = &function->values[i];
        unsigned wanted[5];
        unsigned count = 0;
        if (value->source == SOURCE_OBJECT) wanted[count++] = value->object;
        for (unsigned j = 0; j < value->release.count; j++)
            if (value->release.parameters[j].kind == KIND_OBJECT) wanted[count++] = value->release.parameters[j].object;
        for (unsigned j = 0; j < count && is_ready; j++) {
            const struct object *object = &adapter->plan.objects[wanted[j]];
            void **made = object->is_shared ? &adapter->shared.pointers[wanted[j]] : &instance->objects.pointers[wanted[j]];
            /* An object may need those that stand before it in the manifest. */
            if (*made == NULL) {
                is_ready = make_objects(instance, &object->create, objects, outcome);
                if (is_ready) *made = call_create(&adapter->plan, object, objects, outcome);
            }
            objects->pointers[wanted[j]] = *made;
            if (*made == NULL) is_ready = false;
        }
    }
    pthread_mutex_unlock(&adapter->library);
    return is_ready;
}

static void perform(struct job *job, struct call_outcome *outcome) {
    struct instance *instance = job->instance;
    struct adapter *adapter = instance->adapter;
    struct call_objects objects = {0};
    json_error_t error;
    json_t *arguments = json_loadb(job->arguments, job->length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!json_is_object(arguments)) {
        call_fail(outcome, TANDEM_E_INVALID_ARGUMENT, "invalid_argument", "Those arguments cannot be read.");
    } else {
        if (!adapter->plan.is_concurrent) pthread_mutex_lock(&adapter->library);
        if (make_objects(instance, job->function, &objects, outcome))
            call_function(&adapter->plan, job->function, &objects, arguments, outcome);
        if (!adapter->plan.is_concurrent) pthread_mutex_unlock(&adapter->library);
    }
    json_decref(arguments);
}

static void unlink_running(struct adapter *adapter, const struct job *job) {
    for (struct job **at = &adapter->running; *at != NULL; at = &(*at)->next)
        if (*at == job) {
            *at = job->next;
            return;
        }
}

static void *work(void *context) {
    struct worker *worker = context;
    struct adapter *adapter = worker->adapter;
    pthread_mutex_lock(&adapter->mutex);
    for (;;) {
        struct job *job = adapter->queued;
        if (job == NULL) {
            if (worker->must_stop) break;
            adapter->idle_count++;
            pthread_cond_wait(&adapter->wake, &adapter->mutex);
            adapter->idle_count--;
            continue;
        }
        adapter->queued = job->next;
        if (adapter->queued == NULL) adapter->queue_end = &adapter->queued;
        job->next = adapter->running;
        adapter->running = job;
        job->state = STATE_RUNNING;
        struct call_outcome outcome = {0};
        job->begun = now_ns();
        bool is_late = job->begun >= job->deadline;
        pthread_mutex_unlock(&adapter->mutex);
        if (is_late)
            call_fail(&outcome, TANDEM_E_DEADLINE_EXCEEDED, "deadline_exceeded", "%s took too long.", adapter->plan.name);
        else
            perform(job, &outcome);
        pthread_mutex_lock(&adapter->mutex);
        bool is_wanted = job->state == STATE_RUNNING;
        job->state = STATE_ANSWERED;
        pthread_mutex_unlock(&adapter->mutex);
        /* The instance lives on: it counts this call as in flight until below. */
        if (is_wanted) answer(job->instance->host, job->call, &outcome);
        call_outcome_clear(&outcome);
        pthread_mutex_lock(&adapter->mutex);
        unlink_running(adapter, job);
        job->instance->in_flight--;
        free(job);
    }
    pthread_mutex_unlock(&adapter->mutex);
    return NULL;
}

/* Starts a thread when nobody is free to take the call; with the mutex. False when there is none at all. */
static bool has_worker(struct adapter *adapter) {
    unsigned limit = adapter->plan.is_concurrent ? MAX_THREADS : 1;
    if (adapter->idle_count > 0 || adapter->worker_count >= limit) return true;
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL) return adapter->worker_count > 0;
    worker->adapter = adapter;
    if (pthread_create(&worker->thread, NULL, work, worker) != 0) {
        free(worker);
        return adapter->worker_count > 0;
    }
    worker->next = adapter->workers;
    adapter->workers = worker;
    adapter->worker_count++;
    return true;
}

/* Ends the process when a call has been running for too long after its deadline; with the mutex. */
static void check_stuck(const struct adapter *adapter) {
    uint64_t now = now_ns();
    for (const struct job *job = adapter->running; job != NULL; job = job->next) {
        uint64_t from = job->deadline > job->begun ? job->deadline : job->begun;
        if (from < now && now - from > STUCK_NS) {
            fprintf(stderr, "tandem: the library's function for %s does not return\n", job->function->tool);
            abort();
        }
    }
}

/* ---- The instance ---- */

static tandem_status activate(tandem_instance *table) {
    struct instance *instance = instance_of(table);
    pthread_mutex_lock(&instance->adapter->mutex);
    instance->is_active = true;
    instance->adapter->active_count++;
    pthread_mutex_unlock(&instance->adapter->mutex);
    return TANDEM_OK;
}

static tandem_status invoke(tandem_instance *table, const tandem_request *request) {
    struct instance *instance = instance_of(table);
    struct adapter *adapter = instance->adapter;
    if (request->header.size < sizeof *request) return TANDEM_E_SIZE_TOO_SMALL;
    if ((request->header.flags & TANDEM_FLAGS_MUST_UNDERSTAND) != 0) return TANDEM_E_UNSUPPORTED;
    if (request->tool.ptr == NULL || request->arguments.ptr == NULL) return TANDEM_E_INVALID_ARGUMENT;
    if (request->arguments.len > 2 * MAX_BYTES) return TANDEM_E_TOO_LARGE;
    const struct function *function = plan_function(&adapter->plan, request->tool.ptr, request->tool.len);
    if (function == NULL) return TANDEM_E_UNSUPPORTED;
    struct job *job = calloc(1, sizeof *job + request->arguments.len);
    if (job == NULL) return TANDEM_E_NO_MEMORY;
    job->instance = instance;
    job->function = function;
    job->call = request->call;
    job->deadline = request->deadline_ns;
    job->length = request->arguments.len;
    memcpy(job->arguments, request->arguments.ptr, request->arguments.len);

    tandem_status status = TANDEM_OK;
    pthread_mutex_lock(&adapter->mutex);
    check_stuck(adapter);
    if (!instance->is_active)
        status = TANDEM_E_WRONG_STATE;
    else if (instance->in_flight >= adapter->plan.max_in_flight)
        status = TANDEM_E_BUSY;
    else if (!has_worker(adapter))
        status = TANDEM_E_NO_MEMORY;
    if (status == TANDEM_OK) {
        instance->in_flight++;
        *adapter->queue_end = job;
        adapter->queue_end = &job->next;
        pthread_cond_signal(&adapter->wake);
    }
    pthread_mutex_unlock(&adapter->mutex);
    if (status != TANDEM_OK) free(job);
    return status;
}

static void cancel(tandem_instance *table, tandem_call_id call, uint32_t reason) {
    struct instance *instance = instance_of(table);
    struct adapter *adapter = instance->adapter;
    struct job *dropped = NULL;
    bool is_wanted = false;
    pthread_mutex_lock(&adapter->mutex);
    for (struct job **at = &adapter->queued; *at != NULL; at = &(*at)->next)
        if ((*at)->instance == instance && (*at)->call == call) {
            dropped = *at;
            *at = dropped->next;
            if (*at == NULL) adapter->queue_end = at;
            break;
        }
    for (struct job *job = adapter->running; job != NULL && dropped == NULL; job = job->next)
        if (job->instance == instance && job->call == call && job->state == STATE_RUNNING) {
            job->state = STATE_ANSWERED;
            is_wanted = true;
        }
    pthread_mutex_unlock(&adapter->mutex);
    if (dropped == NULL && !is_wanted) return;
    bool is_late = reason == TANDEM_CANCEL_DEADLINE;
    answer_error(instance, call, is_late ? TANDEM_E_DEADLINE_EXCEEDED : TANDEM_E_CANCELLED,
                 is_late ? "deadline_exceeded" : "cancelled");
    if (dropped == NULL) return;
    pthread_mutex_lock(&adapter->mutex);
    instance->in_flight--;
    pthread_mutex_unlock(&adapter->mutex);
    free(dropped);
}

/* The last instance takes the threads with it. */
static tandem_status quiesce(tandem_instance *table) {
    struct instance *instance = instance_of(table);
    struct adapter *adapter = instance->adapter;
    struct worker *ending = NULL;
    pthread_mutex_lock(&adapter->mutex);
    if (instance->in_flight > 0) {
        check_stuck(adapter);
        pthread_mutex_unlock(&adapter->mutex);
        return TANDEM_E_BUSY;
    }
    if (instance->is_active) {
        instance->is_active = false;
        adapter->active_count--;
    }
    if (adapter->active_count == 0) {
        ending = adapter->workers;
        adapter->workers = NULL;
        adapter->worker_count = 0;
        for (struct worker *worker = ending; worker != NULL; worker = worker->next) worker->must_stop = true;
        pthread_cond_broadcast(&adapter->wake);
    }
    pthread_mutex_unlock(&adapter->mutex);
    while (ending != NULL) {
        struct worker *next = ending->next;
        pthread_join(ending->thread, NULL);
        free(ending);
        ending = next;
    }
    return TANDEM_OK;
}

static void destroy_objects(const struct plan *plan, struct call_objects *objects) {
    /* In the opposite order of the manifest: a later one may have been made with an earlier one. */
    for (unsigned i = plan->object_count; i-- > 0;) {
        call_destroy(&plan->objects[i], objects->pointers[i]);
        objects->pointers[i] = NULL;
    }
}

static void destroy(tandem_instance *table) {
    struct instance *instance = instance_of(table);
    struct adapter *adapter = instance->adapter;
    /* An instance that was activated and never asked to end. */
    if (instance->is_active) quiesce(table);
    pthread_mutex_lock(&adapter->library);
    destroy_objects(&adapter->plan, &instance->objects);
    pthread_mutex_lock(&adapter->mutex);
    bool is_last = --adapter->instance_count == 0;
    pthread_mutex_unlock(&adapter->mutex);
    if (is_last) destroy_objects(&adapter->plan, &adapter->shared);
    pthread_mutex_unlock(&adapter->library);
    free(instance);
}

static const void *get_extension(tandem_instance *table, const char *id) {
    (void)table;
    (void)id;
    return NULL;
}

/* ---- The plugin ---- */

static tandem_slice manifest(const tandem_plugin *table) {
    const struct adapter *adapter = adapter_of(table);
    return (tandem_slice){.ptr = (const uint8_t *)adapter->manifest, .len = adapter->manifest_length};
}

static tandem_status create(const tandem_plugin *table, const tandem_host *host, tandem_instance **made) {
    struct adapter *adapter = (struct adapter *)(uintptr_t)adapter_of(table);
    *made = NULL;
    if (host->header.size < sizeof *host) return TANDEM_E_SIZE_TOO_SMALL;
    struct instance *instance = calloc(1, sizeof *instance);
    if (instance == NULL) return TANDEM_E_NO_MEMORY;
    instance->adapter = adapter;
    instance->host = host;
    instance->table = (tandem_instance){
        .header = {.size = sizeof(tandem_instance), .flags = 0},
        .activate = activate,
        .invoke = invoke,
        .cancel = cancel,
        .quiesce = quiesce,
        .destroy = destroy,
        .get_extension = get_extension,
    };
    pthread_mutex_lock(&adapter->mutex);
    adapter->instance_count++;
    pthread_mutex_unlock(&adapter->mutex);
    *made = &instance->table;
    return TANDEM_OK;
}

bool tandem_foreign_is(const char *manifest, size_t length) {
    json_error_t error;
    json_t *document = json_loadb(manifest, length, JSON_REJECT_DUPLICATES, &error);
    bool is_foreign = json_object_get(document, "foreign") != NULL;
    json_decref(document);
    return is_foreign;
}

/* The manifest as code would have it: without what packaging adds. */
static bool keep_manifest(struct adapter *adapter, const char *bytes, size_t length) {
    json_error_t error;
    json_t *document = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &error);
    if (document == NULL) return false;
    json_object_del(document, "library");
    json_object_del(document, "files");
    json_object_del(document, "build");
    adapter->manifest = json_dumps(document, JSON_COMPACT);
    adapter->manifest_length = adapter->manifest == NULL ? 0 : strlen(adapter->manifest);
    json_decref(document);
    return adapter->manifest != NULL;
}

const tandem_plugin *tandem_foreign_open(const struct tandem_foreign_source *source, char *reason, size_t capacity) {
    json_object_seed(0);
    struct adapter *adapter = calloc(1, sizeof *adapter);
    if (adapter == NULL || capacity == 0) {
        free(adapter);
        return NULL;
    }
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&adapter->mutex, NULL);
    pthread_mutex_init(&adapter->library, &recursive);
    pthread_mutexattr_destroy(&recursive);
    pthread_cond_init(&adapter->wake, NULL);
    adapter->queue_end = &adapter->queued;
    bool is_read = plan_read(&adapter->plan, source->manifest, source->manifest_length, source->folder, reason, capacity);
    if (is_read && !keep_manifest(adapter, source->manifest, source->manifest_length)) {
        snprintf(reason, capacity, "plugin.json cannot be kept");
        is_read = false;
    }
    adapter->table = (tandem_plugin){
        .header = {.size = sizeof(tandem_plugin), .flags = 0},
        .abi_major = TANDEM_ABI_MAJOR,
        .abi_minor = TANDEM_ABI_MINOR,
        .abi_lowest_minor = 0,
        .manifest = manifest,
        .create = create,
    };
    if (is_read) return &adapter->table;
    tandem_foreign_close(&adapter->table);
    return NULL;
}

void tandem_foreign_close(const tandem_plugin *table) {
    struct adapter *adapter = (struct adapter *)(uintptr_t)adapter_of(table);
    plan_clear(&adapter->plan);
    free(adapter->manifest);
    pthread_mutex_destroy(&adapter->mutex);
    pthread_mutex_destroy(&adapter->library);
    pthread_cond_destroy(&adapter->wake);
    free(adapter);
}
