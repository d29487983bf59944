/*
 * tandem/ext/config_check.h - "tandem.config-check/1": the plugin tries settings before they are saved.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * A plugin-side extension: tandem_instance.get_extension answers it. Without it the host saves whatever matches the
 * schema.
 */
#ifndef TANDEM_EXT_CONFIG_CHECK_H
#define TANDEM_EXT_CONFIG_CHECK_H

#include "../base.h"
#include "../plugin.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#define TANDEM_EXT_CONFIG_CHECK "tandem.config-check/1"

/* Since 1.0. */
typedef struct tandem_config_check {
    tandem_header header;
    /*
     * [worker] Tries settings. A call like any other: the same rules as tandem_instance.invoke for its return, cancel
     * and its one tandem_host.complete; host services work in it, read-only. `tool` of the request is
     * TANDEM_EXT_CONFIG_CHECK, `arguments` are
     *
     *   {"values":{"url":"https://…","language":"en"},"changed":["url"]}
     *
     * `values` are what would hold once saved, with defaults filled in, valid against the schema; tandem.config/1 still
     * gives the old ones. The outcome is a VALUE with
     *
     *   {"problems":[{"name":"url","message":"This address does not answer."}]}
     *
     * `name` is a setting, or empty for all together; no problems: they are saved. A TOOL_ERROR says that they could
     * not be tried: they are saved only when the person insists. 30 s.
     */
    tandem_status (*TANDEM_NULLABLE check)(tandem_instance *instance, const tandem_request *request);
} tandem_config_check;

TANDEM_STATIC_ASSERT(sizeof(tandem_config_check) == 16, "tandem_config_check");

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* TANDEM_EXT_CONFIG_CHECK_H */
