/*
 * The shared part of the plugin fixtures: a whole small plugin, of which each fixture replaces one piece by a macro.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <tandem/tandem.h>
#include <unistd.h>

#ifndef ID
#define ID "test.fixture"
#endif
#ifndef NAMESPACE
#define NAMESPACE "fixture"
#endif
#ifndef ABI
#define ABI "{\"major\":1,\"minor\":0}"
#endif
/* A test that needs an image of its own puts other digits here, in the compiled file. */
#ifndef SALT
#define SALT "salt-0000000000000000"
#endif
#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef MORE
#define MORE ""
#endif
#ifndef TOOLS
#define TOOLS                                                                                                          \
    "{\"id\":\"" NAMESPACE ".run\",\"title\":\"Run\",\"description\":\"Answers with its arguments.\","                 \
    "\"parameters\":{\"type\":\"object\",\"properties\":{\"value\":{}},\"additionalProperties\":false},"               \
    "\"effect\":\"read\"}"
#endif
#ifndef MANIFEST
#define MANIFEST                                                                                                       \
    "{\"manifest\":1,\"id\":\"" ID "\",\"namespace\":\"" NAMESPACE "\",\"name\":\"Fixture\",\"version\":\"" VERSION "\","    \
    "\"summary\":\"A fixture.\",\"license\":\"" SALT "\",\"abi\":" ABI "," MORE "\"tools\":[" TOOLS "]}"
#endif

typedef struct plugin_instance {
    tandem_instance table;
    const tandem_host *host;
} plugin_instance;

static tandem_buffer text(const char *string) {
    tandem_buffer buffer = {(const uint8_t *)string, strlen(string), NULL, NULL};
    return buffer;
}

static inline tandem_outcome outcome_of(uint32_t kind) {
    tandem_outcome outcome;
    memset(&outcome, 0, sizeof outcome);
    outcome.header.size = sizeof outcome;
    outcome.kind = kind;
    return outcome;
}

static inline tandem_status default_activate(tandem_instance *instance) {
    (void)instance;
    return TANDEM_OK;
}

static inline tandem_status default_invoke(tandem_instance *instance, const tandem_request *request) {
    plugin_instance *self = (plugin_instance *)instance;
    if (request->header.size < sizeof *request) return TANDEM_E_SIZE_TOO_SMALL;
    tandem_outcome outcome = outcome_of(TANDEM_OUTCOME_VALUE);
    uint8_t *copy = malloc(request->arguments.len + 1);
    if (copy == NULL) return TANDEM_E_NO_MEMORY;
    memcpy(copy, request->arguments.ptr, request->arguments.len);
    outcome.value = (tandem_buffer){copy, request->arguments.len, copy, free};
    outcome.message = text("Done.");
    return self->host->complete(self->host, request->call, &outcome);
}

static inline void default_cancel(tandem_instance *instance, tandem_call_id call, uint32_t reason) {
    (void)instance;
    (void)call;
    (void)reason;
}

static inline tandem_status default_quiesce(tandem_instance *instance) {
    (void)instance;
    return TANDEM_OK;
}

static inline void default_destroy(tandem_instance *instance) { free(instance); }

#ifndef ACTIVATE
#define ACTIVATE default_activate
#endif
#ifndef INVOKE
#define INVOKE default_invoke
#endif
#ifndef CANCEL
#define CANCEL default_cancel
#endif
#ifndef QUIESCE
#define QUIESCE default_quiesce
#endif
#ifndef DESTROY
#define DESTROY default_destroy
#endif
#ifndef INSTANCE_SIZE
#define INSTANCE_SIZE sizeof(tandem_instance)
#endif
#ifndef PLUGIN_SIZE
#define PLUGIN_SIZE sizeof(tandem_plugin)
#endif
#ifndef ABI_MAJOR
#define ABI_MAJOR TANDEM_ABI_MAJOR
#endif
#ifndef ABI_MINOR
#define ABI_MINOR TANDEM_ABI_MINOR
#endif
#ifndef ABI_LOWEST
#define ABI_LOWEST 0
#endif

static inline tandem_status default_create(const tandem_plugin *plugin, const tandem_host *host,
                                           tandem_instance **out) {
    (void)plugin;
    plugin_instance *self = calloc(1, sizeof *self);
    if (self == NULL) return TANDEM_E_NO_MEMORY;
    self->host = host;
    self->table.header.size = (uint32_t)(INSTANCE_SIZE);
    self->table.activate = ACTIVATE;
    self->table.invoke = INVOKE;
    self->table.cancel = CANCEL;
    self->table.quiesce = QUIESCE;
    self->table.destroy = DESTROY;
#ifdef GET_EXTENSION
    self->table.get_extension = GET_EXTENSION;
#endif
    *out = &self->table;
    return TANDEM_OK;
}

static inline tandem_slice default_manifest(const tandem_plugin *plugin) {
    (void)plugin;
    static const char manifest[] = MANIFEST;
    tandem_slice slice = {(const uint8_t *)manifest, sizeof manifest - 1};
    return slice;
}

#ifndef CREATE
#define CREATE default_create
#endif
#ifndef MANIFEST_FUNCTION
#define MANIFEST_FUNCTION default_manifest
#endif

#ifndef OWN_ENTRY
TANDEM_EXTERN_C TANDEM_EXPORT const tandem_plugin *tandem_plugin_entry(uint32_t major, uint32_t minor) {
    static tandem_plugin plugin;
    (void)minor;
    if (major != TANDEM_ABI_MAJOR) return NULL;
    plugin.header.size = (uint32_t)(PLUGIN_SIZE);
    plugin.abi_major = ABI_MAJOR;
    plugin.abi_minor = ABI_MINOR;
    plugin.abi_lowest_minor = ABI_LOWEST;
    plugin.manifest = MANIFEST_FUNCTION;
    plugin.create = CREATE;
    return &plugin;
}
#endif

#endif
