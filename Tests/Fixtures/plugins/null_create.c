/* The plugin's table lacks create. */
#define CREATE NULL
#include "fixture.h"
