/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres_rows: a chunk's rows as PostgreSQL's arrays, and back. */
#ifndef STORE_POSTGRES_ROWS_H
#define STORE_POSTGRES_ROWS_H

#include "store/postgres/store_postgres.h"

/* Parameters of CHUNK_PUT, from time_base on. */
void pg_put_rows(pg_params *p, const chunk *c);

/* The columns to ask for, the least and the greatest of them; none if `last` is before `first`. `columns` NULL: all. */
typedef struct {
    uint32_t first, last;
    bool histograms; /* and these */
} pg_extent;
pg_extent pg_extent_of(const uint32_t *columns, size_t count);
/* Of an answer to CHUNK_GET. NULL: it is damaged. */
chunk *pg_rows_of(const PGresult *r, const chunk_key *key, const uint32_t *columns, size_t count);

#endif
