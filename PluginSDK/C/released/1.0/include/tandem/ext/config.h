/*
 * tandem/ext/config.h - "tandem.config/1": the settings of this plugin, the operator's and the person's merged.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Granted when the manifest has a `config` schema. Values have been validated against it; secrets never are in here.
 */
#ifndef TANDEM_EXT_CONFIG_H
#define TANDEM_EXT_CONFIG_H

#include "../base.h"
#include "../host.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#define TANDEM_EXT_CONFIG "tandem.config/1"

/* Since 1.0. */
typedef struct tandem_config {
    tandem_header header;
    /* [any] The whole configuration as a JSON object with defaults filled in. The receiver releases it. TANDEM_OK. */
    tandem_status (*values)(const tandem_host *host, tandem_buffer *out);
    /* [any] A number that changes whenever a value changes: read values again when it does. Does not fail. */
    uint64_t (*generation)(const tandem_host *host);
} tandem_config;

TANDEM_STATIC_ASSERT(sizeof(tandem_config) == 24, "tandem_config");

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* TANDEM_EXT_CONFIG_H */
