/* libqrencode: https://fukuchi.org/works/qrencode */
#include <qrencode.h>
