/* ext_kv.c - "tandem.kv/1" in the runner. */
#include "runner.h"

#include <string.h>

enum { GET = 1, SET = 2, REMOVE = 3, LIST = 4, USAGE = 5 };

static const uint64_t longest_key = 256, largest_value = 256 << 10;
/* Ten years. */
static const uint64_t longest_life_ms = 10ull * 366 * 86400000;

/* The answer: version, when it goes, value; also after a failure. */
static void reply(void *context, void (*done)(void), tandem_status status, const uint8_t *payload, uint64_t length) {
    struct {
        uint64_t version;
        int64_t expires_at_ms;
    } head = {0, 0};
    if (length >= sizeof head) {
        memcpy(&head, payload, sizeof head);
        payload += sizeof head;
        length -= sizeof head;
    } else {
        length = 0;
        if (status == TANDEM_OK) status = TANDEM_E_INTERNAL;
    }
    const tandem_kv_result result = {
        .header = {sizeof result, 0}, .version = head.version, .expires_at_ms = head.expires_at_ms,
        .value = buffer_copy(payload, length)};
    ((tandem_kv_done)done)(context, status, &result);
}

static tandem_status ask(instance *self, uint32_t function, tandem_call_id call, const part *parts, size_t count,
                         void *context, tandem_kv_done done) {
    return service_send(self, TANDEM_CODE(TANDEM_X_KV, function), call, parts, count, reply, context,
                        (void (*)(void))done);
}

static tandem_status kv_get(const tandem_host *host, tandem_call_id call, tandem_slice key, void *context,
                            tandem_kv_done done) {
    instance *self = instance_of(host);
    if (self == NULL || done == NULL || !is_name(key, longest_key, 0)) return TANDEM_E_INVALID_ARGUMENT;
    /* function 1: call, key */
    const part parts[] = {{&call, sizeof call}, {key.ptr, key.len}};
    return ask(self, GET, call, parts, 2, context, done);
}

static tandem_status kv_set(const tandem_host *host, tandem_call_id call, tandem_slice key, tandem_slice value,
                            uint64_t expected, uint64_t ttl_ms, void *context, tandem_kv_done done) {
    instance *self = instance_of(host);
    if (self == NULL || done == NULL || !is_name(key, longest_key, 0) || ttl_ms > longest_life_ms ||
        (value.ptr == NULL && value.len > 0) || value.len > INT64_MAX) {
        return TANDEM_E_INVALID_ARGUMENT;
    }
    if (value.len > largest_value) return TANDEM_E_TOO_LARGE;
    /* function 2: call, expected version, life, length of the key, key, value */
    const uint64_t numbers[] = {call, expected, ttl_ms, key.len};
    const part parts[] = {{numbers, sizeof numbers}, {key.ptr, key.len}, {value.ptr, value.len}};
    return ask(self, SET, call, parts, 3, context, done);
}

static tandem_status kv_remove(const tandem_host *host, tandem_call_id call, tandem_slice key, uint64_t expected,
                               void *context, tandem_kv_done done) {
    instance *self = instance_of(host);
    if (self == NULL || done == NULL || !is_name(key, longest_key, 0) || expected == TANDEM_KV_NO_VALUE) {
        return TANDEM_E_INVALID_ARGUMENT;
    }
    /* function 3: call, expected version, key */
    const uint64_t numbers[] = {call, expected};
    const part parts[] = {{numbers, sizeof numbers}, {key.ptr, key.len}};
    return ask(self, REMOVE, call, parts, 2, context, done);
}

static tandem_status kv_list(const tandem_host *host, tandem_call_id call, tandem_slice prefix, tandem_slice after,
                             uint32_t limit, void *context, tandem_kv_done done) {
    instance *self = instance_of(host);
    if (self == NULL || done == NULL || limit > 1000 || !is_name(prefix, longest_key, 1) ||
        !is_name(after, longest_key, 1)) {
        return TANDEM_E_INVALID_ARGUMENT;
    }
    /* function 4: call, limit, length of the prefix, prefix, after */
    const uint64_t numbers[] = {call, limit, prefix.len};
    const part parts[] = {{numbers, sizeof numbers}, {prefix.ptr, prefix.len}, {after.ptr, after.len}};
    return ask(self, LIST, call, parts, 3, context, done);
}

static tandem_status kv_usage(const tandem_host *host, tandem_call_id call, void *context, tandem_kv_done done) {
    instance *self = instance_of(host);
    if (self == NULL || done == NULL) return TANDEM_E_INVALID_ARGUMENT;
    /* function 5: call */
    const part parts[] = {{&call, sizeof call}};
    return ask(self, USAGE, call, parts, 1, context, done);
}

static const tandem_kv table = {
    .header = {sizeof table, 0}, .get = kv_get, .set = kv_set, .remove = kv_remove, .list = kv_list,
    .usage = kv_usage};

const host_extension kv_extension = {TANDEM_EXT_KV, TANDEM_X_KV, &table};
