/*
 * tandem_foreign.h - a plain C library as a plugin: the `foreign` section of a manifest, presented as a tandem_plugin.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Only for the isolated runner: a signature that does not fit its function corrupts memory, and nothing can find out
 * before. The host has checked the manifest (Host/PluginHost/Manifest); what is read here is checked again as far as
 * memory safety of the adapter itself depends on it.
 */
#ifndef TANDEM_FOREIGN_H
#define TANDEM_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

/* tandem/plugin.h. */
struct tandem_plugin;

/* Where a manifest-only plugin comes from. Nothing is kept after tandem_foreign_open. */
struct tandem_foreign_source {
    const char *manifest; /* the bytes of plugin.json, as the host checked them */
    size_t manifest_length;
    int folder; /* the bundle's folder, open for reading; its files are read, hashed and copied to sealed memory */
};

/* True when the manifest has a `foreign` section: the bundle then has no entry of its own. */
bool tandem_foreign_is(const char *manifest, size_t length);

/*
 * Maps the library, finds every symbol, prepares every call. Runs the library's initialisers. To be called once per
 * bundle, before the sandbox is closed: opens files and maps code. Null, with the reason as one NUL-terminated line, when
 * something is missing or inconsistent. The table is valid until tandem_foreign_close.
 */
const struct tandem_plugin *tandem_foreign_open(const struct tandem_foreign_source *source, char *reason, size_t capacity);

/* Frees what open made, the mapped library excepted. No instance may be left. For tests; a runner just ends. */
void tandem_foreign_close(const struct tandem_plugin *plugin);

#endif
