/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon_run: whole tracers against a socket on loopback: what arrives, and when. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <assert.h>

#define DOLON_IMPLEMENTATION
#define DOLON_MAX_MARKS 8
#define DOLON_ASSERT(x) assert(x)
#include "../dolon.h"
#include "test_dolon_sink.h"

/* ---- what arrives ---- */

static void a_run_is_announced_sampled_and_ended(void **state)
{
    sink s;
    char id[37];
    int64_t time = 0;
    (void)state;
    sink_open(&s, 0);
    dolon_desc d = desc_for(&s, 0.005);
    d.tags[0] = (dolon_tag){"branch", "main"};
    dolon_tracer *t = dolon_start(&d);
    json_t *j = sink_next(&s);
    assert_memory_equal(
        s.bytes, "{\"msg_type\": \"create_trace_run\", \"app_name\": \"test\", \"column_names\": [\"answer\"", 76);
    assert_int_equal(integer(j, "pid"), getpid());
    assert_true(strlen(text(j, "host")) > 0);
    assert_non_null(strstr(text(j, "args"), "test_dolon_run"));
    assert_string_equal(text(json_object_get(j, "tags"), "branch"), "main");
    assert_true(json_number_value(json_object_get(j, "interval")) == 0.005);
    strcpy(id, text(j, "uuid"));
    time = integer(j, "time") - 1;
    json_decref(j);
    for (int seq = 0; seq < 20; seq++) {
        j = sink_next_row(&s);
        assert_string_equal(text(j, "uuid"), id);
        assert_int_equal(integer(j, "seq"), seq);
        assert_true(integer(j, "time") > time);
        assert_true(json_number_value(sink_value(j, 0)) == 42);
        assert_null(json_object_get(j, "end"));
        time = integer(j, "time");
        json_decref(j);
    }
    dolon_mark(t, "the end is near");
    dolon_stop(t);
    j = sink_next_row(&s);
    while (!json_object_get(j, "end")) {
        json_decref(j);
        j = sink_next_row(&s);
    }
    assert_string_equal(text(j, "end"), "stopped");
    assert_true(integer(j, "time") > time);
    json_decref(j);
    sink_close(&s);
}

static void defaults_and_environment(void **state)
{
    sink s;
    char port[16];
    (void)state;
    sink_open(&s, 0);
    snprintf(port, sizeof port, "%d", s.port);
    setenv("DOLON_PORT", port, 1);
    dolon_tracer *t = dolon_start(&(dolon_desc){.wire = DOLON_WIRE_JSON});
    json_t *j = sink_next_announcement(&s);
    assert_string_equal(text(j, "app_name"), "test_dolon_run");
    assert_true(json_number_value(json_object_get(j, "interval")) == 1);
    assert_int_equal(sink_column(j, "mem_allocation"), 0);
    assert_true(sink_column(j, "cpu_percent") > 0 && sink_column(j, "open_descriptors") > 0);
    json_decref(j);
    j = sink_next_row(&s);
    assert_true(json_number_value(sink_value(j, 1)) >= 1);
    dolon_stop(t);

    setenv("DOLON_HOST", "127.0.0.1", 1);
    setenv("DOLON_INTERVAL", "0.25", 1);
    setenv("DOLON_APP_NAME", "from outside", 1);
    t = dolon_start(&(dolon_desc){
        .app_name = "inside", .port = 1, .host = "nowhere.invalid", .interval = 9, .wire = DOLON_WIRE_JSON});
    do j = (json_decref(j), sink_next_announcement(&s));
    while (strcmp(text(j, "app_name"), "from outside") != 0);
    assert_true(json_number_value(json_object_get(j, "interval")) == 0.25);
    json_decref(j);
    dolon_stop(t);

    setenv("DOLON_DISABLED", "1", 1);
    assert_null(dolon_start(NULL));
    assert_true(dolon__scopes_off);
    dolon_measure_scopes(1);
    setenv("DOLON_DISABLED", "0", 1);
    t = dolon_start(NULL);
    assert_non_null(t);
    dolon_stop(t);
    unsetenv("DOLON_DISABLED");
    unsetenv("DOLON_HOST");
    unsetenv("DOLON_INTERVAL");
    unsetenv("DOLON_APP_NAME");
    unsetenv("DOLON_PORT");
    sink_close(&s);
}

static void senseless_settings_are_told_and_ignored(void **state)
{
    sink s;
    (void)state;
    sink_open(&s, 0);
    setenv("DOLON_PORT", "port", 1);
    setenv("DOLON_INTERVAL", "-1", 1);
    dolon_desc d = desc_for(&s, 1e-9);
    d.no_environment = 0;
    d.probes[1] = (dolon_probe){"no such builtin", NULL, NULL, NULL};
    dolon_tracer *t = dolon_start(&d);
    assert_int_equal(times_told(DOLON_BAD_VALUE), 3); /* the two, and the interval in the desc */
    assert_int_equal(times_told(DOLON_BAD_PROBE), 1);
    json_t *j = sink_next_announcement(&s);
    assert_true(json_number_value(json_object_get(j, "interval")) == 0.0001);
    json_decref(j);
    dolon_stop(t);
    unsetenv("DOLON_PORT");
    unsetenv("DOLON_INTERVAL");
    sink_close(&s);
}

static void null_tracers_do_nothing(void **state)
{
    dolon_stats stats;
    (void)state;
    dolon_mark(NULL, "x");
    dolon_get_stats(NULL, &stats);
    assert_int_equal(stats.rows, 0);
    dolon_stop(NULL);
}

static void a_long_interval_is_announced_again(void **state)
{
    sink s;
    (void)state;
    sink_open(&s, 0);
    dolon_desc d = desc_for(&s, 86400);
    dolon_tracer *t = dolon_start(&d);
    json_decref(sink_next_announcement(&s));
    json_decref(sink_next_row(&s));
    json_t *again = sink_next(&s); /* a second later */
    assert_false(sink_is_row(again));
    json_decref(again);
    dolon_stop(t);
    sink_close(&s);
}

static void columns_join_while_it_runs(void **state)
{
    sink s;
    double value = 7;
    (void)state;
    sink_open(&s, 0);
    dolon_desc d = desc_for(&s, 0.005);
    dolon_tracer *t = dolon_start(&d);
    json_decref(sink_next_row(&s));
    assert_int_equal(dolon_add_probe(t, &(dolon_probe){"joined", answer, &value, NULL}), DOLON_OK);
    json_t *j = sink_next_announcement(&s);
    while (sink_column(j, "joined") < 0) {
        json_decref(j);
        j = sink_next_announcement(&s);
    }
    int column = sink_column(j, "joined");
    assert_int_equal(sink_column(j, "answer"), 0);
    json_decref(j);
    j = sink_next_row(&s);
    assert_true(json_number_value(sink_value(j, column)) == 7);
    json_decref(j);
    dolon_stop(t);
    sink_close(&s);
}

static void hundreds_of_columns(void **state)
{
    sink s;
    char name[64];
    double value = -1.2345678901234567e-300;
    (void)state;
    sink_open(&s, 0);
    dolon_desc d = desc_for(&s, 3600);
    dolon_tracer *t = dolon_start(&d);
    for (int i = 0; i < 600; i++) {
        snprintf(name, sizeof name, "a_column_with_a_fairly_long_name_%d", i);
        assert_int_equal(dolon_add_probe(t, &(dolon_probe){name, answer, &value, "unit"}), DOLON_OK);
    }
    dolon_stop(t);
    json_t *j = sink_next_announcement(&s);
    while (json_array_size(json_object_get(j, "column_names")) < 601) {
        json_decref(j);
        j = sink_next_announcement(&s);
    }
    json_decref(j);
    j = sink_next_row(&s);
    assert_true(json_array_size(json_object_get(j, "row_data")) >= 601);
    assert_true(json_number_value(sink_value(j, 600)) == value);
    json_decref(j);
    sink_close(&s);
}

/* ---- time ---- */

/* 1,000 rows a second apart by a millisecond: all on the grid, but for those counted as late. */
static void rows_are_on_the_grid(void **state)
{
    sink s;
    dolon_stats stats;
    int rows = 0, off = 0, end = 0;
    int64_t last = 0, expected = 0;
    (void)state;
    sink_open(&s, 0);
    dolon_desc d = desc_for(&s, 0.001);
    dolon_tracer *t = dolon_start(&d);
    json_t *j = sink_next_announcement(&s);
    int64_t start = integer(j, "time");
    json_decref(j);
    do usleep(5000), dolon_get_stats(t, &stats);
    while (stats.rows + stats.skipped < 1000);
    assert_true(stats.rows + stats.skipped <= (uint64_t)((dolon__os_wall() - start) / DOLON__MS) + 20);
    dolon_stop(t);
    while (!end) {
        j = sink_next_row(&s);
        int64_t time = integer(j, "time");
        end = json_object_get(j, "end") != NULL;
        assert_int_equal(integer(j, "seq"), expected++);
        assert_true(time > last);
        last = time;
        rows++;
        if (!end) off += (time - start) % DOLON__MS != 0;
        json_decref(j);
    }
    assert_true((uint64_t)rows > stats.rows);
    assert_true((uint64_t)off >= stats.late);
    assert_true(off <= (int)stats.late + (rows - (int)stats.rows));
    sink_close(&s);
}

static double slow(void *user)
{
    (void)user;
    usleep(25000);
    return 1;
}

static void a_slow_probe_skips_ticks_and_keeps_the_schedule(void **state)
{
    sink s;
    dolon_stats stats;
    (void)state;
    sink_open(&s, 0);
    dolon_desc d = desc_for(&s, 0.010);
    d.probes[0].fn = slow;
    dolon_tracer *t = dolon_start(&d);
    json_t *j = sink_next_announcement(&s);
    json_decref(j);
    for (int i = 0; i < 10; i++) json_decref(sink_next_row(&s));
    dolon_get_stats(t, &stats);
    assert_true(stats.skipped >= 2 * (stats.rows - 2));
    dolon_stop(t);
    sink_close(&s);
}

/* ---- marks ---- */

static void *mark_often(void *tracer)
{
    for (int i = 0; i < 100; i++) dolon_mark(tracer, "m");
    return NULL;
}

static void no_mark_is_lost_uncounted(void **state)
{
    sink s;
    pthread_t threads[4];
    int marks = 0, lost = 0, end = 0;
    (void)state;
    sink_open(&s, 0);
    dolon_desc d = desc_for(&s, 0.001);
    dolon_tracer *t = dolon_start(&d);
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, mark_often, t);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    dolon_stop(t);
    while (!end) {
        json_t *j = sink_next_row(&s), *list = json_object_get(j, "marks");
        for (size_t i = 0; i < json_array_size(list); i++) {
            const char *label = json_string_value(json_array_get(json_array_get(list, i), 1));
            int n;
            if (sscanf(label, "(%d more marks", &n) == 1)
                lost += n;
            else
                marks++;
        }
        end = json_object_get(j, "end") != NULL;
        json_decref(j);
    }
    assert_int_equal(marks + lost, 400);
    assert_true(marks >= DOLON_MAX_MARKS);
    sink_close(&s);
}

/* ---- several at once ---- */

static void scopes_appear_in_every_tracer(void **state)
{
    sink a, b;
    (void)state;
    sink_open(&a, 0);
    sink_open(&b, 0);
    dolon_desc da = desc_for(&a, 0.005), db = desc_for(&b, 0.003);
    dolon_tracer *ta = dolon_start(&da), *tb = dolon_start(&db);
    for (int i = 0; i < 10; i++) {
        DOLON_SCOPE("shared");
        DOLON_GAUGE("shared_gauge", 1.5);
    }
    dolon_stop(ta);
    dolon_stop(tb);
    for (int i = 0; i < 2; i++) {
        sink *s = i ? &b : &a;
        json_t *j = sink_next_announcement(s);
        int hits = sink_column(j, "shared_hits"), gauge = sink_column(j, "shared_gauge"), end = 0;
        assert_true(hits > 0 && gauge > 0);
        json_decref(j);
        while (!end) {
            j = sink_next_row(s);
            end = json_object_get(j, "end") != NULL;
            if (end) assert_true(json_number_value(sink_value(j, hits)) == 10);
            if (end) assert_true(json_number_value(sink_value(j, gauge)) == 1.5);
            json_decref(j);
        }
    }
    sink_close(&a);
    sink_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_run_is_announced_sampled_and_ended, forget),
        cmocka_unit_test_setup(defaults_and_environment, forget),
        cmocka_unit_test_setup(senseless_settings_are_told_and_ignored, forget),
        cmocka_unit_test_setup(null_tracers_do_nothing, forget),
        cmocka_unit_test_setup(a_long_interval_is_announced_again, forget),
        cmocka_unit_test_setup(columns_join_while_it_runs, forget),
        cmocka_unit_test_setup(hundreds_of_columns, forget),
        cmocka_unit_test_setup(rows_are_on_the_grid, forget),
        cmocka_unit_test_setup(a_slow_probe_skips_ticks_and_keeps_the_schedule, forget),
        cmocka_unit_test_setup(no_mark_is_lost_uncounted, forget),
        cmocka_unit_test_setup(scopes_appear_in_every_tracer, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
