/*
 * tandem/ext/log.h - "tandem.log/1": lines in the host's structured log.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Always granted. The host adds plugin, version, a pseudonym of the person and the call. Never log what a person wrote,
 * a token, an address or a number: the host redacts what it recognises, but it cannot recognise everything.
 */
#ifndef TANDEM_EXT_LOG_H
#define TANDEM_EXT_LOG_H

#include "../base.h"
#include "../host.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#define TANDEM_EXT_LOG "tandem.log/1"

#define TANDEM_LOG_DEBUG ((uint32_t)1)
#define TANDEM_LOG_INFO ((uint32_t)2)
#define TANDEM_LOG_WARNING ((uint32_t)3)
#define TANDEM_LOG_ERROR ((uint32_t)4)
#define TANDEM_LOG_HOST_MISBEHAVING ((uint32_t)5) /* the host broke this contract, as the plugin sees it */

/* Since 1.0. */
typedef struct tandem_log {
    tandem_header header;
    /*
     * [any] Writes a line: a constant `message` and `fields`, a JSON object or empty. `call` is 0 outside calls. Lines
     * longer than 4 KiB are cut, more than 100 a second and instance are dropped and counted. TANDEM_OK;
     * TANDEM_E_INVALID_ARGUMENT for an unknown level, invalid UTF-8 or JSON; what a host in another process finds out later
     * is dropped.
     */
    tandem_status (*write)(const tandem_host *host, uint32_t level, tandem_call_id call, tandem_slice message,
                           tandem_slice fields);
} tandem_log;

TANDEM_STATIC_ASSERT(sizeof(tandem_log) == 16, "tandem_log");

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* TANDEM_EXT_LOG_H */
