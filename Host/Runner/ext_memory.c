/* ext_memory.c - "tandem.memory/1" in the runner. */
#include "runner.h"

enum { RECALL = 1, PROPOSE = 2 };

static tandem_status ask(instance *self, uint32_t function, tandem_call_id call, const part *parts, size_t count,
                         void *context, tandem_memory_done done) {
    return service_send(self, TANDEM_CODE(TANDEM_X_MEMORY, function), call, parts, count, buffer_reply, context,
                        (void (*)(void))done);
}

static tandem_status memory_recall(const tandem_host *host, tandem_call_id call, tandem_slice query, uint32_t limit,
                                   void *context, tandem_memory_done done) {
    instance *self = instance_of(host);
    if (self == NULL || done == NULL || limit > 20 || (query.ptr == NULL && query.len > 0)) {
        return TANDEM_E_INVALID_ARGUMENT;
    }
    if (query.len > 1000) return TANDEM_E_TOO_LARGE;
    if (query.len == 0 || !is_utf8(query.ptr, query.len)) return TANDEM_E_INVALID_ARGUMENT;
    /* function 1: call, limit, question */
    const uint64_t numbers[] = {call, limit};
    const part parts[] = {{numbers, sizeof numbers}, {query.ptr, query.len}};
    return ask(self, RECALL, call, parts, 2, context, done);
}

static tandem_status memory_propose(const tandem_host *host, tandem_call_id call, tandem_slice kind, tandem_slice text,
                                    void *context, tandem_memory_done done) {
    instance *self = instance_of(host);
    if (self == NULL || done == NULL || !is_name(kind, 32, 0)) return TANDEM_E_INVALID_ARGUMENT;
    if (text.len > 500) return TANDEM_E_TOO_LARGE;
    if (!is_name(text, 500, 0)) return TANDEM_E_INVALID_ARGUMENT;
    /* function 2: call, length of the kind, kind, text */
    const uint64_t numbers[] = {call, kind.len};
    const part parts[] = {{numbers, sizeof numbers}, {kind.ptr, kind.len}, {text.ptr, text.len}};
    return ask(self, PROPOSE, call, parts, 3, context, done);
}

static const tandem_memory table = {.header = {sizeof table, 0}, .recall = memory_recall, .propose = memory_propose};

const host_extension memory_extension = {TANDEM_EXT_MEMORY, TANDEM_X_MEMORY, &table};
