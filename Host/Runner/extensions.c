/* extensions.c - the extensions that a plugin gets here, and those of the plugin that the host calls. */
#include "runner.h"

#include <tandem/ext/config_check.h>
#include <tandem/ext/diagnostics.h>
#include <tandem/ext/health.h>
#include <tandem/ext/migrate.h>

extern const host_extension log_extension, clock_extension, config_extension, rows_extension, tools_extension,
    http_extension, kv_extension, secret_extension, metrics_extension, timer_extension, event_extension, memory_extension;

const host_extension *const host_extensions[] = {
    &log_extension, &clock_extension, &config_extension, &rows_extension, &tools_extension, &http_extension,
    &kv_extension, &secret_extension, &metrics_extension, &timer_extension, &event_extension, &memory_extension, NULL,
};

/* Plugin-side: all have the form of tandem_health, a header and one function. A new one needs a line here and in
 * RunnerStubs.swift when it has that form. */
static const struct {
    const char *id;
    uint32_t number;
} consultations[] = {
    {TANDEM_EXT_HEALTH, TANDEM_P_HEALTH},
    {TANDEM_EXT_CONFIG_CHECK, TANDEM_P_CONFIG_CHECK},
    {TANDEM_EXT_MIGRATE, TANDEM_P_MIGRATE},
    {TANDEM_EXT_DIAGNOSTICS, TANDEM_P_DIAGNOSTICS},
};

request_fn plugin_extension(tandem_instance *plugin, uint32_t number) {
    if (plugin == NULL || plugin->header.size < sizeof *plugin || plugin->get_extension == NULL) return NULL;
    for (size_t index = 0; index < sizeof consultations / sizeof consultations[0]; index++) {
        if (consultations[index].number != number) continue;
        const tandem_health *table = plugin->get_extension(plugin, consultations[index].id);
        if (table == NULL || (uintptr_t)table % _Alignof(tandem_health) != 0) return NULL;
        if (table->header.size < sizeof *table || table->header.flags & TANDEM_FLAGS_MUST_UNDERSTAND) return NULL;
        return table->check;
    }
    return NULL;
}

uint64_t plugin_extensions(tandem_instance *plugin) {
    uint64_t bits = 0;
    for (size_t index = 0; index < sizeof consultations / sizeof consultations[0]; index++) {
        if (plugin_extension(plugin, consultations[index].number) != NULL) bits |= 1ull << consultations[index].number;
    }
    return bits;
}
