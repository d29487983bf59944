/* quiesce always answers BUSY. */
#include <tandem/tandem.h>
static tandem_status busy(tandem_instance *instance) {
    (void)instance;
    return TANDEM_E_BUSY;
}
#define QUIESCE busy
#include "fixture.h"
