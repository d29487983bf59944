/* Deadlocks in a signal handler that takes a lock of its own. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void handler(int number) {
    (void)number;
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
}

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    signal(SIGUSR1, handler);
    pthread_mutex_lock(&lock);
    raise(SIGUSR1);
    pthread_mutex_unlock(&lock);
    return answer(instance, request->call, "{}");
}
