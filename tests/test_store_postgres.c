/* SPDX-License-Identifier: MIT OR Unlicense
   test_store_postgres: what only the PostgreSQL store does: how it is opened, what it does when connections or
   answers are lost, and several servers that write it. What every store promises is in test_store.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <time.h>

#include "store_postgres_sample.h"

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
    execute(f, "INSERT INTO mnemic.schema_version VALUES (1000)");
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
    execute(f, "DROP SCHEMA mnemic CASCADE");
    char role[80], sql[256], url[400];
    snprintf(role, sizeof role, "guest_%s", f->place->database);
    snprintf(sql, sizeof sql, "CREATE ROLE %s LOGIN", role);
    execute(f, sql);
    snprintf(url, sizeof url, "postgresql://%s@%s", role, strchr(f->place->url, '@') + 1);
    buf why = {0};
    assert_null(store_open(url, STORE_WRITE, &why));
    assert_non_null(strstr(why.p, "permission denied"));
    buf_free(&why);
    snprintf(sql, sizeof sql, "DROP ROLE %s", role);
    execute(f, sql);
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
    execute(f, "DROP SCHEMA mnemic CASCADE");
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
    execute(f, "DROP SCHEMA mnemic CASCADE");
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

int main(void)
{
    if (!server_is_given()) return 0;
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
