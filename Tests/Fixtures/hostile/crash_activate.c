/* Passes the trial and crashes when a person needs it. */
#include <tandem/tandem.h>
static tandem_status bad_activate(tandem_instance *instance);
#define ACTIVATE bad_activate
#include "hostile.h"

static tandem_status bad_activate(tandem_instance *instance) {
    (void)instance;
    crash();
    return TANDEM_OK;
}
