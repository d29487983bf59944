/*
 * tandem/ext/diagnostics.h - "tandem.diagnostics/1": what the plugin's author needs to see when something is wrong.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * A plugin-side extension: tandem_instance.get_extension answers it. The operator asks for it, reads it and may send it
 * on.
 */
#ifndef TANDEM_EXT_DIAGNOSTICS_H
#define TANDEM_EXT_DIAGNOSTICS_H

#include "../base.h"
#include "../plugin.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#define TANDEM_EXT_DIAGNOSTICS "tandem.diagnostics/1"

/* Since 1.0. */
typedef struct tandem_diagnostics {
    tandem_header header;
    /*
     * [worker] Describes the instance's inner state: sizes, counts, ages, versions, the last error; nothing that a
     * person wrote, no secret, no address. A call like any other: the same rules as tandem_instance.invoke for its
     * return, cancel and its one tandem_host.complete; host services work in it, read-only. `tool` of the request is
     * TANDEM_EXT_DIAGNOSTICS, `arguments` are `{}`. The outcome is a VALUE with any JSON object of at most 256 KiB. The
     * host masks what it recognises as private, but it cannot recognise everything. 10 s.
     */
    tandem_status (*TANDEM_NULLABLE dump)(tandem_instance *instance, const tandem_request *request);
} tandem_diagnostics;

TANDEM_STATIC_ASSERT(sizeof(tandem_diagnostics) == 16, "tandem_diagnostics");

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* TANDEM_EXT_DIAGNOSTICS_H */
