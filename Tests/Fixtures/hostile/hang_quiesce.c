/* Never becomes quiet. */
#include <tandem/tandem.h>
static tandem_status bad_quiesce(tandem_instance *instance);
#define QUIESCE bad_quiesce
#include "hostile.h"

static tandem_status bad_quiesce(tandem_instance *instance) {
    (void)instance;
    return TANDEM_E_BUSY;
}
