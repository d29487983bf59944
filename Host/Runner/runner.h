/*
 * runner.h - what the parts of tandem-plugin-runner share.
 *
 * One process, one bundle. A thread at a time reads frames and runs what they ask for (serve.c); when plugin code keeps
 * it, another one goes on reading. What threads write is gathered and sent together (wire.c). The plugin sees the tables
 * of tandem/host.h and tandem/ext/ (instance.c, ext_NAME.c); what the host answers asynchronously comes back by the
 * number of its request (requests.c).
 */
#ifndef RUNNER_H
#define RUNNER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <tandem/tandem.h>
#include <tandem_frames.h>

/* MARK: Wire */

typedef struct part {
    const void *bytes;
    uint64_t length;
} part;

/*
 * Sends a frame of `count` parts; a large one travels as a sealed memory file. Blocks while the host does not read. From
 * a thread that has more frames at hand it is sent with the answers to those. A payload over TANDEM_FRAME_MAX is not sent:
 * false.
 */
int send_frame(uint16_t kind, uint32_t instance, uint32_t code, uint64_t id, const part *parts, size_t count);
/* Sends what was gathered. */
void flush_frames(void);
size_t gathered_bytes(void);

/* MARK: Threads (serve.c) */

/* Before plugin code waits for the host: lets another thread read. */
void yield_reading(void);
/* True on a thread that gathers frames since it has more to do at once. */
int is_gathering(void);
_Noreturn void serve(void);



/* MARK: Calls in flight (calls.c) */

typedef struct instance instance;

void calls_prepare(void);
void call_begin(uint64_t id, instance *owner);
/* 1 the first time; 0 when it is over. */
int call_cancel(uint64_t id);
void call_forget(uint64_t id);
/* TANDEM_OK: the caller ends it now; else TANDEM_E_ALREADY_DONE or TANDEM_E_STALE. *foreign: it is another instance's. */
tandem_status call_claim(uint64_t id, const instance *owner, int *foreign);
/* 1, 0 or TANDEM_E_STALE. */
int32_t call_cancelled(uint64_t id, const instance *owner);
/* Counts a request to a service of the host: TANDEM_OK, TANDEM_E_STALE, or TANDEM_E_BUSY when too many run. */
tandem_status call_service_begin(uint64_t id, const instance *owner);
void call_service_end(uint64_t id);
/* TANDEM_OK when it is in flight and of this instance, else TANDEM_E_STALE. */
tandem_status call_check(uint64_t id, const instance *owner);

/* MARK: Instances (instance.c) */

/* Work for one instance, in order. */
typedef struct job {
    struct job *next;
    tandem_frame frame;
    const uint8_t *payload;
    uint64_t mapped; /* the payload is a mapping of so many bytes, or 0 */
    uint8_t copy[];
} job;

struct instance {
    tandem_host host; /* first: the table that the plugin has is the instance */
    uint32_t number;
    uint32_t users; /* cancels and replies that run now */
    uint64_t granted;
    tandem_instance *plugin;
    atomic_int revoked;
    atomic_int active;
    atomic_int gone; /* destroyed: nothing of the plugin's is called any more */
    pthread_mutex_t mutex;
    pthread_cond_t unused;
    /* Guarded by mutex. */
    int busy;
    job *first, *last;
    uint8_t *config;
    uint64_t config_length;
    uint64_t config_generation;
    uint8_t *locale;
    uint64_t locale_length;
    tandem_frame_person person;
    atomic_llong now_ms;
    instance *next_by_number;
};

extern const tandem_plugin *the_plugin;

/* The instance behind the table that the plugin passes; null for a null pointer. */
static inline instance *instance_of(const tandem_host *host) {
    return (host != NULL && host->context != NULL) ? (instance *)host->context : NULL;
}

instance *instance_find(uint32_t number);
/* For cancels and replies: keeps the instance from being destroyed meanwhile. 0: it is gone. */
int instance_use(instance *self);
void instance_unuse(instance *self);
/* TANDEM_OK when extension `number` may be used now, else NOT_GRANTED, REVOKED or WRONG_STATE. */
tandem_status instance_permission(const instance *self, uint32_t number);

void instance_create(const job *work);
void instance_activate(instance *self, const job *work);
void instance_invoke(instance *self, const job *work);
void instance_quiesce(instance *self, const job *work);
void instance_destroy(instance *self, const job *work);
void instance_set_config(instance *self, uint64_t generation, const uint8_t *bytes, uint64_t length);
void instance_set_person(instance *self, const uint8_t *payload, uint64_t length);
void answer_done(const job *work, uint32_t instance_number, tandem_status status, const void *bytes, uint64_t length);

/* MARK: Requests to the host (requests.c) */

/* What a reply is given to: `done` is the plugin's function, cast; `payload` is valid until this returns. */
typedef void (*reply_fn)(void *context, void (*done)(void), tandem_status status, const uint8_t *payload, uint64_t length);

/* Remembers who waits for a reply; the number goes into the request's `id`. 0: no memory or too many (BUSY). */
uint64_t request_begin(instance *owner, reply_fn reply, void *context, void (*done)(void));
/* The same for one that was counted by call_service_begin: its answer counts it out. */
uint64_t request_begin_for(instance *owner, tandem_call_id call, reply_fn reply, void *context, void (*done)(void));
/* Forgets it: the request could not be sent. */
void request_drop(uint64_t id);
/* Gives a reply to whom it is for; unknown numbers are ignored. */
void request_reply(uint64_t id, tandem_status status, const uint8_t *payload, uint64_t length);
/*
 * Asks the host and waits for the answer, at most a second: for the few functions that answer at once. `out` gets up to
 * `room` bytes, *length their number. The status of the reply, or TANDEM_E_UNAVAILABLE.
 */
tandem_status request_wait(instance *owner, uint32_t code, const part *parts, size_t count, void *out, uint64_t room,
                           uint64_t *length);

/* Copies bytes into a buffer that the plugin releases; an empty one when there is no memory. */
tandem_buffer buffer_copy(const uint8_t *bytes, uint64_t length);

/* MARK: Services (services.c) */

int is_utf8(const uint8_t *bytes, uint64_t length);
/* UTF-8 of at most so many bytes without control characters. */
int is_name(tandem_slice text, uint64_t most, int may_be_empty);
/* A `done` that gets a status and a buffer, and how it is called. */
typedef void (*buffer_done)(void *context, tandem_status status, tandem_buffer result);
void buffer_reply(void *context, void (*done)(void), tandem_status status, const uint8_t *payload, uint64_t length);
/*
 * Checks permission and call, counts the request in and sends it. TANDEM_OK: `reply` follows; else what the function
 * returns.
 */
tandem_status service_send(instance *self, uint32_t code, tandem_call_id call, const part *parts, size_t count,
                           reply_fn reply, void *context, void (*done)(void));

/* MARK: Extensions (extensions.c) */

/* One extension of the host, as the plugin gets it. */
typedef struct host_extension {
    const char *id;
    uint32_t number; /* TANDEM_X_* */
    const void *table;
} host_extension;

/* What every plugin-side extension consists of. */
typedef tandem_status (*request_fn)(tandem_instance *instance, const tandem_request *request);

extern const host_extension *const host_extensions[];

/* The plugin-side extensions that an instance has, as bits of their numbers (TANDEM_P_*). */
uint64_t plugin_extensions(tandem_instance *plugin);
/* The function of one of them, or null. */
request_fn plugin_extension(tandem_instance *plugin, uint32_t number);

/* MARK: Containment (contain.c, filter.c) */

/* Each gives the TANDEM_ISOLATION_* bits that it brought about. */
uint32_t contain_parent(void);
uint32_t contain_privileges(void);
uint32_t contain_limits(const tandem_frame_start *start);
uint32_t contain_files(const char *runtime_folder, int while_loading);
uint32_t contain_calls(void);

/* MARK: Receiving before there are threads */

/* One frame, blocking; exits at the end of the stream. The payload has a NUL behind it and is never freed. */
uint8_t *receive_first(tandem_frame *frame);

#endif
