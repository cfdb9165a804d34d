/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres_sample: what the tests of the PostgreSQL store alone share: SQL in the test's database, and the end
   of its connections. MNEMIC_TEST_STORE is the server; see tests/postgres.sh. Include after cmocka. */
#ifndef STORE_POSTGRES_SAMPLE_H
#define STORE_POSTGRES_SAMPLE_H

#include "store_sample.h"

/* One statement in the test's database. */
static inline PGresult *ask(const stored_place *f, const char *sql)
{
    PGconn *c = PQconnectdb(f->place->url);
    PQclear(PQexec(c, "SET client_min_messages = warning"));
    PGresult *r = PQexec(c, sql);
    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(c));
    PQfinish(c);
    return r;
}

static inline void execute(const stored_place *f, const char *sql)
{
    PQclear(ask(f, sql));
}

static inline void cut_off(const stored_place *f)
{
    place_tell("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '%s'",
               f->place->database);
}

/* Where there is no server, there are no tests. */
static inline bool server_is_given(void)
{
    if (getenv("MNEMIC_TEST_STORE")) return true;
    puts("1..0 # skip MNEMIC_TEST_STORE is not set; use tests/postgres.sh run");
    return false;
}

#endif
