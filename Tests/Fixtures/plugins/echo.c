/* A good plugin: answers with its arguments, at once. The variant's macros give it other names. */
#include "fixture.h"
