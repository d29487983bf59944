/* The code was built for another major version of the ABI; its manifest says 1.0. */
#define ABI_MAJOR 2
#include "fixture.h"
