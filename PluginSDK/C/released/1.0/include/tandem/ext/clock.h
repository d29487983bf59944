/*
 * tandem/ext/clock.h - "tandem.clock/1": the time as the host and the person have it.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Always granted. Use it instead of the system's clock: tests and replays set it.
 */
#ifndef TANDEM_EXT_CLOCK_H
#define TANDEM_EXT_CLOCK_H

#include "../base.h"
#include "../host.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#define TANDEM_EXT_CLOCK "tandem.clock/1"

/* Since 1.0. */
typedef struct tandem_clock {
    tandem_header header;
    /* [any] Milliseconds since 1970-01-01T00:00:00Z. Does not fail. */
    int64_t (*now_ms)(const tandem_host *host);
    /* [any] Nanoseconds of CLOCK_MONOTONIC, the base of tandem_request.deadline_ns. Does not fail. */
    uint64_t (*monotonic_ns)(const tandem_host *host);
    /* [any] Seconds to add to UTC to get the person's local time at that instant, e.g. 3600. Does not fail. */
    int32_t (*utc_offset_at)(const tandem_host *host, int64_t unix_ms);
    /*
     * [any] The person's time zone (IANA name, `Europe/Paris`), currency (ISO 4217) and language (BCP 47) as a JSON
     * object `{"timeZone":…,"currency":…,"language":…}`. The receiver releases the buffer. TANDEM_OK.
     */
    tandem_status (*locale)(const tandem_host *host, tandem_buffer *out);
} tandem_clock;

TANDEM_STATIC_ASSERT(sizeof(tandem_clock) == 40, "tandem_clock");

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* TANDEM_EXT_CLOCK_H */
