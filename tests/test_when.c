/* SPDX-License-Identifier: MIT OR Unlicense
   test_when: times and durations as people write them, and the run that they name. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sample.h"

#include "../server/store/find_run.h"
#include "../server/base/when.h"

#define NOON (INT64_C(1769860800) * NS_PER_SECOND) /* 2026-01-31T12:00:00Z */

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double seconds; /* 0: it is none */
    } cases[] = {
        {"90s", 90},       {"30m", 1800},
        {"2h", 7200},      {"1.5h", 5400},
        {"7d", 604800},    {"2w", 1209600},
        {"0.001s", 0.001}, {"", 0},
        {"s", 0},          {"5", 0},
        {"0s", 0},         {"-1s", 0},
        {"1.2.3s", 0},     {"1e3s", 0},
        {"5 m", 0},        {"5mm", 0},
        {"5y", 0},         {"infs", 0},
        {"0x1s", 0},       {"9999999w", 0},
        {".s", 0},         {"11111111111111111111111111111111111111111111s", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t ns = 0;
        bool good = when_duration(cases[i].text, &ns);
        if (good != (cases[i].seconds > 0) || ns != (int64_t)(cases[i].seconds * 1e9)) fail_msg("%s", cases[i].text);
    }
}

static void times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns; /* 0: it is none */
    } cases[] = {
        {"2026-01-31T12:00:00", NOON},
        {"2026-01-31T12:00:00Z", NOON},
        {"2026-01-31T12:00", NOON},
        {"2026-01-31", NOON - 12 * 3600 * NS_PER_SECOND},
        {"1769860800000", NOON},
        {"1769860800000.5", NOON + NS_PER_MS / 2},
        {"10m", NOON + 600 * NS_PER_SECOND},
        {"2026-01-31T12:00:00+01:00", 0},
        {"2026-13-31", 0},
        {"yesterday", 0},
        {"", 0},
        {"Z", 0},
        {"12:00", 0},
        {"99999999999999999999", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t ns = 0;
        bool good = when_time(cases[i].text, NOON, &ns);
        if (good != (cases[i].ns != 0) || ns != cases[i].ns) fail_msg("%s", cases[i].text);
    }
}

/* ---- runs ---- */

static void put(store *s, uint8_t first_byte, uint8_t last_byte, const char *app, int64_t started)
{
    run_info *r = sample_run(last_byte);
    r->id.b[0] = first_byte;
    free(r->app);
    r->app = mem_strdup(app);
    r->started = r->last = started;
    assert_int_equal(store_write(s, &(store_change){.info = r}, 1), STORE_OK);
    run_info_free(r);
}

/* The last byte of the run's UUID; -1 and a sentence that says `says`, if there is none. */
static int found(store *s, const char *name, const char *says)
{
    buf why = {0};
    run_info *r;
    bool good = find_run(s, name, &r, &why);
    int last = good ? r->id.b[15] : -1;
    assert_int_equal(good, why.n == 0);
    if (!good && !strstr(why.p, says)) fail_msg("%s: %s", name, why.p);
    if (good) run_info_free(r);
    buf_free(&why);
    return last;
}

static void runs(void **state)
{
    stored_place *p = *state;
    put(p->s, 0xab, 1, "server", SAMPLE_START);
    put(p->s, 0xab, 2, "server", SAMPLE_START + 5);
    put(p->s, 0xcd, 3, "server/latest", SAMPLE_START + 1);
    put(p->s, 0xef, 4, "ab7c", SAMPLE_START + 2);
    put(p->s, 0xee, 5, "other", SAMPLE_START + 9);
    assert_int_equal(found(p->s, "server", ""), 2);
    assert_int_equal(found(p->s, "other/latest", ""), 5);
    assert_int_equal(found(p->s, "ab7c", ""), 4); /* a name goes before what begins so */
    assert_int_equal(found(p->s, "CD7C", ""), 3);
    assert_int_equal(found(p->s, "ab7c356f-16b3-485c-a4f0-068700000001", ""), 1);
    assert_int_equal(found(p->s, "ab7c356f", "could be 2 runs"), -1);
    assert_int_equal(found(p->s, "cd7", "there is no run"), -1);
    assert_int_equal(found(p->s, "other/earliest", "there is no run"), -1);
    assert_int_equal(found(p->s, "", "there is no run"), -1);
    assert_int_equal(found(p->s, "ab7c356f-16b3-485c-a4f0-0687000000011", "there is no run"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(times),
        cmocka_unit_test_setup_teardown(runs, open_stored_place, close_stored_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
