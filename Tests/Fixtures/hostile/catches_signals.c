/* Ignores every signal and refuses to go. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static void nothing(int number) { (void)number; }

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    sigset_t all;
    (void)instance;
    (void)request;
    sigfillset(&all);
    for (int number = 1; number < 64; number++) signal(number, nothing);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    volatile unsigned long turns = 0;
    for (;;) turns++;
    return TANDEM_OK;
}
