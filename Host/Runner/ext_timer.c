/* ext_timer.c - "tandem.timer/1" in the runner. */
#include "runner.h"

enum { SET = 1, CANCEL = 2, LIST = 3 };

static const uint64_t longest_name = 128, longest_handler = 64, largest_data = 8 << 10;

static tandem_status ask(instance *self, uint32_t function, tandem_call_id call, const part *parts, size_t count,
                         void *context, tandem_timer_done done) {
    return service_send(self, TANDEM_CODE(TANDEM_X_TIMER, function), call, parts, count, buffer_reply, context,
                        (void (*)(void))done);
}

static tandem_status timer_set(const tandem_host *host, tandem_call_id call, tandem_slice name,
                               const tandem_timer_plan *plan, void *context, tandem_timer_done done) {
    instance *self = instance_of(host);
    if (self == NULL || done == NULL || plan == NULL || !is_name(name, longest_name, 0)) {
        return TANDEM_E_INVALID_ARGUMENT;
    }
    if (plan->header.size < sizeof *plan) return TANDEM_E_SIZE_TOO_SMALL;
    if (plan->header.flags & TANDEM_FLAGS_MUST_UNDERSTAND) return TANDEM_E_UNSUPPORTED;
    if (!is_name(plan->handler, longest_handler, 0) || (plan->data.ptr == NULL && plan->data.len > 0)) {
        return TANDEM_E_INVALID_ARGUMENT;
    }
    if (plan->data.len > largest_data) return TANDEM_E_TOO_LARGE;
    /* function 1: call, when, unit, every, lengths of the name and the handler, name, handler, data */
    const uint64_t numbers[] = {call,    (uint64_t)plan->due_ms, plan->repeat_unit, plan->repeat_every,
                                name.len, plan->handler.len};
    const part parts[] = {{numbers, sizeof numbers},
                          {name.ptr, name.len},
                          {plan->handler.ptr, plan->handler.len},
                          {plan->data.ptr, plan->data.len}};
    return ask(self, SET, call, parts, 4, context, done);
}

static tandem_status timer_cancel(const tandem_host *host, tandem_call_id call, tandem_slice name, void *context,
                                  tandem_timer_done done) {
    instance *self = instance_of(host);
    if (self == NULL || done == NULL || !is_name(name, longest_name, 0)) return TANDEM_E_INVALID_ARGUMENT;
    /* function 2: call, name */
    const part parts[] = {{&call, sizeof call}, {name.ptr, name.len}};
    return ask(self, CANCEL, call, parts, 2, context, done);
}

static tandem_status timer_list(const tandem_host *host, tandem_call_id call, void *context, tandem_timer_done done) {
    instance *self = instance_of(host);
    if (self == NULL || done == NULL) return TANDEM_E_INVALID_ARGUMENT;
    /* function 3: call */
    const part parts[] = {{&call, sizeof call}};
    return ask(self, LIST, call, parts, 1, context, done);
}

static const tandem_timer table = {
    .header = {sizeof table, 0}, .set = timer_set, .cancel = timer_cancel, .list = timer_list};

const host_extension timer_extension = {TANDEM_EXT_TIMER, TANDEM_X_TIMER, &table};
