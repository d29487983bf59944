/* Never returns from activate. */
#include <tandem/tandem.h>
static tandem_status bad_activate(tandem_instance *instance);
#define ACTIVATE bad_activate
#include "hostile.h"

static tandem_status bad_activate(tandem_instance *instance) {
    (void)instance;
    hang();
    return TANDEM_OK;
}
