/*
 * A shelf of things with a tool for each way in which a call with rows ends: `shelf.put` stores, and fails afterwards for
 * the thing "glue"; `shelf.count` counts; `shelf.pick` asks which one, and takes the answer; `shelf.fail` always fails.
 */
#include <stdatomic.h>
#include <tandem/easy.h>
#include <tandem/tandem.h>

static const char MANIFEST[] =
    "{\"manifest\":1,\"id\":\"test.shelf\",\"namespace\":\"shelf\",\"name\":\"Shelf\",\"version\":\"1.0.0\","
    "\"summary\":\"Keeps things on a shelf.\",\"license\":\"Apache-2.0\",\"abi\":{\"major\":1,\"minor\":0},"
    "\"extensions\":[\"tandem.rows/1\",\"tandem.config/1\"],"
    "\"config\":{\"type\":\"object\",\"properties\":{\"most\":{\"type\":\"integer\",\"default\":5}},"
    "\"additionalProperties\":false},"
    "\"tables\":[{\"name\":\"shelf_things\",\"purpose\":\"the things on your shelf\","
    "\"columns\":[{\"name\":\"thing\",\"type\":\"text\"}]}],\"tools\":["
#define TEXT "{\"type\":\"object\",\"properties\":{\"thing\":{\"type\":\"string\",\"maxLength\":40,\"examples\":[\"a book\"]}},"
#define ONE TEXT "\"required\":[\"thing\"],\"additionalProperties\":false}"
#define NONE "{\"type\":\"object\",\"additionalProperties\":false}"
#define TOOL(id, title, parameters, effect)                                                                          \
    "{\"id\":\"shelf." id "\",\"title\":\"" title "\",\"description\":\"" title " in this test of the check.\","      \
    "\"parameters\":" parameters ",\"effect\":\"" effect "\",\"utterances\":[{\"text\":\"" id " of the shelf\"}]}"
    TOOL("put", "Put a thing on it", ONE, "write") "," TOOL("count", "Count the things", NONE, "read") ","
    TOOL("pick", "Pick one of two", NONE, "read")
#if defined(ALWAYS_FAILS)
    "," TOOL("fail", "Fail in every case", NONE, "read")
#endif
    "]}";

struct self {
    tandem_instance table;
    const tandem_host *host;
    const tandem_rows *rows;
    atomic_int owed;
};

struct job {
    struct self *self;
    tandem_call_id call;
    bool fails;
};

static void have_rows(void *context, tandem_status status, tandem_buffer result) {
    struct job *job = context;
    struct self *self = job->self;
    tandem_slice answer = {result.ptr, result.len};
    if (status != TANDEM_OK) {
        tandem_complete_error(self->host, job->call, status, "storage", "The shelf is out of reach.");
    } else if (job->fails) {
        tandem_complete_error(self->host, job->call, TANDEM_E_REJECTED, "sticky", "Glue does not stay.");
    } else {
        /* [{"count":3}] or [{"id":"7"}] */
        tandem_slice first = {answer.ptr + 1, answer.len - 2};
        tandem_slice count = tandem_json_member(first, "count");
        char message[64];
        snprintf(message, sizeof message, count.len > 0 ? "%.*s on the shelf." : "Put there.", (int)count.len,
                 (const char *)count.ptr);
        tandem_complete_value(self->host, job->call, "{}", message);
    }
    tandem_release(result);
    free(job);
    atomic_fetch_sub(&self->owed, 1);
}

static tandem_status ask_rows(struct self *self, const tandem_request *request, const char *operations, bool fails) {
    if (self->rows == NULL) {
        tandem_complete_error(self->host, request->call, TANDEM_E_NOT_GRANTED, "no_shelf", "There is no shelf here.");
        return TANDEM_OK;
    }
    struct job *job = malloc(sizeof *job);
    if (job == NULL) return TANDEM_E_NO_MEMORY;
    *job = (struct job){self, request->call, fails};
    atomic_fetch_add(&self->owed, 1);
    tandem_status status = self->rows->execute(self->host, request->call, tandem_slice_of(operations), job, have_rows);
    if (status == TANDEM_OK) return TANDEM_OK;
    free(job);
    atomic_fetch_sub(&self->owed, 1);
    tandem_complete_error(self->host, request->call, status, "storage", "The shelf is out of reach.");
    return TANDEM_OK;
}

static tandem_status pick(struct self *self, const tandem_request *request) {
    if (request->answers.len == 0) {
        tandem_outcome question = tandem_outcome_of(TANDEM_OUTCOME_INPUT_REQUIRED);
        question.message = tandem_copy_text("Which one: 1 red, 2 blue?");
        question.value = tandem_copy_text("{\"field\":\"which\",\"schema\":{\"type\":\"string\"},\"options\":["
                                          "{\"value\":\"r\",\"label\":\"red\"},{\"value\":\"b\",\"label\":\"blue\"}]}");
        question.resume_state = tandem_copy("a\0b", 3);
        return self->host->complete(self->host, request->call, &question);
    }
    char which[8];
    bool is_resumed = request->resume_state.len == 3 && memcmp(request->resume_state.ptr, "a\0b", 3) == 0;
    if (!is_resumed || tandem_json_text(tandem_json_member(request->answers, "which"), which, sizeof which) < 0) {
        tandem_complete_error(self->host, request->call, TANDEM_E_INVALID_ARGUMENT, "lost", "I lost the thread.");
        return TANDEM_OK;
    }
    tandem_complete_value(self->host, request->call, "{}", which[0] == 'b' ? "Blue." : "Red.");
    return TANDEM_OK;
}

static tandem_status invoke(tandem_instance *instance, const tandem_request *request) {
    struct self *self = (struct self *)instance;
    tandem_status status = tandem_check_request(request);
    if (status != TANDEM_OK) return status;
    if (tandem_slice_is(request->tool, "shelf.put")) {
        char thing[200], quoted[500], operations[600];
        if (tandem_json_text(tandem_json_member(request->arguments, "thing"), thing, sizeof thing) < 0 ||
            tandem_json_quote(thing, quoted, sizeof quoted) < 0) {
            tandem_complete_error(self->host, request->call, TANDEM_E_INVALID_ARGUMENT, "name", "What is it called?");
            return TANDEM_OK;
        }
        snprintf(operations, sizeof operations, "[{\"insert\":\"shelf_things\",\"values\":{\"thing\":%s}}]", quoted);
        return ask_rows(self, request, operations, strcmp(thing, "glue") == 0);
    }
    if (tandem_slice_is(request->tool, "shelf.count"))
        return ask_rows(self, request, "[{\"count\":\"shelf_things\"}]", false);
    if (tandem_slice_is(request->tool, "shelf.pick")) return pick(self, request);
    if (tandem_slice_is(request->tool, "shelf.fail")) {
        tandem_complete_error(self->host, request->call, TANDEM_E_REJECTED, "no", "Never.");
        return TANDEM_OK;
    }
    return TANDEM_E_UNSUPPORTED;
}

static tandem_status activate(tandem_instance *instance) {
    (void)instance;
    return TANDEM_OK;
}

static void cancel(tandem_instance *instance, tandem_call_id call, uint32_t reason) {
    (void)instance, (void)call, (void)reason;
}

static tandem_status quiesce(tandem_instance *instance) {
    return atomic_load(&((struct self *)instance)->owed) == 0 ? TANDEM_OK : TANDEM_E_BUSY;
}

static const void *get_extension(tandem_instance *instance, const char *id) {
    (void)instance, (void)id;
    return NULL;
}

static void destroy(tandem_instance *instance) { free(instance); }

static tandem_status create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **out) {
    (void)plugin;
    *out = NULL;
    if (host->header.size < sizeof *host) return TANDEM_E_SIZE_TOO_SMALL;
    struct self *self = calloc(1, sizeof *self);
    if (self == NULL) return TANDEM_E_NO_MEMORY;
    self->host = host;
    self->rows = host->get_extension(host, TANDEM_EXT_ROWS);
    self->table = (tandem_instance){.header = {.size = sizeof self->table}, .activate = activate, .invoke = invoke,
                                    .cancel = cancel, .quiesce = quiesce, .destroy = destroy,
                                    .get_extension = get_extension};
    *out = &self->table;
    return TANDEM_OK;
}

static tandem_slice manifest(const tandem_plugin *plugin) {
    (void)plugin;
    return (tandem_slice){(const uint8_t *)MANIFEST, sizeof MANIFEST - 1};
}

TANDEM_EXPORT const tandem_plugin *tandem_plugin_entry(uint32_t major, uint32_t minor) {
    (void)minor;
    static const tandem_plugin PLUGIN = {
        .header = {.size = sizeof PLUGIN}, .abi_major = 1, .abi_minor = 0, .manifest = manifest, .create = create};
    return major == 1 ? &PLUGIN : NULL;
}
