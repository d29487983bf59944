/* The code needs a later minor version than the host has. */
#define ABI_MINOR 7
#define ABI_LOWEST 7
#define ABI "{\"major\":1,\"minor\":7}"
#include "fixture.h"
