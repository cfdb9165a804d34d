/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres_link: the connection: making it, asking, waiting for answers, and what errors mean.

   It is non-blocking and in pipeline mode, so that every wait has a deadline: a server that is gone without a word (a
   cable, a firewall) costs PATIENCE and no more. What is sent is written out while answers are read: neither side can
   wait for the other to read. */
#include "store/postgres/store_postgres.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRITER_PATIENCE (30 * NS_PER_SECOND) /* without a byte of an answer */
#define READER_PATIENCE (15 * NS_PER_SECOND)
#define CONNECT_AGAIN   NS_PER_SECOND
#define UNSENT_BYTES    (256u << 10) /* that libpq may keep for us, about */
#define OLDEST_VERSION  130000

/* A prepared statement's name on the server. */
typedef struct {
    char text[16];
} statement_name;

static statement_name name_of(pg_sql id)
{
    statement_name n;
    snprintf(n.text, sizeof n.text, "s%d", (int)id);
    return n;
}

/* ---- what went wrong ---- */

store_status pg_refuse(pg_store *s, store_status status, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    s->base.error.n = 0;
    buf_printf(&s->base.error, "PostgreSQL: %s", text);
    return status;
}

/* libpq's own message; it never has the password in it. Of several lines, each of a host that was tried. */
static store_status connection_failed(pg_store *s, const char *message)
{
    char *line = mem_strdup(message);
    size_t n = strlen(line);
    while (n > 0 && line[n - 1] == '\n') line[--n] = '\0';
    for (char *p = line; *p; p++)
        if (*p == '\n' || *p == '\t') *p = *p == '\n' ? ';' : ' ';
    pg_refuse(s, STORE_RETRY, "%s", *line ? line : "the connection is lost");
    free(line);
    return STORE_RETRY;
}

/* By https://www.postgresql.org/docs/15/errcodes-appendix.html: what may be different in a while, without the request
   having changed. `renew`: tables or rights are not as we left them, or this server is only a standby now; so all is to be
   looked at again. */
static store_status status_of(const char *code, bool *renew)
{
    static const char *const later[] = {"08", "40", "53", "55", "57", "58", "25006", "25P02"};
    static const char *const tables[] = {"42P01", "3F000", "42703", "42501", "26000", "25006"};
    *renew = false;
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        if (strcmp(code, tables[i]) == 0) *renew = true;
    for (size_t i = 0; i < ARRAY_LEN(later); i++)
        if (strncmp(code, later[i], strlen(later[i])) == 0) return STORE_RETRY;
    return *renew ? STORE_RETRY : STORE_FAILED;
}

/* An answer that is an error. */
static store_status answer_failed(pg_store *s, const PGresult *r)
{
    const char *code = PQresultErrorField(r, PG_DIAG_SQLSTATE),
               *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    if (!code || !text) return connection_failed(s, PQresultErrorMessage(r)); /* libpq's own */
    bool renew;
    store_status status = status_of(code, &renew);
    pg_refuse(s, status, "%s (%s)", text, code);
    snprintf(s->code, sizeof s->code, "%s", code);
    s->renew = s->renew || renew;
    return status;
}

/* ---- waiting ---- */

static store_status lost(pg_store *s)
{
    return connection_failed(s, PQerrorMessage(s->conn));
}

/* Waits until the server takes or gives bytes. `unsent`: there are some to be taken. */
static store_status wait_for_bytes(pg_store *s, bool unsent)
{
    int64_t patience = s->mode == STORE_WRITE ? WRITER_PATIENCE : READER_PATIENCE;
    struct pollfd fd = {PQsocket(s->conn), (short)(POLLIN | (unsent ? POLLOUT : 0)), 0};
    int n;
    do n = poll(&fd, 1, (int)(patience / NS_PER_MS));
    while (n < 0 && errno == EINTR);
    if (n == 0) {
        pg_refuse(s, STORE_RETRY, "no answer within %d s; the connection was closed",
                  (int)(patience / NS_PER_SECOND));
        s->renew = true;
        return STORE_RETRY;
    }
    return (fd.revents & (POLLIN | POLLERR | POLLHUP)) && !PQconsumeInput(s->conn) ? lost(s) : STORE_OK;
}

/* Writes out all that was asked. */
static store_status write_out(pg_store *s)
{
    int unsent;
    while ((unsent = PQflush(s->conn)) > 0) {
        store_status status = wait_for_bytes(s, true);
        if (status != STORE_OK) return status;
    }
    s->unsent = 0;
    return unsent < 0 ? lost(s) : STORE_OK;
}

/* libpq's next result, NULL included. */
static store_status next_result(pg_store *s, PGresult **out)
{
    while (PQisBusy(s->conn)) {
        int unsent = PQflush(s->conn);
        store_status status = unsent < 0 ? lost(s) : wait_for_bytes(s, unsent > 0);
        if (status != STORE_OK) return status;
    }
    *out = PQgetResult(s->conn);
    return !*out && PQstatus(s->conn) == CONNECTION_BAD ? lost(s) : STORE_OK;
}

/* ---- asking ---- */

static void forget_answers(pg_store *s)
{
    for (size_t i = 0; i < s->asked; i++) PQclear(s->answers[i]);
    s->asked = 0;
    s->flushed = false;
}

static void ask_sync(pg_store *s)
{
    if (PQpipelineSync(s->conn)) s->syncs++;
}

/* After something was sent, or not. */
static size_t asked(pg_store *s, bool sent)
{
    if (s->asked == s->room) s->answers = mem_resize(s->answers, s->room = s->room * 2 + 16, sizeof(PGresult *));
    s->answers[s->asked] = NULL;
    s->unsent += s->params.bytes.n;
    s->params.count = 0;
    s->params.bytes.n = 0;
    if (sent && s->citus) ask_sync(s);
    if (sent && s->unsent > UNSENT_BYTES) write_out(s); /* a failure shows again when the answers are read */
    return s->asked++;
}

/* Where libpq finds the parameters. */
typedef struct {
    const char *values[PG_PARAMS];
    int lengths[PG_PARAMS], formats[PG_PARAMS];
} libpq_params;

static libpq_params libpq_params_of(const pg_params *p)
{
    libpq_params out;
    for (int i = 0; i < p->count; i++) {
        bool null = p->each[i].length < 0;
        out.values[i] = null ? NULL : p->bytes.p ? p->bytes.p + p->each[i].at : "";
        out.lengths[i] = null ? 0 : p->each[i].length;
        out.formats[i] = 1;
    }
    return out;
}

size_t pg_ask(pg_store *s, pg_sql id)
{
    if (s->flushed) forget_answers(s);
    libpq_params p = libpq_params_of(&s->params);
    return asked(s, s->conn && PQsendQueryPrepared(s->conn, name_of(id).text, s->params.count, p.values, p.lengths,
                                                   p.formats, 1));
}

size_t pg_ask_text(pg_store *s, const char *sql)
{
    if (s->flushed) forget_answers(s);
    libpq_params p = libpq_params_of(&s->params);
    return asked(s, s->conn &&
                        PQsendQueryParams(s->conn, sql, s->params.count, NULL, p.values, p.lengths, p.formats, 1));
}

/* All answers into s->answers, until the server has reached the last sync. */
static store_status read_answers(pg_store *s)
{
    store_status status = STORE_OK;
    for (size_t i = 0; s->syncs > 0;) {
        PGresult *r;
        store_status read = next_result(s, &r);
        if (read != STORE_OK) return read;
        ExecStatusType kind = PQresultStatus(r);
        if (kind == PGRES_PIPELINE_SYNC) {
            s->syncs--;
            PQclear(r);
        } else if (r) {
            if (kind == PGRES_FATAL_ERROR && status == STORE_OK) status = answer_failed(s, r);
            bool answer = i < s->asked && (kind == PGRES_TUPLES_OK || kind == PGRES_COMMAND_OK);
            if (answer)
                s->answers[i] = r;
            else
                PQclear(r);
            i++;
        }
        if (!r && PQstatus(s->conn) == CONNECTION_BAD) return lost(s);
    }
    return status;
}

store_status pg_flush(pg_store *s)
{
    s->flushed = true;
    if (!s->conn) return pg_refuse(s, STORE_RETRY, "the connection is lost");
    if (!s->citus || s->syncs == 0) ask_sync(s);
    store_status status = read_answers(s);
    for (size_t i = 0; status == STORE_OK && i < s->asked; i++)
        if (!s->answers[i]) status = connection_failed(s, PQerrorMessage(s->conn)); /* it was not even sent */
    if (status != STORE_OK && (s->renew || s->syncs > 0 || PQstatus(s->conn) == CONNECTION_BAD)) pg_disconnect(s);
    return status;
}

const PGresult *pg_answer(const pg_store *s, size_t index)
{
    return s->answers[index];
}

PGresult *pg_take(pg_store *s, size_t index)
{
    PGresult *r = s->answers[index];
    s->answers[index] = NULL;
    return r;
}

store_status pg_run(pg_store *s, pg_sql id, PGresult **out)
{
    size_t index = pg_ask(s, id);
    store_status status = pg_flush(s);
    if (out) *out = status == STORE_OK ? pg_take(s, index) : NULL;
    return status;
}

/* ---- connecting ---- */

static void on_notice(void *ctx, const PGresult *r)
{
    (void)ctx;
    const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    if (text) log_line(LOG_DEBUG, "PostgreSQL says: %s", text);
}

/* The plans we want are those that follow the keys; while a table is small, or not yet analysed, the planner thinks
   otherwise, and a plan that was kept would then serve a large one. Citus plans for each run. Locks and transactions
   of a server that hangs or is cut off must not stop the others for long. */
static store_status set_up_session(pg_store *s)
{
    static const char always[] =
        "SELECT set_config('enable_seqscan', 'off', false), set_config('enable_bitmapscan', 'off', false),"
        " set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false),"
        " set_config('jit', 'off', false), set_config('timezone', 'UTC', false),"
        " set_config('extra_float_digits', '3', false)";
    static const char writer[] =
        "SELECT set_config('statement_timeout', '30s', false), set_config('lock_timeout', '10s', false),"
        " set_config('idle_in_transaction_session_timeout', '60s', false)";
    size_t citus = pg_ask_text(s, "SELECT 1 FROM pg_extension WHERE extname = 'citus'");
    size_t durable = pg_ask_text(s, "SELECT set_config(name, 'on', false) FROM pg_settings"
                                    " WHERE name = 'synchronous_commit' AND setting = 'off'");
    pg_ask_text(s, always);
    pg_ask_text(s, s->mode == STORE_WRITE ? writer : "SELECT set_config('statement_timeout', '15s', false)");
    store_status status = pg_flush(s);
    if (status != STORE_OK) return status;
    if (s->mode == STORE_WRITE && PQntuples(pg_answer(s, durable)) > 0)
        log_line(LOG_WARN,
                 "PostgreSQL's synchronous_commit is off; mnemic sets it on for itself, since it tells clients"
                 " what is durable");
    bool distributed = PQntuples(pg_answer(s, citus)) > 0;
    if (!distributed) {
        pg_ask_text(s, "SELECT set_config('plan_cache_mode', 'force_generic_plan', false)");
        status = pg_flush(s);
    }
    s->citus = distributed;
    return status;
}

static store_status prepare_all(pg_store *s)
{
    for (size_t i = 0; i < PG_SQL_COUNT; i++) {
        if (s->flushed) forget_answers(s);
        asked(s, PQsendPrepare(s->conn, name_of((pg_sql)i).text, pg_statements[i], 0, NULL));
    }
    return pg_flush(s);
}

static store_status make_ready(pg_store *s)
{
    if (PQserverVersion(s->conn) < OLDEST_VERSION)
        return pg_refuse(s, STORE_FAILED, "the server is too old (%s); mnemic needs version 13 or newer",
                         PQparameterStatus(s->conn, "server_version"));
    store_status status = set_up_session(s);
    if (status == STORE_OK) status = pg_schema(s);
    return status == STORE_OK ? prepare_all(s) : status;
}

store_status pg_connect(pg_store *s)
{
    if (s->conn) return STORE_OK;
    if (clock_mono() < s->next_try) return STORE_RETRY; /* the error is still that of the last try */
    s->next_try = clock_mono() + CONNECT_AGAIN;
    s->code[0] = '\0';
    s->conn = PQconnectdbParams((const char *const *)s->keywords, (const char *const *)s->settings, 0);
    store_status status = STORE_OK;
    if (PQstatus(s->conn) != CONNECTION_OK || PQsetnonblocking(s->conn, 1) != 0 || !PQenterPipelineMode(s->conn)) {
        status = lost(s);
    } else {
        PQsetNoticeReceiver(s->conn, on_notice, NULL);
        status = make_ready(s);
    }
    if (status == STORE_OK) return STORE_OK;
    /* That we may not make the tables is clear when we start. Later, rows rather wait than be lost. */
    if (strcmp(s->code, "42501") == 0) status = STORE_FAILED;
    pg_disconnect(s);
    return s->opened ? STORE_RETRY : status;
}

void pg_disconnect(pg_store *s)
{
    forget_answers(s);
    PQfinish(s->conn);
    s->conn = NULL;
    s->syncs = 0;
    s->unsent = 0;
    s->renew = s->citus = false;
}
