/* create works, activate refuses. */
#include <tandem/tandem.h>
static tandem_status failing_activate(tandem_instance *instance) {
    (void)instance;
    return TANDEM_E_AUTH_REQUIRED;
}
#define ACTIVATE failing_activate
#include "fixture.h"
