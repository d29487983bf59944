/* create refuses. */
#include <tandem/tandem.h>
static tandem_status failing_create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **out) {
    (void)plugin;
    (void)host;
    *out = 0;
    return TANDEM_E_UNAVAILABLE;
}
#define CREATE failing_create
#include "fixture.h"
