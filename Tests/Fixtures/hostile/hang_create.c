/* Never makes an instance. */
#include <tandem/tandem.h>
static tandem_status bad_create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **out);
#define CREATE bad_create
#include "hostile.h"

static tandem_status bad_create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **out) {
    hang();
    return default_create(plugin, host, out);
}
