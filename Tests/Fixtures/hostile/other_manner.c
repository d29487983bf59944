/* Makes the calls of the x32 and 32-bit manners, which no filter for this architecture knows. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    struct worked worked = {0};
#if defined(__x86_64__)
    long result = syscall(0x40000000 | SYS_getpid);
    note(&worked, result >= 0, "x32");
#else
    crash();
#endif
    return answer_worked(instance, request->call, &worked);
}
