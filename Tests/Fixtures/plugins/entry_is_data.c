/* The entry symbol names data, not a function. */
#include <stdint.h>
__attribute__((visibility("default"))) extern const uint32_t tandem_plugin_entry;
const uint32_t tandem_plugin_entry = 1;
