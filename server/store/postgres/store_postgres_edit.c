/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres_edit: what users edit. */
#include "store/postgres/store_postgres.h"

#include <stdlib.h>
#include <string.h>

store_status postgres_edit(store *base, const uuid *id, const run_edit *edit)
{
    pg_store *s = (pg_store *)base;
    store_status status = pg_connect(s);
    if (status != STORE_OK) return status;
    pg_params *p = &s->params;
    pg_put_uuid(p, id);
    pg_put_text(p, edit->note);
    pg_put_text(p, edit->tags);
    if (edit->pinned >= 0)
        pg_put_bool(p, edit->pinned);
    else
        pg_put_null(p);
    if (edit->deleted >= 0)
        pg_put_int8(p, edit->deleted);
    else
        pg_put_null(p);
    PGresult *r;
    status = pg_run(s, PG_RUN_EDIT, &r);
    if (status != STORE_OK) return status;
    bool there = pg_affected(r) > 0;
    PQclear(r);
    return there ? STORE_OK : pg_refuse(s, STORE_MISSING, "there is no such run");
}
