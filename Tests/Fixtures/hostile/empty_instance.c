/* Gives instances without functions. */
#include <tandem/tandem.h>
static tandem_status bad_create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **out);
#define CREATE bad_create
#include "hostile.h"

static tandem_status bad_create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **out) {
    static tandem_instance empty;
    (void)plugin;
    (void)host;
    empty.header.size = sizeof empty;
    *out = &empty;
    return TANDEM_OK;
}
