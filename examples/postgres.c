/* SPDX-License-Identifier: MIT OR Unlicense
   postgres: a database beside the program that uses it, on one page: its live and dead rows, its sessions. Link with libpq.
       postgres [SECONDS] [CONNINFO]       10; "", for libpq's environment: PGHOST, PGUSER, PGDATABASE … */
#define DOLON_IMPLEMENTATION
#define DOLON_POSTGRES
#include "dolon.h"

#include <stdlib.h>

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 10;
    dolon_postgres *db = dolon_postgres_open(argc > 2 ? argv[2] : "", 0.5);
    dolon_tracer *t = dolon_start(&(dolon_desc){
        .app_name = "postgres",
        .interval = 0.5,
        .probes = {DOLON_DEFAULT_PROBES,
                   {"live_msgs", dolon_live_msgs, db, NULL},
                   {"dead_msgs", dolon_dead_msgs, db, NULL},
                   {"idle", dolon_idle, db, NULL},
                   {"count_db_connections", dolon_count_db_connections, db, NULL}},
    });
    usleep((useconds_t)(seconds * 1e6)); /* here your program would work */
    dolon_stop(t);                       /* first what asks, then who answers */
    dolon_postgres_close(db);
    return 0;
}
