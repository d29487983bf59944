/* Never returns from destroy. */
#include <tandem/tandem.h>
static void bad_destroy(tandem_instance *instance);
#define DESTROY bad_destroy
#include "hostile.h"

static void bad_destroy(tandem_instance *instance) {
    static atomic_int times;
    /* The trial is let through. */
    if (atomic_fetch_add(&times, 1) > 0) hang();
    free(instance);
}
