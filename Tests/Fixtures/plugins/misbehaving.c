/* A plugin with one tool for each way of breaking the contract of a call. */
#ifndef ID
#define ID "test.misbehaving"
#define NAMESPACE "bad"
#endif
#define PARAMETERS "{\"type\":\"object\",\"properties\":{\"value\":{}},\"additionalProperties\":false}"
#define TOOL(name, more)                                                                                               \
    "{\"id\":\"bad." name "\",\"title\":\"" name "\",\"description\":\"" name "\",\"parameters\":" PARAMETERS            \
    ",\"effect\":\"read\"" more "}"
/* clang-format off */
#define TOOLS                                                                                                         \
    TOOL("never", ",\"timeoutMilliseconds\":500")                                                                     \
    "," TOOL("late", ",\"timeoutMilliseconds\":500")                                                                  \
    "," TOOL("deaf", "")                                                                                              \
    "," TOOL("obedient", "")                                                                                          \
    "," TOOL("twice", "")                                                                                             \
    "," TOOL("foreign", ",\"timeoutMilliseconds\":500")                                                               \
    "," TOOL("unknown_call", "")                                                                                      \
    "," TOOL("not_json", "")                                                                                          \
    "," TOOL("not_utf8", "")                                                                                          \
    "," TOOL("huge_value", "")                                                                                        \
    "," TOOL("huge_message", "")                                                                                      \
    "," TOOL("null_bytes", "")                                                                                        \
    "," TOOL("mismatch", ",\"result\":{\"type\":\"object\",\"required\":[\"count\"]}")                                \
    "," TOOL("refuse", "")                                                                                            \
    "," TOOL("refuse_after", "")                                                                                      \
    "," TOOL("small", "")                                                                                             \
    "," TOOL("tiny", "")                                                                                              \
    "," TOOL("null_outcome", "")                                                                                      \
    "," TOOL("kind", "")                                                                                              \
    "," TOOL("flags", "")                                                                                             \
    "," TOOL("trust", "")                                                                                             \
    "," TOOL("reserved", "")                                                                                          \
    "," TOOL("ok_error", "")                                                                                          \
    "," TOOL("controls", "")                                                                                          \
    "," TOOL("thread", "")                                                                                            \
    "," TOOL("slow", "")                                                                                              \
    "," TOOL("bad_shown", "")                                                                                         \
    "," TOOL("other_select", "")                                                                                      \
    "," TOOL("untrusted", "")                                                                                         \
    "," TOOL("question", "")                                                                                          \
    "," TOOL("bad_question", "")                                                                                      \
    "," TOOL("account", "")                                                                                           \
    "," TOOL("job", "")                                                                                               \
    "," TOOL("error", "")                                                                                             \
    "," TOOL("counts", "")                                                                                            \
    "," TOOL("null_host", "")                                                                                         \
    "," TOOL("hang", ",\"timeoutMilliseconds\":500")
/* clang-format on */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
static void bad_cancel(tandem_instance *instance, tandem_call_id call, uint32_t reason);
static tandem_status bad_create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **out);
#define INVOKE bad_invoke
#define CANCEL bad_cancel
#define CREATE bad_create
#include "fixture.h"

#include <stdio.h>
#include <time.h>

static atomic_long made, released, cancels, stale, done_twice;
static _Atomic(const tandem_host *) hosts[64];
static atomic_int host_count;

static tandem_status bad_create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **out) {
    int index = atomic_fetch_add(&host_count, 1);
    if (index < 64) atomic_store(&hosts[index], host);
    return default_create(plugin, host, out);
}

static void give_back(void *owner) {
    atomic_fetch_add(&released, 1);
    free(owner);
}

static tandem_buffer owned(const void *bytes, size_t length) {
    uint8_t *copy = malloc(length ? length : 1);
    memcpy(copy, bytes, length);
    atomic_fetch_add(&made, 1);
    tandem_buffer buffer = {copy, length, copy, give_back};
    return buffer;
}

static tandem_buffer owned_text(const char *string) { return owned(string, strlen(string)); }

static tandem_buffer owned_fill(char byte, size_t length) {
    char *bytes = malloc(length);
    memset(bytes, byte, length);
    tandem_buffer buffer = owned(bytes, length);
    free(bytes);
    return buffer;
}

static tandem_outcome value(const char *json, const char *message) {
    tandem_outcome outcome = outcome_of(TANDEM_OUTCOME_VALUE);
    outcome.value = owned_text(json);
    outcome.message = owned_text(message);
    return outcome;
}

static void count_status(tandem_status status) {
    if (status == TANDEM_E_STALE) atomic_fetch_add(&stale, 1);
    if (status == TANDEM_E_ALREADY_DONE) atomic_fetch_add(&done_twice, 1);
}

static void pause_ms(long milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

typedef struct later {
    const tandem_host *host;
    tandem_call_id call;
    long milliseconds;
    int obeys;
    int padding;
} later;

static void *complete_later(void *argument) {
    later *job = argument;
    for (long waited = 0; waited < job->milliseconds; waited += 5) {
        pause_ms(5);
        if (job->obeys && job->host->is_cancelled(job->host, job->call) == 1) {
            tandem_outcome outcome = outcome_of(TANDEM_OUTCOME_TOOL_ERROR);
            outcome.status = TANDEM_E_CANCELLED;
            outcome.message = owned_text("Stopped.");
            count_status(job->host->complete(job->host, job->call, &outcome));
            free(job);
            return NULL;
        }
    }
    tandem_outcome outcome = value("{}", "Late.");
    count_status(job->host->complete(job->host, job->call, &outcome));
    free(job);
    return NULL;
}

static tandem_status begin_later(const tandem_host *host, tandem_call_id call, long milliseconds, int obeys) {
    later *job = calloc(1, sizeof *job);
    job->host = host;
    job->call = call;
    job->milliseconds = milliseconds;
    job->obeys = obeys;
    pthread_t thread;
    if (pthread_create(&thread, NULL, complete_later, job) != 0) return TANDEM_E_NO_MEMORY;
    pthread_detach(thread);
    return TANDEM_OK;
}

static void bad_cancel(tandem_instance *instance, tandem_call_id call, uint32_t reason) {
    (void)instance;
    (void)call;
    (void)reason;
    atomic_fetch_add(&cancels, 1);
}

static int is(const tandem_request *request, const char *name) {
    return request->tool.len == strlen(name) && memcmp(request->tool.ptr, name, request->tool.len) == 0;
}

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    const tandem_host *host = ((plugin_instance *)instance)->host;
    tandem_call_id call = request->call;
    tandem_outcome outcome;
    if (is(request, "bad.never")) return TANDEM_OK;
    if (is(request, "bad.late")) return begin_later(host, call, 1200, 0);
    if (is(request, "bad.deaf")) return begin_later(host, call, 5000, 0);
    if (is(request, "bad.obedient")) return begin_later(host, call, 5000, 1);
    if (is(request, "bad.thread")) return begin_later(host, call, 5, 0);
    if (is(request, "bad.hang")) {
        pause_ms(6000);
        return TANDEM_E_BUSY;
    }
    if (is(request, "bad.refuse")) return TANDEM_E_BUSY;
    if (is(request, "bad.twice")) {
        outcome = value("{\"first\":true}", "First.");
        host->complete(host, call, &outcome);
        outcome = value("{\"first\":false}", "Second.");
        count_status(host->complete(host, call, &outcome));
        return TANDEM_OK;
    }
    if (is(request, "bad.foreign")) {
        for (int index = 0; index < 64; index++) {
            const tandem_host *other = atomic_load(&hosts[index]);
            if (other == NULL || other == host) continue;
            outcome = value("{\"foreign\":true}", "From somebody else.");
            count_status(other->complete(other, call, &outcome));
        }
        return TANDEM_OK;
    }
    if (is(request, "bad.unknown_call")) {
        const tandem_call_id ids[] = {0, 1, UINT64_MAX, call + 1, call ^ (1ull << 40)};
        for (size_t index = 0; index < sizeof ids / sizeof ids[0]; index++) {
            outcome = value("{}", "Whose?");
            count_status(host->complete(host, ids[index], &outcome));
        }
        outcome = value("{}", "Fine.");
        return host->complete(host, call, &outcome);
    }
    if (is(request, "bad.null_host")) {
        outcome = value("{}", "No host.");
        tandem_status status = host->complete((const tandem_host *)0, call, &outcome);
        outcome = value(status == TANDEM_E_INVALID_ARGUMENT ? "true" : "false", "");
        return host->complete(host, call, &outcome);
    }
    if (is(request, "bad.counts")) {
        char json[200];
        snprintf(json, sizeof json, "{\"made\":%ld,\"released\":%ld,\"cancels\":%ld,\"stale\":%ld,\"twice\":%ld}",
                 atomic_load(&made), atomic_load(&released), atomic_load(&cancels), atomic_load(&stale),
                 atomic_load(&done_twice));
        outcome = outcome_of(TANDEM_OUTCOME_VALUE);
        outcome.value.ptr = (const uint8_t *)json;
        outcome.value.len = strlen(json);
        return host->complete(host, call, &outcome);
    }
    outcome = value("{}", "Hm.");
    outcome.resume_state = owned_text("");
    outcome.shown = owned_text("");
    int refuses = 0;
    const tandem_outcome *given = &outcome;
#define INSTEAD(field, buffer)                                                                                         \
    do {                                                                                                               \
        give_back((void *)outcome.field.owner);                                                                        \
        outcome.field = buffer;                                                                                        \
    } while (0)
    if (is(request, "bad.not_json")) INSTEAD(value, owned_text("{\"a\":1,}"));
    if (is(request, "bad.not_utf8")) INSTEAD(message, owned("a\xC3\x28z", 4));
    if (is(request, "bad.huge_value")) INSTEAD(value, owned_fill(' ', 3u << 20));
    if (is(request, "bad.huge_message")) INSTEAD(message, owned_fill('a', 1u << 20));
    if (is(request, "bad.null_bytes")) outcome.value.ptr = NULL;
    if (is(request, "bad.mismatch")) INSTEAD(value, owned_text("{\"cost\":1}"));
    if (is(request, "bad.small")) outcome.header.size = 100;
    if (is(request, "bad.tiny")) outcome.header.size = 4;
    if (is(request, "bad.kind")) outcome.kind = 77;
    if (is(request, "bad.flags")) outcome.header.flags = 0x00010000u;
    if (is(request, "bad.trust")) outcome.trust = 1;
    if (is(request, "bad.reserved")) outcome.reserved = 1;
    if (is(request, "bad.untrusted")) outcome.trust = TANDEM_TRUST_UNTRUSTED;
    if (is(request, "bad.ok_error")) outcome.kind = TANDEM_OUTCOME_TOOL_ERROR;
    if (is(request, "bad.controls")) INSTEAD(message, owned_text("one\n\x1b[31mtwo\t\xe2\x80\xaethree\x07"));
    if (is(request, "bad.slow")) pause_ms(20);
    if (is(request, "bad.refuse_after")) refuses = 1;
    if (is(request, "bad.bad_shown")) INSTEAD(shown, owned_text("{\"items\":[{\"type\":\"bad.item\"}]}"));
    if (is(request, "bad.other_select"))
        INSTEAD(shown, owned_text("{\"select\":\"bank.pay\",\"items\":[]}"));
    if (is(request, "bad.question")) {
        outcome.kind = TANDEM_OUTCOME_INPUT_REQUIRED;
        if (request->resume_state.len > 0) {
            outcome.kind = TANDEM_OUTCOME_VALUE;
            INSTEAD(value, owned(request->answers.ptr, request->answers.len));
        } else {
            INSTEAD(value, owned_text("{\"field\":\"which\",\"options\":[{\"value\":1,\"label\":\"one\"}]}"));
            INSTEAD(resume_state, owned("\x00\x01state", 7));
        }
    }
    if (is(request, "bad.bad_question")) {
        outcome.kind = TANDEM_OUTCOME_INPUT_REQUIRED;
        INSTEAD(value, owned_text("{\"field\":\"which\",\"schema\":{\"type\":\"colour\"}}"));
    }
    if (is(request, "bad.account")) {
        outcome.kind = TANDEM_OUTCOME_AUTH_REQUIRED;
        INSTEAD(value, owned_text("{\"grant\":\"mail\"}"));
    }
    if (is(request, "bad.job")) {
        outcome.kind = TANDEM_OUTCOME_ACCEPTED;
        INSTEAD(value, owned_text("{\"job\":\"7\"}"));
    }
    if (is(request, "bad.error")) {
        outcome.kind = TANDEM_OUTCOME_TOOL_ERROR;
        outcome.status = TANDEM_E_RATE_LIMITED;
        outcome.retry_after_ms = 1500;
        INSTEAD(value, owned_text("{\"code\":\"slow_down\"}"));
    }
    if (is(request, "bad.null_outcome")) {
        given = NULL;
        give_back(outcome.value.owner);
        give_back(outcome.message.owner);
        give_back(outcome.resume_state.owner);
        give_back(outcome.shown.owner);
    }
    if (is(request, "bad.small")) {
        /* The host sees value and message only: the rest stays the plugin's. */
        give_back(outcome.shown.owner);
        give_back(outcome.resume_state.owner);
    }
    if (is(request, "bad.tiny")) {
        give_back(outcome.value.owner);
        give_back(outcome.message.owner);
        give_back(outcome.shown.owner);
        give_back(outcome.resume_state.owner);
    }
    host->complete(host, call, given);
    return refuses ? TANDEM_E_UNSUPPORTED : TANDEM_OK;
}
