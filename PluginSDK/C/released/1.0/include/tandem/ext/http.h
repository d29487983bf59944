/*
 * tandem/ext/http.h - "tandem.http/1": requests to the hosts that the manifest declares, made by the host.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Granted when the manifest declares `hosts`. A plugin opens no socket: it hands a request over and gets an answer. What
 * may be reached is the manifest's `hosts`, cut by the registry's ceiling, for a person who agreed to them; every
 * redirect is checked like the first address, and so is the network address that a name leads to: loopback, link-local,
 * private and other addresses that are no public service's are refused unless the operator configured otherwise.
 *
 * The host speaks TLS 1.2 or later with verified certificates (plain http only where declared), keeps connections, asks
 * for compressed answers and gives back decompressed ones, keeps the limits of the provider and of the person, waits and
 * repeats where repeating is safe, honours Retry-After, stops calling a provider that fails, and keeps a cache.
 *
 * Secrets: a plugin never sees a person's token. It names a grant; the host attaches the token to this request, and to
 * redirects only within the same origin. Nothing of addresses behind the host name, of headers or of bodies is logged.
 *
 * A request belongs to a call in flight. When the call ends, what is left of its requests and streams ends with it.
 */
#ifndef TANDEM_EXT_HTTP_H
#define TANDEM_EXT_HTTP_H

#include "../base.h"
#include "../host.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#define TANDEM_EXT_HTTP "tandem.http/1"

/* A header field. In a request: borrowed like the array it stands in. In a response: see there. Since 1.0. */
typedef struct tandem_http_field {
    tandem_slice name;  /* RFC 9110 token; compared without regard to case */
    tandem_slice value; /* one line, no control characters but tab */
} tandem_http_field;

/*
 * Flags of tandem_http_request.header.flags.
 *
 * CACHE: the answer may come from, and go to, this person's cache for this plugin, by the rules of RFC 9111 (freshness,
 * Vary, validators). Of use for GET; ignored for other methods. What a service marks no-store is not kept.
 */
#define TANDEM_HTTP_CACHE ((uint32_t)1)
/*
 * STALE_IF_ERROR, with CACHE: when the service cannot be reached, is rate-limited or answers 500, 502, 503 or 504, a
 * stored answer that is at most max_stale_ms too old is given instead, marked TANDEM_HTTP_FROM_CACHE and
 * TANDEM_HTTP_STALE: say how old it is. Not for what the service marked must-revalidate.
 */
#define TANDEM_HTTP_STALE_IF_ERROR ((uint32_t)2)
/* REVALIDATE, with CACHE: a stored answer is used only after the service confirmed it just now. */
#define TANDEM_HTTP_REVALIDATE ((uint32_t)4)
/* STREAM: done is called when the headers are there, without a body; the body is then fetched by read. No cache. */
#define TANDEM_HTTP_STREAM ((uint32_t)8)
/* NO_REDIRECT: an answer 3xx is given back as it is. */
#define TANDEM_HTTP_NO_REDIRECT ((uint32_t)16)
/*
 * IDEMPOTENT: sending it twice has the effect of sending it once, although its method (POST, PATCH) does not say so: a
 * search by POST, or a body that carries a key the service honours. GET, HEAD, PUT and DELETE are repeated without it.
 */
#define TANDEM_HTTP_IDEMPOTENT ((uint32_t)32)

/* A request. Everything is copied before send returns. Zero is a good value for what is not needed. Since 1.0. */
typedef struct tandem_http_request {
    tandem_header header; /* flags: TANDEM_HTTP_*; unknown lower bits are ignored, unknown upper bits refused */
    /* GET, HEAD, POST, PUT, PATCH or DELETE. Empty is GET. In a call of a tool of effect `read`, or for a person who
     * allowed reading only, other methods than GET and HEAD are for requests that the manifest lists in `reads`. */
    tandem_slice method;
    /* Absolute, https (http where declared), percent-encoded ASCII, no user information, at most 16 KiB. */
    tandem_slice url;
    /*
     * tandem_http_field, at most 64 and 32 KiB. Not allowed, because they are the host's: Host, Connection, Keep-Alive,
     * Proxy-*, Sec-*, TE, Trailer, Transfer-Encoding, Content-Length, Expect, Upgrade, Via, Forwarded, X-Forwarded-*,
     * X-Real-IP, X-HTTP-Method and its like, Accept-Encoding, Cookie, Idempotency-Key, Range and If-* with CACHE, and
     * Authorization when a grant is named. The header that carries the grant's token replaces one of the same name. A
     * repeated name other than Accept, Accept-Language or Prefer is refused.
     */
    tandem_array headers;
    /* At most 6 MiB. With a body, set Content-Type. */
    tandem_slice body;
    /* The name of a grant of the manifest whose token the host attaches, or empty. */
    tandem_slice grant;
    /*
     * Sent as Idempotency-Key (visible ASCII, at most 255 bytes), and makes the request one that may be repeated. For
     * services that honour it; tandem_request.idempotency_key is a good source. Empty: none.
     */
    tandem_slice idempotency_key;
    /* From send to the last byte, retries and waiting included; cut to the call's deadline. 0: 30 s. */
    uint64_t timeout_ms;
    /* A longer body (decompressed) fails with TANDEM_E_TOO_LARGE. 0: 4 MiB; at most 6 MiB, 256 MiB with STREAM. */
    uint64_t max_response_bytes;
    /* With STALE_IF_ERROR. 0: one day. */
    uint64_t max_stale_ms;
} tandem_http_request;

/* Flags of tandem_http_response.header.flags. FROM_CACHE: age_ms says how old. */
#define TANDEM_HTTP_FROM_CACHE ((uint32_t)1)
/* STALE, with FROM_CACHE: past its time, given because the service failed. Tell the person how old it is. */
#define TANDEM_HTTP_STALE ((uint32_t)2)

/*
 * What came back. Borrowed until done returns, except for body, which passes to the receiver. On a failure the members
 * that do not apply are zero. Since 1.0.
 */
typedef struct tandem_http_response {
    tandem_header header; /* flags: TANDEM_HTTP_FROM_CACHE, TANDEM_HTTP_STALE */
    /* 100-999 of the last answer; 0 when there was none. */
    uint32_t status_code;
    /* How many redirects were followed. */
    uint32_t redirects;
    /* Since the service gave or confirmed this answer. 0 without FROM_CACHE. */
    uint64_t age_ms;
    /* The least time to wait before another try, for TANDEM_E_RATE_LIMITED and TANDEM_E_UNAVAILABLE, and for an answer
     * 429 or 503 that has Retry-After; 0: unknown. */
    uint64_t retry_after_ms;
    /* tandem_http_field; without Set-Cookie and hop-by-hop fields. Content-Encoding and Content-Length are left out when
     * the host decompressed the body. */
    tandem_array headers;
    /* The address that answered, after redirects. */
    tandem_slice url;
    /* On failure, JSON for the author and for logs, without secrets: {"code":"address_not_allowed","message":"…"}. The
     * codes are in docs/plugins/http.md. */
    tandem_slice detail;
    /* Owned by the receiver, which releases it also on failure. Empty with STREAM. */
    tandem_buffer body;
} tandem_http_response;

/*
 * [any] The end of a request, or with STREAM its headers: exactly once, also after cancel, possibly before send returns.
 * `response` is never null. TANDEM_OK for every answer of the service, whatever its status_code. Failures:
 *   TANDEM_E_HOST_NOT_ALLOWED   a redirect or the network address leads where the plugin may not go
 *   TANDEM_E_AUTH_REQUIRED      the person has to connect (again) what the grant names: complete the call with
 *                               TANDEM_OUTCOME_AUTH_REQUIRED. status_code is 401 when the service refused the token.
 *   TANDEM_E_RATE_LIMITED       the limits set for this provider or person do not let it through in time
 *   TANDEM_E_UNAVAILABLE        no connection, a broken one, no valid TLS, or the host has stopped calling a provider
 *                               that fails
 *   TANDEM_E_REJECTED           what came back is no valid HTTP, or too many redirects
 *   TANDEM_E_DEADLINE_EXCEEDED  no answer in time
 *   TANDEM_E_TOO_LARGE          a longer answer than max_response_bytes
 *   TANDEM_E_CANCELLED          by cancel, or because the call was cancelled or ended
 *   TANDEM_E_BUSY               the host has too many requests under way
 *   TANDEM_E_REVOKED            the person withdrew the grant meanwhile
 *   TANDEM_E_INTERNAL           the host failed
 * Whether a failed request had an effect is unknown, unless the code is HOST_NOT_ALLOWED without redirects, AUTH_REQUIRED,
 * RATE_LIMITED or BUSY: then it was not sent. The codes of send may come here as well: see there.
 */
typedef void (*tandem_http_done)(void *TANDEM_NULLABLE context, tandem_status status,
                                 const tandem_http_response *response);

/*
 * [any] The next bytes of a streamed body: exactly once per read, possibly before read returns. `chunk` passes to the
 * receiver. TANDEM_OK and an empty chunk is the end of the body. A failure, with the codes above, is the end too.
 */
typedef void (*tandem_http_chunk)(void *TANDEM_NULLABLE context, tandem_status status, tandem_buffer chunk);

/* Since 1.0. */
typedef struct tandem_http {
    tandem_header header;
    /*
     * [any] Sends a request as part of a call in flight. *id, when not null, is set before done can be called, and names
     * the request for read and cancel; never 0; not reused in the life of the instance. TANDEM_OK: done follows. Anything
     * else: done is not called, nothing was sent and *id is 0: TANDEM_E_INVALID_ARGUMENT (address, method, header, key),
     * TANDEM_E_SIZE_TOO_SMALL, TANDEM_E_UNSUPPORTED (a must-understand flag), TANDEM_E_STALE (the call is over),
     * TANDEM_E_REVOKED, TANDEM_E_WRONG_STATE (before activate), TANDEM_E_HOST_NOT_ALLOWED (not among the declared and
     * allowed hosts), TANDEM_E_NOT_GRANTED (no such grant, a grant for another host, or a method that a reading call may
     * not use), TANDEM_E_TOO_LARGE, TANDEM_E_BUSY (more than 16 requests of this instance under way), TANDEM_E_INTERNAL.
     * A host in another process tells what it has to find out first by done instead.
     */
    tandem_status (*send)(const tandem_host *host, tandem_call_id call, const tandem_http_request *request,
                          void *TANDEM_NULLABLE context, tandem_http_done done, uint64_t *TANDEM_NULLABLE id);
    /*
     * [any] With STREAM, after done was called with TANDEM_OK: asks for up to max_bytes of the body (0: whatever is
     * there, at most 64 KiB; at most 1 MiB), as soon as there are any. The service is slowed down to the pace of reading.
     * One read at a time. TANDEM_OK: chunk follows. Anything else: it does not: TANDEM_E_STALE (no such stream, or it has
     * ended), TANDEM_E_CANCELLED (the host has cut it short, since its call was cancelled or ended), TANDEM_E_WRONG_STATE (a read is under way), TANDEM_E_INVALID_ARGUMENT, TANDEM_E_REVOKED.
     */
    tandem_status (*read)(const tandem_host *host, uint64_t id, uint64_t max_bytes, void *TANDEM_NULLABLE context,
                          tandem_http_chunk chunk);
    /*
     * [any] Ends a request or a stream early; done or chunk, if owed, is called with TANDEM_E_CANCELLED, or with what came
     * first. TANDEM_OK, or TANDEM_E_STALE when there is no such request any more. A stream that was read to its end, or
     * failed, need not be cancelled.
     */
    tandem_status (*cancel)(const tandem_host *host, uint64_t id);
} tandem_http;

TANDEM_STATIC_ASSERT(sizeof(tandem_http_field) == 32, "tandem_http_field");
TANDEM_STATIC_ASSERT(sizeof(tandem_http_request) == 136, "tandem_http_request");
TANDEM_STATIC_ASSERT(offsetof(tandem_http_request, headers) == 40, "tandem_http_request.headers");
TANDEM_STATIC_ASSERT(offsetof(tandem_http_request, timeout_ms) == 112, "tandem_http_request.timeout_ms");
TANDEM_STATIC_ASSERT(sizeof(tandem_http_response) == 120, "tandem_http_response");
TANDEM_STATIC_ASSERT(offsetof(tandem_http_response, body) == 88, "tandem_http_response.body");
TANDEM_STATIC_ASSERT(sizeof(tandem_http) == 32, "tandem_http");

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* TANDEM_EXT_HTTP_H */
