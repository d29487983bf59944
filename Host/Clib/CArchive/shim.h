/* libarchive: https://www.libarchive.org */
#include <archive.h>
#include <archive_entry.h>
