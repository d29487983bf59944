/* Says that its manifest has no end. */
#define MANIFEST_FUNCTION bad_manifest
#include <tandem/tandem.h>
static tandem_slice bad_manifest(const tandem_plugin *plugin);
#include "hostile.h"

static tandem_slice bad_manifest(const tandem_plugin *plugin) {
    (void)plugin;
    return (tandem_slice){(const uint8_t *)MANIFEST, UINT64_MAX};
}
