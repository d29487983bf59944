/* The instance's table says that it is smaller than ABI 1.0 requires. */
#define INSTANCE_SIZE 40
#include "fixture.h"
