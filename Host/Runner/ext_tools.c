/* ext_tools.c - "tandem.tools/1" in the runner. */
#include "runner.h"

#include <string.h>

enum { CALL = 1, IS_AVAILABLE = 2 };

/* The answer is a tandem_frame_outcome with its buffers, all present; they pass to the plugin. */
static void reply(void *context, void (*done)(void), tandem_status status, const uint8_t *payload, uint64_t length) {
    tandem_tools_done answer = (tandem_tools_done)done;
    tandem_frame_outcome head;
    if (status != TANDEM_OK || length < sizeof head) {
        answer(context, status != TANDEM_OK ? status : TANDEM_E_INTERNAL, NULL);
        return;
    }
    memcpy(&head, payload, sizeof head);
    tandem_outcome outcome = {
        .header = {sizeof outcome, 0}, .kind = head.kind, .status = head.status, .trust = head.trust,
        .retry_after_ms = head.retry_after_ms};
    tandem_buffer *buffers[4] = {&outcome.value, &outcome.message, &outcome.shown, &outcome.resume_state};
    const uint8_t *at = payload + sizeof head;
    uint64_t left = length - sizeof head;
    for (size_t index = 0; index < 4 && head.lengths[index] <= left; index++) {
        *buffers[index] = buffer_copy(at, head.lengths[index]);
        at += head.lengths[index];
        left -= head.lengths[index];
    }
    answer(context, TANDEM_OK, &outcome);
}

static tandem_status call_tool(const tandem_host *host, tandem_call_id call, tandem_slice tool, tandem_slice arguments,
                               void *context, tandem_tools_done done) {
    instance *self = instance_of(host);
    if (self == NULL || done == NULL || (tool.ptr == NULL && tool.len > 0) || tool.len > 64 ||
        (arguments.ptr == NULL && arguments.len > 0)) {
        return TANDEM_E_INVALID_ARGUMENT;
    }
    tandem_status permission = instance_permission(self, TANDEM_X_TOOLS);
    if (permission != TANDEM_OK) return permission;
    if (call_check(call, self) != TANDEM_OK) return TANDEM_E_STALE;
    if (arguments.len > 1u << 20) return TANDEM_E_OVER_QUOTA;
    uint64_t id = request_begin(self, reply, context, (void (*)(void))done);
    if (id == 0) return TANDEM_E_OVER_QUOTA;
    /* function 1: call, length of the tool, tool, arguments */
    uint64_t numbers[2] = {call, tool.len};
    const part parts[] = {{numbers, sizeof numbers}, {tool.ptr, tool.len}, {arguments.ptr, arguments.len}};
    send_frame(TANDEM_F_REQUEST, self->number, TANDEM_CODE(TANDEM_X_TOOLS, CALL), id, parts, 3);
    return TANDEM_OK;
}

static int32_t is_available(const tandem_host *host, tandem_slice tool) {
    instance *self = instance_of(host);
    if (self == NULL || (tool.ptr == NULL && tool.len > 0) || tool.len > 64) return 0;
    if (instance_permission(self, TANDEM_X_TOOLS) != TANDEM_OK) return 0;
    /* function 2: tool; answered by the status 0 or 1 */
    const part parts[] = {{tool.ptr, tool.len}};
    uint64_t length;
    tandem_status status =
        request_wait(self, TANDEM_CODE(TANDEM_X_TOOLS, IS_AVAILABLE), parts, 1, NULL, 0, &length);
    return status == 1;
}

static const tandem_tools table = {
    .header = {sizeof table, 0}, .call = call_tool, .is_available = is_available};

const host_extension tools_extension = {TANDEM_EXT_TOOLS, TANDEM_X_TOOLS, &table};
