/* SPDX-License-Identifier: MIT OR Unlicense
   test_store_postgres: what only the PostgreSQL store does. What every store promises is in test_store.c.
   MNEMIC_TEST_STORE is the server; see tests/postgres.sh. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <time.h>

#include "sample.h"

#define WHOLE INT64_MIN, INT64_MAX

#define assert_ok(s, call)                                                                                           \
    do {                                                                                                             \
        if ((call) != STORE_OK) fail_msg("%s:%d: %s", __FILE__, __LINE__, store_error(s));                           \
    } while (0)

/* One statement in the test's database. */
static PGresult *ask(const stored_place *f, const char *sql)
{
    PGconn *c = PQconnectdb(f->place->url);
    PQclear(PQexec(c, "SET client_min_messages = warning"));
    PGresult *r = PQexec(c, sql);
    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(c));
    PQfinish(c);
    return r;
}

static void tell(const stored_place *f, const char *sql)
{
    PQclear(ask(f, sql));
}

static void cut_off(const stored_place *f)
{
    place_tell("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '%s'",
               f->place->database);
}

/* Calls until the answer is not STORE_RETRY, as the writer does. */
static store_status write_patiently(store *s, const store_change *c)
{
    int64_t end = clock_mono() + 60 * NS_PER_SECOND;
    store_status status;
    while ((status = store_write(s, c, 1)) == STORE_RETRY && clock_mono() < end)
        nanosleep(&(struct timespec){0, 50000000}, NULL);
    return status;
}

/* ---- opening ---- */

static void refused_without_secrets(void **state)
{
    const stored_place *f = *state;
    const char *host = strchr(f->place->url, '?');
    char nowhere[256], nobody[256];
    snprintf(nowhere, sizeof nowhere, "postgresql://mnemic:geheim@/nowhere%s", host);
    snprintf(nobody, sizeof nobody, "postgres://nobody_here:geheim@/postgres%s", host);
    const struct {
        const char *url, *says;
    } cases[] = {
        {nowhere, "\"nowhere\" does not exist"},
        {nobody, "\"nobody_here\" does not exist"},
        {"postgresql://me:geh%zzeim@host/db", "cannot be read"},
        {"postgresql://me:geheim@host/db?no_such_option=1", "cannot be read"},
        {"host=here password='geheim", "cannot be read"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf why = {0};
        assert_null(store_open(cases[i].url, STORE_WRITE, &why));
        if (!strstr(why.p, cases[i].says)) fail_msg("%s", why.p);
        assert_null(strstr(why.p, "heim"));
        buf_free(&why);
    }
}

static void a_server_that_is_not_there(void **state)
{
    (void)state;
    buf why = {0};
    store *s = store_open("postgresql:///db?host=/nowhere/at/all", STORE_WRITE, &why);
    assert_non_null(s);
    run_info *r = sample_run(1), *stored;
    store_change change = {.info = r};
    assert_int_equal(store_write(s, &change, 1), STORE_RETRY);
    assert_int_equal(store_run(s, &r->id, &stored), STORE_RETRY);
    assert_int_equal(store_snapshot_begin(s), STORE_RETRY);
    assert_non_null(strstr(store_error(s), "/nowhere/at/all"));
    run_info_free(r);
    store_close(s);
    buf_free(&why);
}

static void a_newer_schema_is_refused(void **state)
{
    const stored_place *f = *state;
    tell(f, "INSERT INTO mnemic.schema_version VALUES (1000)");
    for (store_mode mode = STORE_READ; mode <= STORE_WRITE; mode++) {
        buf why = {0};
        assert_null(store_open(f->place->url, mode, &why));
        assert_non_null(strstr(why.p, "newer mnemic"));
        buf_free(&why);
    }
}

static void no_right_to_make_tables(void **state)
{
    const stored_place *f = *state;
    tell(f, "DROP SCHEMA mnemic CASCADE");
    char role[80], sql[256], url[400];
    snprintf(role, sizeof role, "guest_%s", f->place->database);
    snprintf(sql, sizeof sql, "CREATE ROLE %s LOGIN", role);
    tell(f, sql);
    snprintf(url, sizeof url, "postgresql://%s@%s", role, strchr(f->place->url, '@') + 1);
    buf why = {0};
    assert_null(store_open(url, STORE_WRITE, &why));
    assert_non_null(strstr(why.p, "permission denied"));
    buf_free(&why);
    snprintf(sql, sizeof sql, "DROP ROLE %s", role);
    tell(f, sql);
}

static void *open_it(void *url)
{
    buf why = {0};
    store *s = store_open(url, STORE_WRITE, &why);
    buf_free(&why);
    return s;
}

/* All make the tables at once. */
static void servers_that_start_together(void **state)
{
    const stored_place *f = *state;
    tell(f, "DROP SCHEMA mnemic CASCADE");
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_it, f->place->url), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *s;
        pthread_join(threads[i], &s);
        assert_non_null(s);
        sample_put(s, 1, i * 10, 10);
        store_close(s);
    }
    PGresult *r =
        ask(f, "SELECT count(*) = count(DISTINCT version) AND count(*) = max(version) FROM mnemic.schema_version");
    assert_string_equal(PQgetvalue(r, 0, 0), "t");
    PQclear(r);
}

/* ---- a connection that is lost ---- */

static void it_connects_again(void **state)
{
    stored_place *f = *state;
    run_info *r = sample_run(1);
    for (uint64_t i = 0; i < 4; i++) {
        chunk *c = sample_chunk(i * 10, 10);
        r->next_seq = i * 10 + 10;
        r->last = sample_time(i * 10 + 9);
        store_change change = {.info = r, .put = &c, .put_count = 1};
        cut_off(f);
        assert_int_equal(store_write(f->s, &change, 1), STORE_RETRY);
        assert_int_equal(write_patiently(f->s, &change), STORE_OK);
        chunk_free(c);
    }
    assert_held(f->s, 1, 40);
    run_info_free(r);
}

/* What was begun in one snapshot does not go on in another. */
static void a_snapshot_ends_with_its_connection(void **state)
{
    stored_place *f = *state;
    sample_put(f->s, 1, 0, 10);
    uuid id = sample_id(1);
    run_info *r;
    assert_ok(f->s, store_snapshot_begin(f->s));
    assert_ok(f->s, store_run(f->s, &id, &r));
    run_info_free(r);
    cut_off(f);
    for (int i = 0; i < 3; i++) assert_int_equal(store_run(f->s, &id, &r), STORE_RETRY);
    store_snapshot_end(f->s);
    store_change change = {.info = r = sample_run(1)};
    assert_int_equal(write_patiently(f->s, &change), STORE_OK);
    run_info_free(r);
}

/* A failover to an older state, or somebody's mistake: the tables are made anew, and rows are not lost. */
static void tables_that_are_gone(void **state)
{
    stored_place *f = *state;
    sample_put(f->s, 1, 0, 10);
    tell(f, "DROP SCHEMA mnemic CASCADE");
    run_info *r = sample_run(2);
    chunk *c = sample_chunk(0, 10);
    store_change change = {.info = r, .put = &c, .put_count = 1};
    assert_int_equal(store_write(f->s, &change, 1), STORE_RETRY);
    assert_int_equal(write_patiently(f->s, &change), STORE_OK);
    assert_held(f->s, 2, 10);
    chunk_free(c);
    run_info_free(r);
}

/* ---- a commit whose answer is lost ---- */

typedef struct {
    store *s;
    const store_change *change;
    store_status status;
} attempt;

static void *write_once(void *ctx)
{
    attempt *a = ctx;
    a->status = store_write(a->s, a->change, 1);
    return NULL;
}

static bool waits_for_standby(const stored_place *f, const char *which)
{
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT 1 FROM pg_stat_activity WHERE %s AND wait_event = 'SyncRep'", which);
    PGresult *r = ask(f, sql);
    bool waits = PQntuples(r) > 0;
    PQclear(r);
    return waits;
}

/* Has the setting arrived where it must? Then a commit, in another database, waits. */
static bool commits_wait(const stored_place *f)
{
    PGconn *c = PQconnectdb(getenv("MNEMIC_TEST_STORE"));
    char which[40];
    snprintf(which, sizeof which, "pid = %d", PQbackendPID(c));
    PQsendQuery(c, "SELECT pg_logical_emit_message(true, 'test', '')");
    bool waits = false;
    while (PQconsumeInput(c) && PQisBusy(c) && !waits) waits = waits_for_standby(f, which);
    if (waits) place_tell("SELECT pg_terminate_backend(%d, 10000)", PQbackendPID(c));
    PQfinish(c);
    return waits;
}

/* A standby that is not there is waited for: the commit is done, but not answered, when the connection is cut. */
static void lose_the_answer(const stored_place *f, const store_change *change)
{
    attempt a = {.s = f->s, .change = change};
    place_tell("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    place_tell("SELECT pg_reload_conf()");
    int64_t end = clock_mono() + 60 * NS_PER_SECOND;
    while (!commits_wait(f) && clock_mono() < end) nanosleep(&(struct timespec){0, 1000000}, NULL);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_once, &a), 0);
    while (!waits_for_standby(f, "datname = current_database()") && clock_mono() < end)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    cut_off(f);
    pthread_join(thread, NULL);
    place_tell("ALTER SYSTEM RESET synchronous_standby_names");
    place_tell("SELECT pg_reload_conf()");
    assert_int_equal(a.status, STORE_RETRY);
}

/* Rows 10 … 19 of run 1, as a server tells of them that has numbered them from `first`. */
static chunk *late_rows(uint64_t first)
{
    batch *b = sample_batch(0, 10, 10);
    for (size_t i = 0; i < 10; i++) b->parts[0].seq[i] = first + i;
    chunk *c = chunk_from_part(&b->parts[0], 0, 10);
    batch_free(b);
    return c;
}

/* The change comes again, since nobody knows; and also if another server has merged its rows since. */
static void an_answer_that_is_lost(void **state)
{
    if (place_is_distributed()) skip();
    enum { ACKED, COUNTED, NUMBERED, KIND_COUNT };
    for (int kind = 0; kind < 2 * KIND_COUNT; kind++) {
        stored_place *f = *state;
        sample_put(f->s, 1, 0, 10);
        run_info *r = sample_run(1);
        r->acked = kind % KIND_COUNT == ACKED;
        r->counted = kind % KIND_COUNT == COUNTED;
        chunk *c = late_rows(r->counted ? 3 : 10);
        r->next_seq = c->key.last_seq + 1;
        r->last = c->key.last_time;
        store_change change = {.info = r, .put = &c, .put_count = 1};
        lose_the_answer(f, &change);
        store *other = sample_open(f->place->url, STORE_WRITE);
        assert_held(other, 1, 20); /* it was committed */
        if (kind >= KIND_COUNT) {
            chunk *parts[] = {sample_chunk(0, 10), sample_chunk(10, 10)};
            chunk_key keys[] = {parts[0]->key, parts[1]->key};
            chunk *one = chunk_merge(parts, 2);
            store_change merge = {.info = r, .put = &one, .put_count = 1, .drop = keys, .drop_count = 2};
            assert_ok(other, store_write(other, &merge, 1));
            for (size_t i = 0; i < 2; i++) chunk_free(parts[i]);
            chunk_free(one);
        }
        store_close(other);
        assert_int_equal(write_patiently(f->s, &change), STORE_OK);
        assert_held(f->s, 1, 20);
        chunk_free(c);
        run_info_free(r);
        close_stored_place(state);
        open_stored_place(state);
    }
}

/* ---- several servers ---- */

typedef struct {
    const char *url;
    size_t each;
    _Atomic bool bad;
} teller;

/* Tells of all rows of run 1, in parts of so many. */
static void *tell_all(void *ctx)
{
    teller *t = ctx;
    buf why = {0};
    store *s = store_open(t->url, STORE_WRITE, &why);
    for (uint64_t at = 0; s && at < 3000; at += t->each) {
        run_info *r = sample_run(1);
        r->acked = true;
        r->next_seq = at + t->each;
        r->last = sample_time(r->next_seq - 1);
        chunk *c = sample_chunk(at, t->each);
        store_change change = {.info = r, .put = &c, .put_count = 1};
        if (write_patiently(s, &change) != STORE_OK) t->bad = true;
        chunk_free(c);
        run_info_free(r);
    }
    if (!s) t->bad = true;
    store_close(s);
    buf_free(&why);
    return NULL;
}

static void two_servers_write_a_run(void **state)
{
    stored_place *f = *state;
    teller tellers[] = {{f->place->url, 10, false}, {f->place->url, 15, false}, {f->place->url, 25, false}};
    pthread_t threads[ARRAY_LEN(tellers)];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, tell_all, &tellers[i]), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) pthread_join(threads[i], NULL);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) assert_false(tellers[i].bad);
    assert_held(f->s, 1, 3000);
}

/* ---- how rows are stored ---- */

/* What a column may have: each comes back bit by bit, however it is stored. */
static double special(uint64_t kind, uint64_t i)
{
    static const double odd[] = {0.0, -0.0, INFINITY, -INFINITY, 0x1p53, -0x1p53, 5e-324, 0x1.fffffffffffffp1023};
    switch (kind) {
    case 0: return 12;                                  /* always the same */
    case 1: return i % 5 == 2 ? NAN : (double)(i % 40); /* 2 bytes         */
    case 2: return NAN;
    case 3: return -1e9 + (double)(i * 4000000);           /* 4 bytes         */
    case 4: return (double)((int64_t)i - 500) / 10;        /* a decimal       */
    case 5: return (200000.0 + (double)i) * 4096 / 0x1p30; /* GiB             */
    case 6: return odd[i % ARRAY_LEN(odd)];
    case 7: return i == 0 ? 0 : 65534;  /* just 2 bytes …  */
    case 8: return i == 0 ? -1 : 65534; /* … just not      */
    case 9: return i == 0 ? 0 : 4294967294.0;
    case 10: return i == 0 ? -1 : 4294967294.0;
    case 11: return (double)i / 3;
    default: return -0.0;
    }
}
#define KINDS 13

static chunk *special_chunk(size_t rows)
{
    chunk *c = chunk_new(rows, KINDS);
    for (size_t i = 0; i < rows; i++) {
        c->time[i] = SAMPLE_START + (int64_t)i * NS_PER_MS + (int64_t)(i * i % 977);
        c->seq[i] = i * 3;
        for (size_t k = 0; k < KINDS; k++) c->values[k][i] = special(k, i);
    }
    chunk_summarise(c);
    return c;
}

static void assert_same_value(double a, double b)
{
    if (isnan(a))
        assert_true(isnan(b));
    else
        assert_memory_equal(&a, &b, sizeof a);
}

static void values_come_back_exactly(void **state)
{
    stored_place *f = *state;
    static const size_t sizes[] = {1, 2, 63, 64, 1000};
    for (uint32_t run = 0; run < ARRAY_LEN(sizes); run++) {
        chunk *put = special_chunk(sizes[run]), *got;
        run_info *r = sample_run(run);
        store_change change = {.info = r, .put = &put, .put_count = 1};
        assert_ok(f->s, store_write(f->s, &change, 1));
        for (uint32_t first = 0; first <= KINDS; first++) { /* all columns; then pairs */
            uint32_t pair[] = {first, (first + 5) % KINDS};
            bool all = first == KINDS;
            assert_ok(f->s, store_chunk(f->s, &r->id, &put->key, all ? NULL : pair, all ? 0 : 2, &got));
            assert_int_equal(got->columns, KINDS);
            assert_memory_equal(got->time, put->time, put->rows * sizeof *put->time);
            assert_memory_equal(got->seq, put->seq, put->rows * sizeof *put->seq);
            for (uint32_t k = 0; k < KINDS; k++) {
                bool wanted = all || k == pair[0] || k == pair[1];
                assert_int_equal(got->values[k] != NULL, wanted);
                for (size_t i = 0; wanted && i < put->rows; i++)
                    assert_same_value(put->values[k][i], got->values[k][i]);
            }
            chunk_free(got);
        }
        chunk_free(put);
        run_info_free(r);
    }
}

/* Whatever shape the arrays have: an error, or rows, but nothing that is not there. */
static void damaged_arrays(void **state)
{
    stored_place *f = *state;
    static const char *const damages[] = { /* Citus 13.2 crashes if a slice stands alone behind the = */
        "doubles = doubles[1:1][:] || '{}'",
        "doubles = NULL",
        "doubles = doubles[:][1:50] || '{}'",
        "doubles = array_fill(1::float8, ARRAY[3, 2, 2])",
        "doubles = array_fill(NULL::float8, ARRAY[2, 100])",
        "double_columns = '{1,1}'",
        "double_columns = '{-5,7}'",
        "double_columns = '{9,20}'",
        "double_columns = '{}'",
        "double_columns = NULL",
        "ints = '{{1,2},{3,4}}'",
        "int_bases = '{}'",
        "int_scales = NULL",
        "int_columns = small_columns",
        "smalls = smalls[1:2][:] || '{}'",
        "small_columns = '{100}'",
        "small_bases = '{{1,2},{3,4}}'",
        "columns = 5",
        "columns = -1",
        "columns = 2000000000",
        "time_small = '{1}'",
        "seq_rest = '{}'",
        "seq_rest = seq_rest[1:99] || '{}'",
    };
    chunk *put = special_chunk(100), *got;
    run_info *r = sample_run(1);
    store_change change = {.info = r, .put = &put, .put_count = 1};
    for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
        assert_ok(f->s, store_write(f->s, &change, 1));
        char sql[256];
        snprintf(sql, sizeof sql, "UPDATE mnemic.chunk SET %s", damages[i]);
        tell(f, sql);
        store_status status = store_chunk(f->s, &r->id, &put->key, NULL, 0, &got);
        if (status != STORE_FAILED) fail_msg("%s: %d", damages[i], status);
        assert_null(got);
        tell(f, "DELETE FROM mnemic.chunk");
    }
    chunk_free(put);
    run_info_free(r);
}

static bool no_entry(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    (void)ctx, (void)key, (void)columns, (void)count;
    return true;
}

static void damaged_summaries(void **state)
{
    stored_place *f = *state;
    static const char *const damages[] = {"summary = '{}'",   "summary[1] = -1", "summary[1] = 'NaN'",
                                          "columns = 100000", "columns = -3",    "summary = '{1,NULL,3,4,5,6}'"};
    for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
        sample_put(f->s, 1, 0, 10);
        char sql[256];
        snprintf(sql, sizeof sql, "UPDATE mnemic.chunk SET %s", damages[i]);
        tell(f, sql);
        uuid id = sample_id(1);
        assert_int_equal(store_cover(f->s, &id, WHOLE, INT64_MAX, no_entry, NULL), STORE_FAILED);
        assert_int_equal(store_entries(f->s, &id, 0, WHOLE, no_entry, NULL), STORE_FAILED);
        tell(f, "DELETE FROM mnemic.chunk");
    }
}

/* ---- what SQL sees ---- */

static void assert_cell(const PGresult *r, int row, int column, double expected)
{
    assert_int_equal(PQgetisnull(r, row, column), isnan(expected));
    if (!isnan(expected)) assert_true(strtod(PQgetvalue(r, row, column), NULL) == expected);
}

/* The original's readers ask so. Chunks of few rows and of many are stored differently. */
static void views_have_the_rows(void **state)
{
    stored_place *f = *state;
    sample_put(f->s, 1, 0, 500);
    for (uint64_t at = 500; at < 600; at += 20) sample_put(f->s, 1, at, 20);
    sample_put(f->s, 2, 0, 10);
    char id[UUID_TEXT], sql[400];
    uuid run = sample_id(1);
    uuid_format(&run, id);
    static const char *const schemas[] = {"public", "mnemic"};
    for (size_t v = 0; v < ARRAY_LEN(schemas); v++) {
        snprintf(
            sql, sizeof sql,
            "SELECT row_data[1], row_data[2], row_data[3], extract(epoch FROM date_time AT TIME ZONE current_setting"
            "('timezone')) * 1000 FROM %s.tracing_row WHERE uuid = '%s' ORDER BY date_time",
            schemas[v], id);
        PGresult *r = ask(f, sql);
        assert_int_equal(PQntuples(r), 600);
        for (int i = 0; i < 600; i++) {
            for (int c = 0; c < 3; c++) assert_cell(r, i, c, sample_value((uint64_t)i, (size_t)c));
            assert_int_equal(strtoll(PQgetvalue(r, i, 3), NULL, 10), sample_time((uint64_t)i) / NS_PER_MS);
        }
        PQclear(r);
    }
    snprintf(sql, sizeof sql,
             "SELECT count(*), sum(value) FROM mnemic.values_between('%s', '2023-11-14 22:13:20.1+00', "
             "'2023-11-14 22:13:20.199+00') WHERE name = 'queue depth'",
             id);
    PGresult *r = ask(f, sql);
    double sum = 0;
    int count = 0;
    for (uint64_t i = 100; i < 200; i++) {
        double v = sample_value(i, 2);
        if (!isnan(v)) sum += v, count++;
    }
    assert_int_equal(atoi(PQgetvalue(r, 0, 0)), count);
    assert_true(strtod(PQgetvalue(r, 0, 1), NULL) == sum);
    PQclear(r);
}

static void deleted_runs_are_not_in_views(void **state)
{
    stored_place *f = *state;
    sample_put(f->s, 1, 0, 10);
    sample_put(f->s, 2, 0, 10);
    uuid id = sample_id(1);
    assert_ok(f->s, store_edit(f->s, &id, &(run_edit){.pinned = -1, .deleted = 5}));
    PGresult *r =
        ask(f, "SELECT (SELECT count(*) FROM public.tracing_run), (SELECT count(*) FROM public.tracing_row),"
               " (SELECT count(DISTINCT run) FROM mnemic.value)");
    assert_string_equal(PQgetvalue(r, 0, 0), "1");
    assert_string_equal(PQgetvalue(r, 0, 1), "10");
    assert_string_equal(PQgetvalue(r, 0, 2), "1");
    PQclear(r);
}

/* A run's rows are found by keys, whatever else is stored. */
static void views_use_the_keys(void **state)
{
    if (place_is_distributed()) skip(); /* workers plan by settings of their own */
    stored_place *f = *state;
    for (uint32_t run = 0; run < 30; run++) sample_put(f->s, run, 0, 10);
    tell(f, "ANALYZE mnemic.run, mnemic.chunk");
    PGconn *c = PQconnectdb(f->place->url);
    PQclear(PQexec(c, "SET enable_seqscan = off")); /* 30 runs are so few that it would be as fast */
    PGresult *r =
        PQexec(c, "EXPLAIN SELECT * FROM public.tracing_row WHERE uuid = '1e7c356f-16b3-485c-a4f0-068700000001'");
    bool run_key = false, chunk_key_used = false;
    for (int i = 0; i < PQntuples(r); i++) {
        run_key |= strstr(PQgetvalue(r, i, 0), "run_text") != NULL;
        chunk_key_used |= strstr(PQgetvalue(r, i, 0), "chunk_pkey") != NULL;
    }
    assert_true(run_key && chunk_key_used);
    PQclear(r);
    PQfinish(c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_stored_place, close_stored_place)
int main(void)
{
    if (!getenv("MNEMIC_TEST_STORE")) {
        puts("1..0 # skip MNEMIC_TEST_STORE is not set; use tests/postgres.sh run");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        TEST(refused_without_secrets),
        TEST(a_server_that_is_not_there),
        TEST(a_newer_schema_is_refused),
        TEST(no_right_to_make_tables),
        TEST(servers_that_start_together),
        TEST(it_connects_again),
        TEST(a_snapshot_ends_with_its_connection),
        TEST(tables_that_are_gone),
        TEST(an_answer_that_is_lost),
        TEST(two_servers_write_a_run),
        TEST(values_come_back_exactly),
        TEST(damaged_arrays),
        TEST(damaged_summaries),
        TEST(views_have_the_rows),
        TEST(deleted_runs_are_not_in_views),
        TEST(views_use_the_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
