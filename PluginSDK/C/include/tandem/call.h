/*
 * tandem/call.h - what the host asks of a plugin and what comes back.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * A call is submitted by tandem_instance.invoke (plugin.h) and ended by exactly one tandem_host.complete (host.h), from
 * any thread, possibly before invoke returns.
 */
#ifndef TANDEM_CALL_H
#define TANDEM_CALL_H

#include "base.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

/*
 * One call of one tool. All slices are borrowed and valid until invoke returns: a plugin that answers later copies what
 * it needs. Since 1.0.
 */
typedef struct tandem_request {
    tandem_header header;
    tandem_call_id call;
    /*
     * Absolute, nanoseconds of CLOCK_MONOTONIC, never 0. After it the host has given up; a completion is answered
     * TANDEM_E_STALE.
     */
    uint64_t deadline_ns;
    /* The full tool id, `grocery.add`. */
    tandem_slice tool;
    /* A JSON object, valid against the tool's declared schema. */
    tandem_slice arguments;
    /* W3C Trace Context `traceparent`, or empty. Opaque to most plugins. */
    tandem_slice trace_parent;
    /*
     * The same for every attempt at the same intended effect; for use with services that take one. Row operations need
     * none: the host rolls back an interrupted call before it is made again.
     */
    tandem_slice idempotency_key;
    /* The state of an earlier TANDEM_OUTCOME_INPUT_REQUIRED, unchanged; empty on a first call. */
    tandem_slice resume_state;
    /*
     * The answers to it: a JSON object of the question's field and the `value` of the option that the person chose, or what
     * they wrote: `{"which":"17"}`; empty on a first call. `arguments` are those of the first call, unchanged.
     */
    tandem_slice answers;
} tandem_request;

#define TANDEM_REQUEST_SIZE_1_0 ((uint32_t)120)

#define TANDEM_OUTCOME_VALUE ((uint32_t)1)          /* done: value, message, shown */
#define TANDEM_OUTCOME_TOOL_ERROR ((uint32_t)2)     /* not done: status, message, detail in value */
#define TANDEM_OUTCOME_INPUT_REQUIRED ((uint32_t)3) /* a question: message, question in value, resume_state */
#define TANDEM_OUTCOME_AUTH_REQUIRED ((uint32_t)4)  /* a connection is missing: message, `{"grant":…}` in value */
#define TANDEM_OUTCOME_ACCEPTED ((uint32_t)5)       /* long work began: message, `{"job":…}` in value. The call is over:
                                                       the plugin tells of the end itself, by a timer or an event */

/*
 * The least trusted source that went into value and message; 0 means what the tool declares. Only ever lowers trust. 1,
 * the person's own words, is the host's alone. A host takes one that it does not know for TANDEM_TRUST_UNTRUSTED.
 */
#define TANDEM_TRUST_DECLARED ((uint32_t)0)
#define TANDEM_TRUST_SYSTEM ((uint32_t)2)
#define TANDEM_TRUST_CONTACT ((uint32_t)3)
#define TANDEM_TRUST_UNTRUSTED ((uint32_t)4)

/*
 * How a call ended. The struct itself is borrowed; the buffers pass to the host in every case, also when complete
 * returns a failure. A host answers a kind it does not know with a tool error. Since 1.0.
 */
typedef struct tandem_outcome {
    tandem_header header;
    uint32_t kind;        /* TANDEM_OUTCOME_* */
    tandem_status status; /* TANDEM_OK, or why not, for TOOL_ERROR */
    uint32_t trust;       /* TANDEM_TRUST_* */
    uint32_t reserved;    /* 0 */
    /* TOOL_ERROR with RATE_LIMITED or UNAVAILABLE: wait at least this long before another try; 0 = unknown. */
    uint64_t retry_after_ms;
    /*
     * JSON. VALUE: by the tool's result schema; empty is null. TOOL_ERROR: `{"code":"not_found","retryable":false}` or empty.
     * INPUT_REQUIRED: `{"field":"which","schema":{…},"options":[{"value":…,"label":"…"}]}`. AUTH_REQUIRED:
     * `{"grant":"…"}`. ACCEPTED: `{"job":"…"}`. At most 1 MiB.
     */
    tandem_buffer value;
    /*
     * UTF-8 for the person. The first line stands alone (about 150 GSM-7 characters), further lines are details. Begin with
     * what was done: its first sentence is what taking it back repeats ("Undone: Took 1 ibuprofen"). At most 16 KiB.
     */
    tandem_buffer message;
    /*
     * JSON or empty: what was shown or touched, in order, so that "2" and "that" are understood next:
     * `{"select":"grocery.bought","numbered":true,"items":[{"type":"grocery.item","id":"123","label":"milk"}]}`.
     * At most 200 items and 256 KiB.
     */
    tandem_buffer shown;
    /* INPUT_REQUIRED: opaque, at most 64 KiB, given back in tandem_request.resume_state. */
    tandem_buffer resume_state;
} tandem_outcome;

#define TANDEM_OUTCOME_SIZE_1_0 ((uint32_t)160)

/* Why a call is cancelled. A plugin takes a reason that it does not know for TANDEM_CANCEL_USER. */
#define TANDEM_CANCEL_USER ((uint32_t)1)     /* the person no longer wants it, or switched the plugin off */
#define TANDEM_CANCEL_DEADLINE ((uint32_t)2) /* the deadline is near or past */
#define TANDEM_CANCEL_SHUTDOWN ((uint32_t)3) /* the host goes down or replaces the plugin */

TANDEM_STATIC_ASSERT(sizeof(tandem_request) == TANDEM_REQUEST_SIZE_1_0, "tandem_request");
TANDEM_STATIC_ASSERT(offsetof(tandem_request, tool) == 24, "tandem_request.tool");
TANDEM_STATIC_ASSERT(offsetof(tandem_request, answers) == 104, "tandem_request.answers");
TANDEM_STATIC_ASSERT(sizeof(tandem_outcome) == TANDEM_OUTCOME_SIZE_1_0, "tandem_outcome");
TANDEM_STATIC_ASSERT(offsetof(tandem_outcome, value) == 32, "tandem_outcome.value");
TANDEM_STATIC_ASSERT(offsetof(tandem_outcome, resume_state) == 128, "tandem_outcome.resume_state");

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* TANDEM_CALL_H */
