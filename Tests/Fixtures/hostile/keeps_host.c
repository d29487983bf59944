/* Keeps one person's host table and uses it in the calls of another. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static const tandem_host *first_host;
static tandem_call_id first_call;
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

static int reads(const tandem_host *host, tandem_call_id call) {
    static const char list[] = "[{\"list\":\"hostile_notes\"}]";
    const tandem_rows *rows = host->get_extension(host, TANDEM_EXT_ROWS);
    is_done = was_theirs = 0;
    if (rows == NULL || rows->execute(host, call, (tandem_slice){(const uint8_t *)list, sizeof list - 1}, NULL, done) != TANDEM_OK)
        return 0;
    pthread_mutex_lock(&lock);
    while (!is_done) pthread_cond_wait(&wake, &lock);
    pthread_mutex_unlock(&lock);
    return was_theirs;
}

struct task {
    tandem_instance *instance;
    tandem_call_id call;
};

static void *work(void *context) {
    struct task *task = context;
    struct worked worked = {0};
    note(&worked, reads(first_host, task->call), "their table, my call");
    note(&worked, reads(first_host, first_call), "their table, their call");
    note(&worked, reads(self_of(task->instance)->host, first_call), "my table, their call");
    note(&worked, reads(first_host, 0), "their table, no call");
    answer_worked(task->instance, task->call, &worked);
    free(task);
    return NULL;
}

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    pthread_t thread;
    if (first_host == NULL) {
        first_host = self_of(instance)->host;
        first_call = request->call;
        return answer(instance, request->call, "{\"worked\":[]}");
    }
    struct task *task = malloc(sizeof *task);
    *task = (struct task){instance, request->call};
    pthread_create(&thread, NULL, work, task);
    pthread_detach(thread);
    return TANDEM_OK;
}
