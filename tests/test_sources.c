/* SPDX-License-Identifier: MIT OR Unlicense
   test_sources: what one sender may ask for, and that others do not suffer from it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../server/base/address.h"
#include "../server/ingest/sources.h"

#define S NS_PER_SECOND

static const uint8_t here[SOURCE_BYTES] = {1}, there[SOURCE_BYTES] = {2};

static source_table *limited(uint64_t bytes, uint64_t new_runs, uint64_t live)
{
    return sources_new(&(source_limits){.bytes = bytes, .runs = new_runs, .live = live}, hash_new_key());
}

static void bytes_a_second(void **state)
{
    (void)state;
    source_table *s = limited(1000, 0, 0);
    source *a = sources_of(s, here);
    assert_int_equal(sources_take_bytes(s, a, 600, 5 * S), LIMIT_NONE);
    assert_int_equal(sources_take_bytes(s, a, 400, 5 * S), LIMIT_NONE); /* a second's worth at once */
    assert_int_equal(sources_take_bytes(s, a, 1, 5 * S), LIMIT_BYTES);
    assert_int_equal(sources_take_bytes(s, sources_of(s, there), 1000, 5 * S), LIMIT_NONE);
    assert_ptr_equal(sources_of(s, here), a);
    assert_int_equal(sources_take_bytes(s, a, 500, 5 * S + S / 2), LIMIT_NONE);
    assert_int_equal(sources_take_bytes(s, a, 1, 5 * S + S / 2), LIMIT_BYTES);
    assert_int_equal(sources_take_bytes(s, a, 1001, 90 * S), LIMIT_BYTES); /* more than ever may come at once */
    assert_int_equal(sources_take_bytes(s, a, 1000, 90 * S), LIMIT_NONE);
    uint64_t taken = 0;
    for (int64_t now = 100 * S; now < 110 * S; now += S / 1000)
        taken += sources_take_bytes(s, a, 10, now) ? 0 : 10; /* it sends ten times what it may */
    assert_in_range(taken, 10900, 11010);                    /* the first second's worth, then a second's a second */
    sources_free(s);
}

static void runs(void **state)
{
    (void)state;
    source_table *s = limited(0, 6, 4);
    source *a = sources_of(s, here), *b = sources_of(s, there);
    for (int i = 0; i < 4; i++) assert_int_equal(sources_add_run(s, a, S), LIMIT_NONE);
    assert_int_equal(sources_add_run(s, a, S), LIMIT_LIVE_RUNS);
    assert_int_equal(sources_add_run(s, b, S), LIMIT_NONE);
    for (int i = 0; i < 4; i++) sources_remove_run(s, a);
    for (int i = 0; i < 2; i++) assert_int_equal(sources_add_run(s, a, S), LIMIT_NONE);
    assert_int_equal(sources_add_run(s, a, S), LIMIT_NEW_RUNS); /* six a minute */
    assert_int_equal(sources_add_run(s, a, 10 * S), LIMIT_NEW_RUNS);
    assert_int_equal(sources_add_run(s, a, 11 * S), LIMIT_NONE); /* one each ten seconds */
    assert_int_equal(sources_add_run(s, a, 11 * S), LIMIT_NEW_RUNS);
    sources_free(s);
}

/* 1,000 programs of a host that begin at once, 512 MiB/s of rows. */
static void defaults_hinder_nobody(void **state)
{
    (void)state;
    source_table *s = limited(0, 0, 0);
    source *a = sources_of(s, here);
    for (int i = 0; i < 5000; i++) assert_int_equal(sources_add_run(s, a, S), LIMIT_NONE);
    int64_t between = S * 1200 / ((int64_t)512 << 20) + 1;
    for (int64_t now = S; now < 3 * S; now += between)
        assert_int_equal(sources_take_bytes(s, a, 1200, now), LIMIT_NONE);
    sources_free(s);
}

static void off(void **state)
{
    (void)state;
    source_table *s = sources_new(&(source_limits){.bytes = 1, .runs = 1, .live = 1, .off = true}, hash_new_key());
    source *a = sources_of(s, here);
    for (int i = 0; i < 9; i++) assert_int_equal(sources_take_bytes(s, a, 1000, S), LIMIT_NONE);
    for (int i = 0; i < 9; i++) assert_int_equal(sources_add_run(s, a, S), LIMIT_NONE);
    sources_free(s);
}

/* Forged senders: those that have runs are remembered, of others the latest 65,536. */
static void many(void **state)
{
    (void)state;
    source_table *s = limited(1000, 6, 0);
    assert_int_equal(sources_add_run(s, sources_of(s, here), S), LIMIT_NONE);
    for (uint32_t i = 0; i < 200000; i++) {
        uint8_t id[SOURCE_BYTES] = {9};
        memcpy(id + 4, &i, sizeof i);
        assert_int_equal(sources_take_bytes(s, sources_of(s, id), 1000, S), LIMIT_NONE);
        assert_int_equal(sources_take_bytes(s, sources_of(s, id), 1, S), LIMIT_BYTES);
    }
    assert_int_equal(sources_count(s), 65536 + 1);
    source *a = sources_of(s, here);
    for (int i = 0; i < 5; i++) assert_int_equal(sources_add_run(s, a, S), LIMIT_NONE);
    assert_int_equal(sources_add_run(s, a, S), LIMIT_NEW_RUNS); /* it was not forgotten */
    for (int i = 0; i < 6; i++) sources_remove_run(s, a);
    sources_free(s);
}

static void source_of_text(const char *address, uint8_t out[SOURCE_BYTES])
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = 7};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = 8};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    if (inet_pton(AF_INET, address, &in.sin_addr) == 1) {
        address_source(&in, sizeof in, out);
    } else if (inet_pton(AF_INET6, address, &in6.sin6_addr) == 1) {
        address_source(&in6, sizeof in6, out);
    } else {
        strcpy(un.sun_path, address);
        address_source(&un, strlen(address), out);
    }
}

static void whose(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
        {"2001:db8::1", "2001:db8::ffff:1", true},
        {"2001:db8::1", "2001:db8:0:1::1", false},
        {"127.0.0.1", "::1", false},
        {"/a", "/b", true},
        {"", "/b", true},
        {"/a", "127.0.0.1", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t a[SOURCE_BYTES], b[SOURCE_BYTES];
        source_of_text(cases[i].a, a);
        source_of_text(cases[i].b, b);
        assert_int_equal(memcmp(a, b, SOURCE_BYTES) == 0, cases[i].same);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_a_second),
        cmocka_unit_test(runs),
        cmocka_unit_test(defaults_hinder_nobody),
        cmocka_unit_test(off),
        cmocka_unit_test(many),
        cmocka_unit_test(whose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
