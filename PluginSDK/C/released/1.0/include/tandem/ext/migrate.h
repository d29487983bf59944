/*
 * tandem/ext/migrate.h - "tandem.migrate/1": stored data and settings from one version to another.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * A plugin-side extension: tandem_instance.get_extension answers it. Changes that a later manifest may make by itself
 * (new tables, new columns with a default; docs/plugins/manifest.md) need none of this.
 */
#ifndef TANDEM_EXT_MIGRATE_H
#define TANDEM_EXT_MIGRATE_H

#include "../base.h"
#include "../plugin.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

#define TANDEM_EXT_MIGRATE "tandem.migrate/1"

/* Since 1.0. */
typedef struct tandem_migrate {
    tandem_header header;
    /*
     * [worker] Called after activate and before the first invoke of a person whose data an earlier version wrote; never
     * for somebody new. A call like any other: the same rules as tandem_instance.invoke for its return, cancel and its
     * one tandem_host.complete; host services work in it, tandem.rows/1 and tandem.kv/1 may write. `tool` of the
     * request is TANDEM_EXT_MIGRATE, `arguments` are
     *
     *   {"from":"1.2.0","to":"1.4.1","config":{"url":"https://…"}}
     *
     * `config` is what the person had set, as it was saved: it may not match the schema of now. The outcome is a VALUE
     * with `{}`, or with `{"config":{…}}` to replace those settings; they must match the schema. `from` may also be
     * later than `to`: a rollback; answer a TOOL_ERROR with TANDEM_E_UNSUPPORTED when the data cannot be read.
     *
     * Once it has succeeded it is never called again for the same person and versions. Rows that a failed or
     * interrupted one wrote are rolled back; until one succeeds the person's calls are answered that the plugin is
     * unavailable, and it is tried again with growing delay. 60 s.
     */
    tandem_status (*TANDEM_NULLABLE migrate)(tandem_instance *instance, const tandem_request *request);
} tandem_migrate;

TANDEM_STATIC_ASSERT(sizeof(tandem_migrate) == 16, "tandem_migrate");

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* TANDEM_EXT_MIGRATE_H */
