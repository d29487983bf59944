/* The entry point says that it cannot work with this host. */
#define OWN_ENTRY
#include "fixture.h"
TANDEM_EXPORT const tandem_plugin *tandem_plugin_entry(uint32_t major, uint32_t minor) {
    (void)major;
    (void)minor;
    return NULL;
}
