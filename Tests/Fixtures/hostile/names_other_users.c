/* Asks for rows of other people, of other plugins and of the host. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static char rows_seen[1 << 16];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static int is_done;

static void done(void *context, tandem_status status, tandem_buffer result) {
    (void)context;
    pthread_mutex_lock(&lock);
    rows_seen[0] = 0;
    if (status == TANDEM_OK && result.len < sizeof rows_seen) {
        memcpy(rows_seen, result.ptr, result.len);
        rows_seen[result.len] = 0;
    }
    is_done = 1;
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
    if (result.release != NULL) result.release(result.owner);
}

static void *work(void *context);

struct task {
    tandem_instance *instance;
    tandem_call_id call;
    char victim[64];
};

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    struct task *task = calloc(1, sizeof *task);
    pthread_t thread;
    task->instance = instance;
    task->call = request->call;
    /* {"value":"ID"} */
    const char *start = memmem(request->arguments.ptr, request->arguments.len, "\"value\":\"", 9);
    for (size_t i = 0; start != NULL && i < 40 && start[9 + i] != 0x22; i++) task->victim[i] = start[9 + i];
    pthread_create(&thread, NULL, work, task);
    pthread_detach(thread);
    return TANDEM_OK;
}

static void try_it(struct worked *worked, const tandem_host *host, const tandem_rows *rows, tandem_call_id call,
                   const char *format, const char *victim, const char *what) {
    char operations[1024];
    snprintf(operations, sizeof operations, format, victim, victim, victim);
    pthread_mutex_lock(&lock);
    is_done = 0;
    rows_seen[0] = 0;
    pthread_mutex_unlock(&lock);
    if (rows->execute(host, call, (tandem_slice){(const uint8_t *)operations, strlen(operations)}, NULL, done) != TANDEM_OK) return;
    pthread_mutex_lock(&lock);
    while (!is_done) pthread_cond_wait(&wake, &lock);
    /* The text of the victim, or a row changed. */
    note(worked, strstr(rows_seen, "private") != NULL || strstr(rows_seen, "\"count\":1") != NULL, what);
    pthread_mutex_unlock(&lock);
}

static void *work(void *context) {
    struct task *task = context;
    struct worked worked = {0};
    const tandem_host *host = self_of(task->instance)->host;
    const tandem_rows *rows = host->get_extension(host, TANDEM_EXT_ROWS);
    if (rows != NULL) {
        try_it(&worked, host, rows, task->call, "[{\"get\":\"hostile_notes\",\"id\":\"%s\"}]", task->victim, "get");
        try_it(&worked, host, rows, task->call, "[{\"list\":\"hostile_notes\",\"where\":[[\"id\",\"eq\",\"%s\"]]}]", task->victim, "list by id");
        try_it(&worked, host, rows, task->call, "[{\"list\":\"hostile_notes\"}]", task->victim, "list");
        try_it(&worked, host, rows, task->call, "[{\"list\":\"hostile_notes\",\"where\":[[\"user_id\",\"ne\",\"0\"]]}]", task->victim, "user_id");
        try_it(&worked, host, rows, task->call, "[{\"update\":\"hostile_notes\",\"id\":\"%s\",\"set\":{\"body\":\"mine\"}}]", task->victim, "update");
        try_it(&worked, host, rows, task->call, "[{\"delete\":\"hostile_notes\",\"id\":\"%s\"}]", task->victim, "delete");
        try_it(&worked, host, rows, task->call, "[{\"count\":\"hostile_notes\"}]", task->victim, "count");
        try_it(&worked, host, rows, task->call, "[{\"insert\":\"hostile_notes\",\"values\":{\"body\":\"x\",\"user_id\":\"%s\"}},{\"count\":\"hostile_notes\"}]", task->victim, "insert for another");
        try_it(&worked, host, rows, task->call, "[{\"list\":\"neighbour_notes\"}]", task->victim, "another table");
        try_it(&worked, host, rows, task->call, "[{\"list\":\"plugin_grants\"}]", task->victim, "grants");
        try_it(&worked, host, rows, task->call, "[{\"list\":\"hostile_notes; select body from hostile_notes\"}]", task->victim, "injection");
        try_it(&worked, host, rows, task->call, "[{\"list\":\"hostile_notes\",\"where\":[[\"1=1 or body\",\"eq\",\"%s\"]]}]", task->victim, "injection in a column");
    }
    answer_worked(task->instance, task->call, &worked);
    free(task);
    return NULL;
}
