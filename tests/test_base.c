/* SPDX-License-Identifier: MIT OR Unlicense
   test_base: spans, UUIDs, growing bytes, numbers, the log. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../server/base/base.h"

static void uuid_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"1e7c356f-16b3-485c-a4f0-06872919285e", true},  {"1E7C356F-16B3-485C-A4F0-06872919285E", true},
        {"00000000-0000-0000-0000-000000000000", true},  {"1e7c356f16b3485ca4f006872919285e", false},
        {"1e7c356f-16b3-485c-a4f0-06872919285", false},  {"1e7c356f-16b3-485c-a4f0-06872919285e0", false},
        {"1e7c356f-16b3-485c-a4f0-06872919285g", false}, {"1e7c356f-16b3-485c-a4f0+06872919285e", false},
        {"1e7c356-f16b3-485c-a4f0-06872919285e", false}, {"", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uuid u;
        assert_int_equal(uuid_parse(span_of(cases[i].text), &u), cases[i].good);
        if (!cases[i].good) continue;
        char text[UUID_TEXT];
        uuid_format(&u, text);
        assert_int_equal(strcasecmp(text, cases[i].text), 0);
    }
}

static void clean_text(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        size_t max;
        const char *out;
        bool changed;
    } cases[] = {
        {"plain", 10, "plain", false},
        {"exact", 5, "exact", false},
        {"longer", 5, "longe", true},
        {"a\nb\tc\x7f", 10, "a b c ", true},
        {"\xc3\xa9\xc3\xa9", 3, "\xc3\xa9", true}, /* é é: not cut in the middle   */
        {"\xf0\x9f\x98\x80", 3, "", true},         /* four bytes do not fit three  */
        {"<img src=x>", 20, "<img src=x>", false}, /* the page's business, not ours */
        {"", 5, "", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool changed = !cases[i].changed;
        char *out = span_clean(span_of(cases[i].in), cases[i].max, &changed);
        assert_string_equal(out, cases[i].out);
        assert_int_equal(changed, cases[i].changed);
        free(out);
    }
}

static void numbers_read_back(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text;
    } cases[] = {
        {0, "0"},     {-0.0, "-0"},    {1, "1"},      {-17, "-17"},       {0.1, "0.1"},        {0.41, "0.41"},
        {3.2, "3.2"}, {1e15, "1e+15"}, {NAN, "null"}, {INFINITY, "null"}, {-INFINITY, "null"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf b = {0};
        buf_double(&b, cases[i].v);
        assert_string_equal(b.p, cases[i].text);
        buf_free(&b);
    }
    uint64_t bits = 88172645463325252u; /* xorshift64 over all bit patterns */
    for (int i = 0; i < 100000; i++) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        double v;
        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v)) continue;
        buf b = {0};
        buf_double(&b, v);
        assert_true(strtod(b.p, NULL) == v);
        buf_free(&b);
    }
}

/* What printf() and strtod() find in up to three tries. */
static void as_printf(char *out, size_t size, double v)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, size, "%.*g", digits, v);
        if (strtod(out, NULL) == v) return;
    }
}

static void doubles_are_shortest(void **state)
{
    (void)state;
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 200000; i++) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        double random = (double)(bits >> 11), power = pow(10, (double)(bits % 19) - 4);
        double cases[] = {ldexp(random, -(int)(bits % 66)),
                          -random / 1000 / (double)(1 + bits % 1000),
                          power,
                          nextafter(power, 0),
                          nextafter(power, INFINITY),
                          nextafter(ldexp(1, (int)(bits % 60) - 13), 0)};
        double v = cases[i % 6];
        if (fabs(v) < 1e15 && v == floor(v)) continue; /* whole numbers are written in full */
        char text[64];
        as_printf(text, sizeof text, v);
        buf b = {0};
        buf_double(&b, v);
        assert_string_equal(b.p, text);
        buf_free(&b);
    }
}

static void buf_grows(void **state)
{
    (void)state;
    buf b = {0};
    for (int i = 0; i < 1000; i++) buf_printf(&b, "%d,", i);
    buf_append(&b, "", 0);
    assert_int_equal(b.n, strlen(b.p));
    assert_memory_equal(b.p, "0,1,2,", 6);
    assert_memory_equal(b.p + b.n - 4, "999,", 4);
    buf_free(&b);
    assert_null(b.p);
}

/* What the log writes during `say`, from a pipe in stderr's place. */
static void log_capture(void (*say)(void), char *out, size_t size)
{
    int pipes[2], saved = dup(STDERR_FILENO);
    assert_int_equal(pipe(pipes), 0);
    dup2(pipes[1], STDERR_FILENO);
    say();
    dup2(saved, STDERR_FILENO);
    close(saved), close(pipes[1]);
    ssize_t n = read(pipes[0], out, size - 1);
    out[n > 0 ? n : 0] = 0;
    close(pipes[0]);
}

static void say_many(void)
{
    for (int i = 0; i < 100; i++) log_limited(LOG_WARN, "bad datagram %d", i);
    log_line(LOG_DEBUG, "not shown");
}

static void say_long(void)
{
    char text[5000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    log_line(LOG_INFO, "%s", text);
}

static void log_is_bounded(void **state)
{
    (void)state;
    char out[8192];
    log_capture(say_many, out, sizeof out);
    assert_non_null(strstr(out, "warn: bad datagram 0\n"));
    assert_null(strstr(out, "bad datagram 1"));
    assert_null(strstr(out, "not shown"));
    log_capture(say_long, out, sizeof out);
    assert_int_equal(out[strlen(out) - 1], '\n');
    assert_true(strlen(out) < 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uuid_text),         cmocka_unit_test(clean_text),
        cmocka_unit_test(numbers_read_back), cmocka_unit_test(doubles_are_shortest),
        cmocka_unit_test(buf_grows),         cmocka_unit_test(log_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
