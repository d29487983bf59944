/* The manifest function gives an empty slice. */
#include <tandem/tandem.h>
static tandem_slice no_manifest(const tandem_plugin *plugin) {
    (void)plugin;
    tandem_slice slice = {0, 0};
    return slice;
}
#define MANIFEST_FUNCTION no_manifest
#include "fixture.h"
