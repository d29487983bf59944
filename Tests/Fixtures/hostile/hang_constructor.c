/* Never gets mapped. */
#include "hostile.h"

__attribute__((constructor)) static void start(void) { hang(); }
