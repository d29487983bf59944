/* Never returns from the entry point. */
#define OWN_ENTRY
#include "hostile.h"

TANDEM_EXPORT const tandem_plugin *tandem_plugin_entry(uint32_t major, uint32_t minor) {
    (void)major;
    (void)minor;
    hang();
    return NULL;
}
