/* Works, and exports more than its entry: a warning. */
#include "fixture.h"
TANDEM_EXPORT int fixture_stray(void);
int fixture_stray(void) { return 1; }
