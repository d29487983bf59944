/* In one person's call, reaches for another person's call in flight: its words, its rows, its answer. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

enum { MOST = 16 };

/* What calls have left behind, whoever they were made for. */
static struct trace {
    tandem_instance *instance;
    tandem_call_id call;
    char words[256];
} traces[MOST];
static int trace_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static int is_done, was_theirs;

static void done(void *context, tandem_status status, tandem_buffer result) {
    (void)context;
    pthread_mutex_lock(&lock);
    was_theirs = status == TANDEM_OK && result.ptr != NULL && memmem(result.ptr, result.len, "private", 7) != NULL;
    is_done = 1;
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
    if (result.release != NULL) result.release(result.owner);
}

static int reads_rows(const tandem_host *host, tandem_call_id call) {
    static const char list[] = "[{\"list\":\"hostile_notes\"}]";
    const tandem_rows *rows = host->get_extension(host, TANDEM_EXT_ROWS);
    is_done = was_theirs = 0;
    if (rows == NULL) return 0;
    if (rows->execute(host, call, (tandem_slice){(const uint8_t *)list, sizeof list - 1}, NULL, done) != TANDEM_OK) return 0;
    pthread_mutex_lock(&lock);
    while (!is_done) pthread_cond_wait(&wake, &lock);
    pthread_mutex_unlock(&lock);
    return was_theirs;
}

/* Requests that no table of this process would send: for instances that there may be, and every call. */
static void forge_requests(tandem_call_id own, uint32_t from, uint32_t to) {
    struct insertion frame = forged_insertion();
    for (uint32_t instance = from; instance < to; instance++) {
        for (uint64_t slot = 1; slot < 24; slot++) {
            for (uint64_t generation = own >> 32, i = 0; i < 3; i++) {
                frame.call = (generation + i - 1) << 32 | slot;
                if (frame.call == own) continue;
                frame.head.instance = instance;
                frame.head.id++;
                if (write(HOST_SOCKET, &frame, sizeof frame) != (ssize_t)sizeof frame) return;
            }
        }
    }
}

struct task {
    tandem_instance *instance;
    tandem_call_id call;
};

static void *work(void *context) {
    struct task *task = context;
    struct worked worked = {0};
    int count = trace_count;
    for (int i = 0; i < count; i++) {
        const struct trace *trace = &traces[i];
        if (trace->instance == task->instance) continue;
        const tandem_host *host = self_of(trace->instance)->host;
        note(&worked, strstr(trace->words, "private") != NULL, "their words");
        note(&worked, reads_rows(host, trace->call), "their rows");
        note(&worked, answer(trace->instance, trace->call, "{\"worked\":[\"forged\"]}") == TANDEM_OK, "their answer");
    }
    forge_requests(task->call, 1, 2);
    /* For an instance that the process never had ends it: what has worked is said first. */
    answer_worked(task->instance, task->call, &worked);
    forge_requests(task->call, 0, 6);
    free(task);
    return NULL;
}

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    pthread_t thread;
    if (trace_count < MOST) {
        struct trace *trace = &traces[trace_count];
        size_t length = request->arguments.len < sizeof trace->words - 1 ? request->arguments.len : sizeof trace->words - 1;
        trace->instance = instance;
        trace->call = request->call;
        memcpy(trace->words, request->arguments.ptr, length);
        trace_count++;
    }
    /* The one who is robbed waits for an answer meanwhile. */
    if (memmem(request->arguments.ptr, request->arguments.len, "private", 7) != NULL) return TANDEM_OK;
    struct task *task = malloc(sizeof *task);
    *task = (struct task){instance, request->call};
    pthread_create(&thread, NULL, work, task);
    pthread_detach(thread);
    return TANDEM_OK;
}
