/* Has the metadata sections of a Swift image and does not need libswiftCore.so, as with -static-stdlib. */
#include "fixture.h"
__attribute__((used, section("swift5_protocols"))) static const int protocols[] = {1, 2};
__attribute__((used, section("swift5_protocol_conformances"))) static const int conformances[] = {3, 4};
