/*
 * tandem/ext/rows.h - "tandem.rows/1": the plugin's own tables, for this person.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Granted when the manifest declares tables. The plugin sees only its own tables and only this person's rows. Writes
 * happen within a call and are journalled: the person can undo them, and a call that was interrupted by a crash is
 * rolled back before it is made again. Nothing stays of what a call wrote that ended with TOOL_ERROR, was refused by
 * invoke, or was given up by the host (deadline, cancel, end of the process). What it wrote before INPUT_REQUIRED stays:
 * ask first, write then.
 *
 * A request is a JSON array of operations, executed in order in one transaction: all or none. An operation is an object
 * with exactly one of these members and the ones listed with it:
 *
 *   {"insert":TABLE,"values":{COLUMN:VALUE,…}}                                        -> {"id":"7123"}
 *   {"get":TABLE,"id":ID}                                                             -> {"row":{…}} or {"row":null}
 *   {"update":TABLE,"id":ID,"set":{…}}  or  {"update":TABLE,"where":[…],"set":{…}}    -> {"count":1}
 *   {"delete":TABLE,"id":ID}            or  {"delete":TABLE,"where":[…]}              -> {"count":1}
 *   {"list":TABLE,"where":[…],"order":[[COLUMN,"asc"|"desc"],…],"limit":50,"offset":0} -> {"rows":[…],"more":false}
 *   {"count":TABLE,"where":[…]}                                                       -> {"count":3}
 *   {"sum":TABLE,"column":COLUMN,"by":[COLUMN,…],"where":[…]}      -> {"groups":[{"key":{…},"sum":"12.50","count":3}]}
 *
 * `where` is a list of conditions that must all hold: [COLUMN,OPERATOR,VALUE] with eq, ne, lt, le, gt, ge; "in" with an
 * array of at most 200 values; "contains" (case-insensitive text); or [COLUMN,"null"] / [COLUMN,"set"]. A sealed column
 * knows eq, ne, in, null and set only. `id`, `created_at` and `updated_at` may be used like columns. `limit` is at most
 * 500, 100 by default. Values have the JSON form of their column type: decimals and ids are strings ("3.20", "7123"),
 * dates "2026-11-21", timestamps "2026-11-21T10:00:00.000Z". In `values` and `set` an id may refer to a row inserted by
 * an earlier operation of the same request: {"result":0} is the id of operation 0. Rows come back with all columns, `id`,
 * `created_at` and `updated_at`; a null value is present as null.
 *
 * The answer is a JSON array with one result per operation. On failure it is an object:
 * {"code":"not_null","operation":2,"column":"name","message":"…"}.
 */
#ifndef TANDEM_EXT_ROWS_H
#define TANDEM_EXT_ROWS_H

#include "../base.h"
#include "../host.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#define TANDEM_EXT_ROWS "tandem.rows/1"

/*
 * [any] The end of a request: exactly once, on any thread, possibly before execute returns. `result` passes to the
 * receiver, which releases it. After a failure nothing was changed.
 */
typedef void (*tandem_rows_done)(void *TANDEM_NULLABLE context, tandem_status status, tandem_buffer result);

/* Since 1.0. */
typedef struct tandem_rows {
    tandem_header header;
    /*
     * [any] Executes operations for a call in flight. The slice is copied. TANDEM_OK: done follows. Anything else: done
     * is not called: TANDEM_E_STALE (the call is over), TANDEM_E_REVOKED, TANDEM_E_TOO_LARGE (over 1 MiB). Statuses for
     * done: TANDEM_OK, TANDEM_E_INVALID_ARGUMENT (malformed or wrong type), TANDEM_E_NOT_FOUND (unknown table), TANDEM_E_NOT_GRANTED (a
     * write in a call of a read-only tool or grant), TANDEM_E_CONFLICT (unique index, reference), TANDEM_E_OVER_QUOTA,
     * TANDEM_E_STALE, TANDEM_E_INTERNAL.
     */
    tandem_status (*execute)(const tandem_host *host, tandem_call_id call, tandem_slice operations,
                             void *TANDEM_NULLABLE context, tandem_rows_done done);
} tandem_rows;

TANDEM_STATIC_ASSERT(sizeof(tandem_rows) == 16, "tandem_rows");

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* TANDEM_EXT_ROWS_H */
