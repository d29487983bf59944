/* hold.c - the runner's filter of system calls, for other programs that run code which nobody vouches for. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define contain_calls tandem_filter_calls
#include "../../Runner/filter.c"

#include <tandem_start.h>

int tandem_hold_in(void) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 0;
    return tandem_filter_calls() != 0;
}
