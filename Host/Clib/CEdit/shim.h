/* libedit's readline interface (Debian libedit-dev): line editing for `tandem chat`. */
#include <stdio.h>
#include <editline/readline.h>
