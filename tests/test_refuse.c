/* SPDX-License-Identifier: MIT OR Unlicense
   test_refuse: who is told that he is refused, and who is not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../server/ingest/decode.h"
#include "../server/ingest/refuse.h"

#define RUN "0123456789abcdef"

static void answers(void **state)
{
    (void)state;
    static const struct {
        const char *datagram;
        size_t n;
        refusal why;
        bool told;
    } cases[] = {
        {"\xD0\x10\x02\x01" RUN "x", 21, REFUSED_VERSION, true},
        {"\xD0\x10\x02\x01" RUN "x", 20, REFUSED_VERSION, false},
        {"\xD0\x10\x01\x7E" RUN "x", 21, REFUSED_SEALED, true},
        {"\xD0\x10\x01\x03" RUN "x", 21, REFUSED_LIMIT, true},
        {"\xD0\x10\x01\x03" RUN "x", 21, REFUSED_NOT, false},
        {"\xD0\x10\x02\x82" RUN "x", 21, REFUSED_VERSION, false},
        {"\xD0\x10\x02\xFF" RUN "x", 21, REFUSED_VERSION, false},
        {"{\"msg_type\": \"row\"}      ", 24, REFUSED_LIMIT, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        refuser f = {0};
        uint8_t out[REFUSED_BYTES], should[] = "\xD0\x10\x01\x82" RUN "?";
        should[20] = (uint8_t)cases[i].why;
        size_t n = refuse(&f, cases[i].why, (const uint8_t *)cases[i].datagram, cases[i].n, 1, out);
        assert_int_equal(n, cases[i].told ? REFUSED_BYTES : 0);
        if (n) assert_memory_equal(out, should, n);
    }
}

static void few_a_second(void **state)
{
    (void)state;
    refuser f = {0};
    const uint8_t datagram[] = "\xD0\x10\x02\x01" RUN "x";
    uint8_t out[REFUSED_BYTES];
    for (int second = 1; second < 3; second++) {
        int told = 0;
        for (int i = 0; i < 1000; i++) {
            int64_t now = second * NS_PER_SECOND + i * NS_PER_MS / 2;
            told += refuse(&f, REFUSED_VERSION, datagram, 21, now, out) > 0;
        }
        assert_int_equal(told, REFUSALS_PER_SECOND);
    }
}

static void never(void *ctx, const record *r)
{
    (void)ctx, (void)r;
    fail();
}

/* What the decoder says of them: that decides. */
static void reasons(void **state)
{
    (void)state;
    assert_int_equal(decode_datagram("\xD0\x10\x02\x01" RUN "x", 21, never, NULL), DECODE_VERSION);
    assert_int_equal(decode_datagram("\xD0\x10\x02\x82" RUN "x", 21, never, NULL), DECODE_VERSION);
    assert_int_equal(decode_datagram("\xD0\x10\x01\x7E" RUN "x", 21, never, NULL), DECODE_SEALED);
    assert_int_equal(decode_datagram("\xD0\x10\x01\x82" RUN "x", 21, never, NULL), DECODE_MESSAGE);
    assert_string_equal(decode_result_name(DECODE_SEALED), "sealed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(few_a_second),
        cmocka_unit_test(reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
