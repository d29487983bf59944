/* create says OK and gives no instance. */
#include <tandem/tandem.h>
static tandem_status null_create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **out) {
    (void)plugin;
    (void)host;
    *out = 0;
    return TANDEM_OK;
}
#define CREATE null_create
#include "fixture.h"
