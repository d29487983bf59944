/* Gives an instance that lies nowhere. */
#include <tandem/tandem.h>
static tandem_status bad_create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **out);
#define CREATE bad_create
#include "hostile.h"

static tandem_status bad_create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **out) {
    (void)plugin;
    (void)host;
    *out = (tandem_instance *)(uintptr_t)0x10000;
    return TANDEM_OK;
}
