/* services.c - what the extensions of small requests check alike: kv, secret, timer, event, memory. */
#include "runner.h"

int is_utf8(const uint8_t *bytes, uint64_t length) {
    uint64_t at = 0;
    while (at < length) {
        uint8_t first = bytes[at++];
        if (first < 0x80) continue;
        int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC2 ? 1 : -1;
        if (more < 0 || first > 0xF4 || length - at < (uint64_t)more) return 0;
        uint8_t second = bytes[at];
        if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || (first == 0xF0 && second < 0x90) ||
            (first == 0xF4 && second > 0x8F)) {
            return 0;
        }
        for (; more > 0; more--) {
            if ((bytes[at++] & 0xC0) != 0x80) return 0;
        }
    }
    return 1;
}

int is_name(tandem_slice text, uint64_t most, int may_be_empty) {
    if (text.len > most || (text.len == 0 ? !may_be_empty : text.ptr == NULL)) return 0;
    for (uint64_t index = 0; index < text.len; index++) {
        if (text.ptr[index] < 0x20 || text.ptr[index] == 0x7F) return 0;
    }
    return is_utf8(text.ptr, text.len);
}

void buffer_reply(void *context, void (*done)(void), tandem_status status, const uint8_t *payload, uint64_t length) {
    ((buffer_done)done)(context, status, buffer_copy(payload, length));
}

tandem_status service_send(instance *self, uint32_t code, tandem_call_id call, const part *parts, size_t count,
                           reply_fn reply, void *context, void (*done)(void)) {
    tandem_status permission = instance_permission(self, code >> 16);
    if (permission != TANDEM_OK) return permission;
    tandem_status begun = call_service_begin(call, self);
    if (begun != TANDEM_OK) return begun;
    uint64_t id = request_begin_for(self, call, reply, context, done);
    if (id == 0) {
        call_service_end(call);
        return TANDEM_E_BUSY;
    }
    send_frame(TANDEM_F_REQUEST, self->number, code, id, parts, count);
    return TANDEM_OK;
}
