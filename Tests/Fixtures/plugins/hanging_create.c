/* create takes five seconds. */
#include <tandem/tandem.h>
static tandem_status hanging_create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **out);
#define CREATE hanging_create
#include "fixture.h"
static tandem_status hanging_create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **out) {
    sleep(5);
    return default_create(plugin, host, out);
}
