/*
 * tandem/ext/kv.h - "tandem.kv/1": small values by key, for this plugin and this person.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Granted when the manifest lists it in `extensions`. For what needs no table: a cursor, an answer kept for a while, a
 * mark that something was done. A key is 1 to 256 bytes of UTF-8 without control characters; a value is at most 256 KiB
 * of any bytes. What counts towards the quota is the length of keys and values: by default 1,000 entries and 1 MiB, or
 * what the manifest's `quota` says (`kvEntries`, `kvBytes`). The host seals values at rest.
 *
 * A call that may only read may write here all the same: this is the plugin's notebook, not what the person keeps.
 * Values are no part of undo: a write stays when the call that made it fails, is undone or is made again after a crash.
 * Use versions where that matters. Every write of a key gives it a new, greater version; a version is never used again
 * for the same key, also not after the key was removed or has expired.
 *
 * Everything happens within a call in flight. Requests that overlap may take effect in any order; one that is made
 * after the end of another sees its effect.
 */
#ifndef TANDEM_EXT_KV_H
#define TANDEM_EXT_KV_H

#include "../base.h"
#include "../host.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#define TANDEM_EXT_KV "tandem.kv/1"

/* set and remove: whatever is there now. */
#define TANDEM_KV_ANY_VERSION ((uint64_t)0xFFFFFFFFFFFFFFFF)
/* set: only when the key has no value. The version of a key without a value. */
#define TANDEM_KV_NO_VALUE ((uint64_t)0)

/*
 * The answer to get, set, remove, list and usage. The struct is borrowed; its buffer passes to the receiver, which
 * releases it. Since 1.0.
 */
typedef struct tandem_kv_result {
    tandem_header header;
    /* get, set: the version of the value. CONFLICT: the version that is there, or TANDEM_KV_NO_VALUE. Otherwise 0. */
    uint64_t version;
    /* get, set: when the value goes, in milliseconds since 1970-01-01T00:00:00Z, or 0 for never. Otherwise 0. */
    int64_t expires_at_ms;
    /* get: the value. list, usage: JSON. Otherwise empty. */
    tandem_buffer value;
} tandem_kv_result;

/*
 * [any] The end of a request: exactly once, on any thread, possibly before the function that made it returns. `result` is
 * never null; after a failure its value is empty.
 */
typedef void (*tandem_kv_done)(void *TANDEM_NULLABLE context, tandem_status status, const tandem_kv_result *result);

/*
 * Every function copies its slices and answers TANDEM_OK: done follows. Anything else: done is not called:
 * TANDEM_E_INVALID_ARGUMENT (a key that is empty, too long, no UTF-8 or has control characters; a null done),
 * TANDEM_E_TOO_LARGE (the value), TANDEM_E_STALE (the call is over), TANDEM_E_WRONG_STATE, TANDEM_E_BUSY (more than 64
 * requests of the call run), TANDEM_E_REVOKED. Statuses for done besides those named: TANDEM_OK, TANDEM_E_REVOKED,
 * TANDEM_E_INTERNAL. After a failure nothing was changed. Since 1.0.
 */
typedef struct tandem_kv {
    tandem_header header;
    /* [any] Reads a value. done: TANDEM_E_NOT_FOUND when there is none or it has expired. */
    tandem_status (*get)(const tandem_host *host, tandem_call_id call, tandem_slice key,
                         void *TANDEM_NULLABLE context, tandem_kv_done done);
    /*
     * [any] Writes a value when the key's version is `expected`: TANDEM_KV_ANY_VERSION, TANDEM_KV_NO_VALUE, or one that
     * get or set gave. It goes after `ttl_ms` milliseconds; 0 keeps it; at most ten years. done: TANDEM_E_CONFLICT when
     * the version is another, TANDEM_E_OVER_QUOTA. An empty value is a value.
     */
    tandem_status (*set)(const tandem_host *host, tandem_call_id call, tandem_slice key, tandem_slice value,
                         uint64_t expected, uint64_t ttl_ms, void *TANDEM_NULLABLE context, tandem_kv_done done);
    /*
     * [any] Removes a value when the key's version is `expected`: TANDEM_KV_ANY_VERSION or one that get or set gave.
     * done: TANDEM_E_NOT_FOUND, TANDEM_E_CONFLICT.
     */
    tandem_status (*remove)(const tandem_host *host, tandem_call_id call, tandem_slice key, uint64_t expected,
                            void *TANDEM_NULLABLE context, tandem_kv_done done);
    /*
     * [any] Lists keys that start with `prefix` (may be empty), in the order of their bytes, those after `after` (may
     * be empty) only, at most `limit` (1 to 1000; 0 means 100). The value is
     * `{"entries":[{"key":"cursor","version":"7","bytes":120,"expiresAt":"2026-11-21T10:00:00.000Z"}],"more":false}`;
     * `expiresAt` is null for a value that stays. To go on, pass the last key as `after`.
     */
    tandem_status (*list)(const tandem_host *host, tandem_call_id call, tandem_slice prefix, tandem_slice after,
                          uint32_t limit, void *TANDEM_NULLABLE context, tandem_kv_done done);
    /* [any] The value is `{"entries":12,"bytes":4096,"quota":{"entries":1000,"bytes":1048576}}`. */
    tandem_status (*usage)(const tandem_host *host, tandem_call_id call, void *TANDEM_NULLABLE context,
                           tandem_kv_done done);
} tandem_kv;

TANDEM_STATIC_ASSERT(sizeof(tandem_kv_result) == 56, "tandem_kv_result");
TANDEM_STATIC_ASSERT(offsetof(tandem_kv_result, value) == 24, "tandem_kv_result.value");
TANDEM_STATIC_ASSERT(sizeof(tandem_kv) == 48, "tandem_kv");

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* TANDEM_EXT_KV_H */
