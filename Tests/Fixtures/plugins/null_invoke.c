/* The instance's table lacks invoke. */
#define INVOKE NULL
#include "fixture.h"
