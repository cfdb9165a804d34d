/* SPDX-License-Identifier: MIT OR Unlicense
   test_decode: every rule of WIRE.md's JSON, as a datagram and what becomes of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../server/ingest/decode.h"
#include "../server/ingest/decode_tidy.h"

#define ID  "\"uuid\": \"1e7c356f-16b3-485c-a4f0-06872919285e\""
#define ROW "{\"msg_type\": \"row\", " ID ", \"row_data\": "
#define NEW "{\"msg_type\": \"create_trace_run\", " ID ", \"app_name\": \"a\", \"column_names\": "

/* ---- what a datagram becomes, as text: a line a record; what is not told is left out ---- */

static void show_span(buf *out, const char *label, span s)
{
    if (!s.n) return;
    buf_text(out, label);
    buf_append(out, s.p, s.n);
}

static void show_number(buf *out, const char *label, int64_t v, int64_t absent)
{
    if (v != absent) buf_printf(out, "%s%lld", label, (long long)v);
}

static void show_announce(buf *out, const record *r)
{
    buf_text(out, "new");
    show_span(out, " app=", r->announce.app);
    show_span(out, " host=", r->announce.host);
    show_span(out, " build=", r->announce.build);
    show_span(out, " args=", r->announce.args);
    show_number(out, " pid=", r->announce.pid, 0);
    show_number(out, " started=", r->announce.started, NO_TIME);
    show_number(out, " interval=", r->announce.interval, 0);
    for (size_t i = 0; i < r->announce.column_count; i++) {
        const record_column *c = &r->announce.columns[i];
        show_span(out, " ", c->name);
        show_span(out, ":", c->unit);
        if (c->kind == COLUMN_COUNTER) buf_text(out, "+");
    }
    for (size_t i = 0; i < r->announce.tag_count; i++) {
        show_span(out, " #", r->announce.tags[i].name);
        show_span(out, "=", r->announce.tags[i].value);
    }
}

static void show_row(buf *out, const record *r)
{
    buf_text(out, "row");
    show_number(out, " seq=", (int64_t)r->row.seq, -1);
    show_number(out, " time=", r->row.time, NO_TIME);
    for (size_t i = 0; i < r->row.count; i++) {
        buf_text(out, " ");
        buf_double(out, r->row.values[i]);
        if (isinf(r->row.values[i])) buf_text(out, "(inf)");
    }
}

static void show(void *ctx, const record *r)
{
    buf *out = ctx;
    static const uuid id = {
        {0x1e, 0x7c, 0x35, 0x6f, 0x16, 0xb3, 0x48, 0x5c, 0xa4, 0xf0, 0x06, 0x87, 0x29, 0x19, 0x28, 0x5e}};
    assert_true(uuid_eq(&r->run, &id));
    if (out->n) buf_text(out, "\n");
    switch (r->kind) {
    case RECORD_ANNOUNCE: show_announce(out, r); break;
    case RECORD_ROW: show_row(out, r); break;
    case RECORD_MARK:
        buf_text(out, "mark");
        show_number(out, " ", r->mark.time, NO_TIME);
        show_span(out, " ", r->mark.text);
        break;
    case RECORD_END:
        buf_text(out, r->end.reason == END_CRASHED ? "crashed" : "stopped");
        show_number(out, " ", r->end.time, NO_TIME);
        break;
    case RECORD_LOST:
    case RECORD_ALIVE:
    default: fail_msg("the JSON wire has no such record");
    }
    show_number(out, " ignored=", r->ignored, 0);
}

/* A copy that ends at a page which must not be touched: reading one byte too far crashes. */
static decode_result decode_guarded(const char *bytes, size_t n, buf *out)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (n / page + 1) * page;
    char *map = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    assert_int_equal(mprotect(map + room, page, PROT_NONE), 0);
    memcpy(map + room - n, bytes, n);
    decode_result r = decode_datagram(map + room - n, n, show, out);
    munmap(map, room + page);
    return r;
}

static void check(const char *bytes, size_t n, decode_result expected, const char *records)
{
    buf out = {0};
    decode_result r = decode_guarded(bytes, n, &out);
    if (r != expected) print_error("%.*s\n", (int)n, bytes);
    assert_string_equal(decode_result_name(r), decode_result_name(expected));
    assert_string_equal(out.n ? out.p : "", records);
    buf_free(&out);
}

/* ---- the rules ---- */

typedef struct {
    const char *datagram;
    decode_result result;
    const char *records;
} rule;

static void check_rules(const rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(rules[i].datagram, strlen(rules[i].datagram), rules[i].result, rules[i].records);
}

static void whole_datagram(void **state)
{
    (void)state;
    static const rule rules[] = {
        {"", DECODE_EMPTY, ""},
        {"\xD0\x10 a binary one", DECODE_VERSION, ""},
        {"\xD0\x90", DECODE_SYNTAX, ""}, /* a Cyrillic letter */
        {"\xD0", DECODE_ENCODING, ""},
        {" ", DECODE_SYNTAX, ""},
        {"hello", DECODE_SYNTAX, ""},
        {"\xff\xfe{}", DECODE_ENCODING, ""},
        {"{\"msg_type\": \"r\xc3\"}", DECODE_ENCODING, ""},
        {"{\"msg_type\": \"r\xed\xa0\x80\"}", DECODE_ENCODING, ""}, /* a surrogate */
        {"\xef\xbb\xbf" ROW "[1]}", DECODE_SYNTAX, ""},             /* a byte order mark */
        {ROW "[1]", DECODE_SYNTAX, ""},
        {ROW "[1]} {}", DECODE_SYNTAX, ""},
        {ROW "[1]}x", DECODE_SYNTAX, ""},
        {ROW "[1]}\n", DECODE_OK, "row 1"},
        {ROW "[1,]}", DECODE_SYNTAX, ""},
        {"[]", DECODE_TYPE, ""},
        {"1", DECODE_TYPE, ""},
        {"\"row\"", DECODE_TYPE, ""},
        {"null", DECODE_TYPE, ""},
        {"{}", DECODE_TYPE, ""},
        {"{\"msg_type\": 1, " ID "}", DECODE_TYPE, ""},
        {"{\"msg_type\": \"hello\", " ID "}", DECODE_MESSAGE, ""},
        {"{\"msg_type\": \"row\\u0000\", " ID ", \"row_data\": [1]}", DECODE_MESSAGE, ""},
        {"{\"msg_type\": \"row\", \"row_data\": [1]}", DECODE_TYPE, ""},
        {"{\"msg_type\": \"row\", \"uuid\": 17, \"row_data\": [1]}", DECODE_TYPE, ""},
        {"{\"msg_type\": \"row\", \"uuid\": \"\", \"row_data\": [1]}", DECODE_UUID, ""},
        {"{\"msg_type\": \"row\", \"uuid\": \"1e7c356f16b3485ca4f006872919285e\", \"row_data\": [1]}", DECODE_UUID,
         ""},
        {"{\"msg_type\": \"row\", \"uuid\": \"1E7C356F-16B3-485C-A4F0-06872919285E\", \"row_data\": [1]}", DECODE_OK,
         "row 1"},
        {ROW "[1], \"row_data\": [2]}", DECODE_OK, "row 2"}, /* the last one counts, as in Python */
        {ROW "[1], \"other\": {\"any\": [\"thing\"]}}", DECODE_OK, "row 1"},
    };
    check_rules(rules, ARRAY_LEN(rules));
}

static void rows(void **state)
{
    (void)state;
    static const rule rules[] = {
        {ROW "[0.41, 3.2]}", DECODE_OK, "row 0.41 3.2"},
        {ROW "[]}", DECODE_OK, "row"},
        {ROW "[1, -2, 3.5e3, null]}", DECODE_OK, "row 1 -2 3500 null"},
        {ROW "[true, false]}", DECODE_OK, "row 1 0"}, /* as the original's server stores them */
        {ROW "[1, \"2\"]}", DECODE_TYPE, ""},
        {ROW "[1, [2]]}", DECODE_TYPE, ""},
        {ROW "[1, {}]}", DECODE_TYPE, ""},
        {ROW "null}", DECODE_TYPE, ""},
        {ROW "{\"a\": 1}}", DECODE_TYPE, ""},
        {"{\"msg_type\": \"row\", " ID "}", DECODE_TYPE, ""},
        /* numbers that JSON has not, or no double holds */
        {ROW "[NaN, Infinity, -Infinity, 1]}", DECODE_OK, "row null null null 1"},
        {ROW "[NaN]}", DECODE_OK, "row null"},
        {ROW "[nan]}", DECODE_SYNTAX, ""},
        {ROW "[-NaN]}", DECODE_SYNTAX, ""},
        {ROW "[NaN1]}", DECODE_SYNTAX, ""},
        {ROW "[1e308, 1e309, -1e999, 1e-999]}", DECODE_OK, "row 1e+308 null null 0"},
        {ROW "[9223372036854775807, 18446744073709551615]}", DECODE_OK,
         "row 9.223372036854776e+18 1.8446744073709552e+19"},
        {ROW "[-99999999999999999999]}", DECODE_OK, "row -1e+20"},
        {ROW "[01]}", DECODE_SYNTAX, ""},
        {ROW "[01e999]}", DECODE_SYNTAX, ""},
        {ROW "[1.e999]}", DECODE_SYNTAX, ""},
        {ROW "[.5]}", DECODE_SYNTAX, ""},
        {ROW "[0x10]}", DECODE_SYNTAX, ""},
        {ROW "[--1]}", DECODE_SYNTAX, ""},
    };
    check_rules(rules, ARRAY_LEN(rules));
}

static void row_extras(void **state)
{
    (void)state;
    static const rule rules[] = {
        {ROW "[1], \"seq\": 0, \"time\": 1769860800123456789}", DECODE_OK, "row seq=0 time=1769860800123456789 1"},
        {ROW "[1], \"seq\": null, \"time\": null}", DECODE_OK, "row 1"},
        {ROW "[1], \"seq\": 9007199254740992}", DECODE_OK, "row seq=9007199254740992 1"},
        {ROW "[1], \"seq\": 9007199254740993}", DECODE_TYPE, ""},
        {ROW "[1], \"seq\": 18446744073709551615}", DECODE_TYPE, ""},
        {ROW "[1], \"seq\": -1}", DECODE_TYPE, ""},
        {ROW "[1], \"seq\": 1.0}", DECODE_TYPE, ""},
        {ROW "[1], \"seq\": \"1\"}", DECODE_TYPE, ""},
        {ROW "[1], \"time\": 0}", DECODE_OK, "row time=0 1"},
        {ROW "[1], \"time\": 1.5e18}", DECODE_OK, "row time=1500000000000000000 1"},
        {ROW "[1], \"time\": -1}", DECODE_OK, "row 1"},
        {ROW "[1], \"time\": 9223372036854775807}", DECODE_OK, "row time=9223372036854775807 1"},
        {ROW "[1], \"time\": 9223372036854775808}", DECODE_OK, "row 1"}, /* after 2262 */
        {ROW "[1], \"time\": 1e400}", DECODE_OK, "row 1"},
        {ROW "[1], \"time\": NaN}", DECODE_OK, "row 1"},
        {ROW "[1], \"time\": \"2026-01-31\"}", DECODE_TYPE, ""},
        {ROW "[1], \"time\": true}", DECODE_TYPE, ""},
        {ROW "[1], \"marks\": [[5, \"a\"], [null, \"NaN \\\" -Infinity\"]]}", DECODE_OK,
         "row 1\nmark 5 a\nmark NaN \" -Infinity"},
        {ROW "[1], \"marks\": []}", DECODE_OK, "row 1"},
        {ROW "[1], \"marks\": null}", DECODE_OK, "row 1"},
        {ROW "[1], \"marks\": \"a\"}", DECODE_OK, "row 1 ignored=1"},
        {ROW "[1], \"marks\": [[5], [5, 6], [5, \"a\", 1], \"b\", [\"5\", \"a\"], [7, \"good\"]]}", DECODE_OK,
         "row 1 ignored=5\nmark 7 good"},
        {ROW "[1], \"time\": 9, \"end\": \"stopped\"}", DECODE_OK, "row time=9 1\nstopped 9"},
        {ROW "[1], \"marks\": [[5, \"a\"]], \"end\": \"crashed\"}", DECODE_OK, "row 1\nmark 5 a\ncrashed"},
        {ROW "[1], \"end\": null}", DECODE_OK, "row 1"},
        {ROW "[1], \"end\": \"later\"}", DECODE_OK, "row 1 ignored=1"},
        {ROW "[1], \"end\": true}", DECODE_OK, "row 1 ignored=1"},
    };
    check_rules(rules, ARRAY_LEN(rules));
}

static void announcements(void **state)
{
    (void)state;
    static const rule rules[] = {
        {NEW "[\"a\", \"b\"]}", DECODE_OK, "new app=a a b"},
        {NEW "[]}", DECODE_COLUMNS, ""},
        {NEW "\"a\"}", DECODE_TYPE, ""},
        {NEW "[\"a\", 1]}", DECODE_TYPE, ""},
        {NEW "[\"a\", null]}", DECODE_TYPE, ""},
        {"{\"msg_type\": \"create_trace_run\", " ID ", \"column_names\": [\"a\"]}", DECODE_TYPE, ""},
        {"{\"msg_type\": \"create_trace_run\", " ID ", \"column_names\": [\"a\"], \"app_name\": 5}", DECODE_TYPE, ""},
        {"{\"msg_type\": \"create_trace_run\", " ID ", \"app_name\": \"a\"}", DECODE_TYPE, ""},
        {"{\"msg_type\": \"create_trace_run\", \"uuid\": \"x\", \"app_name\": \"a\", \"column_names\": [\"a\"]}",
         DECODE_UUID, ""},
        /* the extras, all right, null, and wrong */
        {NEW "[\"a\", \"b\", \"c\"], \"time\": 5, \"interval\": 0.25, \"host\": \"box\", \"pid\": 4711, \"args\": "
             "\"-x\", "
             "\"build\": \"b1\", \"units\": [\"MB\", null, \"s\"], \"kinds\": [\"gauge\", \"counter\"], "
             "\"tags\": {\"k\": \"v\", \"\": \"\"}}",
         DECODE_OK, "new app=a host=box build=b1 args=-x pid=4711 started=5 interval=250000000 a:MB b+ c:s #k=v"},
        {NEW "[\"a\"], \"time\": null, \"interval\": null, \"host\": null, \"pid\": null, \"args\": null, "
             "\"build\": null, \"units\": null, \"kinds\": null, \"tags\": null}",
         DECODE_OK, "new app=a a"},
        {NEW "[\"a\"], \"interval\": \"1\", \"host\": 1, \"pid\": \"1\", \"args\": [\"x\"], \"build\": 7, "
             "\"units\": {}, \"kinds\": \"gauge\", \"tags\": [\"v\"]}",
         DECODE_OK, "new app=a a ignored=8"},
        {NEW "[\"a\"], \"time\": \"today\"}", DECODE_TYPE, ""},
        {NEW "[\"a\"], \"time\": -5}", DECODE_OK, "new app=a a"},
        {NEW "[\"a\"], \"interval\": 0}", DECODE_OK, "new app=a a"},
        {NEW "[\"a\"], \"interval\": -1}", DECODE_OK, "new app=a a ignored=1"},
        {NEW "[\"a\"], \"interval\": 1e300}", DECODE_OK, "new app=a a ignored=1"},
        {NEW "[\"a\"], \"pid\": -1}", DECODE_OK, "new app=a a ignored=1"},
        {NEW "[\"a\"], \"pid\": 1.5}", DECODE_OK, "new app=a a ignored=1"},
        {NEW "[\"a\"], \"units\": [5], \"kinds\": [\"speed\"]}", DECODE_OK, "new app=a a ignored=2"},
        {NEW "[\"a\"], \"units\": [\"x\", \"y\", 5], \"kinds\": [\"counter\", \"?\"]}", DECODE_OK, "new app=a a:x+"},
        {NEW "[\"a\"], \"tags\": {\"k\": 1, \"l\": \"v\"}}", DECODE_OK, "new app=a a #l=v ignored=1"},
    };
    check_rules(rules, ARRAY_LEN(rules));
}

/* ---- the original's datagrams, as its own code sent them ---- */

static void golden(void **state)
{
    (void)state;
    static const struct {
        const char *file, *records;
    } cases[] = {
        {"plain_announce", "new app=hello-world mem_allocation cpu_percent"},
        {"plain_row", "row 0.41 3.2"},
        {"profiled_announce",
         "new app=using-server mem_allocation idle total_calls_speed foo_hits foo_active_instances "
         "foo_average_time"},
        {"profiled_row", "row 1.234567 3 0 12 1 1.0521e-05"},
        {"no_value_announce", "new app=no value yet nan infinity minus none flag value"},
        {"no_value_row", "row null null null null 1 1e+300"},
        {"unicode_announce", "new app=größe \"λ\"\n<b> naïve 日本語 😀"},
        {"unicode_row", "row 1 2 1.8446744073709552e+19"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char path[100], bytes[4096];
        snprintf(path, sizeof path, "tests/golden/%s.json", cases[i].file);
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        size_t n = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        check(bytes, n, DECODE_OK, cases[i].records);
    }
}

/* ---- sizes ---- */

/* ROW or NEW, then `count` times `item` with commas between, then "]}". */
static void repeated(buf *out, const char *head, const char *item, size_t count)
{
    buf_printf(out, "%s[", head);
    for (size_t i = 0; i < count; i++) buf_printf(out, "%s%s", i ? "," : "", item);
    buf_text(out, "]}");
}

static void count_values(void *ctx, const record *r)
{
    *(size_t *)ctx += r->kind == RECORD_ROW ? r->row.count : r->announce.column_count;
}

static void many_columns(void **state)
{
    (void)state;
    static const struct {
        const char *head, *item;
        size_t count;
        decode_result result;
    } cases[] = {
        {NEW, "\"c\"", MAX_COLUMNS, DECODE_OK}, {NEW, "\"c\"", MAX_COLUMNS + 1, DECODE_COLUMNS},
        {NEW, "\"c\"", 10000, DECODE_COLUMNS},  {ROW, "1.5", MAX_COLUMNS, DECODE_OK},
        {ROW, "NaN", MAX_COLUMNS, DECODE_OK},   {ROW, "1", MAX_COLUMNS + 1, DECODE_COLUMNS},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf text = {0};
        size_t count = 0;
        repeated(&text, cases[i].head, cases[i].item, cases[i].count);
        assert_int_equal(decode_datagram(text.p, text.n, count_values, &count), cases[i].result);
        assert_int_equal(count, cases[i].result ? 0 : cases[i].count);
        buf_free(&text);
    }
}

static void too_many_tags(void **state)
{
    (void)state;
    buf text = {0}, out = {0};
    buf_text(&text, NEW "[\"a\"], \"tags\": {");
    for (int i = 0; i < MAX_TAGS + 3; i++) buf_printf(&text, "%s\"k%d\": \"v\"", i ? "," : "", i);
    buf_text(&text, "}}");
    assert_int_equal(decode_datagram(text.p, text.n, show, &out), DECODE_OK);
    assert_non_null(strstr(out.p, " #k63=v ignored=3"));
    buf_free(&text);
    buf_free(&out);
}

/* 64 KB of the worst of each kind: none may crash, recurse without bound or be taken. */
static void whole_of_one_byte(void **state)
{
    (void)state;
    enum { size = 65507 };
    char *bytes = mem_alloc(size);
    for (int c = 0; c < 256; c++) {
        memset(bytes, c, size);
        buf out = {0};
        assert_int_not_equal(decode_datagram(bytes, size, show, &out), DECODE_OK);
        assert_int_equal(out.n, 0);
        buf_free(&out);
    }
    free(bytes);
}

static void deep_nesting(void **state)
{
    (void)state;
    static const char *const opening[] = {"[", "{\"a\":"};
    for (size_t i = 0; i < ARRAY_LEN(opening); i++) {
        buf text = {0}, out = {0};
        while (text.n + 10 < 65507) buf_text(&text, opening[i]);
        assert_int_equal(decode_datagram(text.p, text.n, show, &out), DECODE_SYNTAX);
        buf_free(&text);
    }
}

/* Cut anywhere, a datagram is refused; and nothing of it is emitted. */
static void truncated(void **state)
{
    (void)state;
    static const char whole[] =
        ROW "[1, NaN, -1.5e300], \"time\": 1769860800123456789, \"marks\": [[1, \"\\u00e9\"]]}";
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        buf out = {0};
        assert_int_not_equal(decode_guarded(whole, n, &out), DECODE_OK);
        assert_int_equal(out.n, 0);
        buf_free(&out);
    }
    check(whole, sizeof whole - 1, DECODE_OK, "row time=1769860800123456789 1 null -1.5e+300\nmark 1 é");
}

static void tidy(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out; /* NULL: nothing to do, nothing copied */
    } cases[] = {
        {"[1, 2.5, -3e7, null, true]", NULL},
        {"\"NaN\"", NULL},
        {"\"\\\"NaN\"", NULL},
        {"\"open NaN", NULL},
        {"\"\\", NULL},
        {"xNaN", NULL},
        {"NaN", "null"},
        {"[NaN,\"NaN\",NaN]", "[null,\"NaN\",null]"},
        {"-Infinity", "null"},
        {"Infinity ", "null "},
        {"1e99", NULL},
        {"1e+308", NULL},
        {"1e+309", "null"},
        {"123456789012345678", NULL},
        {"9223372036854775807", NULL},
        {"-9223372036854775807", NULL},
        {"9223372036854775808", "9223372036854775808e0"},
        {"12345678901234567890.5", NULL},
        {"00000000000000000000000", NULL},
        {"-", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf out = {0};
        span in = span_of(cases[i].in), got = decode_tidy(in, &out);
        if (!cases[i].out) assert_ptr_equal(got.p, in.p);
        assert_true(span_eq(got, cases[i].out ? span_of(cases[i].out) : in));
        buf_free(&out);
    }
}

static void names_of_results(void **state)
{
    (void)state;
    assert_string_equal(decode_result_name(DECODE_OK), "ok");
    assert_string_equal(decode_result_name(DECODE_SYNTAX), "syntax");
    assert_string_equal(decode_result_text(DECODE_ENCODING), "not UTF-8");
    for (int i = 0; i < DECODE_RESULTS; i++) assert_non_null(decode_result_text((decode_result)i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_datagram),    cmocka_unit_test(rows),         cmocka_unit_test(row_extras),
        cmocka_unit_test(announcements),     cmocka_unit_test(golden),       cmocka_unit_test(many_columns),
        cmocka_unit_test(too_many_tags),     cmocka_unit_test(deep_nesting), cmocka_unit_test(truncated),
        cmocka_unit_test(whole_of_one_byte), cmocka_unit_test(tidy),         cmocka_unit_test(names_of_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
