/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon: the client's pure parts, with its limits shrunken: numbers, strings, datagrams, columns, time. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <assert.h>
#include <locale.h>
#include <math.h>

#define DOLON_STATIC
#define DOLON_IMPLEMENTATION
#define DOLON_MAX_COLUMNS    12
#define DOLON_MAX_SITES      5
#define DOLON_MAX_MARKS      3
#define DOLON_DATAGRAM_BYTES 1500
#define DOLON_ASSERT(x)      assert(x)
#include "../dolon.h"

#include "../server/base/base.h"
#include "../server/ingest/decode.h"

/* ---- a tracer without a thread ---- */

static char told[2048];

static void remember(void *user, dolon_error code, const char *message)
{
    (void)user;
    (void)code;
    snprintf(told + strlen(told), sizeof told - strlen(told), "%s\n", message);
}

static int make_tracer(void **state)
{
    dolon_tracer *t = calloc(1, sizeof *t);
    dolon__passport *p = &t->passport;
    told[0] = 0;
    pthread_mutex_init(&t->lock, NULL);
    t->log.fn = remember;
    t->link.fd = -1;
    t->brief_scopes = 1;
    strcpy(p->uuid, "1e7c356f-16b3-485c-a4f0-06872919285e");
    strcpy(p->app, "hello-world");
    strcpy(p->host, "box");
    p->pid = 4711;
    p->time = INT64_C(1700000000123456789);
    p->interval = DOLON__SECOND / 4;
    t->announce_bytes = dolon__json_announce(t->datagram, sizeof t->datagram, t, 0);
    *state = t;
    return 0;
}

static int free_tracer(void **state)
{
    free(*state);
    return 0;
}

static double nothing(void *user)
{
    (void)user;
    return 0;
}

static dolon_error add(dolon_tracer *t, const char *name, const char *unit)
{
    return dolon_add_probe(t, &(dolon_probe){name, nothing, NULL, unit});
}

/* ---- numbers ---- */

static const char *number(double v)
{
    static char text[64];
    dolon__out o = {text, 0, sizeof text - 1};
    dolon__out_number(&o, v);
    text[o.n] = 0;
    return text;
}

static void numbers_are_short_and_exact(void **state)
{
    static const struct {
        double v;
        const char *text;
    } rows[] = {
        {0, "0"},
        {1, "1"},
        {-1, "-1"},
        {3.2, "3.2"},
        {-0.41, "-0.41"},
        {0.1, "0.1"},
        {1e-6, "0.000001"},
        {123456.789, "123456.789"},
        {100, "100"},
        {999999999999999, "999999999999999"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1e300, "1.0000000000000001e+300"},
        {5e-324, "4.9406564584124654e-324"},
        {-1.7976931348623157e308, "-1.7976931348623157e+308"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) assert_string_equal(number(rows[i].v), rows[i].text);
    assert_string_equal(number((double)NAN), "null");
    assert_string_equal(number((double)INFINITY), "null");
    assert_string_equal(number(-(double)INFINITY), "null");
}

/* Any bits that are a finite double read back as the same, and "%.17g" says the same number. */
static void numbers_round_trip(void **state)
{
    uint64_t bits = 1;
    (void)state;
    for (int i = 0; i < 200000; i++) {
        double v, back;
        char printed[64];
        bits = bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        memcpy(&v, &bits, sizeof v);
        if (i % 4 == 1) v = (double)(int64_t)(bits >> 30) / 1000;
        if (i % 4 == 2) v = (double)(bits >> 40) / 1e6;
        if (i % 4 == 3) v = (double)(int64_t)bits;
        if (!isfinite(v)) continue;
        back = strtod(number(v), NULL);
        assert_memory_equal(&back, &v, sizeof v);
        snprintf(printed, sizeof printed, "%.17g", v);
        assert_true(strtod(printed, NULL) == back);
        assert_true(strlen(number(v)) <= 24);
    }
}

static const char *printed(const char *by_printf)
{
    static char text[64];
    dolon__out o = {text, 0, sizeof text - 1};
    dolon__out_printed(&o, by_printf);
    text[o.n] = 0;
    return text;
}

/* The second part needs a locale whose decimal point is a comma; many machines have none. */
static void numbers_ignore_the_locale(void **state)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "ru_RU.UTF-8", "de_DE.utf8"};
    size_t i = 0;
    double v = 0;
    (void)state;
    assert_string_equal(printed("-1,5e-07"), "-1.5e-07");
    assert_string_equal(printed("3\xd9\xab"
                                "25"),
                        "3.25"); /* U+066B, as in ps_AF */
    assert_string_equal(printed("17"), "17");
    while (i < ARRAY_LEN(names) && !setlocale(LC_ALL, names[i])) i++;
    assert_string_equal(number(1.0 / 3), "0.33333333333333331");
    assert_true(dolon__parse_number("0.25", &v) && v == 0.25);
    setlocale(LC_ALL, "C");
}

static void numbers_are_parsed_strictly(void **state)
{
    static const char *const bad[] = {
        "", ".", "-1", "1e3", "0x10", "1 ", " 1", "1.2.3", "nan", "1,5", "123456789012345678901"};
    double v;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) assert_false(dolon__parse_number(bad[i], &v));
    assert_true(dolon__parse_number("12013", &v) && v == 12013);
    assert_true(dolon__parse_number(".5", &v) && v == 0.5);
    assert_true(dolon__parse_number("0.001", &v) && v == 0.001);
}

/* ---- strings ---- */

static const char *string(const char *s)
{
    static char text[256];
    dolon__out o = {text, 0, sizeof text - 1};
    dolon__out_string(&o, s);
    text[o.n] = 0;
    return text;
}

static void strings_are_always_json(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"a \"quote\"", "\"a \\\"quote\\\"\""},
        {"back\\slash", "\"back\\\\slash\""},
        {"\n\t\x01\x1f", "\"\\u000a\\u0009\\u0001\\u001f\""},
        {"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\""},
        {"\xff", "\"\xef\xbf\xbd\""},
        {"\xc3", "\"\xef\xbf\xbd\""},                                 /* cut                  */
        {"\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 /* longer than need be  */
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* a surrogate          */
        {"\xf4\x90\x80\x80z", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\""},
        {"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) assert_string_equal(string(rows[i].in), rows[i].out);
}

static void texts_are_cut_at_a_character(void **state)
{
    char to[5];
    (void)state;
    dolon__copy(to, sizeof to, "abcdef");
    assert_string_equal(to, "abcd");
    dolon__copy(to, sizeof to, "abc\xc3\xa4");
    assert_string_equal(to, "abc");
    dolon__copy(to, sizeof to, "ab\xc3\xa4");
    assert_string_equal(to, "ab\xc3\xa4");
    dolon__copy(to, sizeof to, NULL);
    assert_string_equal(to, "");
}

/* Writing counts on where there is no room, and never touches what is behind. */
static void writing_stops_at_the_end(void **state)
{
    char room[8] = "1234567";
    dolon__out o = {room, 0, 4};
    (void)state;
    dolon__out_text(&o, "ab");
    dolon__out_text(&o, "cde");
    dolon__out_byte(&o, 'f');
    dolon__out_text(&o, "gh");
    assert_int_equal(o.n, 8);
    assert_memory_equal(room, "ab", 2);
    assert_memory_equal(room + 4, "567", 4);
}

/* ---- golden datagrams ---- */

static const char *row_text(dolon_tracer *t, const dolon__row *row)
{
    uint64_t lost;
    size_t n = dolon__json_row(t->datagram, sizeof t->datagram - 1, t, row, &lost);
    assert_true(n > 0);
    t->datagram[n] = 0;
    return t->datagram;
}

static void announcement_is_the_originals(void **state)
{
    dolon_tracer *t = *state;
    size_t n;
    add(t, "mem_allocation", "MB");
    add(t, "cpu_percent", "%");
    n = dolon__json_announce(t->datagram, sizeof t->datagram - 1, t, 2);
    t->datagram[n] = 0;
    assert_string_equal(t->datagram,
                        "{\"msg_type\": \"create_trace_run\", \"app_name\": \"hello-world\", "
                        "\"column_names\": [\"mem_allocation\", \"cpu_percent\"], "
                        "\"uuid\": \"1e7c356f-16b3-485c-a4f0-06872919285e\", \"time\": 1700000000123456789, "
                        "\"interval\": 0.25, \"host\": \"box\", \"pid\": 4711, "
                        "\"units\": [\"MB\", \"%\"], \"kinds\": [\"gauge\", \"gauge\"]}");
}

static void announcement_says_all_it_knows(void **state)
{
    dolon_tracer *t = *state;
    size_t n;
    strcpy(t->passport.args, "./hello \"1\"");
    strcpy(t->passport.build, "abc123");
    strcpy(t->passport.tag_names[0], "branch");
    strcpy(t->passport.tag_values[0], "main");
    strcpy(t->passport.tag_names[1], "empty");
    t->passport.tag_count = 2;
    assert_int_equal(dolon_add_probe(t, &(dolon_probe)DOLON_PAGE_FAULTS), DOLON_OK);
    n = dolon__json_announce(t->datagram, sizeof t->datagram - 1, t, 1);
    t->datagram[n] = 0;
    assert_string_equal(strstr(t->datagram, "\"pid\""),
                        "\"pid\": 4711, \"args\": \"./hello \\\"1\\\"\", \"build\": \"abc123\", \"units\": [\"\"], "
                        "\"kinds\": [\"counter\"], \"tags\": {\"branch\": \"main\", \"empty\": \"\"}}");
}

static void row_is_the_originals(void **state)
{
    dolon_tracer *t = *state;
    double values[] = {0.41, 3.2, (double)NAN};
    dolon__marks none = {.count = 0};
    dolon__row row = {17, INT64_C(1700000001123456789), values, 3, NULL, 0, &none, 0};
    assert_string_equal(
        row_text(t, &row),
        "{\"msg_type\": \"row\", \"row_data\": [0.41, 3.2, null], "
        "\"uuid\": \"1e7c356f-16b3-485c-a4f0-06872919285e\", \"time\": 1700000001123456789, \"seq\": 17}");
}

static void last_row_carries_marks_and_says_goodbye(void **state)
{
    dolon_tracer *t = *state;
    double value = 1;
    dolon__marks marks = {.list = {{5, "a \"b\""}, {6, ""}}, .count = 2};
    dolon__row row = {18, 7, &value, 1, NULL, 0, &marks, 1};
    assert_string_equal(
        strstr(row_text(t, &row), "\"time\""),
        "\"time\": 7, \"seq\": 18, \"marks\": [[5, \"a \\\"b\\\"\"], [6, \"\"]], \"end\": \"stopped\"}");
}

static void surplus_marks_are_counted_in_the_row(void **state)
{
    dolon_tracer *t = *state;
    double value = 1;
    for (int i = 0; i < 5; i++) dolon_mark(t, "m");
    dolon__marks *marks = &t->marks[0];
    assert_int_equal(marks->count, 3);
    assert_int_equal(marks->lost, 2);
    dolon__row row = {0, 7, &value, 1, NULL, 0, marks, 0};
    assert_non_null(strstr(row_text(t, &row), "\"(2 more marks were dropped)\"]]}"));
}

static void marks_that_do_not_fit_are_lost_not_the_row(void **state)
{
    dolon_tracer *t = *state;
    double value = 1;
    uint64_t lost = 0;
    dolon__marks marks = {.count = 3};
    dolon__row row = {0, 7, &value, 1, NULL, 0, &marks, 1};
    for (int i = 0; i < 3; i++) memset(marks.list[i].label, '\x01', DOLON__LABEL_BYTES - 1); /* six bytes each */
    size_t n = dolon__json_row(t->datagram, sizeof t->datagram - 1, t, &row, &lost);
    t->datagram[n] = 0;
    assert_int_equal(lost, 2);
    assert_non_null(strstr(t->datagram, "2 more marks"));
    assert_non_null(strstr(t->datagram, "\"end\": \"stopped\"}"));
}

/* ---- what the server makes of it ---- */

typedef struct {
    int announcements, rows, marks, ends;
    size_t columns;
    double value;
    int64_t time;
    uint64_t seq;
    char name[256];
} decoded;

static void take(void *ctx, const record *r)
{
    decoded *d = ctx;
    if (r->kind == RECORD_ANNOUNCE) {
        d->announcements++;
        d->columns = r->announce.column_count;
        snprintf(d->name, sizeof d->name, "%.*s", (int)r->announce.columns[0].name.n, r->announce.columns[0].name.p);
        assert_int_equal(r->announce.interval, NS_PER_SECOND / 4);
        assert_int_equal(r->announce.pid, 4711);
    } else if (r->kind == RECORD_ROW) {
        d->rows++;
        d->value = r->row.values[0];
        d->time = r->row.time;
        d->seq = r->row.seq;
    } else if (r->kind == RECORD_MARK) {
        d->marks++;
    } else if (r->kind == RECORD_END) {
        d->ends++;
        assert_int_equal(r->end.reason, END_STOPPED);
    }
}

static void the_servers_decoder_takes_it(void **state)
{
    dolon_tracer *t = *state;
    decoded d = {0};
    double value = 0.1 + 0.2;
    uint64_t lost;
    dolon__marks marks = {.list = {{5, "m\xff"}}, .count = 1};
    dolon__row row = {18, 7, &value, 1, NULL, 0, &marks, 1};
    add(t, "hostile \" \x01 \xc3 name", "u");
    size_t n = dolon__json_announce(t->datagram, sizeof t->datagram, t, 1);
    assert_int_equal(decode_datagram(t->datagram, n, take, &d), DECODE_OK);
    n = dolon__json_row(t->datagram, sizeof t->datagram, t, &row, &lost);
    assert_int_equal(decode_datagram(t->datagram, n, take, &d), DECODE_OK);
    assert_int_equal(d.announcements, 1);
    assert_int_equal(d.rows, 1);
    assert_int_equal(d.marks, 1);
    assert_int_equal(d.ends, 1);
    assert_true(d.value == value);
    assert_int_equal(d.time, 7);
    assert_int_equal(d.seq, 18);
    assert_int_equal(d.columns, 1);
}

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
    assert_true(value_of(t, "page_faults") >= value_of(t, "major_page_faults"));
    assert_true(value_of(t, "context_switches") >= value_of(t, "involuntary_switches"));
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
        cmocka_unit_test(numbers_are_short_and_exact),
        cmocka_unit_test(numbers_round_trip),
        cmocka_unit_test(numbers_ignore_the_locale),
        cmocka_unit_test(numbers_are_parsed_strictly),
        cmocka_unit_test(strings_are_always_json),
        cmocka_unit_test(texts_are_cut_at_a_character),
        cmocka_unit_test(writing_stops_at_the_end),
        cmocka_unit_test_setup_teardown(announcement_is_the_originals, make_tracer, free_tracer),
        cmocka_unit_test_setup_teardown(announcement_says_all_it_knows, make_tracer, free_tracer),
        cmocka_unit_test_setup_teardown(row_is_the_originals, make_tracer, free_tracer),
        cmocka_unit_test_setup_teardown(last_row_carries_marks_and_says_goodbye, make_tracer, free_tracer),
        cmocka_unit_test_setup_teardown(surplus_marks_are_counted_in_the_row, make_tracer, free_tracer),
        cmocka_unit_test_setup_teardown(marks_that_do_not_fit_are_lost_not_the_row, make_tracer, free_tracer),
        cmocka_unit_test_setup_teardown(the_servers_decoder_takes_it, make_tracer, free_tracer),
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
