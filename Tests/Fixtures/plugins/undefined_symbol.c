/* Needs a function that nobody has. */
int tandem_function_that_nobody_has(void);
#define MORE ""
#include "fixture.h"
__attribute__((used)) static int (*const needed)(void) = tandem_function_that_nobody_has;
