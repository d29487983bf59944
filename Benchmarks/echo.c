/* The C counterpart of the benchmark's Swift plugin: gives back its arguments, at once. SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <tandem/tandem.h>

typedef struct echo {
    tandem_instance table;
    const tandem_host *host;
} echo;

#define THINGS                                                                                                         \
    "{\"type\":\"object\",\"properties\":{\"items\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":" \
    "{\"name\":{\"type\":\"string\"},\"quantity\":{\"type\":\"string\"},\"unit\":{\"type\":\"string\"}},"             \
    "\"required\":[\"name\"],\"additionalProperties\":false}}},\"required\":[\"items\"],"                              \
    "\"additionalProperties\":false}"

static const char manifest[] =
    "{\"manifest\":1,\"id\":\"tandem.bench-cecho\",\"namespace\":\"cbench\",\"name\":\"C echo\",\"version\":\"1.0.0\","
    "\"summary\":\"Gives back what it gets.\",\"abi\":{\"major\":1,\"minor\":0},\"tools\":[{\"id\":\"cbench.give\","
    "\"title\":\"Give back\",\"description\":\"Gives back the things that it gets.\",\"parameters\":" THINGS
    ",\"result\":" THINGS ",\"effect\":\"read\"}]}";

static tandem_slice get_manifest(const tandem_plugin *plugin) {
    (void)plugin;
    return (tandem_slice){(const uint8_t *)manifest, sizeof manifest - 1};
}
static tandem_status activate(tandem_instance *instance) { return instance == NULL ? TANDEM_E_INVALID_ARGUMENT : TANDEM_OK; }
static tandem_status quiesce(tandem_instance *instance) { return activate(instance); }
static void destroy(tandem_instance *instance) { free(instance); }
static const void *get_extension(tandem_instance *instance, const char *id) { return instance == NULL ? id : NULL; }

static void cancel(tandem_instance *instance, tandem_call_id call, uint32_t reason) {
    (void)instance;
    (void)call;
    (void)reason;
}

static void release(void *owner) { free(owner); }

static tandem_status invoke(tandem_instance *instance, const tandem_request *request) {
    echo *self = (echo *)instance;
    uint8_t *copy = malloc(request->arguments.len);
    if (copy == NULL) return TANDEM_E_NO_MEMORY;
    memcpy(copy, request->arguments.ptr, request->arguments.len);
    tandem_outcome outcome = {.header = {sizeof outcome, 0}, .kind = TANDEM_OUTCOME_VALUE};
    outcome.value = (tandem_buffer){copy, request->arguments.len, copy, release};
    outcome.message = (tandem_buffer){(const uint8_t *)"Given.", 6, NULL, NULL};
    self->host->complete(self->host, request->call, &outcome);
    return TANDEM_OK;
}

static tandem_status create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **instance) {
    (void)plugin;
    echo *self = calloc(1, sizeof *self);
    if (self == NULL) return TANDEM_E_NO_MEMORY;
    self->table = (tandem_instance){.header = {sizeof self->table, 0}, .activate = activate, .invoke = invoke,
                                    .cancel = cancel, .quiesce = quiesce, .destroy = destroy,
                                    .get_extension = get_extension};
    self->host = host;
    *instance = &self->table;
    return TANDEM_OK;
}

static const tandem_plugin plugin = {
    .header = {sizeof plugin, 0}, .abi_major = TANDEM_ABI_MAJOR, .abi_minor = TANDEM_ABI_MINOR,
    .manifest = get_manifest, .create = create};

TANDEM_EXPORT const tandem_plugin *tandem_plugin_entry(uint32_t host_major, uint32_t host_minor) {
    (void)host_minor;
    return host_major == TANDEM_ABI_MAJOR ? &plugin : NULL;
}
