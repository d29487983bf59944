/* A plugin that makes requests; the arguments say which, the tool answers with what came of it. */
#ifndef ID
#define ID "test.requests"
#define NAMESPACE "requests"
#endif
#ifndef HOST
#define HOST "api.example.org"
#endif
#define PARAMETERS                                                                                                     \
    "{\"type\":\"object\",\"properties\":{\"url\":{\"type\":\"string\"},\"method\":{\"type\":\"string\"},"             \
    "\"header\":{\"type\":\"string\"},\"flags\":{\"type\":\"integer\"}},\"additionalProperties\":false}"
#define TOOL(name, effect)                                                                                             \
    "{\"id\":\"" NAMESPACE "." name "\",\"title\":\"" name "\",\"description\":\"" name                                \
    "\",\"parameters\":" PARAMETERS ",\"effect\":\"" effect "\",\"timeoutMilliseconds\":60000}"
#define TOOLS                                                                                                          \
    TOOL("send", "write")                                                                                              \
    "," TOOL("read", "read") "," TOOL("stream", "read") "," TOOL("leave", "read") "," TOOL("many", "read") ","         \
        TOOL("cancel", "read") "," TOOL("misuse", "read") "," TOOL("abandon", "read")
#define MORE "\"hosts\":[{\"host\":\"" HOST "\",\"reason\":\"to look things up\",\"reads\":[\"POST /search\"]}],"
#include <tandem/tandem.h>
static tandem_status requests_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE requests_invoke
#include "fixture.h"

#include <stdio.h>

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
    const tandem_http *http;
    tandem_call_id call;
    _Atomic uint64_t id;
    uint64_t received;
} pending;

static pending *remember(const tandem_host *host, const tandem_http *http, tandem_call_id call) {
    pending *job = calloc(1, sizeof *job);
    job->host = host;
    job->http = http;
    job->call = call;
    return job;
}

/* The value of a member that is a string without escapes; empty when it is absent. */
static tandem_slice member(const tandem_request *request, const char *name) {
    char key[40];
    snprintf(key, sizeof key, "\"%s\":\"", name);
    const char *text = (const char *)request->arguments.ptr, *end = text + request->arguments.len;
    for (const char *place = text; place + strlen(key) < end; place++) {
        if (memcmp(place, key, strlen(key)) != 0) continue;
        place += strlen(key);
        const char *stop = place;
        while (stop < end && *stop != '"') stop++;
        return (tandem_slice){(const uint8_t *)place, (uint64_t)(stop - place)};
    }
    return (tandem_slice){NULL, 0};
}

static uint32_t flags(const tandem_request *request) {
    const char *text = (const char *)request->arguments.ptr, *end = text + request->arguments.len;
    for (const char *place = text; place + 8 < end; place++)
        if (memcmp(place, "\"flags\":", 8) == 0) return (uint32_t)strtoul(place + 8, NULL, 10);
    return 0;
}

/* {"status":0,"code":200,"flags":0,"age":0,"headers":1,"type":"…","body":"…","detail":{…}} */
static void done(void *context, tandem_status status, const tandem_http_response *response) {
    pending *job = context;
    char json[4096], type[64] = "";
    const uint8_t *element = response->headers.first;
    for (uint64_t index = 0; index < response->headers.count; index++, element += response->headers.stride) {
        const tandem_http_field *field = (const tandem_http_field *)element;
        if (field->name.len == 12 && memcmp(field->name.ptr, "content-type", 12) == 0)
            snprintf(type, sizeof type, "%.*s", (int)field->value.len, (const char *)field->value.ptr);
    }
    snprintf(json, sizeof json,
             "{\"status\":%d,\"code\":%u,\"flags\":%u,\"age\":%llu,\"wait\":%llu,\"redirects\":%u,\"headers\":%llu,"
             "\"type\":\"%s\",\"url\":\"%.*s\",\"body\":\"%.*s\",\"detail\":%.*s}",
             status, response->status_code, response->header.flags, (unsigned long long)response->age_ms,
             (unsigned long long)response->retry_after_ms, response->redirects,
             (unsigned long long)response->headers.count, type, (int)response->url.len,
             (const char *)response->url.ptr, (int)response->body.len, (const char *)response->body.ptr,
             response->detail.len ? (int)response->detail.len : 4,
             response->detail.len ? (const char *)response->detail.ptr : "null");
    if (response->body.release != NULL) response->body.release(response->body.owner);
    answer(job->host, job->call, json);
    free(job);
}

static void ignore(void *context, tandem_status status, const tandem_http_response *response) {
    (void)status;
    if (response->body.release != NULL) response->body.release(response->body.owner);
    free(context);
}

static void chunk(void *context, tandem_status status, tandem_buffer bytes) {
    pending *job = context;
    job->received += bytes.len;
    uint64_t length = bytes.len;
    if (bytes.release != NULL) bytes.release(bytes.owner);
    if (status == TANDEM_OK && length > 0) {
        status = job->http->read(job->host, job->id, 1000, job, chunk);
        if (status == TANDEM_OK) return;
    }
    char json[128];
    snprintf(json, sizeof json, "{\"status\":%d,\"received\":%llu,\"again\":%d}", status,
             (unsigned long long)job->received, job->http->read(job->host, job->id, 0, job, chunk));
    answer(job->host, job->call, json);
    free(job);
}

static void opened(void *context, tandem_status status, const tandem_http_response *response) {
    pending *job = context;
    if (response->body.release != NULL) response->body.release(response->body.owner);
    while (job->id == 0) sched_yield();
    if (status == TANDEM_OK) status = job->http->read(job->host, job->id, 1000, job, chunk);
    if (status == TANDEM_OK) return;
    char json[64];
    snprintf(json, sizeof json, "{\"status\":%d}", status);
    answer(job->host, job->call, json);
    free(job);
}

/* Leaves the stream as it is and ends the call. */
static void leave(void *context, tandem_status status, const tandem_http_response *response) {
    pending *job = context;
    char json[64];
    if (response->body.release != NULL) response->body.release(response->body.owner);
    snprintf(json, sizeof json, "{\"status\":%d}", status);
    answer(job->host, job->call, json);
    free(job);
}

static int is(const tandem_request *request, const char *name) {
    size_t length = strlen(name);
    return request->tool.len >= length && memcmp(request->tool.ptr + request->tool.len - length, name, length) == 0;
}

static tandem_status requests_invoke(tandem_instance *instance, const tandem_request *request) {
    const tandem_host *host = ((plugin_instance *)instance)->host;
    tandem_call_id call = request->call;
    const tandem_http *http = host->get_extension(host, TANDEM_EXT_HTTP);
    if (http == NULL) return answer(host, call, "{\"http\":false}");
    tandem_slice header = member(request, "header");
    tandem_http_field fields[2] = {{{(const uint8_t *)"Accept", 6}, {(const uint8_t *)"text/plain", 10}},
                                   {header, {(const uint8_t *)"x", 1}}};
    tandem_http_request wanted = {.header = {sizeof wanted, flags(request)},
                                  .method = member(request, "method"),
                                  .url = member(request, "url"),
                                  .headers = {fields, header.len ? 2 : 1, sizeof fields[0]}};
    char json[256];
    tandem_status status;
    if (is(request, ".misuse")) {
        uint64_t id = 7;
        wanted.header.size = 16;
        int small = http->send(host, call, &wanted, NULL, ignore, &id);
        wanted.header.size = sizeof wanted;
        wanted.header.flags = 0x10000;
        int must = http->send(host, call, &wanted, NULL, ignore, NULL);
        wanted.header.flags = 0;
        int stale = http->send(host, call + 1, &wanted, NULL, ignore, NULL);
        wanted.body.len = 7 << 20;
        int large = http->send(host, call, &wanted, NULL, ignore, NULL);
        wanted.body.len = 0;
        wanted.headers.count = 65;
        int many = http->send(host, call, &wanted, NULL, ignore, NULL);
        wanted.headers.count = 1;
        wanted.headers.stride = 1;
        int stride = http->send(host, call, &wanted, NULL, ignore, NULL);
        wanted.headers.stride = sizeof fields[0];
        wanted.max_response_bytes = 1ull << 40;
        int limit = http->send(host, call, &wanted, NULL, ignore, NULL);
        snprintf(json, sizeof json, "[%d,%d,%d,%d,%d,%d,%d,%d,%d,%d]", small, must, stale, large, many, stride, limit,
                 (int)id, http->read(host, 99, 0, NULL, chunk), http->cancel(host, 99));
        return answer(host, call, json);
    }
    if (is(request, ".many")) {
        int accepted = 0;
        for (int index = 0; index < 20; index++) {
            pending *job = remember(host, http, call);
            if (http->send(host, call, &wanted, job, ignore, NULL) == TANDEM_OK) {
                accepted++;
            } else {
                free(job);
            }
        }
        snprintf(json, sizeof json, "{\"accepted\":%d}", accepted);
        return answer(host, call, json);
    }
    pending *job = remember(host, http, call);
    uint64_t id = 0;
    if (is(request, ".stream")) {
        wanted.header.flags |= TANDEM_HTTP_STREAM;
        status = http->send(host, call, &wanted, job, opened, &id);
        if (status == TANDEM_OK) {
            job->id = id;
            return TANDEM_OK;
        }
    } else if (is(request, ".leave")) {
        wanted.header.flags |= TANDEM_HTTP_STREAM;
        status = http->send(host, call, &wanted, job, leave, NULL);
        if (status == TANDEM_OK) return TANDEM_OK;
    } else if (is(request, ".abandon")) {
        /* Ends the call while its request is under way. */
        status = http->send(host, call, &wanted, job, ignore, NULL);
        return answer(host, call, "{}");
    } else if (is(request, ".cancel")) {
        status = http->send(host, call, &wanted, job, done, &id);
        if (status == TANDEM_OK) {
            http->cancel(host, id);
            return TANDEM_OK;
        }
    } else {
        status = http->send(host, call, &wanted, job, done, NULL);
        if (status == TANDEM_OK) return TANDEM_OK;
    }
    free(job);
    snprintf(json, sizeof json, "{\"refused\":%d}", status);
    return answer(host, call, json);
}
