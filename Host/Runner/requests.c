/* requests.c - who waits for which reply of the host. */
#include "runner.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BUCKETS = 256, MOST = 8192 };

typedef struct request {
    struct request *next;
    uint64_t id;
    instance *owner;
    tandem_call_id call; /* that counted it in, or 0 */
    reply_fn reply;
    void *context;
    void (*done)(void);
} request;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static request *buckets[BUCKETS];
static request *unused;
static uint64_t last_id;
static size_t count_waiting;

uint64_t request_begin(instance *owner, reply_fn reply, void *context, void (*done)(void)) {
    return request_begin_for(owner, 0, reply, context, done);
}

uint64_t request_begin_for(instance *owner, tandem_call_id call, reply_fn reply, void *context, void (*done)(void)) {
    pthread_mutex_lock(&mutex);
    uint64_t id = 0;
    if (count_waiting < MOST) {
        request *new = unused;
        if (new != NULL) {
            unused = new->next;
        } else {
            new = malloc(sizeof *new);
        }
        if (new != NULL) {
            id = ++last_id;
            *new = (request){buckets[id % BUCKETS], id, owner, call, reply, context, done};
            buckets[id % BUCKETS] = new;
            count_waiting++;
        }
    }
    pthread_mutex_unlock(&mutex);
    return id;
}

/* 1 when there was one. */
static int take(uint64_t id, request *found) {
    pthread_mutex_lock(&mutex);
    for (request **link = &buckets[id % BUCKETS]; *link != NULL; link = &(*link)->next) {
        request *this = *link;
        if (this->id != id) continue;
        *link = this->next;
        *found = *this;
        this->next = unused;
        unused = this;
        count_waiting--;
        pthread_mutex_unlock(&mutex);
        return 1;
    }
    pthread_mutex_unlock(&mutex);
    return 0;
}

void request_drop(uint64_t id) {
    request dropped;
    if (take(id, &dropped) && dropped.call != 0) call_service_end(dropped.call);
}

void request_reply(uint64_t id, tandem_status status, const uint8_t *payload, uint64_t length) {
    request found;
    if (!take(id, &found)) return;
    /* Counted out before the plugin hears of it. */
    if (found.call != 0) call_service_end(found.call);
    if (found.owner != NULL && !instance_use(found.owner)) return;
    found.reply(found.context, found.done, status, payload, length);
    if (found.owner != NULL) instance_unuse(found.owner);
}

/* MARK: Waiting */

typedef struct waiter {
    pthread_mutex_t mutex;
    pthread_cond_t arrived;
    int is_done;
    int users;
    tandem_status status;
    uint64_t length;
    uint64_t room;
    uint8_t bytes[];
} waiter;

static void waiter_leave(waiter *self) {
    /* With its mutex held. */
    int last = --self->users == 0;
    pthread_mutex_unlock(&self->mutex);
    if (last) {
        pthread_mutex_destroy(&self->mutex);
        pthread_cond_destroy(&self->arrived);
        free(self);
    }
}

static void arrive(void *context, void (*done)(void), tandem_status status, const uint8_t *payload, uint64_t length) {
    (void)done;
    waiter *self = context;
    pthread_mutex_lock(&self->mutex);
    self->status = status;
    self->length = length < self->room ? length : self->room;
    if (self->length > 0) memcpy(self->bytes, payload, self->length);
    self->is_done = 1;
    pthread_cond_signal(&self->arrived);
    waiter_leave(self);
}

tandem_status request_wait(instance *owner, uint32_t code, const part *parts, size_t count, void *out, uint64_t room,
                           uint64_t *length) {
    *length = 0;
    waiter *self = calloc(1, sizeof *self + room);
    if (self == NULL) return TANDEM_E_NO_MEMORY;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->arrived, &attributes);
    pthread_condattr_destroy(&attributes);
    self->users = 2;
    self->room = room;
    /* Without an owner: the answer is for this thread, which is inside of the instance. */
    uint64_t id = request_begin(NULL, arrive, self, NULL);
    if (id == 0) {
        pthread_mutex_lock(&self->mutex);
        self->users = 1;
        waiter_leave(self);
        return TANDEM_E_BUSY;
    }
    yield_reading();
    send_frame(TANDEM_F_REQUEST, owner->number, code, id, parts, count);
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 1;
    pthread_mutex_lock(&self->mutex);
    while (!self->is_done && pthread_cond_timedwait(&self->arrived, &self->mutex, &until) == 0) {
    }
    tandem_status status = TANDEM_E_UNAVAILABLE;
    if (self->is_done) {
        status = self->status;
        *length = self->length;
        if (self->length > 0) memcpy(out, self->bytes, self->length);
    } else {
        request dropped;
        pthread_mutex_unlock(&self->mutex);
        int was_waiting = take(id, &dropped);
        pthread_mutex_lock(&self->mutex);
        if (was_waiting) self->users--;
    }
    waiter_leave(self);
    return status;
}

/* MARK: Buffers */

static void release_copy(void *owner) { free(owner); }

tandem_buffer buffer_copy(const uint8_t *bytes, uint64_t length) {
    tandem_buffer buffer = {NULL, 0, NULL, NULL};
    if (length == 0) return buffer;
    uint8_t *copy = malloc(length);
    if (copy == NULL) return buffer;
    memcpy(copy, bytes, length);
    buffer = (tandem_buffer){copy, length, copy, release_copy};
    return buffer;
}
