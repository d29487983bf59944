/* ext_event.c - "tandem.event/1" in the runner. */
#include "runner.h"

enum { PUBLISH = 1 };

static tandem_status publish(const tandem_host *host, tandem_call_id call, tandem_slice topic, tandem_slice data,
                             tandem_slice key, void *context, tandem_event_done done) {
    instance *self = instance_of(host);
    if (self == NULL || done == NULL || !is_name(topic, 64, 0) || !is_name(key, 128, 1) ||
        (data.ptr == NULL && data.len > 0)) {
        return TANDEM_E_INVALID_ARGUMENT;
    }
    if (data.len > 16u << 10) return TANDEM_E_TOO_LARGE;
    /* function 1: call, lengths of the topic and the key, topic, key, data */
    const uint64_t numbers[] = {call, topic.len, key.len};
    const part parts[] = {
        {numbers, sizeof numbers}, {topic.ptr, topic.len}, {key.ptr, key.len}, {data.ptr, data.len}};
    return service_send(self, TANDEM_CODE(TANDEM_X_EVENT, PUBLISH), call, parts, 4, buffer_reply, context,
                        (void (*)(void))done);
}

static const tandem_event table = {.header = {sizeof table, 0}, .publish = publish};

const host_extension event_extension = {TANDEM_EXT_EVENT, TANDEM_X_EVENT, &table};
