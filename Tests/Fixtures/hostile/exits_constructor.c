/* Ends the process while it is loaded, as if all were well. */
#include "hostile.h"

__attribute__((constructor)) static void leave(void) { _exit(0); }
