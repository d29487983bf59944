/* What Swift cannot call of libsqlite3: macros with casts and variadic functions. */
#ifndef TANDEM_CSQLITE_SHIM_H
#define TANDEM_CSQLITE_SHIM_H

#include <sqlite3.h>

/* Binds text that outlives the next step: the memory is not copied. */
static inline int tandem_sqlite3_bind_text_static(sqlite3_stmt *statement, int index, const char *text, long long size) {
    return sqlite3_bind_text64(statement, index, text, (sqlite3_uint64)size, SQLITE_STATIC, SQLITE_UTF8);
}

/* Binds bytes that outlive the next step: the memory is not copied. */
static inline int tandem_sqlite3_bind_blob_static(sqlite3_stmt *statement, int index, const void *bytes, long long size) {
    return sqlite3_bind_blob64(statement, index, bytes, (sqlite3_uint64)size, SQLITE_STATIC);
}

/* sqlite3_db_config for the options that take an int and give back an int (https://www.sqlite.org/c3ref/db_config.html). */
static inline int tandem_sqlite3_db_config(sqlite3 *database, int option, int value) {
    return sqlite3_db_config(database, option, value, (int *)0);
}

/* Before any other call: no statistics of memory (https://www.sqlite.org/c3ref/c_config_covering_index_scan.html). */
static inline int tandem_sqlite3_configure(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

#endif
