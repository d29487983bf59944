/* A plugin that uses the host's services; each tool answers with what a service said. */
#ifndef ID
#define ID "test.services"
#define NAMESPACE "services"
#endif
#define PARAMETERS "{\"type\":\"object\",\"properties\":{\"value\":{}},\"additionalProperties\":false}"
#define TOOL(name, effect)                                                                                             \
    "{\"id\":\"" NAMESPACE "." name "\",\"title\":\"" name "\",\"description\":\"" name                                \
    "\",\"parameters\":" PARAMETERS ",\"effect\":\"" effect "\"}"
#define TOOLS                                                                                                          \
    TOOL("rows", "write")                                                                                              \
    "," TOOL("read_rows", "read") "," TOOL("rows_late", "write") "," TOOL("rows_big", "read") ","                      \
        TOOL("other", "write") "," TOOL("other_undeclared", "write") "," TOOL("available", "read") ","                 \
            TOOL("clock", "read") "," TOOL("config", "read") "," TOOL("log", "read") "," TOOL("extensions", "read")    \
                "," TOOL("rows_after", "write") "," TOOL("flood", "read")
#ifndef MORE
#define MORE                                                                                                           \
    "\"extensions\":[\"tandem.rows/1\",\"tandem.config/1\",\"tandem.tools/1\",\"tandem.log/1\",\"tandem.clock/1\"],"   \
    "\"tables\":[{\"name\":\"things\",\"columns\":[{\"name\":\"label\",\"type\":\"text\"}]}],"                         \
    "\"calls\":[{\"tool\":\"echo.run\",\"reason\":\"to repeat things\"}],"                                             \
    "\"config\":{\"type\":\"object\",\"properties\":{\"limit\":{\"type\":\"integer\",\"default\":5},"                  \
    "\"mode\":{\"type\":\"string\",\"default\":\"plain\"}},\"additionalProperties\":false},"
#endif
#include <tandem/tandem.h>
static tandem_status services_invoke(tandem_instance *instance, const tandem_request *request);
static tandem_status services_create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **out);
#define INVOKE services_invoke
#define CREATE services_create
#include "fixture.h"

#include <stdio.h>

static _Atomic tandem_status log_in_create = 1;
static _Atomic tandem_status rows_in_create = 1;

static void ignore_rows(void *context, tandem_status status, tandem_buffer result) {
    (void)context;
    (void)status;
    if (result.release != NULL) result.release(result.owner);
}

static tandem_status services_create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **out) {
    const tandem_log *log = host->get_extension(host, TANDEM_EXT_LOG);
    const tandem_rows *rows = host->get_extension(host, TANDEM_EXT_ROWS);
    if (log != NULL) log_in_create = log->write(host, TANDEM_LOG_INFO, 0, (tandem_slice){0, 0}, (tandem_slice){0, 0});
    if (rows != NULL) {
        tandem_slice none = {(const uint8_t *)"[]", 2};
        rows_in_create = rows->execute(host, 1, none, NULL, ignore_rows);
    }
    return default_create(plugin, host, out);
}

static void give_back(void *owner) { free(owner); }

static tandem_buffer copy(const void *bytes, size_t length) {
    uint8_t *memory = malloc(length ? length : 1);
    memcpy(memory, bytes, length);
    tandem_buffer buffer = {memory, length, memory, give_back};
    return buffer;
}

static tandem_status answer(const tandem_host *host, tandem_call_id call, const char *json) {
    tandem_outcome outcome = outcome_of(TANDEM_OUTCOME_VALUE);
    outcome.value = copy(json, strlen(json));
    return host->complete(host, call, &outcome);
}

typedef struct pending {
    const tandem_host *host;
    tandem_call_id call;
} pending;

static pending *remember(const tandem_host *host, tandem_call_id call) {
    pending *job = malloc(sizeof *job);
    job->host = host;
    job->call = call;
    return job;
}

/* {"status":0,"result":…} */
static void rows_done(void *context, tandem_status status, tandem_buffer result) {
    pending *job = context;
    size_t room = result.len + 64;
    char *json = malloc(room);
    int length = snprintf(json, room, "{\"status\":%d,\"result\":%.*s}", status, result.len ? (int)result.len : 4,
                          result.len ? (const char *)result.ptr : "null");
    if (result.release != NULL) result.release(result.owner);
    tandem_outcome outcome = outcome_of(TANDEM_OUTCOME_VALUE);
    outcome.value = copy(json, (size_t)length);
    job->host->complete(job->host, job->call, &outcome);
    free(json);
    free(job);
}

static void tools_done(void *context, tandem_status status, const tandem_outcome *inner) {
    pending *job = context;
    char json[4096];
    if (inner == NULL) {
        snprintf(json, sizeof json, "{\"status\":%d}", status);
    } else {
        snprintf(json, sizeof json, "{\"status\":%d,\"kind\":%u,\"inner\":%d,\"trust\":%u,\"value\":%.*s}", status,
                 inner->kind, inner->status, inner->trust, (int)inner->value.len, (const char *)inner->value.ptr);
        const tandem_buffer parts[] = {inner->value, inner->message, inner->shown, inner->resume_state};
        for (int index = 0; index < 4; index++)
            if (parts[index].release != NULL) parts[index].release(parts[index].owner);
    }
    answer(job->host, job->call, json);
    free(job);
}

static int is(const tandem_request *request, const char *name) {
    size_t length = strlen(name);
    return request->tool.len >= length && memcmp(request->tool.ptr + request->tool.len - length, name, length) == 0;
}

static tandem_slice slice(const char *string) {
    tandem_slice slice = {(const uint8_t *)string, strlen(string)};
    return slice;
}

static void *use_rows_after(void *argument) {
    pending *job = argument;
    const tandem_rows *rows = job->host->get_extension(job->host, TANDEM_EXT_ROWS);
    /* The call ends first; the rows are too late. */
    tandem_call_id call = job->call;
    answer(job->host, call, "{}");
    tandem_status status = rows->execute(job->host, call, slice("[]"), NULL, ignore_rows);
    (void)status;
    free(job);
    return NULL;
}

static tandem_status services_invoke(tandem_instance *instance, const tandem_request *request) {
    const tandem_host *host = ((plugin_instance *)instance)->host;
    tandem_call_id call = request->call;
    const tandem_rows *rows = host->get_extension(host, TANDEM_EXT_ROWS);
    const tandem_tools *tools = host->get_extension(host, TANDEM_EXT_TOOLS);
    const tandem_clock *clock = host->get_extension(host, TANDEM_EXT_CLOCK);
    const tandem_config *config = host->get_extension(host, TANDEM_EXT_CONFIG);
    const tandem_log *log = host->get_extension(host, TANDEM_EXT_LOG);
    char json[512];
    tandem_status status = TANDEM_OK;
    if (is(request, ".extensions")) {
        snprintf(json, sizeof json,
                 "{\"rows\":%d,\"tools\":%d,\"clock\":%d,\"config\":%d,\"log\":%d,\"unknown\":%d,\"logInCreate\":%d,"
                 "\"rowsInCreate\":%d}",
                 rows != NULL, tools != NULL, clock != NULL, config != NULL, log != NULL,
                 host->get_extension(host, "tandem.http/1") != NULL, log_in_create, rows_in_create);
        return answer(host, call, json);
    }
    if (is(request, ".rows") || is(request, ".read_rows")) {
        /* The value of the arguments, {"value":[…]}, is the request. */
        const char *text = (const char *)request->arguments.ptr;
        tandem_slice operations = {(const uint8_t *)text + 9, request->arguments.len - 10};
        pending *job = remember(host, call);
        status = rows->execute(host, call, operations, job, rows_done);
        if (status == TANDEM_OK) return TANDEM_OK;
        free(job);
    } else if (is(request, ".rows_big")) {
        size_t length = (1u << 20) + 1;
        char *bytes = malloc(length);
        memset(bytes, ' ', length);
        tandem_slice operations = {(const uint8_t *)bytes, length};
        status = rows->execute(host, call, operations, NULL, ignore_rows);
        free(bytes);
    } else if (is(request, ".rows_after")) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, use_rows_after, remember(host, call)) != 0) return TANDEM_E_NO_MEMORY;
        pthread_detach(thread);
        return TANDEM_OK;
    } else if (is(request, ".rows_late")) {
        /* Completes before its rows are done. */
        status = rows->execute(host, call, slice("[]"), NULL, ignore_rows);
    } else if (is(request, ".other") || is(request, ".other_undeclared")) {
        pending *job = remember(host, call);
        const char *tool = is(request, ".other") ? "echo.run" : "bank.pay";
        status = tools->call(host, call, slice(tool), request->arguments, job, tools_done);
        if (status == TANDEM_OK) return TANDEM_OK;
        free(job);
    } else if (is(request, ".available")) {
        snprintf(json, sizeof json, "{\"declared\":%d,\"other\":%d}", tools->is_available(host, slice("echo.run")),
                 tools->is_available(host, slice("bank.pay")));
        return answer(host, call, json);
    } else if (is(request, ".clock")) {
        tandem_buffer locale;
        clock->locale(host, &locale);
        snprintf(json, sizeof json, "{\"now\":%lld,\"offset\":%d,\"locale\":%.*s}", (long long)clock->now_ms(host),
                 clock->utc_offset_at(host, 1000), (int)locale.len, (const char *)locale.ptr);
        locale.release(locale.owner);
        return answer(host, call, json);
    } else if (is(request, ".config")) {
        tandem_buffer values;
        status = config->values(host, &values);
        snprintf(json, sizeof json, "{\"generation\":%llu,\"values\":%.*s}",
                 (unsigned long long)config->generation(host), (int)values.len, (const char *)values.ptr);
        values.release(values.owner);
        return answer(host, call, json);
    } else if (is(request, ".log")) {
        tandem_status good = log->write(host, TANDEM_LOG_INFO, call, slice("hello"), slice("{\"count\":1}"));
        tandem_status level = log->write(host, 99, call, slice("hello"), slice(""));
        tandem_status utf8 = log->write(host, TANDEM_LOG_INFO, call, slice("\xff"), slice(""));
        tandem_status fields = log->write(host, TANDEM_LOG_INFO, call, slice("hello"), slice("[1]"));
        snprintf(json, sizeof json, "[%d,%d,%d,%d]", good, level, utf8, fields);
        return answer(host, call, json);
    } else if (is(request, ".flood")) {
        for (int index = 0; index < 1000; index++) log->write(host, TANDEM_LOG_INFO, call, slice("x"), slice(""));
        return answer(host, call, "{}");
    }
    snprintf(json, sizeof json, "{\"status\":%d}", status);
    return answer(host, call, json);
}
