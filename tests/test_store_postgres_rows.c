/* SPDX-License-Identifier: MIT OR Unlicense
   test_store_postgres_rows: how the PostgreSQL store keeps rows, damaged ones too, and what other readers see of
   them with SQL. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_postgres_sample.h"

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
        execute(f, sql);
        store_status status = store_chunk(f->s, &r->id, &put->key, NULL, 0, &got);
        if (status != STORE_FAILED) fail_msg("%s: %d", damages[i], status);
        assert_null(got);
        execute(f, "DELETE FROM mnemic.chunk");
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
        execute(f, sql);
        uuid id = sample_id(1);
        assert_int_equal(store_cover(f->s, &id, WHOLE, INT64_MAX, no_entry, NULL), STORE_FAILED);
        assert_int_equal(store_entries(f->s, &id, 0, WHOLE, no_entry, NULL), STORE_FAILED);
        execute(f, "DELETE FROM mnemic.chunk");
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
    execute(f, "ANALYZE mnemic.run, mnemic.chunk");
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

int main(void)
{
    if (!server_is_given()) return 0;
    const struct CMUnitTest tests[] = {
        TEST(values_come_back_exactly),
        TEST(damaged_arrays),
        TEST(damaged_summaries),
        TEST(views_have_the_rows),
        TEST(deleted_runs_are_not_in_views),
        TEST(views_use_the_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
