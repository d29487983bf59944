/// PCRE2 for UTF-8: the header asks for the width of its code units before it declares anything (pcre2api(3)).
#ifndef TANDEM_CPCRE2_SHIM_H
#define TANDEM_CPCRE2_SHIM_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#endif
