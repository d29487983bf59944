/*
 * tandem/ext/memory.h - "tandem.memory/1": what the assistant knows about this person, as far as they allowed.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Granted when the manifest declares `memory`: the kinds that it wants to recall, those that it wants to propose, and a
 * reason that the person reads before consent. The kinds are `fact`, `preference`, `event` and `identity`; a host may
 * come to know more. A plugin never writes a memory: it proposes, the person confirms or declines.
 */
#ifndef TANDEM_EXT_MEMORY_H
#define TANDEM_EXT_MEMORY_H

#include "../base.h"
#include "../host.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#define TANDEM_EXT_MEMORY "tandem.memory/1"

/*
 * [any] The end of a request: exactly once, on any thread, possibly before the function that made it returns. `result`
 * is JSON or empty and passes to the receiver, which releases it.
 */
typedef void (*tandem_memory_done)(void *TANDEM_NULLABLE context, tandem_status status, tandem_buffer result);

/*
 * Every function needs a call in flight, copies its slices and answers TANDEM_OK: done follows. Anything else: done is
 * not called: TANDEM_E_INVALID_ARGUMENT, TANDEM_E_TOO_LARGE (a query over 1,000 bytes, a text over 500), TANDEM_E_STALE
 * (the call is over), TANDEM_E_WRONG_STATE, TANDEM_E_BUSY (more than 64 requests of the call run), TANDEM_E_OVER_QUOTA
 * (more than 32 requests in one call), TANDEM_E_REVOKED. Statuses for done besides those named: TANDEM_OK,
 * TANDEM_E_REVOKED, TANDEM_E_INTERNAL. Since 1.0.
 */
typedef struct tandem_memory {
    tandem_header header;
    /*
     * [any] Memories that match a question in plain words, best first, of the granted kinds only, at most `limit` (1 to
     * 20; 0 means 5): `{"memories":[{"id":"712","kind":"preference","text":"I do not eat nuts",
     * "since":"2026-11-21T10:00:00.000Z"}]}`. Memories whose source the person does not vouch for are left out. What is
     * read this way is noted, so that the person can see it. done: TANDEM_E_NOT_GRANTED when no kind may be recalled.
     */
    tandem_status (*recall)(const tandem_host *host, tandem_call_id call, tandem_slice query, uint32_t limit,
                            void *TANDEM_NULLABLE context, tandem_memory_done done);
    /*
     * [any] Proposes to remember `text`, one line in the person's voice ("I do not eat nuts"), as `kind`. It is kept
     * apart, with the plugin's name, until the person confirms or declines it; after 30 days it is dropped. done:
     * `{"proposal":"81","state":"waiting"}`; without `proposal`, `state` is `known` when there is such a memory already
     * and `declined` when the person has declined the same words before: neither is asked again. TANDEM_E_NOT_GRANTED (the kind may not be
     * proposed), TANDEM_E_OVER_QUOTA (20 proposals of this plugin wait), TANDEM_E_INVALID_ARGUMENT (not one line of
     * text).
     */
    tandem_status (*propose)(const tandem_host *host, tandem_call_id call, tandem_slice kind, tandem_slice text,
                             void *TANDEM_NULLABLE context, tandem_memory_done done);
} tandem_memory;

TANDEM_STATIC_ASSERT(sizeof(tandem_memory) == 24, "tandem_memory");

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* TANDEM_EXT_MEMORY_H */
