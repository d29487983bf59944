/*
 * tandem/ext/secret.h - "tandem.secret/1": keys and passwords that were entered for this plugin.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Granted when the manifest declares `secrets`; only the names declared there exist. A person or the operator enters a
 * value (`tandem plugin secret set`); a plugin never sets one and no model ever sees one. Values are sealed at rest and
 * are in no log, error, metric, journal or diagnostics of the host.
 *
 * Where an API takes a token in a header, prefer a grant of tandem.http/1: there the host attaches it and the plugin
 * never holds it. What a plugin does with a value that it read is its own affair: keep it no longer than the call,
 * overwrite it, log nothing of it.
 */
#ifndef TANDEM_EXT_SECRET_H
#define TANDEM_EXT_SECRET_H

#include "../base.h"
#include "../host.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#define TANDEM_EXT_SECRET "tandem.secret/1"

/*
 * [any] The end of a request: exactly once, on any thread, possibly before the function that made it returns. `value`
 * passes to the receiver, which releases it soon; the host overwrites the bytes then.
 */
typedef void (*tandem_secret_done)(void *TANDEM_NULLABLE context, tandem_status status, tandem_buffer value);

/*
 * Every function copies its slices and answers TANDEM_OK: done follows. Anything else: done is not called:
 * TANDEM_E_INVALID_ARGUMENT, TANDEM_E_STALE (the call is over), TANDEM_E_WRONG_STATE, TANDEM_E_BUSY (more than 64
 * requests of the call run), TANDEM_E_REVOKED. Since 1.0.
 */
typedef struct tandem_secret {
    tandem_header header;
    /*
     * [any] Reads a value, within a call in flight: 1 byte to 64 KiB. done: TANDEM_OK; TANDEM_E_UNSUPPORTED (no such
     * name in the manifest), TANDEM_E_NOT_FOUND (nobody has entered it: complete the call with
     * TANDEM_OUTCOME_AUTH_REQUIRED and the name as `grant`), TANDEM_E_REVOKED, TANDEM_E_INTERNAL.
     */
    tandem_status (*get)(const tandem_host *host, tandem_call_id call, tandem_slice name,
                         void *TANDEM_NULLABLE context, tandem_secret_done done);
    /*
     * [any] Which have been entered, without their values: `{"api_key":true,"password":false}`, every declared name.
     * done: TANDEM_OK, TANDEM_E_REVOKED, TANDEM_E_INTERNAL.
     */
    tandem_status (*entered)(const tandem_host *host, tandem_call_id call, void *TANDEM_NULLABLE context,
                             tandem_secret_done done);
} tandem_secret;

TANDEM_STATIC_ASSERT(sizeof(tandem_secret) == 24, "tandem_secret");

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* TANDEM_EXT_SECRET_H */
