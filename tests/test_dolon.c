/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon: the client's parts that need no server: columns, sites, the built-in probes, time. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "test_dolon_tracer.h"

#include "../server/base/base.h"

/* ---- columns ---- */

static void bad_probes_are_refused(void **state)
{
    dolon_tracer *t = *state;
    assert_int_equal(dolon_add_probe(t, NULL), DOLON_BAD_PROBE);
    assert_int_equal(dolon_add_probe(t, &(dolon_probe){NULL, nothing, NULL, NULL}), DOLON_BAD_PROBE);
    assert_int_equal(dolon_add_probe(t, &(dolon_probe){"", nothing, NULL, NULL}), DOLON_BAD_PROBE);
    assert_int_equal(dolon_add_probe(t, &(dolon_probe){"cpu_procent", NULL, NULL, NULL}), DOLON_BAD_PROBE);
    assert_int_equal(dolon_add_probe(NULL, &(dolon_probe)DOLON_CPU_PERCENT), DOLON_OK);
    assert_int_equal(t->column_count, 0);
    assert_non_null(strstr(told, "cpu_procent"));
}

static void surplus_columns_are_left_out(void **state)
{
    dolon_tracer *t = *state;
    dolon_stats stats;
    for (int i = 0; i < DOLON_MAX_COLUMNS; i++) assert_int_equal(add(t, "c", ""), DOLON_OK);
    assert_int_equal(add(t, "one too many", ""), DOLON_TOO_MANY);
    dolon_get_stats(t, &stats);
    assert_int_equal(stats.columns, DOLON_MAX_COLUMNS);
    assert_int_equal(stats.columns_left_out, 1);
    assert_non_null(strstr(told, "one too many"));
}

/* Columns whose announcement would not fit are left out, and the rest fits exactly as reckoned. */
static void columns_that_do_not_fit_are_left_out(void **state)
{
    dolon_tracer *t = *state;
    char name[DOLON_NAME_BYTES];
    dolon_error error = DOLON_OK;
    memset(name, '\x02', sizeof name - 1); /* six bytes each in JSON */
    name[sizeof name - 1] = 0;
    while (t->column_count < DOLON_MAX_COLUMNS && error == DOLON_OK) error = add(t, name, "unit");
    assert_int_equal(error, DOLON_TOO_BIG);
    assert_in_range(t->column_count, 1, 3);
    size_t n = dolon__json_announce(t->datagram, sizeof t->datagram, t, t->column_count);
    assert_in_range(n, 1, t->announce_bytes);
    assert_non_null(strstr(told, "do not fit one datagram"));
}

static void names_are_copied_and_cut(void **state)
{
    dolon_tracer *t = *state;
    char name[300];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    assert_int_equal(add(t, name, "a unit that is long beyond measure"), DOLON_OK);
    name[0] = 'y';
    assert_int_equal(strlen(t->columns[0].name), DOLON_NAME_BYTES - 1);
    assert_int_equal(t->columns[0].name[0], 'x');
    assert_int_equal(strlen(t->columns[0].unit), sizeof t->columns[0].unit - 1);
}

/* ---- sites ---- */

static double value_of(dolon_tracer *t, const char *name)
{
    dolon__sample(t, t->column_count, dolon__os_mono());
    for (uint32_t i = 0; i < t->column_count; i++)
        if (strcmp(t->columns[i].name, name) == 0) return t->values[i];
    fail_msg("no column %s", name);
    return 0;
}

static void inner(void)
{
    DOLON_SCOPE("work");
    DOLON_COUNT("total", 5);
}

static void outer(dolon_tracer *t)
{
    DOLON_SCOPE("work");
    DOLON_COUNT("total", 2u);
    inner();
    assert_true(value_of(t, "work_hits") == 2);
    assert_true(value_of(t, "work_active_instances") == 1);
    assert_true(value_of(t, "work_average_time") > 0);
    assert_true(value_of(t, "total") == 7);
}

static void never_called(void)
{
    DOLON_BEGIN(region, "never");
    DOLON_END(region);
}

static void sites_are_known_and_add_up(void **state)
{
    dolon_tracer *t = *state;
    if (!t) never_called();
    dolon__join_known();
    dolon__append_new_series(t);
    assert_true(value_of(t, "work_hits") == 0);
    assert_true(isnan(value_of(t, "work_average_time")));
    assert_true(isnan(value_of(t, "level")));
    assert_true(value_of(t, "never_hits") == 0);
    outer(t);
    assert_true(value_of(t, "work_active_instances") == 0);
    DOLON_GAUGE("level", -2.5);
    assert_true(value_of(t, "level") == -2.5);
    assert_string_equal(told, "");
}

/* After the test above there is room for one name more. */
static void surplus_sites_are_left_out(void **state)
{
    static dolon_site fifth = {"fifth", &dolon__owner, DOLON__COUNT_SITE, 0};
    static dolon_site sixth = {"sixth", &dolon__owner, DOLON__SCOPE_SITE, 0};
    static dolon_site seventh = {"seventh", &dolon__owner, DOLON__GAUGE_SITE, 0};
    static dolon_site foreign = {"foreign", &fifth, DOLON__GAUGE_SITE, 0};
    dolon_tracer *t = *state;
    dolon_stats stats;
    dolon__join(&foreign); /* of another copy of dolon in the program: none of ours */
    assert_int_equal(foreign.cell, 0);
    for (int i = 0; i < 3; i++) {
        dolon_count(&fifth, 1);
        dolon_span inside = dolon_enter(&sixth);
        dolon_leave(&inside);
        dolon__gauge(&seventh, 1);
    }
    dolon__append_new_series(t);
    dolon__append_new_series(t);
    assert_true(value_of(t, "fifth") == 3);
    assert_string_equal(told, "dolon: more columns, scopes or counters than there is room for: some were left out: "
                              "scopes, counters or gauges\n");
    dolon_get_stats(t, &stats);
    assert_int_equal(stats.sites_left_out, 2);
}

/* ---- built-in probes ---- */

static void every_builtin_has_a_value(void **state)
{
    static const dolon_probe all[] = {
        DOLON_MEM_ALLOCATION,      DOLON_ACTIVE_TASKS,         DOLON_VIRTUAL_MEMORY_PERCENT,
        DOLON_MEMORY_USE,          DOLON_PAGE_FAULTS,          DOLON_MAJOR_PAGE_FAULTS,
        DOLON_CONTEXT_SWITCHES,    DOLON_INVOLUNTARY_SWITCHES, DOLON_OPEN_DESCRIPTORS,
        DOLON_PROCESS_CPU_PERCENT, DOLON_CPU_PERCENT,
    };
    dolon_tracer *t = *state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) assert_int_equal(dolon_add_probe(t, &all[i]), DOLON_OK);
    assert_true(isnan(value_of(t, "cpu_percent"))); /* the first look only starts to measure */
    int64_t until = dolon__os_mono() + DOLON__SECOND / 5;
    while (dolon__os_mono() < until) continue;
    assert_in_range((int)value_of(t, "active_tasks"), 1, 100);
    assert_in_range((int)value_of(t, "virtual_memory_percent"), 0, 100);
    assert_in_range((int)value_of(t, "cpu_percent"), 0, 100);
    assert_true(value_of(t, "process_cpu_percent") >= 0);
    assert_true(value_of(t, "memory_use") > 0.0005);
    assert_true(value_of(t, "page_faults") >= 100);
    double major = value_of(t, "major_page_faults"), involuntary = value_of(t, "involuntary_switches");
    assert_true(value_of(t, "page_faults") >= major); /* asked for later: they only rise */
    assert_true(value_of(t, "context_switches") >= involuntary);
    assert_true(value_of(t, "open_descriptors") >= 4);
    dolon__system_close(&t->system);
}

static void descriptors_and_heap_are_followed(void **state)
{
    dolon_tracer *t = *state;
    double before, heap;
    dolon_add_probe(t, &(dolon_probe)DOLON_OPEN_DESCRIPTORS);
    dolon_add_probe(t, &(dolon_probe)DOLON_MEM_ALLOCATION);
    value_of(t, "open_descriptors");
    before = value_of(t, "open_descriptors");
    int fd = dup(0);
    assert_true(value_of(t, "open_descriptors") == before + 1);
    close(fd);
    t->system.heap.next = 0;
    heap = value_of(t, "mem_allocation");
    char *p = malloc(30 * 1000 * 1000);
    memset(p, 1, 30 * 1000 * 1000);
    t->system.heap.next = 0;
    if (heap > 0) assert_true(value_of(t, "mem_allocation") >= heap + 29); /* the sanitizers' malloc tells nothing */
    free(p);
    dolon__system_close(&t->system);
}

static void io_is_counted(void **state)
{
    dolon_tracer *t = *state;
    double before, after;
    char byte;
    dolon_add_probe(t, &(dolon_probe)DOLON_IO_READ_BYTES);
    dolon_add_probe(t, &(dolon_probe)DOLON_IO_WRITE_BYTES);
    dolon_add_probe(t, &(dolon_probe)DOLON_DISK_READ_BYTES);
    dolon_add_probe(t, &(dolon_probe)DOLON_DISK_WRITE_BYTES);
    before = value_of(t, "io_read_bytes");
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, &byte, 1), 1);
    close(fd);
    after = value_of(t, "io_read_bytes");
    if (isnan(before)) { /* /proc/self/io may be forbidden, in a container for example */
        print_message("no /proc/self/io here\n");
    } else {
        assert_true(after > before);
        assert_true(value_of(t, "disk_read_bytes") >= 0);
        assert_true(value_of(t, "disk_write_bytes") >= 0);
    }
    dolon__system_close(&t->system);
}

/* A field of /proc/self/stat behind a name that tries to look like fields. */
static void stat_fields_survive_any_name(void **state)
{
    dolon_tracer *t = *state;
    dolon__system *s = &t->system;
    s->tick = s->files[DOLON__SELF_STAT].stamp = 7;
    snprintf(s->files[DOLON__SELF_STAT].text, sizeof s->files[DOLON__SELF_STAT].text,
             "12 (a) S ( 1) R 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 42 21 22 23 1024 25");
    assert_true(dolon__active_tasks(s) == 42);
    assert_true(dolon__stat_field(s, 24) == 1024);
    s->files[DOLON__SELF_STAT].text[30] = 0; /* cut */
    assert_true(isnan(dolon__active_tasks(s)));
}

static void cpu_percent_is_psutils(void **state)
{
    dolon_tracer *t = *state;
    dolon__system *s = &t->system;
    char *text = s->files[DOLON__STAT].text;
    s->tick = s->files[DOLON__STAT].stamp = 1;
    s->now = DOLON__SECOND;
    strcpy(text, "cpu  100 10 50 800 40 0 0 0 99 9\ncpu0 1 1");
    assert_true(isnan(dolon__cpu_percent(s)));
    s->now = 2 * DOLON__SECOND;
    strcpy(text, "cpu  120 10 60 850 50 5 5 0 99 9\ncpu0 1 1");
    assert_true(dolon__cpu_percent(s) == 40); /* 20 + 10 + 5 + 5 of 100 */
    s->now += DOLON__SECOND / 100;
    strcpy(text, "cpu  130 10 60 850 50 5 5 0 99 9\ncpu0 1 1");
    assert_true(dolon__cpu_percent(s) == 40); /* too soon for a new one */
    strcpy(text, "something else");
    assert_true(isnan(dolon__cpu_percent(s)));
}

/* ---- time ---- */

static void row_times_are_the_schedules_unless_late(void **state)
{
    dolon_tracer *t = *state;
    int late;
    t->start = 1000 * DOLON__SECOND;
    t->slept = t->slept_before = dolon__os_slept();
    int64_t due = t->start + 3 * DOLON__SECOND, base = t->passport.time;
    assert_int_equal(dolon__row_time(t, due, due + 9 * DOLON__MS, &late), base + 3 * DOLON__SECOND);
    assert_false(late);
    due += DOLON__SECOND;
    assert_int_equal(dolon__row_time(t, due, due + 11 * DOLON__MS, &late), base + 4 * DOLON__SECOND + 11 * DOLON__MS);
    assert_true(late);
    assert_int_equal(dolon__row_time(t, due, due, &late),
                     base + 4 * DOLON__SECOND + 11 * DOLON__MS + 1); /* never back */
    t->slept -= 3600 * DOLON__SECOND;
    t->slept_before -= 3600 * DOLON__SECOND; /* as if the machine had slept an hour since */
    due += DOLON__SECOND;
    assert_int_equal(dolon__row_time(t, due, due, &late) / DOLON__SECOND,
                     (base + 3605 * DOLON__SECOND) / DOLON__SECOND);
}

static void speedometer_is_the_originals(void **state)
{
    dolon_speedometer s = {.time_interval = 0};
    (void)state;
    assert_true(dolon__speed_at(&s, 100, 10 * DOLON__SECOND) == 0);
    assert_true(dolon__speed_at(&s, 200, 11 * DOLON__SECOND) == 0); /* too soon */
    assert_true(dolon__speed_at(&s, 300, 12 * DOLON__SECOND) == 0); /* just too soon */
    assert_true(dolon__speed_at(&s, 400, 13 * DOLON__SECOND) == 100);
    assert_true(dolon__speed_at(&s, 900, 14 * DOLON__SECOND) == 100);
    assert_true(dolon__speed_at(&s, 401, 23 * DOLON__SECOND) == 0.1);
    dolon_speedometer fast = {.time_interval = 0.5};
    dolon__speed_at(&fast, 0, 0);
    assert_true(dolon__speed_at(&fast, 6, 6 * DOLON__SECOND / 10) == 10);
    assert_true(dolon_speed(&fast, 6) < 10);
}

/* ---- the rest ---- */

static void uuids_are_random_version_4(void **state)
{
    char a[37], b[37];
    uuid u;
    (void)state;
    dolon__setup_uuid(a);
    dolon__setup_uuid(b);
    assert_string_not_equal(a, b);
    assert_true(uuid_parse(span_of(a), &u));
    assert_int_equal(a[14], '4');
    assert_non_null(strchr("89ab", a[19]));
}

static void errors_have_texts(void **state)
{
    (void)state;
    assert_string_equal(dolon_error_text(DOLON_OK), "all is well again");
    assert_string_equal(dolon_error_text((dolon_error)-99), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bad_probes_are_refused, make_tracer, free_tracer),
        cmocka_unit_test_setup_teardown(surplus_columns_are_left_out, make_tracer, free_tracer),
        cmocka_unit_test_setup_teardown(columns_that_do_not_fit_are_left_out, make_tracer, free_tracer),
        cmocka_unit_test_setup_teardown(names_are_copied_and_cut, make_tracer, free_tracer),
        cmocka_unit_test_setup_teardown(sites_are_known_and_add_up, make_tracer, free_tracer),
        cmocka_unit_test_setup_teardown(surplus_sites_are_left_out, make_tracer, free_tracer),
        cmocka_unit_test_setup_teardown(every_builtin_has_a_value, make_tracer, free_tracer),
        cmocka_unit_test_setup_teardown(descriptors_and_heap_are_followed, make_tracer, free_tracer),
        cmocka_unit_test_setup_teardown(io_is_counted, make_tracer, free_tracer),
        cmocka_unit_test_setup_teardown(stat_fields_survive_any_name, make_tracer, free_tracer),
        cmocka_unit_test_setup_teardown(cpu_percent_is_psutils, make_tracer, free_tracer),
        cmocka_unit_test_setup_teardown(row_times_are_the_schedules_unless_late, make_tracer, free_tracer),
        cmocka_unit_test(speedometer_is_the_originals),
        cmocka_unit_test(uuids_are_random_version_4),
        cmocka_unit_test(errors_have_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
