/*
 * tandem/ext/health.h - "tandem.health/1": the plugin says how it is.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * A plugin-side extension: tandem_instance.get_extension answers it. Without it the host judges by the calls alone.
 */
#ifndef TANDEM_EXT_HEALTH_H
#define TANDEM_EXT_HEALTH_H

#include "../base.h"
#include "../plugin.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#define TANDEM_EXT_HEALTH "tandem.health/1"

/* Since 1.0. */
typedef struct tandem_health {
    tandem_header header;
    /*
     * [worker] Says whether the plugin could work now, without changing anything. A call like any other: the same rules
     * as tandem_instance.invoke for its return, cancel and its one tandem_host.complete; host services work in it,
     * read-only. `tool` of the request is TANDEM_EXT_HEALTH, `arguments` are `{}`. The outcome is a VALUE with
     *
     *   {"status":"degraded","checks":[{"name":"search service","status":"failing","message":"no answer in 2 s"}]}
     *
     * Each status is `ok`, `degraded` (works in part) or `failing`; `checks` may be left out, at most 32. Anything else
     * that comes back counts as failing. Nothing that a person wrote belongs in it. 5 s.
     */
    tandem_status (*TANDEM_NULLABLE check)(tandem_instance *instance, const tandem_request *request);
} tandem_health;

TANDEM_STATIC_ASSERT(sizeof(tandem_health) == 16, "tandem_health");

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* TANDEM_EXT_HEALTH_H */
