/* SPDX-License-Identifier: MIT OR Unlicense
   test_metrics: OpenMetrics text that a strict parser would take. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../server/http/metrics.h"

static ingest_stats ingest_numbers;
static runs_counters runs_numbers;
static writer_stats writer_numbers;
static http_stats http_numbers;

static buf make_text(const run_info *r, const double *last)
{
    metrics_sources from = {&ingest_numbers, &runs_numbers, &writer_numbers, &http_numbers, true};
    buf out = {0};
    metrics_server(&out, &from);
    if (r) metrics_run(&out, r, last);
    metrics_end(&out);
    return out;
}

/* Each family is announced once, before its samples; a counter's samples end in _total; the text ends with # EOF. */
static void form(void **state)
{
    (void)state;
    buf out = make_text(NULL, NULL), seen = {0};
    char family[100] = "", type[20] = "", *rest = NULL, line[400];
    assert_string_equal(out.p + out.n - 6, "# EOF\n");
    for (char *p = strtok_r(out.p, "\n", &rest); p; p = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(p, "# TYPE ", 7) == 0) {
            assert_int_equal(sscanf(p, "# TYPE %99s %19s", family, type), 2);
            snprintf(line, sizeof line, " %s ", family);
            assert_null(seen.n ? strstr(seen.p, line) : NULL);
            buf_text(&seen, line);
        } else if (strncmp(p, "# HELP ", 7) == 0) {
            snprintf(line, sizeof line, "# HELP %s ", family);
            assert_memory_equal(p, line, strlen(line));
        } else if (*p != '#') {
            snprintf(line, sizeof line, "%s%s", family,
                     !strcmp(type, "counter") ? "_total"
                     : !strcmp(type, "info")  ? "_info"
                                              : "");
            assert_memory_equal(p, line, strlen(line));
            assert_true(p[strlen(line)] == '{' || p[strlen(line)] == ' ');
            assert_true(isfinite(strtod(strrchr(p, ' ') + 1, NULL)));
        }
    }
    buf_free(&out);
    buf_free(&seen);
}

static void numbers(void **state)
{
    (void)state;
    atomic_store(&ingest_numbers.datagrams, 18446744073709551615u);
    atomic_store(&ingest_numbers.refused[DECODE_UUID], 4);
    atomic_store(&runs_numbers.orphans, 5);
    atomic_store(&writer_numbers.rows_dropped, 6);
    atomic_store(&writer_numbers.behind, true);
    atomic_store(&http_numbers.responses[4], 7);
    buf out = make_text(NULL, NULL);
    assert_non_null(strstr(out.p, "\nmnemic_datagrams_total 18446744073709551615\n"));
    assert_non_null(strstr(out.p, "\nmnemic_datagrams_refused_total{reason=\"uuid\"} 4\n"));
    assert_non_null(strstr(out.p, "\nmnemic_ingest_orphans_total 5\n"));
    assert_non_null(strstr(out.p, "\nmnemic_writer_rows_dropped_total 6\n"));
    assert_non_null(strstr(out.p, "\nmnemic_writer_behind 1\n"));
    assert_non_null(strstr(out.p, "\nmnemic_http_responses_total{code=\"4xx\"} 7\n"));
    buf_free(&out);
}

static void hostile_names(void **state)
{
    (void)state;
    char app[] = "a\"b\\c\nd{}", plain[] = "plain", odd[] = "x\"} 1\ny", none[] = "none";
    run_column columns[] = {{plain, none, COLUMN_GAUGE}, {odd, none, COLUMN_GAUGE}, {none, none, COLUMN_GAUGE}};
    run_info r = {.app = app, .columns = columns, .column_count = 3};
    buf out = make_text(&r, (double[]){1.5, -2, NAN});
    assert_non_null(strstr(out.p,
                           "dolon_value{app=\"a\\\"b\\\\c\\nd{}\",run=\"00000000-0000-0000-0000-000000000000\","
                           "column=\"plain\"} 1.5\n"
                           "dolon_value{app=\"a\\\"b\\\\c\\nd{}\",run=\"00000000-0000-0000-0000-000000000000\","
                           "column=\"x\\\"} 1\\ny\"} -2\n"
                           "# EOF\n"));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(form),
        cmocka_unit_test(numbers),
        cmocka_unit_test(hostile_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
