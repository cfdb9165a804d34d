/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres: the store in a PostgreSQL database: opening it, transactions, cursors.

   A server that cannot be reached is no failure: each call tries again, about once a second, and gives STORE_RETRY until
   it can. What libpq knows of (PG* variables, service files, several hosts) works as everywhere. */
#include "store/postgres/store_postgres_original.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- transactions ---- */

store_status pg_ready(pg_store *s)
{
    if (s->reading > 0 && !s->conn) return pg_refuse(s, STORE_RETRY, "the connection was lost");
    return pg_connect(s);
}

store_status pg_read_begin(pg_store *s)
{
    store_status status = pg_ready(s);
    if (status != STORE_OK) return status;
    if (s->reading++ == 0) pg_ask(s, PG_BEGIN_READ); /* goes with the first statement */
    return STORE_OK;
}

size_t pg_affected(const PGresult *r)
{
    return strtoull(PQcmdTuples((PGresult *)(uintptr_t)r), NULL, 10); /* it does not change it */
}

bool pg_committed(const PGresult *r)
{
    return strcmp(PQcmdStatus((PGresult *)(uintptr_t)r), "COMMIT") == 0;
}

void pg_roll_back(pg_store *s)
{
    if (!s->conn || PQtransactionStatus(s->conn) == PQTRANS_IDLE) return;
    buf error = s->base.error;
    s->base.error = (buf){0};
    pg_run(s, PG_ROLLBACK, NULL);
    buf_free(&s->base.error);
    s->base.error = error;
}

/* Ending what only read cannot fail in a way that matters. */
void pg_read_end(pg_store *s)
{
    assert(s->reading > 0);
    if (--s->reading == 0) pg_roll_back(s);
}

static store_status postgres_snapshot_begin(store *base)
{
    pg_store *s = (pg_store *)base;
    store_status status = pg_read_begin(s);
    if (status != STORE_OK) return status;
    status = pg_run(s, PG_PIN, NULL); /* BEGIN alone waits for the first statement */
    if (status != STORE_OK) pg_read_end(s);
    return status;
}

static void postgres_snapshot_end(store *base)
{
    pg_read_end((pg_store *)base);
}

/* ---- cursors ---- */

static store_status take_piece(pg_cursor *c, size_t index)
{
    store_status status = pg_flush(c->s);
    c->piece = status == STORE_OK ? pg_take(c->s, index) : NULL;
    c->rows = c->piece ? PQntuples(c->piece) : 0;
    c->row = -1;
    return status;
}

store_status pg_cursor_open(pg_cursor *c, pg_store *s, pg_sql id)
{
    *c = (pg_cursor){.s = s};
    pg_ask(s, id);
    return take_piece(c, pg_ask(s, PG_FETCH));
}

store_status pg_cursor_next(pg_cursor *c, bool *there)
{
    *there = ++c->row < c->rows;
    if (*there || c->rows == 0) return STORE_OK;
    PQclear(c->piece);
    store_status status = take_piece(c, pg_ask(c->s, PG_FETCH));
    *there = ++c->row < c->rows;
    return status;
}

void pg_cursor_close(pg_cursor *c)
{
    PQclear(c->piece);
    if (c->s->conn && PQtransactionStatus(c->s->conn) == PQTRANS_INTRANS) pg_run(c->s, PG_CLOSE, NULL);
}

/* ---- opening ---- */

static void set_option(pg_store *s, size_t at, const char *keyword, const char *value)
{
    s->keywords[at] = mem_strdup(keyword);
    s->settings[at] = mem_strdup(value);
}

typedef struct {
    const char *keyword, *value;
} default_option;

/* A cut connection shows within half a minute; a host that does not answer holds the others up for 5 s. */
static const default_option connection_defaults[] = {
    {"connect_timeout", "5"},  {"keepalives_idle", "30"},     {"keepalives_interval", "10"},
    {"keepalives_count", "3"}, {"tcp_user_timeout", "30000"},
};

static const PQconninfoOption *option_of(const PQconninfoOption *all, const char *keyword)
{
    while (all->keyword && strcmp(all->keyword, keyword) != 0) all++;
    return all;
}

static const char *given(const PQconninfoOption *all, const char *keyword)
{
    const PQconninfoOption *o = option_of(all, keyword);
    return o->val ? o->val : o->envvar ? getenv(o->envvar) : NULL;
}

/* What the URL says, and our defaults for what neither it nor a PG* variable does. What a service file says would come
   after them, so beside one there are none. */
static bool parse_url(pg_store *s, const char *url, buf *why)
{
    char *error = NULL;
    PQconninfoOption *all = PQconninfoParse(url, &error);
    PQfreemem(error); /* it may quote the password */
    if (!all) {
        buf_text(why,
                 "the store's URL cannot be read; write postgresql://USER@HOST:PORT/DATABASE (with %XX for special "
                 "characters) or \"host=… dbname=…\"");
        return false;
    }
    size_t count = 0, room = ARRAY_LEN(connection_defaults) + 3;
    for (const PQconninfoOption *o = all; o->keyword; o++) room++;
    s->keywords = mem_calloc(room, sizeof(char *));
    s->settings = mem_calloc(room, sizeof(char *));
    for (const PQconninfoOption *o = all; o->keyword; o++)
        if (o->val) set_option(s, count++, o->keyword, o->val);
    set_option(s, count++, "fallback_application_name", "mnemic");
    if (!given(all, "service")) {
        for (size_t i = 0; i < ARRAY_LEN(connection_defaults); i++) {
            const default_option *d = &connection_defaults[i];
            if (!given(all, d->keyword)) set_option(s, count++, d->keyword, d->value);
        }
        const char *hosts = given(all, "host"), *addresses = given(all, "hostaddr");
        bool several = (hosts && strchr(hosts, ',')) || (addresses && strchr(addresses, ','));
        if (several && s->mode == STORE_WRITE && !given(all, "target_session_attrs"))
            set_option(s, count++, "target_session_attrs", "read-write");
    }
    PQconninfoFree(all);
    return true;
}

/* After connecting failed: is there a server that says no? One that is just starting, or is a standby while we want to
   write, says "not now"; so that is no refusal. */
static bool is_refused(pg_store *s)
{
    const char *const *keywords = (const char *const *)s->keywords, *const *settings =
                                                                        (const char *const *)s->settings;
    if (PQpingParams(keywords, settings, 0) != PQPING_OK) return false;
    size_t count = 0;
    while (keywords[count]) count++;
    const char **any = mem_calloc(count + 2, sizeof *any), **values = mem_calloc(count + 2, sizeof *values);
    memcpy(any, keywords, count * sizeof *any);
    memcpy(values, settings, count * sizeof *values);
    any[count] = "target_session_attrs"; /* a later one counts */
    values[count] = "any";
    PGconn *conn = PQconnectdbParams(any, values, 0);
    bool refused = PQstatus(conn) != CONNECTION_OK;
    PQfinish(conn);
    free(any);
    free(values);
    return refused;
}

static void free_texts(char **texts)
{
    for (char **t = texts; t && *t; t++) free(*t);
    free(texts);
}

static void postgres_close(store *base)
{
    pg_store *s = (pg_store *)base;
    pg_disconnect(s);
    free_texts(s->keywords);
    free_texts(s->settings);
    buf_free(&s->base.error);
    buf_free(&s->params.bytes);
    free(s->answers);
    free(s->doubts);
    free(s->summaries);
    original_free(s->original);
    free(s->original);
    free(s);
}

static store *postgres_open(const char *url, store_mode mode, buf *why)
{
    pg_store *s = mem_calloc(1, sizeof *s);
    s->base.kind = &store_postgres;
    s->mode = mode;
    s->summaries = mem_calloc(MAX_COLUMNS, sizeof *s->summaries);
    s->original = mem_calloc(1, sizeof *s->original);
    bool good = parse_url(s, url, why);
    if (good) {
        store_status status = pg_connect(s);
        good = status == STORE_OK || (status == STORE_RETRY && !is_refused(s));
        if (!good) buf_text(why, store_error(&s->base));
        if (status == STORE_RETRY && good)
            log_line(LOG_WARN, "the store cannot be reached yet: %s", store_error(&s->base));
    }
    s->opened = true;
    if (good) return &s->base;
    postgres_close(&s->base);
    return NULL;
}

const store_kind store_postgres = {
    .name = "postgresql",
    .open = postgres_open,
    .close = postgres_close,
    .write = postgres_write,
    .edit = postgres_edit,
    .sweep = postgres_sweep,
    .runs = both_runs,
    .run = both_run,
    .cover = both_cover,
    .entries = both_entries,
    .chunk = both_chunk,
    .chunks = both_chunks,
    .sums = both_sums,
    .events = both_events,
    .unmerged = postgres_unmerged,
    .snapshot_begin = postgres_snapshot_begin,
    .snapshot_end = postgres_snapshot_end,
};
