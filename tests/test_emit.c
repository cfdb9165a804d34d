/* SPDX-License-Identifier: MIT OR Unlicense
   test_emit: what the API answers, as text; and the query strings it takes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../server/http/emit.h"
#include "../server/http/emit_distribution.h"
#include "../server/http/params.h"

#define MS NS_PER_MS

/* ---- strings and times ---- */

static void strings_survive_a_parser(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "plain",
        "<img src=x onerror=alert(1)>",
        "\"quoted\" \\ back\\slash",
        "line\nfeed\ttab\x01\x1f",
        "h\xc3\xa9llo \xf0\x9f\x98\x80",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        buf out = {0};
        emit_string(&out, texts[i]);
        json_t *value = json_loadb(out.p, out.n, JSON_DECODE_ANY, NULL);
        assert_non_null(value);
        assert_string_equal(json_string_value(value), texts[i]);
        for (size_t k = 0; k < out.n; k++) assert_true((unsigned char)out.p[k] >= 0x20);
        json_decref(value);
        buf_free(&out);
    }
}

static void times_are_exact(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        {0, "0"},
        {1, "0.000001"},
        {-1, "-0.000001"},
        {MS, "1"},
        {1500000, "1.5"},
        {-1500000, "-1.5"},
        {INT64_C(1769860800123456789), "1769860800123.456789"},
        {INT64_C(1769860800123000000), "1769860800123"},
        {INT64_C(1769860800100000100), "1769860800100.0001"},
        {INT64_MAX, "9223372036854.775807"},
        {INT64_MIN, "-9223372036854.775808"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf out = {0};
        emit_ms(&out, cases[i].ns);
        assert_string_equal(out.p, cases[i].text);
        buf_free(&out);
    }
}

/* ---- runs ---- */

static char nothing[] = "", app[] = "a \"pp\"", box[] = "box", memory[] = "mem\\ory", unit[] = "MB",
            hits[] = "<b>hits";
static char branch[] = "branch", main_branch[] = "main";
static run_column two_columns[] = {{memory, unit, COLUMN_GAUGE}, {hits, nothing, COLUMN_COUNTER}};
static run_tag one_tag[] = {{branch, main_branch}};

static run_info sample_run(void)
{
    return (run_info){
        .id = {{0x1e, 0x7c, 0x35, 0x6f, 0x16, 0xb3, 0x48, 0x5c, 0xa4, 0xf0, 6, 0x87, 0x29, 0x19, 0x28, 0x5e}},
        .app = app,
        .host = box,
        .build = nothing,
        .args = nothing,
        .place = nothing,
        .pid = 4711,
        .started = 1000 * MS,
        .last = 2500 * MS,
        .seen = 2500 * MS,
        .interval = NS_PER_SECOND / 2,
        .rows = 4,
        .lost = 1,
        .columns = two_columns,
        .column_count = 2,
        .tags = one_tag,
        .tag_count = 1,
        .note = nothing, .user_tags = nothing};
}

static void a_run(void **state)
{
    (void)state;
    run_info r = sample_run();
    buf out = {0};
    emit_run(&out, &r, 3000 * MS);
    assert_string_equal(
        out.p, "{\"id\":\"1e7c356f-16b3-485c-a4f0-06872919285e\",\"app\":\"a \\\"pp\\\"\",\"state\":\"live\","
               "\"started\":1000,\"last\":2500,\"rows\":4,\"lost\":1,\"interval\":0.5,"
               "\"columns\":[\"mem\\\\ory\",\"<b>hits\"],\"tags\":{\"branch\":\"main\"},\"note\":\"\","
               "\"pinned\":false}");
    out.n = 0;
    r.interval = 0;
    emit_run(&out, &r, 60000 * MS); /* silent for long */
    assert_non_null(strstr(out.p, "\"state\":\"lost\""));
    assert_non_null(strstr(out.p, "\"interval\":null"));
    buf_free(&out);
}

static void a_runs_details(void **state)
{
    (void)state;
    run_info r = sample_run();
    buf out = {0};
    emit_run_details(&out, &r, (double[]){0.1, NAN}, 3000 * MS);
    assert_non_null(strstr(
        out.p, "\"host\":\"box\",\"pid\":4711,\"build\":\"\",\"args\":\"\",\"clock_offset\":0,\"column_info\":["
               "{\"name\":\"mem\\\\ory\",\"unit\":\"MB\",\"kind\":\"gauge\",\"last\":0.1},"
               "{\"name\":\"<b>hits\",\"unit\":\"\",\"kind\":\"counter\",\"last\":null}]}"));
    out.n = 0;
    r.pid = 0;
    emit_run_details(&out, &r, (double[]){INFINITY, 1}, 3000 * MS);
    assert_non_null(strstr(out.p, "\"pid\":null"));
    assert_non_null(strstr(out.p, "\"last\":null}"));
    buf_free(&out);
}

/* ---- series ---- */

static void a_series(void **state)
{
    (void)state;
    run_info r = sample_run();
    int64_t time[] = {1000 * MS, 1500 * MS + 1};
    uint64_t rows[] = {1, 2};
    uint32_t columns[] = {1};
    double mean[] = {1.5, NAN}, min[] = {1, NAN}, max[] = {2, NAN};
    series_column values[] = {{mean, min, max}};
    run_event gap = {EVENT_GAP, 1000 * MS, 1200 * MS, 3, 7, nothing};
    run_event mark = {EVENT_MARK, 1100 * MS, 1100 * MS, 0, 0, hits};
    series s = {2, time, rows, false, columns, values, 1, &gap, 1, &mark, 1};
    buf out = {0};
    emit_series(&out, &r, &s, &(emit_range){MS, 2 * MS});
    assert_string_equal(out.p,
                        "{\"from\":1,\"to\":2,\"time\":[1000,1500.000001],\"rows\":[1,2],\"columns\":{\"<b>hits\":{"
                        "\"mean\":[1.5,null],\"min\":[1,null],\"max\":[2,null]}},\"gaps\":[[1000,1200,7]],"
                        "\"marks\":[{\"time\":1100,\"text\":\"<b>hits\",\"count\":1}]}");
    out.n = 0;
    s = (series){.points = 1, .time = time, .exact = true, .columns = columns, .values = values, .column_count = 1};
    emit_series(&out, &r, &s, NULL);
    assert_string_equal(out.p,
                        "{\"time\":[1000],\"columns\":{\"<b>hits\":{\"mean\":[1.5]}},\"gaps\":[],\"marks\":[]}");
    buf_free(&out);
}

/* ---- params ---- */

static char why_text[256];

static bool read_query(params *p, const char *query, unsigned known)
{
    buf why = {0};
    bool good = params_read(p, span_of(query), known, &why);
    assert_int_equal(good, why.n == 0);
    strncpy(why_text, why.n ? why.p : "", sizeof why_text - 1);
    buf_free(&why);
    return good;
}

static const unsigned all = PARAM_RANGE | PARAM_POINTS | PARAM_COLUMNS;

/* Two parts of four have values; the buckets of the second, of which there are more than bins, share them. */
static void a_distribution(void **state)
{
    (void)state;
    static const uint32_t columns[] = {1};
    histogram parts[4] = {{0}};
    for (uint32_t i = 0; i < 100; i++) {
        histogram_bin bin = {histogram_bucket(1) + i, i + 1}, one = {histogram_bucket(1) + 4, 3};
        histogram_add(&parts[2], &(histogram){&bin, 1, 0});
        if (i == 0) histogram_add(&parts[1], &(histogram){&one, 1, 0});
    }
    histogram *of[] = {parts};
    run_info r = sample_run();
    distribution d = {.grid = grid_of(0, 4000 * MS - 1, 4), .column_count = 1, .of = of};
    buf out = {0};
    emit_distribution(&out, &r, columns, &d);
    json_t *s = json_loadb(out.p, out.n, 0, NULL), *column = json_object_get(json_object_get(s, "columns"), r.columns[1].name);
    json_t *edges = json_object_get(column, "edges"), *cells = json_object_get(column, "cells"), *first = json_array_get(cells, 0);
    assert_int_equal(json_array_size(json_object_get(s, "time")), 2);
    assert_true(json_number_value(json_array_get(json_object_get(s, "time"), 0)) == 1000);
    assert_true(json_number_value(json_object_get(s, "width")) == 1000);
    assert_int_equal(json_array_size(edges), 51); /* two buckets each */
    assert_true(json_number_value(json_array_get(edges, 0)) == 1 &&
                json_number_value(json_array_get(edges, 1)) == 1 + 2.0 / 128);
    assert_int_equal(json_array_size(first), 2);
    assert_int_equal(json_integer_value(json_array_get(first, 0)), 2);
    assert_int_equal(json_integer_value(json_array_get(first, 1)), 3);
    assert_int_equal(json_array_size(json_array_get(cells, 1)), 100);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(column, "count"), 1)), 5050);
    json_t *total = json_object_get(column, "total");
    assert_int_equal(json_integer_value(json_object_get(total, "count")), 5053);
    assert_true(fabs(json_number_value(json_object_get(total, "p50")) - (1 + 70.5 / 128)) < 0.01);
    assert_true(fabs(json_number_value(json_object_get(total, "max")) - (1 + 99.5 / 128)) < 0.001);
    json_decref(s);
    buf_free(&out);
    for (size_t i = 0; i < 4; i++) histogram_free(&parts[i]);
}

/* What a stranger may tell: its mean is beyond all numbers. */
static void a_distribution_without_bounds(void **state)
{
    (void)state;
    static const uint32_t columns[] = {0};
    histogram_bin bins[] = {{0, 1}, {HISTOGRAM_BUCKETS - 1, UINT64_MAX}};
    histogram part = {bins, 2, 0}, *of[] = {&part};
    run_info r = sample_run();
    distribution d = {.grid = grid_of(0, 1, 1), .column_count = 1, .of = of};
    buf out = {0};
    emit_distribution(&out, &r, columns, &d);
    json_t *s = json_loadb(out.p, out.n, JSON_DECODE_INT_AS_REAL, NULL);
    assert_non_null(s);
    json_t *column = json_object_get(json_object_get(s, "columns"), r.columns[0].name);
    assert_true(json_is_null(json_object_get(json_object_get(column, "total"), "mean")));
    json_decref(s);
    buf_free(&out);
}

static void no_parameters(void **state)
{
    (void)state;
    params p;
    assert_true(read_query(&p, "", all));
    assert_true(p.from == INT64_MIN && p.to == INT64_MAX && p.points == 1200 && !p.columns);
    assert_true(read_query(&p, "&&", 0));
}

static void all_parameters(void **state)
{
    (void)state;
    params p;
    assert_true(read_query(&p, "from=-1.5&to=1769860800123.456789&points=20000&columns=3%2C0,4294967295", all));
    assert_true(p.from == -1500000);
    assert_true(p.to == INT64_C(1769860800123456789));
    assert_int_equal(p.points, 20000);
    assert_int_equal(p.column_count, 3);
    assert_int_equal(p.columns[0], 3);
    assert_int_equal(p.columns[1], 0);
    assert_true(p.columns[2] == UINT32_MAX);
    free(p.columns);
    assert_true(read_query(&p, "columns=", all));
    assert_non_null(p.columns);
    assert_int_equal(p.column_count, 0);
    free(p.columns);
    assert_true(read_query(&p, "from=1.0000019&columns=1&columns=2", all)); /* the last one counts */
    assert_true(p.from == 1000001);
    assert_int_equal(p.column_count, 1);
    assert_int_equal(p.columns[0], 2);
    free(p.columns);
}

static void bad_parameters(void **state)
{
    (void)state;
    static const char *const queries[] = {
        "from=",
        "from=x",
        "from=1e3",
        "from=9223372036855",
        "from=99999999999999999999",
        "from=--1",
        "from=1.x",
        "to=1%00",
        "points=0",
        "points=20001",
        "points=-1",
        "points=",
        "points=1.5",
        "columns=,",
        "columns=1,,2",
        "columns=a",
        "columns=-1",
        "columns=4294967296",
        "columns=0,1,",
        "colums=1",
        "x",
        "=",
        "%",
        "from=2&to=1",
        "from=1&point=3",
        "points=12abc",
        "columns=1%2",
    };
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        params p;
        if (read_query(&p, queries[i], all)) fail_msg("%s was taken", queries[i]);
        free(p.columns);
    }
    params p;
    assert_false(read_query(&p, "points=1", PARAM_RANGE));
    assert_non_null(strstr(why_text, "points"));
    char *long_list = mem_calloc(2 * MAX_COLUMNS + 20, 1);
    strcpy(long_list, "columns=0");
    for (size_t i = 0; i < MAX_COLUMNS; i++) strcpy(long_list + 9 + 2 * i, ",0");
    assert_false(read_query(&p, long_list, all));
    free(p.columns);
    free(long_list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_survive_a_parser),
        cmocka_unit_test(times_are_exact),
        cmocka_unit_test(a_run),
        cmocka_unit_test(a_runs_details),
        cmocka_unit_test(a_series),
        cmocka_unit_test(a_distribution),
        cmocka_unit_test(a_distribution_without_bounds),
        cmocka_unit_test(no_parameters),
        cmocka_unit_test(all_parameters),
        cmocka_unit_test(bad_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
