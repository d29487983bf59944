/* The plugin's table says that it is smaller than ABI 1.0 requires. */
#define PLUGIN_SIZE 32
#include "fixture.h"
