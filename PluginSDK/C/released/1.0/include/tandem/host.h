/*
 * tandem/host.h - the table of functions that the host gives to one instance: one plugin for one person.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * The table is bound to that person and to what that person granted. No function takes a user: a plugin cannot name one.
 */
#ifndef TANDEM_HOST_H
#define TANDEM_HOST_H

#include "base.h"
#include "call.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

typedef struct tandem_host tandem_host;

/*
 * Valid from create until destroy returns. Every function is [any] and takes the table itself as its first argument.
 * Since 1.0.
 */
struct tandem_host {
    tandem_header header;
    uint32_t abi_major;
    uint32_t abi_minor;
    /* The host's own; not to be read. */
    void *TANDEM_NULLABLE context;

    /*
     * [any] The table of an extension, e.g. "tandem.rows/1" (ext/), or null: unknown to this host, not asked for in
     * the manifest, or not granted by this person. Discovery and permission are one mechanism. The table lives as long
     * as the host table; a grant that is withdrawn later makes its functions answer TANDEM_E_REVOKED.
     * Legal from inside create on; the extension's functions work once activate was called.
     */
    const void *TANDEM_NULLABLE (*TANDEM_NONNULL get_extension)(const tandem_host *host, const char *id);

    /*
     * [any] Ends a call; exactly once per accepted call, also from within invoke, cancel or a callback. `outcome` is
     * borrowed, its buffers pass to the host in every case. TANDEM_OK; TANDEM_E_ALREADY_DONE on a second completion; TANDEM_E_STALE when the host has given up or the id
     * is not this instance's; TANDEM_E_SIZE_TOO_SMALL or TANDEM_E_INVALID_ARGUMENT for a malformed or null outcome, which ends
     * the call with an error; a host in another process may find that out only after it answered TANDEM_OK. None of them is
     * fatal; all are counted.
     */
    tandem_status (*complete)(const tandem_host *host, tandem_call_id call,
                              const tandem_outcome *TANDEM_NULLABLE outcome);

    /* [any] 1 when the call was cancelled, 0 when not, TANDEM_E_STALE when it is over. Cheap: fit for inner loops. */
    int32_t (*is_cancelled)(const tandem_host *host, tandem_call_id call);

    /*
     * [any] Says how far the call is: 0–1000, or -1 for unknown; `note` is short text for the person or empty. The host
     * may drop it. TANDEM_OK, TANDEM_E_STALE, or TANDEM_E_INVALID_ARGUMENT for another number.
     */
    tandem_status (*progress)(const tandem_host *host, tandem_call_id call, int32_t permille, tandem_slice note);
};

#define TANDEM_HOST_SIZE_1_0 ((uint32_t)56)

TANDEM_STATIC_ASSERT(sizeof(tandem_host) == TANDEM_HOST_SIZE_1_0, "tandem_host");
TANDEM_STATIC_ASSERT(offsetof(tandem_host, get_extension) == 24, "tandem_host.get_extension");

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* TANDEM_HOST_H */
