/* libsodium: https://doc.libsodium.org */
#include <sodium.h>
