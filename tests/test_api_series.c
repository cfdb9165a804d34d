/* SPDX-License-Identifier: MIT OR Unlicense
   test_api_series: what the API answers of a run's rows: series, and the verdicts, histograms and correlations made
   of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "api_sample.h"

/* ---- series ---- */

static void a_series(void **state)
{
    (void)state;
    json_t *s = get_json(run_path(old_id, "/series")), *columns = json_object_get(s, "columns");
    json_t *time = json_object_get(s, "time"), *mem = json_object_get(columns, "mem");
    assert_true(json_number_value(json_object_get(s, "from")) == (double)(T0 / NS_PER_MS));
    assert_true(json_number_value(json_object_get(s, "to")) == (double)(T0 / NS_PER_MS + 3000));
    assert_int_equal(json_array_size(time), 4);
    assert_true(number_at(time, 1) == (double)(T0 / NS_PER_MS + 1000));
    assert_null(json_object_get(s, "rows")); /* every point is a row */
    assert_null(json_object_get(mem, "min"));
    assert_true(number_at(json_object_get(mem, "mean"), 3) == 0.75);
    json_t *other = json_object_get(json_object_get(columns, "with \"quote\", comma"), "mean");
    assert_true(json_is_null(json_array_get(other, 1)));
    assert_true(number_at(other, 2) == 2);
    json_t *gap = json_array_get(json_object_get(s, "gaps"), 0),
           *mark = json_array_get(json_object_get(s, "marks"), 0);
    assert_true(number_at(gap, 0) == (double)(T0 / NS_PER_MS + 2000));
    assert_int_equal(number_at(gap, 2), 5);
    assert_string_equal(json_string_value(json_object_get(mark, "text")), "cache \"flushed\"");
    assert_int_equal(json_integer_value(json_object_get(mark, "count")), 1);
    json_decref(s);
}

static void a_part_of_a_series(void **state)
{
    (void)state;
    char query[128];
    snprintf(query, sizeof query, "/series?from=%lld&to=%lld&columns=1", (long long)(T0 / NS_PER_MS + 500),
             (long long)(T0 / NS_PER_MS + 2500));
    json_t *s = get_json(run_path(old_id, query));
    assert_int_equal(json_array_size(json_object_get(s, "time")), 2);
    assert_int_equal(json_object_size(json_object_get(s, "columns")), 1);
    json_decref(s);
    s = get_json(run_path(old_id, "/series?columns="));
    assert_int_equal(json_object_size(json_object_get(s, "columns")), 0);
    json_decref(s);
    s = get_json(run_path(old_id, "/series?first=1"));
    assert_int_equal(json_object_size(json_object_get(s, "columns")), 1);
    json_decref(s);
    s = get_json(run_path(old_id, "/series?first=9&last=1.5")); /* as many as there are, of the last two rows */
    assert_int_equal(json_object_size(json_object_get(s, "columns")), 2);
    assert_int_equal(json_array_size(json_object_get(s, "time")), 2);
    json_decref(s);
    s = get_json(run_path(old_id, "/series?to=-9000000000000&last=9000000000")); /* nothing is that early */
    assert_int_equal(json_array_size(json_object_get(s, "time")), 0);
    json_decref(s);
    s = get_json(run_path(old_id, "/series?from=9000000000000")); /* nothing is that late */
    json_decref(s);
    s = get_json(run_path(old_id, "/series?from=1&to=9000000000000&points=1"));
    assert_int_equal(json_array_size(json_object_get(s, "time")), 1);
    json_decref(s);
}

/* One that was made before the first row was sampled is part of the run; one from before it was started is not. */
static void a_mark_before_the_first_row(void **state)
{
    static const char id[] = "00000000-0000-4000-8000-0000000000e1", *const names[] = {"mem"};
    char early[] = "early", older[] = "older";
    const int64_t s = NS_PER_SECOND;
    run_event marks[] = {{EVENT_MARK, T0 - s, T0 - s, 0, 0, older}, {EVENT_MARK, T0 + s, T0 + s, 1, 0, early}};
    (void)state;
    buf why = {0};
    store *to = store_open(url, STORE_WRITE, &why);
    assert_non_null(to);
    run_info *r = make_run(id, "early", T0, 1, names);
    batch_part p = make_rows(r, 3, 2, s);
    chunk *rows = chunk_from_part(&p, 0, 2);
    r->last = p.time[1];
    store_change change = {.info = r, .put = &rows, .put_count = 1, .events = marks, .event_count = 2};
    assert_int_equal(store_write(to, &change, 1), STORE_OK);
    store_close(to);
    json_t *answer = get_json(run_path(id, "/series")), *told = json_object_get(answer, "marks");
    assert_true(json_number_value(json_object_get(answer, "from")) == (double)(T0 / NS_PER_MS + 1000));
    assert_true(json_number_value(json_object_get(answer, "to")) == (double)(T0 / NS_PER_MS + 4000));
    assert_int_equal(json_array_size(told), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(told, 0), "text")), early);
    json_decref(answer);
    chunk_free(rows);
    free_rows(&p);
    run_info_free(r);
}

static void a_reduced_series(void **state)
{
    (void)state;
    json_t *s = get_json(run_path(long_id, "/series?points=100")), *rows = json_object_get(s, "rows");
    json_t *mem = json_object_get(json_object_get(s, "columns"), "mem");
    size_t points = json_array_size(rows);
    double sum = 0;
    assert_in_range(points, 10, 100);
    for (size_t i = 0; i < points; i++) sum += number_at(rows, i);
    assert_true(sum == LONG_ROWS);
    assert_true(number_at(json_object_get(mem, "min"), 0) == 0);
    assert_true(number_at(json_object_get(mem, "max"), points - 1) == (double)(LONG_ROWS - 1) / 4);
    json_decref(s);
}

/* ---- verdicts ---- */

static void verdicts(void **state)
{
    (void)state;
    json_t *s = get_json(run_path(long_id, "/drift")), *columns = json_object_get(s, "columns");
    assert_int_equal(json_array_size(columns), 2);
    json_t *mem = json_array_get(columns, 0), *other = json_array_get(columns, 1);
    assert_string_equal(json_string_value(json_object_get(mem, "name")), "mem");
    assert_string_equal(json_string_value(json_object_get(mem, "unit")), "MB");
    assert_string_equal(json_string_value(json_object_get(mem, "verdict")), "rising");
    double slope = 1000.0 / 4 * 3600; /* a quarter a row, 1,000 rows a second */
    assert_true(fabs(json_number_value(json_object_get(mem, "slope")) / slope - 1) < 1e-6);
    assert_true(json_number_value(json_object_get(mem, "low")) <= slope * 1.000001);
    assert_float_equal(json_number_value(json_object_get(mem, "change")), LONG_ROWS / 4, LONG_ROWS / 200);
    assert_int_equal(json_array_size(json_object_get(mem, "shifts")), 0);
    assert_int_equal(json_integer_value(json_object_get(mem, "outliers_found")), 0);
    assert_string_equal(json_string_value(json_object_get(other, "kind")), "counter");
    assert_string_equal(json_string_value(json_object_get(other, "verdict")), "steady"); /* counts 1,000 a second */
    assert_float_equal(json_number_value(json_object_get(other, "level")), 1000, 10);
    json_decref(s);
    s = get_json(run_path(old_id, "/drift?columns=1"));
    columns = json_object_get(s, "columns");
    assert_int_equal(json_array_size(columns), 1);
    mem = json_array_get(columns, 0);
    assert_string_equal(json_string_value(json_object_get(mem, "verdict")), "unclear"); /* two values */
    assert_true(json_is_null(json_object_get(mem, "slope")));
    json_decref(s);
    s = get_json(run_path(old_id, "/drift?columns="));
    assert_int_equal(json_array_size(json_object_get(s, "columns")), 0);
    json_decref(s);
    expect_error("GET", run_path("00000000-0000-4000-8000-00000000dead", "/drift"), "", 404, "no such run");
}

static void histograms(void **state)
{
    (void)state;
    json_t *s = get_json(run_path(long_id, "/histogram?points=50")); /* it has none */
    assert_int_equal(json_array_size(json_object_get(s, "time")), 0);
    assert_int_equal(json_object_size(json_object_get(s, "columns")), 0);
    assert_true(json_number_value(json_object_get(s, "to")) > json_number_value(json_object_get(s, "from")));
    json_decref(s);
    expect_error("GET", run_path(long_id, "/histogram?columns=0"), "", 400, "kind is histogram");
    expect_error("GET", run_path(long_id, "/histogram?columns=9"), "", 400, "columns");
    expect_error("GET", run_path(long_id, "/histogram?points=0"), "", 400, "points");
    expect_error("GET", run_path("00000000-0000-4000-8000-00000000dead", "/histogram"), "", 404, "no such run");
}

static void correlations(void **state)
{
    (void)state;
    json_t *s = get_json(run_path(long_id, "/correlation?columns=1,0&differenced=0")), *r = json_object_get(s, "r");
    assert_false(json_boolean_value(json_object_get(s, "exact")));
    assert_false(json_boolean_value(json_object_get(s, "differenced")));
    assert_int_equal(json_array_size(json_object_get(s, "columns")), 2);
    assert_int_equal(json_array_size(r), 2);
    assert_int_equal(json_array_size(json_array_get(r, 0)), 1); /* below the diagonal, and that */
    assert_int_equal(json_array_size(json_array_get(r, 1)), 2);
    assert_true(json_integer_value(json_object_get(s, "points")) > 900);
    json_decref(s);
    s = get_json(run_path(old_id, "/correlation?columns=0"));
    assert_true(json_boolean_value(json_object_get(s, "exact")));
    assert_true(number_at(json_array_get(json_object_get(s, "r"), 0), 0) == 1);
    assert_true(number_at(json_array_get(json_object_get(s, "n"), 0), 0) == 4);
    json_decref(s);
    s = get_json(run_path(old_id, "/correlation?columns=0&differenced=1")); /* it rises evenly */
    assert_true(json_is_null(json_array_get(json_array_get(json_object_get(s, "r"), 0), 0)));
    assert_true(number_at(json_array_get(json_object_get(s, "n"), 0), 0) == 3);
    json_decref(s);
    expect_error("GET", run_path("00000000-0000-4000-8000-00000000dead", "/correlation"), "", 404, "no such run");
}

/* ---- questions ---- */

static void bad_questions(void **state)
{
    (void)state;
    static const struct {
        const char *rest, *says;
    } cases[] = {
        {"/series?points=0", "points"},
        {"/series?points=20001", "points"},
        {"/series?from=x", "from"},
        {"/series?from=2&to=1", "later"},
        {"/series?columns=2", "columns"},
        {"/series?columns=0,0", "columns"},
        {"/series?colums=0", "colums"},
        {"/series?first=0", "first"},
        {"/series?first=4294967297", "first"},
        {"/series?last=0", "last"},
        {"/series?last=-1", "last"},
        {"/series?last=9223372036854775807", "last"},
        {"/drift?first=1", "first"},
        {".csv?last=600", "last"},
        {"?x=1", "x"},
        {".csv?points=3", "points"},
        {"/live?from=1", "from"},
        {".ndjson?to=", "to"},
        {"/series?columns=-1", "columns"},
        {"/drift?columns=2", "columns"},
        {"/drift?columns=1,1", "columns"},
        {"/drift?points=9", "points"},
        {"/correlation?differenced=yes", "differenced"},
        {"/correlation?differenced=2", "differenced"},
        {"/drift?differenced=1", "differenced"},
        {"/drift?from=2&to=1", "later"},
        {"/series?%ff%22=<b>", "no such parameter"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_error("GET", run_path(old_id, cases[i].rest), "", 400, cases[i].says);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_series),
        cmocka_unit_test(a_part_of_a_series),
        cmocka_unit_test(a_mark_before_the_first_row),
        cmocka_unit_test(a_reduced_series),
        cmocka_unit_test(verdicts),
        cmocka_unit_test(histograms),
        cmocka_unit_test(correlations),
        cmocka_unit_test(bad_questions),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
