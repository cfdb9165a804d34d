/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon_json: what the client writes, to the byte: numbers, strings, the JSON wire's datagrams, and what the
   server makes of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <math.h>

#include "test_dolon_tracer.h"

#include "../server/base/base.h"
#include "../server/ingest/decode.h"

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
