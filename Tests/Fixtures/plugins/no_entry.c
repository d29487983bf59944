/* A library without the entry point. */
#include <stdint.h>
__attribute__((visibility("default"))) uint32_t tandem_plugin_begin(void);
uint32_t tandem_plugin_begin(void) { return 1; }
