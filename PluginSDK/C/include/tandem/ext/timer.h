/*
 * tandem/ext/timer.h - "tandem.timer/1": to be called later, once or again and again, for this person.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Granted when the manifest lists it in `extensions` and declares at least one of its `handlers`. A timer survives
 * restarts of the host. When it is due, the host calls the handler like a tool, by tandem_instance.invoke, with
 *
 *   tool             the handler's full id, `grocery.restock`
 *   arguments        {"timer":"milk","dueAt":"2026-11-21T08:00:00.000Z","missed":0,"data":{…}}
 *   idempotency_key  the same for every attempt at this firing
 *
 * The handler's declared effect limits what the call may do, and so does what the person granted. `data` is what the
 * timer was set with and matches the handler's `parameters`. `missed` counts earlier times of a repeating timer at
 * which it could not fire, because the host or the plugin was off: they are not made up for. A timer that is due while
 * the plugin is off for the person fires when it is on again; it is removed with the plugin's data.
 *
 * A firing that fails for a passing reason (BUSY, RATE_LIMITED, UNAVAILABLE, DEADLINE_EXCEEDED, a crash) is tried
 * again, up to five times with growing delay; any other failure ends it. A firing never runs twice at the same time,
 * and one that has succeeded is never made again. A question of a handler (INPUT_REQUIRED, AUTH_REQUIRED) is a failure:
 * nobody is there.
 *
 * A timer does not fire to the millisecond: plan for a second. At most 64 timers per person, or what the manifest's
 * `quota` says (`timers`).
 */
#ifndef TANDEM_EXT_TIMER_H
#define TANDEM_EXT_TIMER_H

#include "../base.h"
#include "../host.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#define TANDEM_EXT_TIMER "tandem.timer/1"

#define TANDEM_TIMER_ONCE ((uint32_t)0)
/* Every `repeat_every` seconds, at least 60, from due_ms on. */
#define TANDEM_TIMER_SECONDS ((uint32_t)1)
/* Every `repeat_every` days at the same time of day where the person lives, also across changes of the clocks. */
#define TANDEM_TIMER_DAYS ((uint32_t)2)
/* Every `repeat_every` months on that day of the month, or on the last one of a shorter month; local time as above. */
#define TANDEM_TIMER_MONTHS ((uint32_t)3)

/* What a timer does. Borrowed, with its slices, until set returns. Since 1.0. */
typedef struct tandem_timer_plan {
    tandem_header header;
    /* The name of a declared handler: `restock`. */
    tandem_slice handler;
    /* A JSON object by the handler's `parameters`, at most 8 KiB; empty means {}. */
    tandem_slice data;
    /* When first, in milliseconds since 1970-01-01T00:00:00Z. In the past means now; at most ten years ahead. */
    int64_t due_ms;
    uint32_t repeat_unit;  /* TANDEM_TIMER_* */
    uint32_t repeat_every; /* 1 or more; 0 with TANDEM_TIMER_ONCE */
} tandem_timer_plan;

/*
 * [any] The end of a request: exactly once, on any thread, possibly before the function that made it returns. `result`
 * is JSON or empty and passes to the receiver, which releases it.
 */
typedef void (*tandem_timer_done)(void *TANDEM_NULLABLE context, tandem_status status, tandem_buffer result);

/*
 * Every function needs a call in flight, copies what it is given and answers TANDEM_OK: done follows. Anything else:
 * done is not called: TANDEM_E_INVALID_ARGUMENT (a name that is not 1 to 128 bytes of UTF-8 without control characters;
 * a malformed plan), TANDEM_E_SIZE_TOO_SMALL (the plan), TANDEM_E_TOO_LARGE (the data), TANDEM_E_STALE (the call is
 * over), TANDEM_E_WRONG_STATE, TANDEM_E_BUSY (more than 64 requests of the call run), TANDEM_E_REVOKED. Statuses for
 * done besides those named: TANDEM_OK, TANDEM_E_REVOKED, TANDEM_E_INTERNAL. After a failure nothing was changed. What
 * was set or cancelled is no part of undo. Since 1.0.
 */
typedef struct tandem_timer {
    tandem_header header;
    /*
     * [any] Sets the timer `name`, in place of one of that name. done: `{"dueAt":"2026-11-21T08:00:00.000Z"}`;
     * TANDEM_E_UNSUPPORTED (no such handler), TANDEM_E_INVALID_ARGUMENT (data that does not match the handler's
     * parameters), TANDEM_E_OVER_QUOTA, TANDEM_E_NOT_GRANTED (the call is of a tool that may only read, or the
     * handler's effect is more than the person granted). A handler may set timers whatever its effect.
     */
    tandem_status (*set)(const tandem_host *host, tandem_call_id call, tandem_slice name,
                         const tandem_timer_plan *plan, void *TANDEM_NULLABLE context, tandem_timer_done done);
    /*
     * [any] Removes a timer; a firing that has begun goes on. done: TANDEM_E_NOT_FOUND, TANDEM_E_NOT_GRANTED (the call
     * is of a tool that may only read). The result is empty.
     */
    tandem_status (*cancel)(const tandem_host *host, tandem_call_id call, tandem_slice name,
                            void *TANDEM_NULLABLE context, tandem_timer_done done);
    /*
     * [any] All timers of the plugin for this person, by name: `{"timers":[{"name":"milk","handler":"restock",
     * "dueAt":"2026-11-21T08:00:00.000Z","repeat":{"unit":"days","every":7},"data":{…}}]}`; `repeat` is null for a
     * timer that fires once.
     */
    tandem_status (*list)(const tandem_host *host, tandem_call_id call, void *TANDEM_NULLABLE context,
                          tandem_timer_done done);
} tandem_timer;

TANDEM_STATIC_ASSERT(sizeof(tandem_timer_plan) == 56, "tandem_timer_plan");
TANDEM_STATIC_ASSERT(offsetof(tandem_timer_plan, due_ms) == 40, "tandem_timer_plan.due_ms");
TANDEM_STATIC_ASSERT(sizeof(tandem_timer) == 32, "tandem_timer");

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* TANDEM_EXT_TIMER_H */
