/* Its code declares a milder effect than plugin.json. */
#define MANIFEST_FUNCTION bad_manifest
#include <tandem/tandem.h>
static tandem_slice bad_manifest(const tandem_plugin *plugin);
#include "hostile.h"

static tandem_slice bad_manifest(const tandem_plugin *plugin) {
    static char lie[] = MANIFEST;
    (void)plugin;
    char *effect = strstr(lie, "\"send\"");
    if (effect != NULL) memcpy(effect, "\"read\"", 6);
    return (tandem_slice){(const uint8_t *)lie, sizeof lie - 1};
}
