/*
 * tandem/plugin.h - what a plugin gives to the host: the entry point, the manifest, one instance per person.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * The functions that a plugin gives are marked nullable because the host checks them: all but get_extension must be set,
 * a table with a null among them is refused with a clear reason.
 */
#ifndef TANDEM_PLUGIN_H
#define TANDEM_PLUGIN_H

#include "base.h"
#include "call.h"
#include "host.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

typedef struct tandem_instance tandem_instance;

/*
 * One plugin for one person. Made by tandem_plugin.create on first use, destroyed when idle; a person's data outlives
 * it in the host's storage. Since 1.0.
 */
struct tandem_instance {
    tandem_header header;
    /* The plugin's own; the host does not touch it. */
    void *TANDEM_NULLABLE context;

    /*
     * [worker] Called once, before the first invoke; host services work from here on. Returns TANDEM_OK or why the
     * instance cannot work; after a failure only destroy follows. Must return within 1 s.
     */
    tandem_status (*TANDEM_NULLABLE activate)(tandem_instance *instance);

    /*
     * [worker] Accepts a call and returns at once (budget: 5 ms). TANDEM_OK: exactly one tandem_host.complete follows or
     * has already been made. Anything else: refused, no completion follows. Several calls may be in flight, up to
     * `limits.maxInFlight` of the manifest. The request and its slices are valid until this returns.
     */
    tandem_status (*TANDEM_NULLABLE invoke)(tandem_instance *instance, const tandem_request *request);

    /*
     * [any] Advisory and idempotent: the plugin still completes the call, normally with TANDEM_E_CANCELLED. `reason` is
     * TANDEM_CANCEL_*. May arrive before invoke returned or after the completion.
     */
    void (*TANDEM_NULLABLE cancel)(tandem_instance *instance, tandem_call_id call, uint32_t reason);

    /*
     * [worker] No invoke follows. Returns TANDEM_OK when no call is in flight, no callback of the host is owed (base.h) and
     * no thread of the instance runs any more; TANDEM_E_BUSY while there still are: the host asks again, up to 5 s, then
     * gives up on the instance.
     */
    tandem_status (*TANDEM_NULLABLE quiesce)(tandem_instance *instance);

    /* [worker] Frees the instance and everything it holds; the table is not used again. Last call. */
    void (*TANDEM_NULLABLE destroy)(tandem_instance *instance);

    /*
     * [any] A table of a plugin-side extension, valid until destroy, or null. Must answer null for ids it does not know.
     * May itself be null when there are none. Legal from the end of create on.
     */
    const void *TANDEM_NULLABLE (*TANDEM_NULLABLE get_extension)(tandem_instance *instance, const char *id);
};

#define TANDEM_INSTANCE_SIZE_1_0 ((uint32_t)64)

typedef struct tandem_plugin tandem_plugin;

/* What the entry point returns: constant, valid for the life of the process. Since 1.0. */
struct tandem_plugin {
    tandem_header header;
    /* The ABI that the plugin was built against, and the lowest minor it can work with. */
    uint32_t abi_major;
    uint32_t abi_minor;
    uint32_t abi_lowest_minor;
    uint32_t reserved; /* 0 */
    /* The plugin's own; the host does not touch it. Lets one set of functions serve several plugins. */
    void *TANDEM_NULLABLE context;

    /*
     * [load] [no-reenter] The manifest as the code has it: JSON (docs/plugins/manifest.md), without what packaging adds
     * (`library`, `files`, `build`). The host compares it with plugin.json and refuses the bundle when they differ. The
     * slice is valid for the life of the process.
     */
    tandem_slice (*TANDEM_NULLABLE manifest)(const tandem_plugin *plugin);

    /*
     * [worker] Makes an instance. The host table is valid until the instance's destroy returns. Must not start threads,
     * read the environment, touch the network or call host services; get_extension is legal. TANDEM_OK and a non-null
     * *instance, or a failure and null. Must return within 1 s. A host may make an instance only to see that it can, and
     * destroy it without activating it.
     */
    tandem_status (*TANDEM_NULLABLE create)(const tandem_plugin *plugin, const tandem_host *host,
                                            tandem_instance *TANDEM_NULLABLE *TANDEM_NONNULL instance);
};

#define TANDEM_PLUGIN_SIZE_1_0 ((uint32_t)48)

/*
 * [load] The only symbol that a plugin exports: tandem_plugin_entry, below. Gets the host's version; returns null when it
 * cannot work with it. Must not start threads, read the environment or touch the network. Called once per process by
 * a host; a tool that examines plugins may call it again with another version. Since 1.0.
 */
typedef const tandem_plugin *TANDEM_NULLABLE (*tandem_plugin_entry_fn)(uint32_t host_major, uint32_t host_minor);

#define TANDEM_PLUGIN_ENTRY_SYMBOL "tandem_plugin_entry"

/* The plugin defines it. Swift's `@c` makes its own declaration. */
#if !defined(__swift__)
TANDEM_EXTERN_C TANDEM_EXPORT const tandem_plugin *TANDEM_NULLABLE tandem_plugin_entry(uint32_t host_major,
                                                                                        uint32_t host_minor);
#endif

TANDEM_STATIC_ASSERT(sizeof(tandem_instance) == TANDEM_INSTANCE_SIZE_1_0, "tandem_instance");
TANDEM_STATIC_ASSERT(offsetof(tandem_instance, activate) == 16, "tandem_instance.activate");
TANDEM_STATIC_ASSERT(sizeof(tandem_plugin) == TANDEM_PLUGIN_SIZE_1_0, "tandem_plugin");
TANDEM_STATIC_ASSERT(offsetof(tandem_plugin, manifest) == 32, "tandem_plugin.manifest");

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* TANDEM_PLUGIN_H */
