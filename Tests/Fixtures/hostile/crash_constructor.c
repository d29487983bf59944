/* Crashes when it is mapped, before the host has asked for anything. */
#include "hostile.h"

__attribute__((constructor)) static void start(void) { crash(); }
