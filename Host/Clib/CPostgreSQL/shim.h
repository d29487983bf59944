/* libpq, and what Swift cannot name of it: macros of characters. */
#ifndef TANDEM_CPOSTGRESQL_SHIM_H
#define TANDEM_CPOSTGRESQL_SHIM_H

#include <libpq-fe.h>

/* Fields of an error (https://www.postgresql.org/docs/15/libpq-exec.html, PQresultErrorField). */
static const int tandem_pg_sqlstate = PG_DIAG_SQLSTATE;
static const int tandem_pg_message = PG_DIAG_MESSAGE_PRIMARY;
static const int tandem_pg_table = PG_DIAG_TABLE_NAME;
static const int tandem_pg_column = PG_DIAG_COLUMN_NAME;
static const int tandem_pg_constraint = PG_DIAG_CONSTRAINT_NAME;

#endif
