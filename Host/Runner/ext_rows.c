/*
 * ext_rows.c - "tandem.rows/1" in the runner; the pattern for every asynchronous extension.
 *
 * To add an extension of the host, tandem.name/1:
 *   1. Host/Clib/CRunner/include/tandem_frames.h has its number, TANDEM_X_NAME (taken numbers are never used again).
 *   2. ext_name.c, like this file: a table whose functions check what can be known here (permission, the call, null
 *      pointers, sizes; the statuses that the header lists), then send one TANDEM_F_REQUEST with the arguments, and
 *      nothing else. code = TANDEM_CODE(TANDEM_X_NAME, function number). Arguments are parts, one after the other:
 *      numbers as they lie in memory; of several slices, all but the last come with their length (as uint64_t) first.
 *   3. A function that answers through `done` remembers it by request_begin; a reply function turns the payload of the
 *      answer back into the arguments of `done` (buffers by buffer_copy). One that needs no answer sends id 0. One that
 *      answers at once and cannot be answered from pushed values uses request_wait (ext_tools.c, ext_clock.c).
 *   4. extensions.c lists it.
 *   5. On the host's side, Host/PluginHost/Runner/Extensions/NameStub.swift decodes the same request and calls the very
 *      table that in-process plugins get; RunnerStubs.swift lists it.
 * Never touch a file, a clock of the host or another instance from here: the runner has no rights of its own.
 */
#include "runner.h"

enum { EXECUTE = 1 };

/* The plugin's function, with the type that it has. */
static void reply(void *context, void (*done)(void), tandem_status status, const uint8_t *payload, uint64_t length) {
    ((tandem_rows_done)done)(context, status, buffer_copy(payload, length));
}

static tandem_status execute(const tandem_host *host, tandem_call_id call, tandem_slice operations, void *context,
                             tandem_rows_done done) {
    instance *self = instance_of(host);
    if (self == NULL || done == NULL || (operations.ptr == NULL && operations.len > 0)) return TANDEM_E_INVALID_ARGUMENT;
    tandem_status permission = instance_permission(self, TANDEM_X_ROWS);
    if (permission != TANDEM_OK) return permission;
    if (operations.len > 1u << 20) return TANDEM_E_TOO_LARGE;
    if (call_check(call, self) != TANDEM_OK) return TANDEM_E_STALE;
    uint64_t id = request_begin(self, reply, context, (void (*)(void))done);
    if (id == 0) return TANDEM_E_BUSY;
    /* function 1: call, operations */
    const part parts[] = {{&call, sizeof call}, {operations.ptr, operations.len}};
    send_frame(TANDEM_F_REQUEST, self->number, TANDEM_CODE(TANDEM_X_ROWS, EXECUTE), id, parts, 2);
    return TANDEM_OK;
}

static const tandem_rows table = {.header = {sizeof table, 0}, .execute = execute};

const host_extension rows_extension = {TANDEM_EXT_ROWS, TANDEM_X_ROWS, &table};
