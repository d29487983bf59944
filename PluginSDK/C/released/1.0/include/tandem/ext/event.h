/*
 * tandem/ext/event.h - "tandem.event/1": tells other plugins of the same person that something happened.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Granted when the manifest declares topics in `events.publishes`; receiving needs `events.subscribes` and no function.
 * A topic belongs to the plugin that declares it and starts with its namespace: `grocery.bought`. A subscription names
 * the topic, one of the subscriber's `handlers` and a reason that the person reads before consent; it holds while both
 * plugins are on for that person. Nobody learns who subscribes, and a plugin's events reach no other person.
 *
 * The host calls the handler like a tool, by tandem_instance.invoke, with
 *
 *   tool             the handler's full id, `recipes.on_bought`
 *   arguments        {"event":"712","topic":"grocery.bought","publishedAt":"2026-11-21T10:00:00.000Z","data":{…}}
 *   idempotency_key  the same for every attempt at this delivery
 *
 * The handler's declared effect limits what the call may do. An event is delivered at least once to each subscriber of
 * the moment of publication: it survives a restart of the host; a delivery that fails for a passing reason (BUSY,
 * RATE_LIMITED, UNAVAILABLE, DEADLINE_EXCEEDED, a crash) is tried again, up to eight times with growing delay; any
 * other answer ends it. Rows that a failed attempt wrote are rolled back; for anything else the handler keeps the
 * idempotency key. Deliveries to one plugin and person are made one at a time, in the order of publication as long as
 * none fails.
 *
 * No loops: an event published while an event is handled is one level deeper; the fifth level is refused.
 */
#ifndef TANDEM_EXT_EVENT_H
#define TANDEM_EXT_EVENT_H

#include "../base.h"
#include "../host.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#define TANDEM_EXT_EVENT "tandem.event/1"

/*
 * [any] The end of a request: exactly once, on any thread, possibly before publish returns. `result` is JSON or empty
 * and passes to the receiver, which releases it.
 */
typedef void (*tandem_event_done)(void *TANDEM_NULLABLE context, tandem_status status, tandem_buffer result);

/* Since 1.0. */
typedef struct tandem_event {
    tandem_header header;
    /*
     * [any] Publishes an event as part of the call in flight. `data` is a JSON object by the topic's declared schema,
     * at most 16 KiB. `key`, at most 128 bytes or empty: a second event of the same topic, person and key within seven
     * days is not published again but answered like the first; give one where the call may be made again (the request's
     * idempotency_key and a suffix). Slices are copied.
     *
     * TANDEM_OK: done follows. Anything else: done is not called: TANDEM_E_INVALID_ARGUMENT, TANDEM_E_TOO_LARGE,
     * TANDEM_E_STALE (the call is over), TANDEM_E_WRONG_STATE, TANDEM_E_BUSY (more than 64 requests of the call run),
     * TANDEM_E_REVOKED. Statuses for done: TANDEM_OK, `{"event":"712"}`: it is stored and will be delivered, also when
     * the call fails later; TANDEM_E_UNSUPPORTED (no such topic in the manifest), TANDEM_E_INVALID_ARGUMENT (the data
     * does not match the topic's schema), TANDEM_E_NOT_GRANTED (the call may only read), TANDEM_E_OVER_QUOTA (more than
     * 256 deliveries of this plugin and person wait, more than 64 events in one call, or the fifth level),
     * TANDEM_E_REVOKED, TANDEM_E_INTERNAL.
     */
    tandem_status (*publish)(const tandem_host *host, tandem_call_id call, tandem_slice topic, tandem_slice data,
                             tandem_slice key, void *TANDEM_NULLABLE context, tandem_event_done done);
} tandem_event;

TANDEM_STATIC_ASSERT(sizeof(tandem_event) == 16, "tandem_event");

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* TANDEM_EXT_EVENT_H */
