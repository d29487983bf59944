/*
 * A plugin that uses the host's newer extensions. The tool `do` (write) and `look` (read) take {"value":"WORDS"}, of which
 * the first names a function and the others are its arguments; they answer what the function and its `done` said.
 */
#define _GNU_SOURCE
#ifndef ID
#define ID "test.extensions"
#define NAMESPACE "extensions"
#endif
#define PARAMETERS "{\"type\":\"object\",\"properties\":{\"value\":{}},\"additionalProperties\":false}"
#define TOOL(name, effect)                                                                                             \
    "{\"id\":\"" NAMESPACE "." name "\",\"title\":\"" name "\",\"description\":\"" name                                \
    "\",\"parameters\":" PARAMETERS ",\"effect\":\"" effect "\"}"
#define TOOLS TOOL("do", "write") "," TOOL("look", "read") "," TOOL("hold", "write")
#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef DECLARED
#define DECLARED                                                                                                       \
    "\"extensions\":[\"tandem.kv/1\",\"tandem.timer/1\"],"                                                             \
    "\"handlers\":[{\"name\":\"due\",\"description\":\"A timer is due\",\"effect\":\"write\","                         \
    "\"parameters\":{\"type\":\"object\",\"properties\":{\"item\":{\"type\":\"string\"}},"                             \
    "\"additionalProperties\":false}},"                                                                                \
    "{\"name\":\"glance\",\"description\":\"Only looks\",\"effect\":\"read\"}],"                                       \
    "\"secrets\":[{\"name\":\"api_key\",\"title\":\"API key\"}],"                                                      \
    "\"metrics\":[{\"name\":\"lookups_total\",\"kind\":\"counter\",\"help\":\"Lookups\","                              \
    "\"labels\":[{\"name\":\"result\",\"values\":[\"hit\",\"miss\"]}]},"                                               \
    "{\"name\":\"open\",\"kind\":\"gauge\",\"help\":\"Open\"},"                                                        \
    "{\"name\":\"seconds\",\"kind\":\"histogram\",\"help\":\"Seconds\",\"bounds\":[0.1,1]}],"                          \
    "\"events\":{\"publishes\":[{\"topic\":\"" NAMESPACE ".happened\",\"description\":\"what happened\","              \
    "\"schema\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}}}}]},"                               \
    "\"memory\":{\"recall\":[\"preference\"],\"propose\":[\"fact\"],\"reason\":\"to suit you\"},"                      \
    "\"config\":{\"type\":\"object\",\"properties\":{\"url\":{\"type\":\"string\",\"default\":\"none\"},"              \
    "\"limit\":{\"type\":\"integer\",\"default\":5}},\"additionalProperties\":false},"
#endif
#define MANIFEST                                                                                                       \
    "{\"manifest\":1,\"id\":\"" ID "\",\"namespace\":\"" NAMESPACE "\",\"name\":\"Fixture\",\"version\":\"" VERSION    \
    "\",\"summary\":\"A fixture.\",\"license\":\"" SALT "\",\"abi\":" ABI "," DECLARED "\"tools\":[" TOOLS "]}"
#include <tandem/tandem.h>
static tandem_status extensions_invoke(tandem_instance *instance, const tandem_request *request);
static tandem_status extensions_create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **out);
#define INVOKE extensions_invoke
#define CREATE extensions_create
#include "fixture.h"

#include <inttypes.h>
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
    tandem_call_id call;
} pending;

/* {"done":0,"result":…}; what is no JSON is given in hexadecimal digits. */
static void finish(pending *job, tandem_status status, uint64_t version, int64_t expires, tandem_buffer result) {
    size_t room = 2 * result.len + 256;
    char *json = malloc(room);
    int length = snprintf(json, room, "{\"done\":%d,\"version\":\"%" PRIu64 "\",\"expires\":%" PRId64, status, version,
                          expires);
    if (result.len > 0 && (result.ptr[0] == '{' || result.ptr[0] == '[')) {
        length += snprintf(json + length, room - (size_t)length, ",\"result\":%.*s}", (int)result.len,
                           (const char *)result.ptr);
    } else {
        length += snprintf(json + length, room - (size_t)length, ",\"bytes\":\"");
        for (uint64_t index = 0; index < result.len; index++)
            length += snprintf(json + length, room - (size_t)length, "%02x", result.ptr[index]);
        snprintf(json + length, room - (size_t)length, "\"}");
    }
    if (result.release != NULL) result.release(result.owner);
    answer(job->host, job->call, json);
    free(json);
    free(job);
}

static void buffer_done(void *context, tandem_status status, tandem_buffer result) {
    finish(context, status, 0, 0, result);
}

static void kv_done(void *context, tandem_status status, const tandem_kv_result *result) {
    finish(context, status, result->version, result->expires_at_ms, result->value);
}

static void ignore_kv(void *context, tandem_status status, const tandem_kv_result *result) {
    (void)context;
    (void)status;
    if (result->value.release != NULL) result->value.release(result->value.owner);
}

static tandem_slice slice(const char *string) {
    tandem_slice slice = {(const uint8_t *)string, string == NULL ? 0 : strlen(string)};
    return slice;
}

/* A text of that many letters. */
static char *letters(size_t length) {
    char *text = malloc(length + 1);
    memset(text, 'x', length);
    text[length] = 0;
    return text;
}

#define MOST_WORDS 8

/* The words of {"value":"…"}, in place; a missing one is empty; `~` stands for a space within one, `'` for a double quote. */
static void split(char *json, char *words[MOST_WORDS]) {
    char *text = strstr(json, ":\"");
    for (int index = 0; index < MOST_WORDS; index++) words[index] = "";
    if (text == NULL) return;
    text += 2;
    char *end = strrchr(text, '"');
    if (end != NULL) *end = 0;
    char *rest = NULL;
    int count = 0;
    for (char *word = strtok_r(text, " ", &rest); word != NULL && count < MOST_WORDS;
         word = strtok_r(NULL, " ", &rest)) {
        for (char *letter = word; *letter != 0; letter++) {
            if (*letter == '~') *letter = ' ';
            if (*letter == '\'') *letter = '"';
        }
        words[count++] = word;
    }
}

static tandem_status use_kv(const tandem_host *host, tandem_call_id call, char **words, pending *job) {
    const tandem_kv *kv = host->get_extension(host, TANDEM_EXT_KV);
    if (kv == NULL) return -1000;
    const char *key = words[1];
    if (strcmp(words[0], "kv.get") == 0) return kv->get(host, call, slice(key), job, kv_done);
    if (strcmp(words[0], "kv.set") == 0)
        return kv->set(host, call, slice(key), slice(words[2]), strtoull(words[3], NULL, 10),
                       strtoull(words[4], NULL, 10), job, kv_done);
    if (strcmp(words[0], "kv.put") == 0)
        return kv->set(host, call, slice(key), slice(words[2]), TANDEM_KV_ANY_VERSION, 0, job, kv_done);
    if (strcmp(words[0], "kv.remove") == 0)
        return kv->remove(host, call, slice(key), strtoull(words[2], NULL, 10), job, kv_done);
    if (strcmp(words[0], "kv.list") == 0)
        return kv->list(host, call, slice(key), slice(words[2]), (uint32_t)strtoul(words[3], NULL, 10), job, kv_done);
    if (strcmp(words[0], "kv.usage") == 0) return kv->usage(host, call, job, kv_done);
    if (strcmp(words[0], "kv.null") == 0) return kv->get(host, call, slice("a"), job, NULL);
    if (strcmp(words[0], "kv.nothing") == 0) {
        tandem_slice broken = {NULL, 5};
        return kv->get(host, call, broken, job, kv_done);
    }
    if (strcmp(words[0], "kv.huge") == 0) {
        /* A slice that says more than there is is refused by its length, before it is read. */
        tandem_slice broken = {(const uint8_t *)"x", UINT64_MAX};
        return kv->set(host, call, slice("a"), broken, TANDEM_KV_ANY_VERSION, 0, job, kv_done);
    }
    if (strcmp(words[0], "kv.long") == 0) {
        char *text = letters((size_t)strtoul(words[1], NULL, 10));
        tandem_status status = kv->get(host, call, slice(text), job, kv_done);
        free(text);
        return status;
    }
    if (strcmp(words[0], "kv.large") == 0) {
        char *text = letters((size_t)strtoul(words[1], NULL, 10));
        tandem_status status =
            kv->set(host, call, slice("large"), slice(text), TANDEM_KV_ANY_VERSION, 0, job, kv_done);
        free(text);
        return status;
    }
    if (strcmp(words[0], "kv.control") == 0) return kv->get(host, call, slice("a\nb"), job, kv_done);
    if (strcmp(words[0], "kv.utf8") == 0) return kv->get(host, call, slice("a\xff"), job, kv_done);
    if (strcmp(words[0], "kv.stale") == 0) return kv->get(host, call + 1, slice("a"), job, kv_done);
    if (strcmp(words[0], "kv.flood") == 0) {
        int busy = 0;
        for (int index = 0; index < 1000; index++)
            if (kv->get(host, call, slice("a"), NULL, ignore_kv) == TANDEM_E_BUSY) busy = 1;
        return busy ? TANDEM_E_BUSY : -1001;
    }
    return -1002;
}

static tandem_status use_metrics(const tandem_host *host, char **words) {
    const tandem_metrics *metrics = host->get_extension(host, TANDEM_EXT_METRICS);
    if (metrics == NULL) return -1000;
    tandem_slice labels[2] = {slice(words[3]), slice(words[4])};
    uint64_t count = strlen(words[4]) > 0 ? 2 : strlen(words[3]) > 0 ? 1 : 0;
    tandem_array array = {count ? labels : NULL, count, sizeof labels[0]};
    double value = strtod(words[2], NULL);
    if (strcmp(words[0], "metrics.add") == 0) return metrics->add(host, slice(words[1]), array, value);
    if (strcmp(words[0], "metrics.set") == 0) return metrics->set(host, slice(words[1]), array, value);
    if (strcmp(words[0], "metrics.observe") == 0) return metrics->observe(host, slice(words[1]), array, value);
    if (strcmp(words[0], "metrics.broken") == 0) {
        tandem_array broken = {(const uint8_t *)labels + 1, 1, 16};
        tandem_array strides = {labels, 1, 3};
        tandem_array missing = {NULL, 1, 16};
        if (metrics->add(host, slice("lookups_total"), broken, 1) != TANDEM_E_INVALID_ARGUMENT) return -1003;
        if (metrics->add(host, slice("lookups_total"), strides, 1) != TANDEM_E_INVALID_ARGUMENT) return -1004;
        return metrics->add(host, slice("lookups_total"), missing, 1);
    }
    return -1002;
}

/* timer.set NAME HANDLER DUE UNIT EVERY DATA */
static tandem_status use_timer(const tandem_host *host, tandem_call_id call, char **words, pending *job) {
    const tandem_timer *timer = host->get_extension(host, TANDEM_EXT_TIMER);
    if (timer == NULL) return -1000;
    if (strcmp(words[0], "timer.cancel") == 0) return timer->cancel(host, call, slice(words[1]), job, buffer_done);
    if (strcmp(words[0], "timer.list") == 0) return timer->list(host, call, job, buffer_done);
    tandem_timer_plan plan;
    memset(&plan, 0, sizeof plan);
    plan.header.size = strcmp(words[0], "timer.short") == 0 ? 8 : sizeof plan;
    if (strcmp(words[0], "timer.flags") == 0) plan.header.flags = 1u << 20;
    plan.handler = slice(words[2]);
    plan.due_ms = strtoll(words[3], NULL, 10);
    plan.repeat_unit = (uint32_t)strtoul(words[4], NULL, 10);
    plan.repeat_every = (uint32_t)strtoul(words[5], NULL, 10);
    plan.data = slice(words[6]);
    char *large = NULL;
    if (strcmp(words[0], "timer.large") == 0) {
        large = letters(8193);
        plan.data = slice(large);
    }
    tandem_status status = timer->set(host, call, slice(words[1]), &plan, job, buffer_done);
    free(large);
    return status;
}

static tandem_status use(const tandem_host *host, tandem_call_id call, char **words, pending *job) {
    if (strncmp(words[0], "kv.", 3) == 0) return use_kv(host, call, words, job);
    if (strncmp(words[0], "metrics.", 8) == 0) return use_metrics(host, words);
    if (strncmp(words[0], "timer.", 6) == 0) return use_timer(host, call, words, job);
    if (strncmp(words[0], "secret.", 7) == 0) {
        const tandem_secret *secret = host->get_extension(host, TANDEM_EXT_SECRET);
        if (secret == NULL) return -1000;
        if (strcmp(words[0], "secret.entered") == 0) return secret->entered(host, call, job, buffer_done);
        return secret->get(host, call, slice(words[1]), job, buffer_done);
    }
    if (strncmp(words[0], "event.", 6) == 0) {
        const tandem_event *event = host->get_extension(host, TANDEM_EXT_EVENT);
        if (event == NULL) return -1000;
        return event->publish(host, call, slice(words[1]), slice(words[2]), slice(words[3]), job, buffer_done);
    }
    if (strncmp(words[0], "memory.", 7) == 0) {
        const tandem_memory *memory = host->get_extension(host, TANDEM_EXT_MEMORY);
        if (memory == NULL) return -1000;
        if (strcmp(words[0], "memory.recall") == 0)
            return memory->recall(host, call, slice(words[1]), (uint32_t)strtoul(words[2], NULL, 10), job, buffer_done);
        if (strcmp(words[0], "memory.long") == 0) {
            char *text = letters(501);
            tandem_status status = memory->propose(host, call, slice("fact"), slice(text), job, buffer_done);
            free(text);
            return status;
        }
        return memory->propose(host, call, slice(words[1]), slice(words[2]), job, buffer_done);
    }
    return -1002;
}

static int ends(tandem_slice text, const char *name) {
    size_t length = strlen(name);
    return text.len >= length && memcmp(text.ptr + text.len - length, name, length) == 0;
}

static int contains(tandem_slice text, const char *words) {
    return memmem(text.ptr, text.len, words, strlen(words)) != NULL;
}

static tandem_status fail(const tandem_host *host, tandem_call_id call, tandem_status status) {
    tandem_outcome outcome = outcome_of(TANDEM_OUTCOME_TOOL_ERROR);
    outcome.status = status;
    outcome.message = text("Not now.");
    return host->complete(host, call, &outcome);
}

/* The call that `hold` keeps until the next one of `do` with "release". */
static _Atomic tandem_call_id held;

static tandem_status extensions_invoke(tandem_instance *instance, const tandem_request *request) {
    const tandem_host *host = ((plugin_instance *)instance)->host;
    if (ends(request->tool, ".due") || ends(request->tool, ".glance")) {
        if (contains(request->arguments, "\"item\":\"later\"")) return fail(host, request->call, TANDEM_E_UNAVAILABLE);
        if (contains(request->arguments, "\"item\":\"never\"")) return fail(host, request->call, TANDEM_E_REJECTED);
        if (contains(request->arguments, "\"item\":\"ask\"")) {
            tandem_outcome outcome = outcome_of(TANDEM_OUTCOME_INPUT_REQUIRED);
            outcome.value = text("{\"field\":\"which\",\"schema\":{\"type\":\"string\"}}");
            outcome.message = text("Which?");
            return host->complete(host, request->call, &outcome);
        }
        return answer(host, request->call, "{}");
    }
    char *json = malloc(request->arguments.len + 1);
    memcpy(json, request->arguments.ptr, request->arguments.len);
    json[request->arguments.len] = 0;
    char *words[MOST_WORDS];
    split(json, words);
    tandem_call_id call = request->call;
    if (ends(request->tool, ".hold")) {
        held = call;
        free(json);
        return TANDEM_OK;
    }
    if (strcmp(words[0], "release") == 0) {
        /* Uses an extension for the held call, whose person may have withdrawn the grant meanwhile. */
        tandem_call_id waiting = held;
        pending none = {host, waiting};
        char *again[MOST_WORDS] = {"kv.get", "a", "", "", "", "", "", ""};
        tandem_status status = use_kv(host, waiting, again, &none);
        char text[64];
        snprintf(text, sizeof text, "{\"status\":%d}", status);
        free(json);
        return answer(host, call, text);
    }
    pending *job = malloc(sizeof *job);
    job->host = host;
    job->call = call;
    tandem_status status = use(host, call, words, job);
    int follows = status == TANDEM_OK && strncmp(words[0], "metrics.", 8) != 0;
    free(json);
    if (follows) return TANDEM_OK;
    free(job);
    char text[64];
    snprintf(text, sizeof text, "{\"status\":%d}", status);
    return answer(host, call, text);
}

/* The extensions of the plugin's side. */

static tandem_status check_config(tandem_instance *instance, const tandem_request *request) {
    const tandem_host *host = ((plugin_instance *)instance)->host;
    if (contains(request->arguments, "\"url\":\"down\"")) return fail(host, request->call, TANDEM_E_UNAVAILABLE);
    if (contains(request->arguments, "\"url\":\"bad\""))
        return answer(host, request->call, "{\"problems\":[{\"name\":\"url\",\"message\":\"Does not answer.\"}]}");
    return answer(host, request->call, "{\"problems\":[]}");
}

static tandem_status migrate(tandem_instance *instance, const tandem_request *request) {
    const tandem_host *host = ((plugin_instance *)instance)->host;
    if (contains(request->arguments, "\"url\":\"stuck\"")) return fail(host, request->call, TANDEM_E_UNSUPPORTED);
    if (contains(request->arguments, "\"url\":\"old\""))
        return answer(host, request->call, "{\"config\":{\"url\":\"new\"}}");
    if (contains(request->arguments, "\"url\":\"odd\"")) return answer(host, request->call, "{\"config\":{\"x\":1}}");
    return answer(host, request->call, "{}");
}

static tandem_status say_health(tandem_instance *instance, const tandem_request *request) {
    const tandem_host *host = ((plugin_instance *)instance)->host;
    return answer(host, request->call,
                  "{\"status\":\"degraded\",\"checks\":[{\"name\":\"search\\nservice\",\"status\":\"failing\","
                  "\"message\":\"no answer for ann@example.org\"}]}");
}

static tandem_status dump(tandem_instance *instance, const tandem_request *request) {
    const tandem_host *host = ((plugin_instance *)instance)->host;
    return answer(host, request->call,
                  "{\"cached\":3,\"password\":\"hunter2\",\"last\":\"ann@example.org called +33612345678\"}");
}

static const void *get_extension(tandem_instance *instance, const char *id) {
    (void)instance;
    static const tandem_config_check check_table = {{sizeof check_table, 0}, check_config};
    static const tandem_migrate migrate_table = {{sizeof migrate_table, 0}, migrate};
    static const tandem_health health_table = {{sizeof health_table, 0}, say_health};
    static const tandem_diagnostics diagnostics_table = {{sizeof diagnostics_table, 0}, dump};
    if (strcmp(id, TANDEM_EXT_CONFIG_CHECK) == 0) return &check_table;
    if (strcmp(id, TANDEM_EXT_MIGRATE) == 0) return &migrate_table;
    if (strcmp(id, TANDEM_EXT_HEALTH) == 0) return &health_table;
    if (strcmp(id, TANDEM_EXT_DIAGNOSTICS) == 0) return &diagnostics_table;
    return NULL;
}

static tandem_status extensions_create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **out) {
    tandem_status status = default_create(plugin, host, out);
    if (status == TANDEM_OK) (*out)->get_extension = get_extension;
    return status;
}
