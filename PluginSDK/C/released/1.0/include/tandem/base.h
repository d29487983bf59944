/*
 * tandem/base.h - scalar types, slices, buffers, arrays, struct headers and status codes of the Tandem plugin ABI.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * A plugin is a shared library that exports one function, tandem_plugin_entry (plugin.h). The host gives it one table
 * of functions per person (host.h); the plugin gives the host one table per person (plugin.h); calls are described by
 * plain structs (call.h); everything else is an extension, looked up by name (ext/).
 *
 * Life cycle:
 *   tandem_plugin_entry -> create -> activate -> invoke* -> quiesce -> destroy
 *
 * The ABI is transport-neutral. The host may live in the same process or in another one; a plugin cannot tell and must
 * not try. That is why calls have ids and not pointers, and why every byte range says its length.
 *
 * Version rule (POLICY.md): what is released never changes. Structs grow at their end and say their size; functions are
 * added at the end of a table; anything larger is a new extension. A field or function is there when
 * TANDEM_HAS(type, pointer, field) holds.
 *
 * Strings are UTF-8. Identifiers passed as `const char *` end with a NUL byte and are ASCII; all other text is a
 * tandem_slice without a NUL. JSON is RFC 8259; object keys are unique.
 *
 * Requests and their ends: a function of the host that takes a `done` callback answers TANDEM_OK when done will be called:
 * exactly once, whatever becomes of the call meanwhile, possibly on the same thread before the function returns, so hold
 * no lock that done takes. It answers anything else when done will not be called. While one is owed the instance is not at
 * rest, and tandem_instance.quiesce answers TANDEM_E_BUSY. A struct given to done is never null unless its comment says
 * so; it is borrowed until done returns.
 *
 * Codes: besides those that its comment lists, a function of the host may answer, or end with, TANDEM_E_INVALID_ARGUMENT (a
 * null where none is allowed, a null slice with a length), TANDEM_E_WRONG_STATE (before activate, or after quiesce answered
 * TANDEM_OK), TANDEM_E_NOT_GRANTED, TANDEM_E_REVOKED, TANDEM_E_STALE, TANDEM_E_BUSY (too many requests at once),
 * TANDEM_E_NO_MEMORY, TANDEM_E_CANCELLED, TANDEM_E_DEADLINE_EXCEEDED, TANDEM_E_UNAVAILABLE (the host or the plugin's process
 * is going down) and TANDEM_E_INTERNAL. A code that a reader does not know means what its range means.
 *
 * The process belongs to the host. A plugin leaves its locale (which is "C": numbers have a point), environment, working
 * folder, umask, signal handlers and standard streams as they are; it does not fork or exit. Threads are its own affair
 * from activate on, as long as quiesce sees them end. A function of the plugin has at least 256 KiB of stack.
 *
 * Trust: the host does not trust a plugin. It checks every value that comes back; it answers misuse with a status and
 * never with undefined behaviour where it can tell. A plugin may trust the host: arguments have been validated against
 * the plugin's own schema, pointers are what this header says.
 *
 * Thread classes, used in brackets on every function:
 *   [any]      from any thread, at any time in the object's life, also at the same time as other calls
 *   [worker]   on a host thread; never two at the same time for one instance, but at the same time for different ones
 *   [load]     once per library, before anything else, single-threaded
 *   [no-reenter] must not call the host before it returns
 */
#ifndef TANDEM_BASE_H
#define TANDEM_BASE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
#define TANDEM_EXTERN_C extern "C"
#define TANDEM_STATIC_ASSERT(condition, message) static_assert(condition, message)
#else
#define TANDEM_EXTERN_C extern
#define TANDEM_STATIC_ASSERT(condition, message) _Static_assert(condition, message)
#endif

#if defined(__clang__)
#define TANDEM_NULLABLE _Nullable
#define TANDEM_NONNULL _Nonnull
#else
#define TANDEM_NULLABLE
#define TANDEM_NONNULL
#endif

#if defined(__GNUC__) || defined(__clang__)
#define TANDEM_EXPORT __attribute__((visibility("default")))
#else
#define TANDEM_EXPORT
#endif

/* The version of these headers. A host of the same major and any minor loads the plugin (plugin.h). Since 1.0. */
#define TANDEM_ABI_MAJOR 1u
#define TANDEM_ABI_MINOR 0u

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

/*
 * First member of every struct and function table. The side that fills the struct sets size to its own sizeof; the side
 * that reads ignores what lies beyond the fields it knows. flags is 0 unless the struct says otherwise; the upper 16
 * bits are "must understand": a reader that meets an unknown one refuses with TANDEM_E_UNSUPPORTED. Since 1.0.
 */
typedef struct tandem_header {
    uint32_t size;
    uint32_t flags;
} tandem_header;

#define TANDEM_FLAGS_MUST_UNDERSTAND 0xFFFF0000u

/*
 * True when the struct behind `pointer` is long enough to hold `field`. Test a function pointer against null as well.
 * A reader requires no more than the size that a struct had when it was released, TANDEM_…_SIZE_1_0 or up to its last field
 * of then: sizeof is larger in headers of a later minor, and would refuse the other side's older struct.
 */
#define TANDEM_HAS(type, pointer, field) \
    ((pointer)->header.size >= offsetof(type, field) + sizeof(((type *)0)->field))

/*
 * Borrowed bytes: valid until the function they were passed to returns, unless that function says otherwise.
 * ptr may be null only when len is 0. Since 1.0.
 */
typedef struct tandem_slice {
    const uint8_t *TANDEM_NULLABLE ptr;
    uint64_t len;
} tandem_slice;

/*
 * Who owns what, in one rule each:
 *   a tandem_slice that a function gets is borrowed until that function returns; copy what is needed later;
 *   a tandem_buffer passes to its receiver: in an outcome given to complete, in a result given to a `done` callback, in
 *   an `out` parameter. An `out` buffer is empty when the function fails.
 */

/*
 * Owned bytes that carry their own way of being freed, so that no allocator has to match across the boundary.
 * The receiver calls release(owner) exactly once, when it no longer needs the bytes, from any thread; release may be
 * null when nothing has to be freed (static data). An empty buffer is all zeros. Since 1.0.
 */
typedef struct tandem_buffer {
    const uint8_t *TANDEM_NULLABLE ptr;
    uint64_t len;
    void *TANDEM_NULLABLE owner;
    void (*TANDEM_NULLABLE release)(void *TANDEM_NULLABLE owner); /* [any] [no-reenter] */
} tandem_buffer;

/*
 * `count` elements, `stride` bytes apart, so that the element type may grow. Element i is at first + i * stride.
 * Borrowed like a slice. Since 1.0.
 */
typedef struct tandem_array {
    const void *TANDEM_NULLABLE first;
    uint64_t count;
    uint64_t stride;
} tandem_array;

/*
 * A call in flight: made by the host, unique in the life of the process, generation-tagged. Never 0. Using one after its
 * completion gives TANDEM_E_STALE or TANDEM_E_ALREADY_DONE and nothing else. Since 1.0.
 */
typedef uint64_t tandem_call_id;

/* 0 is success, negative is failure; positive values are reserved. The ranges are closed for others. Since 1.0. */
typedef int32_t tandem_status;

#define TANDEM_OK ((tandem_status)0)

/* -1 … -19: the contract was broken. */
#define TANDEM_E_INVALID_ARGUMENT ((tandem_status)-1) /* a value that the function's comment excludes */
#define TANDEM_E_UNSUPPORTED ((tandem_status)-2)      /* unknown tool, flag, kind or operation */
#define TANDEM_E_WRONG_STATE ((tandem_status)-3)      /* not legal now, e.g. host services before activate */
#define TANDEM_E_STALE ((tandem_status)-4)            /* the call id is unknown, completed or given up */
#define TANDEM_E_ALREADY_DONE ((tandem_status)-5)     /* a second completion */
#define TANDEM_E_WRONG_THREAD ((tandem_status)-6)
#define TANDEM_E_SIZE_TOO_SMALL ((tandem_status)-7)   /* a struct's size does not cover its required fields */
#define TANDEM_E_NOT_FOUND ((tandem_status)-8)        /* no such row, key or name */
#define TANDEM_E_CONFLICT ((tandem_status)-9)         /* a unique index, a reference or a changed row forbids it */

/* -20 … -39: a resource ran out. */
#define TANDEM_E_NO_MEMORY ((tandem_status)-20)
#define TANDEM_E_OVER_QUOTA ((tandem_status)-21)
#define TANDEM_E_BUSY ((tandem_status)-22)            /* too many calls in flight; try again later */
#define TANDEM_E_DEADLINE_EXCEEDED ((tandem_status)-23)
#define TANDEM_E_CANCELLED ((tandem_status)-24)
#define TANDEM_E_TOO_LARGE ((tandem_status)-25)

/* -40 … -59: policy. */
#define TANDEM_E_NOT_GRANTED ((tandem_status)-40)     /* not asked for in the manifest, or not granted by the person */
#define TANDEM_E_HOST_NOT_ALLOWED ((tandem_status)-41)
#define TANDEM_E_CONFIRMATION_DENIED ((tandem_status)-42)
#define TANDEM_E_REVOKED ((tandem_status)-43)         /* was granted, no longer is */

/* -60 … -79: the world outside. */
#define TANDEM_E_AUTH_REQUIRED ((tandem_status)-60)
#define TANDEM_E_RATE_LIMITED ((tandem_status)-61)
#define TANDEM_E_UNAVAILABLE ((tandem_status)-62)
#define TANDEM_E_REJECTED ((tandem_status)-63)

/* -99: the host failed; nothing was changed unless the function says otherwise. */
#define TANDEM_E_INTERNAL ((tandem_status)-99)

/* -100 … -199: the plugin's own, opaque to the host. */
#define TANDEM_E_PLUGIN_FIRST ((tandem_status)-100)
#define TANDEM_E_PLUGIN_LAST ((tandem_status)-199)

TANDEM_STATIC_ASSERT(sizeof(void *) == 8, "the Tandem ABI is defined for 64-bit platforms");
TANDEM_STATIC_ASSERT(sizeof(tandem_header) == 8, "tandem_header");
TANDEM_STATIC_ASSERT(sizeof(tandem_slice) == 16, "tandem_slice");
TANDEM_STATIC_ASSERT(sizeof(tandem_buffer) == 32, "tandem_buffer");
TANDEM_STATIC_ASSERT(sizeof(tandem_array) == 24, "tandem_array");
TANDEM_STATIC_ASSERT(offsetof(tandem_buffer, release) == 24, "tandem_buffer.release");

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* TANDEM_BASE_H */
