/*
 * serve.c - reads frames and runs what they ask for.
 *
 * One thread at a time is the reader. It calls the plugin itself, so that a quick call costs no change of threads. A
 * monitor sees when plugin code keeps the reader for ten milliseconds or so and gives the reading, with what has been received
 * and not yet handled, to another thread; the kept one drains its instance's queue when it returns, and then waits in
 * reserve. So one instance never sees two calls at a time, and a hanging one does not hold up the others.
 */
#include "runner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <tandem_start.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 256 << 10, MOST_FILES = 16, MOST_THREADS = 16, LOOK_MS = 2, NAP_MS = 10, QUIET_LOOKS = 5 };

enum { READING, IN_PLUGIN, TAKEN };

typedef struct worker {
    uint8_t *bytes;
    size_t start, end;
    int files[MOST_FILES];
    int file_count;
    int has_more;
    /* The last frames came soon after the answers before: the next ones are looked for a while before this thread sleeps. */
    int is_asked_often;
    atomic_int state;
    atomic_ulong jobs;
} worker;

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t reserve;
    pthread_cond_t monitor;
    worker *reader;
    int is_read; /* somebody reads */
    int waiting;
    int threads;
    atomic_int monitor_sleeps;
    uint8_t *left;
    size_t left_length;
    int left_files[MOST_FILES];
    int left_file_count;
} role = {
    .mutex = PTHREAD_MUTEX_INITIALIZER, .reserve = PTHREAD_COND_INITIALIZER, .monitor = PTHREAD_COND_INITIALIZER};

static _Thread_local worker *self_worker;

static void *worker_main(void *argument);

/* MARK: Receiving */

static _Noreturn void broken(void) { _exit(71); }

static void receive(worker *self) {
    if (self->start == self->end) {
        self->start = self->end = 0;
    } else if (BUFFER - self->start < TANDEM_FRAME_INLINE + 64 || self->end == BUFFER) {
        memmove(self->bytes, self->bytes + self->start, self->end - self->start);
        self->end -= self->start;
        self->start = 0;
    }
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * MOST_FILES)];
    } control;
    struct iovec part = {self->bytes + self->end, BUFFER - self->end};
    struct msghdr message = {0};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    ssize_t amount;
    const uint64_t began = tandem_now_ns();
    int flags = self->is_asked_often ? MSG_DONTWAIT : 0;
    for (uint64_t now = began;;) {
        message.msg_controllen = sizeof control.bytes;
        amount = recvmsg(TANDEM_RUNNER_SOCKET, &message, MSG_CMSG_CLOEXEC | flags);
        if (amount >= 0 || (errno != EINTR && (errno != EAGAIN || flags == 0))) break;
        if (flags == 0) continue;
        if (!tandem_look_on(began, &now)) flags = 0;
    }
    self->is_asked_often = tandem_came_soon(began);
    /* The host is gone: so are we. An error is of the plugin's making. */
    if (amount <= 0) _exit(amount == 0 ? 0 : TANDEM_EXIT_HUNG_UP);
    self->end += (size_t)amount;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        int number = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (int index = 0; index < number; index++) {
            if (self->file_count == MOST_FILES) broken();
            memcpy(&self->files[self->file_count++], CMSG_DATA(header) + (size_t)index * sizeof(int), sizeof(int));
        }
    }
}

/* 1: a whole frame; its payload lies in the buffer or, *mapped bytes long, elsewhere. */
static int next_frame(worker *self, tandem_frame *frame, const uint8_t **payload, uint64_t *mapped) {
    size_t available = self->end - self->start;
    if (available < sizeof *frame) return 0;
    memcpy(frame, self->bytes + self->start, sizeof *frame);
    if (frame->length > TANDEM_FRAME_INLINE) broken();
    size_t whole = sizeof *frame + ((frame->length + 7u) & ~7u);
    if (available < whole) return 0;
    *payload = self->bytes + self->start + sizeof *frame;
    *mapped = 0;
    self->start += whole;
    self->has_more = self->start < self->end;
    if (frame->flags & TANDEM_FRAME_FILE) {
        uint64_t size;
        if (frame->length != sizeof size || self->file_count == 0) broken();
        memcpy(&size, *payload, sizeof size);
        int file = self->files[0];
        self->file_count--;
        memmove(self->files, self->files + 1, sizeof(int) * (size_t)self->file_count);
        const void *bytes = size <= TANDEM_FRAME_MAX ? tandem_map_sealed(file, size) : NULL;
        close(file);
        if (bytes == NULL) broken();
        *payload = bytes;
        *mapped = size;
        frame->length = (uint32_t)size;
    }
    return 1;
}

/* MARK: The reader's role */

int is_gathering(void) {
    worker *self = self_worker;
    return self != NULL && self->has_more && atomic_load(&self->state) == IN_PLUGIN;
}

static void enter_plugin(worker *self) {
    atomic_fetch_add_explicit(&self->jobs, 1, memory_order_relaxed);
    atomic_store(&self->state, IN_PLUGIN);
    if (atomic_load(&role.monitor_sleeps)) {
        pthread_mutex_lock(&role.mutex);
        pthread_cond_signal(&role.monitor);
        pthread_mutex_unlock(&role.mutex);
    }
}

/* 0: the reading was taken away meanwhile. */
static int leave_plugin(worker *self) {
    int expected = IN_PLUGIN;
    return atomic_compare_exchange_strong(&self->state, &expected, READING);
}

/* By whoever set the state to TAKEN: nobody else touches the worker's buffer now. */
static void take_over(worker *from) {
    pthread_mutex_lock(&role.mutex);
    size_t length = from->end - from->start;
    role.left = malloc(length > 0 ? length : 1);
    if (role.left == NULL) _exit(70);
    memcpy(role.left, from->bytes + from->start, length);
    role.left_length = length;
    role.left_file_count = from->file_count;
    memcpy(role.left_files, from->files, sizeof from->files);
    role.reader = NULL;
    role.is_read = 0;
    if (role.waiting > 0) {
        pthread_cond_signal(&role.reserve);
    } else if (role.threads < MOST_THREADS) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, worker_main, NULL) == 0) {
            pthread_detach(thread);
            role.threads++;
        }
    }
    pthread_mutex_unlock(&role.mutex);
    flush_frames();
}

void yield_reading(void) {
    worker *self = self_worker;
    int expected = IN_PLUGIN;
    if (self != NULL && atomic_compare_exchange_strong(&self->state, &expected, TAKEN)) take_over(self);
}

static void *monitor_main(void *argument) {
    (void)argument;
    const worker *last = NULL;
    unsigned long last_jobs = 0;
    int quiet = 0, is_watching = 0;
    for (;;) {
        /* A timer costs more than most calls where a hypervisor keeps it: often only while one seems to take its time. */
        struct timespec pause = {0, (is_watching ? LOOK_MS : NAP_MS) * 1000000L};
        nanosleep(&pause, NULL);
        pthread_mutex_lock(&role.mutex);
        worker *reader = role.reader;
        unsigned long jobs = reader != NULL ? atomic_load(&reader->jobs) : 0;
        int is_same = reader == last && jobs == last_jobs;
        int is_busy = reader != NULL && atomic_load(&reader->state) == IN_PLUGIN;
        last = reader;
        last_jobs = jobs;
        is_watching = is_busy;
        if (is_same && is_busy) {
            int expected = IN_PLUGIN;
            int is_taken = atomic_compare_exchange_strong(&reader->state, &expected, TAKEN);
            pthread_mutex_unlock(&role.mutex);
            if (is_taken) take_over(reader);
            quiet = 0;
            continue;
        }
        quiet = is_same ? quiet + 1 : 0;
        if (quiet >= QUIET_LOOKS && reader != NULL) {
            atomic_store(&role.monitor_sleeps, 1);
            /* Either this sees the plugin entered, or the one who enters sees the monitor asleep. */
            if (atomic_load(&reader->state) != IN_PLUGIN && role.reader == reader) {
                pthread_cond_wait(&role.monitor, &role.mutex);
            }
            atomic_store(&role.monitor_sleeps, 0);
            quiet = 0;
        }
        pthread_mutex_unlock(&role.mutex);
    }
    return NULL;
}

/* MARK: Work */

static void perform(instance *owner, const job *work) {
    switch (work->frame.kind) {
    case TANDEM_F_ACTIVATE: instance_activate(owner, work); break;
    case TANDEM_F_INVOKE: instance_invoke(owner, work); break;
    case TANDEM_F_QUIESCE: instance_quiesce(owner, work); break;
    case TANDEM_F_DESTROY: instance_destroy(owner, work); break;
    default: break;
    }
    if (work->mapped > 0) munmap((void *)(uintptr_t)work->payload, work->mapped);
}

static void enqueue(instance *owner, const job *work) {
    size_t copied = work->mapped > 0 ? 0 : work->frame.length;
    job *kept = malloc(sizeof *kept + copied);
    if (kept == NULL) _exit(70);
    *kept = *work;
    kept->next = NULL;
    if (work->mapped == 0) {
        if (copied > 0) memcpy(kept->copy, work->payload, copied);
        kept->payload = kept->copy;
    }
    if (owner->last != NULL) {
        owner->last->next = kept;
    } else {
        owner->first = kept;
    }
    owner->last = kept;
}

/* One thread at a time for an instance. 0: the reading was taken away. */
static int run_in_order(worker *self, instance *owner, const job *work) {
    pthread_mutex_lock(&owner->mutex);
    if (owner->busy) {
        enqueue(owner, work);
        pthread_mutex_unlock(&owner->mutex);
        return 1;
    }
    owner->busy = 1;
    pthread_mutex_unlock(&owner->mutex);
    enter_plugin(self);
    perform(owner, work);
    int still_reads = leave_plugin(self);
    for (;;) {
        pthread_mutex_lock(&owner->mutex);
        job *next = owner->first;
        if (next == NULL) {
            owner->busy = 0;
            pthread_mutex_unlock(&owner->mutex);
            return still_reads;
        }
        owner->first = next->next;
        if (owner->first == NULL) owner->last = NULL;
        pthread_mutex_unlock(&owner->mutex);
        if (still_reads) {
            enter_plugin(self);
            perform(owner, next);
            still_reads = leave_plugin(self);
        } else {
            perform(owner, next);
        }
        free(next);
    }
}

/* 0: the reading was taken away. */
static int handle(worker *self, const job *work) {
    const tandem_frame *frame = &work->frame;
    instance *owner = frame->instance != 0 ? instance_find(frame->instance) : NULL;
    int still_reads = 1;
    switch (frame->kind) {
    case TANDEM_F_CREATE:
        enter_plugin(self);
        instance_create(work);
        still_reads = leave_plugin(self);
        break;
    case TANDEM_F_INVOKE:
        if (owner == NULL) {
            send_frame(TANDEM_F_RETURNED, frame->instance, (uint32_t)TANDEM_E_WRONG_STATE, frame->id, NULL, 0);
            break;
        }
        call_begin(frame->id, owner);
        return run_in_order(self, owner, work);
    case TANDEM_F_ACTIVATE:
    case TANDEM_F_QUIESCE:
    case TANDEM_F_DESTROY:
        if (owner == NULL) {
            answer_done(work, frame->instance, TANDEM_E_WRONG_STATE, NULL, 0);
            break;
        }
        return run_in_order(self, owner, work);
    case TANDEM_F_CANCEL:
        call_cancel(frame->id);
        if (owner != NULL && instance_use(owner)) {
            if (owner->plugin != NULL && owner->plugin->cancel != NULL) {
                enter_plugin(self);
                owner->plugin->cancel(owner->plugin, frame->id, frame->code);
                still_reads = leave_plugin(self);
            }
            instance_unuse(owner);
        }
        break;
    case TANDEM_F_REPLY:
        enter_plugin(self);
        request_reply(frame->id, (tandem_status)frame->code, work->payload, frame->length);
        still_reads = leave_plugin(self);
        break;
    case TANDEM_F_FORGET: call_forget(frame->id); break;
    case TANDEM_F_CONFIG:
        if (owner != NULL) instance_set_config(owner, frame->id, work->payload, frame->length);
        break;
    case TANDEM_F_PERSON:
        if (owner != NULL) instance_set_person(owner, work->payload, frame->length);
        break;
    case TANDEM_F_REVOKE:
        if (owner != NULL) atomic_store(&owner->revoked, 1);
        break;
    case TANDEM_F_PING: send_frame(TANDEM_F_PONG, 0, 0, frame->id, NULL, 0); break;
    default: break;
    }
    if (work->mapped > 0) munmap((void *)(uintptr_t)work->payload, work->mapped);
    return still_reads;
}

static void read_frames(worker *self) {
    for (;;) {
        job work = {0};
        while (next_frame(self, &work.frame, &work.payload, &work.mapped)) {
            if (!handle(self, &work)) return;
        }
        self->has_more = 0;
        flush_frames();
        receive(self);
    }
}

static void work_for_ever(worker *self) {
    self_worker = self;
    for (;;) {
        pthread_mutex_lock(&role.mutex);
        role.waiting++;
        while (role.is_read) pthread_cond_wait(&role.reserve, &role.mutex);
        role.waiting--;
        role.is_read = 1;
        self->start = 0;
        self->end = role.left_length;
        if (role.left_length > 0) memcpy(self->bytes, role.left, role.left_length);
        free(role.left);
        role.left = NULL;
        role.left_length = 0;
        self->file_count = role.left_file_count;
        memcpy(self->files, role.left_files, sizeof self->files);
        role.left_file_count = 0;
        atomic_store(&self->state, READING);
        role.reader = self;
        pthread_mutex_unlock(&role.mutex);
        read_frames(self);
        self->has_more = 0;
        self->start = self->end = 0;
        self->file_count = 0;
    }
}

static worker *worker_new(void) {
    worker *self = calloc(1, sizeof *self);
    uint8_t *bytes = malloc(BUFFER);
    if (self == NULL || bytes == NULL) _exit(70);
    self->bytes = bytes;
    return self;
}

static void *worker_main(void *argument) {
    (void)argument;
    work_for_ever(worker_new());
    return NULL;
}

void serve(void) {
    pthread_t thread;
    role.threads = 1;
    if (pthread_create(&thread, NULL, monitor_main, NULL) != 0) _exit(70);
    pthread_detach(thread);
    work_for_ever(worker_new());
    _exit(0);
}

/* MARK: The first frame */

uint8_t *receive_first(tandem_frame *frame) {
    uint8_t *bytes = NULL;
    size_t length = 0, wanted = sizeof *frame;
    for (int round = 0; round < 2; round++) {
        bytes = realloc(bytes, wanted + 1);
        if (bytes == NULL) _exit(70);
        while (length < wanted) {
            ssize_t amount = read(TANDEM_RUNNER_SOCKET, bytes + length, wanted - length);
            if (amount < 0 && errno == EINTR) continue;
            if (amount <= 0) _exit(0);
            length += (size_t)amount;
        }
        if (round == 0) {
            memcpy(frame, bytes, sizeof *frame);
            if (frame->length > TANDEM_FRAME_INLINE) broken();
            wanted += (frame->length + 7u) & ~7u;
        }
    }
    bytes[wanted] = 0;
    memmove(bytes, bytes + sizeof *frame, wanted - sizeof *frame + 1);
    return bytes;
}
