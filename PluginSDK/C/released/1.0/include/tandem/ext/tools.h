/*
 * tandem/ext/tools.h - "tandem.tools/1": calls to another plugin's tools, mediated by the host.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Granted when the manifest lists the tools in `calls` and the person allowed it. The host checks the other plugin's
 * state, the arguments, the effect and the policy as if the person had asked; it ties the inner call to the outer one,
 * so that one undo takes both back. A plugin never gets the other's instance, tables or host table. At most four levels
 * deep and 32 inner calls per call.
 */
#ifndef TANDEM_EXT_TOOLS_H
#define TANDEM_EXT_TOOLS_H

#include "../base.h"
#include "../host.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#define TANDEM_EXT_TOOLS "tandem.tools/1"

/*
 * [any] The end of an inner call: exactly once, on any thread, possibly before call returns. The outcome struct is
 * borrowed until this returns, its buffers pass to the receiver, which releases each of the four or hands them on: giving
 * `outcome` as it is to tandem_host.complete is legal. Null when status is not TANDEM_OK. status is TANDEM_OK also when
 * the other tool answered with an error: that is in the outcome.
 */
typedef void (*tandem_tools_done)(void *TANDEM_NULLABLE context, tandem_status status,
                                  const tandem_outcome *TANDEM_NULLABLE outcome);

/* Since 1.0. */
typedef struct tandem_tools {
    tandem_header header;
    /*
     * [any] Calls `tool` (`grocery.add`) with a JSON object, as part of the call in flight. Slices are copied. TANDEM_OK:
     * done follows. Anything else: done is not called: TANDEM_E_STALE, TANDEM_E_NOT_GRANTED (not in the manifest's
     * `calls`), TANDEM_E_REVOKED, TANDEM_E_OVER_QUOTA. Statuses for done: TANDEM_OK, TANDEM_E_UNSUPPORTED (no such
     * tool), TANDEM_E_NOT_GRANTED (the other plugin is off for this person), TANDEM_E_INVALID_ARGUMENT (arguments do not
     * match its schema), TANDEM_E_CONFIRMATION_DENIED (its effect would need a confirmation), TANDEM_E_DEADLINE_EXCEEDED,
     * TANDEM_E_CANCELLED, TANDEM_E_UNAVAILABLE.
     */
    tandem_status (*call)(const tandem_host *host, tandem_call_id call, tandem_slice tool, tandem_slice arguments,
                          void *TANDEM_NULLABLE context, tandem_tools_done done);
    /* [any] 1 when the person could use that tool right now, 0 when not. Cheap. */
    int32_t (*is_available)(const tandem_host *host, tandem_slice tool);
} tandem_tools;

TANDEM_STATIC_ASSERT(sizeof(tandem_tools) == 24, "tandem_tools");

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* TANDEM_EXT_TOOLS_H */
