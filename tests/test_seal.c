/* SPDX-License-Identifier: MIT OR Unlicense
   test_seal: sealed datagrams: vectors made by other code, bit flips, keys from files; which counters are taken. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../server/ingest/replay.h"
#include "../server/ingest/seal.h"

/* ---- vectors: WIRE.md shows them. The key is 00 01 … 1f. Made without libsodium: BLAKE2b of Python's hashlib, HChaCha20
   by hand as the draft has it, ChaCha20-Poly1305 of OpenSSL ---- */

static const uint8_t from_client[] = {0xf4, 0x58, 0x48, 0x0e, 0x54, 0x87, 0xe5, 0xb3, 0xcc, 0x5b, 0x72,
                                      0x20, 0xa6, 0x4c, 0x86, 0x2c, 0xb6, 0xd8, 0x4b, 0x64, 0x79, 0xac,
                                      0x0a, 0x6a, 0x2f, 0x2e, 0x75, 0x2b, 0x0a, 0x53, 0xd6, 0x8c};
static const uint8_t from_server[] = {0x9b, 0x55, 0x15, 0xc5, 0x6f, 0x45, 0xdd, 0x7f, 0x42, 0x6a, 0x6f,
                                      0xf7, 0x05, 0x71, 0x1b, 0xae, 0x49, 0x74, 0x5d, 0xad, 0x9c, 0x62,
                                      0xe3, 0xe1, 0x5b, 0xe0, 0x2d, 0x9a, 0xb2, 0xb3, 0x45, 0xbc};
static const uint8_t message[] = {/* a heartbeat */
                                  0xd0, 0x10, 0x01, 0x03, 0x1e, 0x7c, 0x35, 0x6f, 0x16, 0xb3, 0x48, 0x5c,
                                  0xa4, 0xf0, 0x06, 0x87, 0x29, 0x19, 0x28, 0x5e, 0x07, 0x00, 0x00, 0x00,
                                  0x00, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
                                  0x02, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
static const uint8_t sealed[] = {/* … sealed with counter 1 */
                                 0xd0, 0x10, 0x01, 0x7e, 0x1e, 0x7c, 0x35, 0x6f, 0x16, 0xb3, 0x48, 0x5c, 0xa4,
                                 0xf0, 0x06, 0x87, 0x29, 0x19, 0x28, 0x5e, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
                                 0x00, 0x00, 0xb7, 0x7f, 0xa8, 0x43, 0x0d, 0xe2, 0x38, 0x88, 0xaa, 0xb1, 0x25,
                                 0xe7, 0x87, 0x19, 0xdc, 0x5a, 0xe6, 0x41, 0xbb, 0xe4, 0x50, 0x7e, 0xb9, 0xab,
                                 0x31, 0x6d, 0x5c, 0x71, 0x9a, 0xf9, 0x5c, 0x91, 0x42, 0x7d, 0x1b, 0xdf, 0xf2,
                                 0x56, 0x96, 0xaf, 0x41, 0x14, 0xef, 0x7d, 0x96, 0xa2, 0x54, 0xb8, 0x30, 0x6b,
                                 0x60, 0xb0, 0x52, 0x6f, 0xbf, 0x95, 0x51, 0xf8, 0x49, 0x62, 0x6e, 0x8c, 0x31,
                                 0x74, 0x6e, 0x31, 0x85, 0xc9, 0x55, 0x43, 0x55, 0x5b, 0x52, 0xd7, 0x27, 0x92};
static const uint8_t ack[] = {0xd0, 0x10, 0x01, 0x81, 0x1e, 0x7c, 0x35, 0x6f, 0x16, 0xb3, 0x48, 0x5c, 0xa4,
                              0xf0, 0x06, 0x87, 0x29, 0x19, 0x28, 0x5e, 0x01, 0x00, 0x02, 0x00, 0x00, 0x00,
                              0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00,
                              0x00, 0x00, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};

static seal_keys test_keys(void)
{
    uint8_t key[SEAL_KEY];
    seal_keys keys;
    for (uint8_t i = 0; i < SEAL_KEY; i++) key[i] = i;
    seal_derive(key, &keys);
    return keys;
}

static void vectors(void **state)
{
    (void)state;
    seal_keys keys = test_keys();
    assert_memory_equal(keys.from_client, from_client, sizeof from_client);
    assert_memory_equal(keys.from_server, from_server, sizeof from_server);
    uint8_t bytes[sizeof sealed];
    uint64_t counter = 0;
    memcpy(bytes, sealed, sizeof sealed);
    assert_int_equal(seal_open(&keys, bytes, sizeof bytes, &counter), SEAL_GOOD);
    assert_int_equal(counter, 1);
    assert_int_equal(sizeof sealed, sizeof message + SEAL_BYTES);
    assert_memory_equal(bytes + SEAL_HEAD, message, sizeof message);
}

/* What the server seals, a client opens: the same code with the keys exchanged, since it is the same construction. */
static void answers(void **state)
{
    (void)state;
    seal_keys keys = test_keys(), client = {0};
    uint8_t out[sizeof ack + SEAL_BYTES], again[sizeof out];
    assert_int_equal(seal_close(&keys, ack, sizeof ack, out), sizeof out);
    assert_int_equal(seal_close(&keys, ack, sizeof ack, again), sizeof again);
    assert_memory_not_equal(out + 4, again + 4, SEAL_NONCE); /* no nonce twice */
    memcpy(client.from_client, keys.from_server, SEAL_KEY);
    uint64_t counter;
    /* The answer's nonce is random, so it does not tell the run: that is all seal_open() finds wrong. */
    assert_int_equal(seal_open(&client, out, sizeof out, &counter), SEAL_FORGED);
    assert_memory_equal(out + SEAL_HEAD, ack, sizeof ack);
    assert_int_equal(seal_open(&keys, again, sizeof again, &counter), SEAL_FORGED); /* sent back to the server */
    assert_memory_not_equal(again + SEAL_HEAD, ack, sizeof ack);
}

static void damaged(void **state)
{
    (void)state;
    seal_keys keys = test_keys(), other = keys;
    uint64_t counter = 7;
    other.from_client[31] ^= 1;
    for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
        uint8_t bytes[sizeof sealed];
        memcpy(bytes, sealed, sizeof sealed);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(seal_open(&keys, bytes, sizeof bytes, &counter), bit < 32 ? SEAL_MISSING : SEAL_FORGED);
    }
    for (size_t n = 0; n < sizeof sealed; n++) {
        uint8_t *exact = malloc(n + 1); /* the sanitizer sees a byte too far */
        memcpy(exact, sealed, n);
        assert_int_equal(seal_open(&keys, exact, n, &counter), n < SEAL_BYTES ? SEAL_MISSING : SEAL_FORGED);
        free(exact);
    }
    uint8_t bytes[sizeof sealed];
    memcpy(bytes, sealed, sizeof sealed);
    assert_int_equal(seal_open(&other, bytes, sizeof bytes, &counter), SEAL_FORGED);
    assert_int_equal(counter, 7);
    char json[] = "{\"msg_type\": \"row\", \"row_data\": [], \"uuid\": \"1e7c356f-16b3-485c-a4f0-06872919285e\"}";
    assert_int_equal(seal_open(&keys, (uint8_t *)json, sizeof json - 1, &counter), SEAL_MISSING);
}

/* ---- the key's file ---- */

#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"

static void key_files(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {HEX, NULL},
        {HEX "\n", NULL},
        {HEX "\r\n", NULL},
        {"", "64 hexa"},
        {"\n", "64 hexa"},
        {HEX "0", "64 hexa"},
        {HEX "\n\n", "64 hexa"},
        {HEX "\n" HEX, "64 hexa"},
        {" " HEX, "64 hexa"},
        {"g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "64 hexa"},
        {"00:1020304050607080900a0b0c0d0e0f10111213141516171819101b1c1d1e1", "64 hexa"},
        {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1", "64 hexa"},
    };
    char path[] = "/tmp/mnemic-key-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t n = strlen(cases[i].text);
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, cases[i].text, n, 0), n);
        seal_keys keys = {{0}, {0}};
        buf why = {0};
        assert_int_equal(seal_read(path, &keys, &why), cases[i].why == NULL);
        if (cases[i].why) {
            assert_non_null(strstr(why.p, cases[i].why));
            assert_non_null(strstr(why.p, path));
            assert_null(strstr(why.p, "0102"));
        } else {
            assert_memory_equal(keys.from_client, from_client, sizeof from_client);
        }
        buf_free(&why);
    }
    close(fd);
    unlink(path);
    seal_keys keys;
    buf why = {0};
    assert_false(seal_read(path, &keys, &why));
    assert_non_null(strstr(why.p, "No such file"));
    buf_free(&why);
    assert_false(seal_read("/tmp", &keys, &why));
    assert_non_null(strstr(why.p, "directory"));
    buf_free(&why);
}

/* ---- counters ---- */

static void counters(void **state)
{
    (void)state;
    static const struct {
        uint64_t counter;
        bool taken;
    } steps[] = {
        {0, false},          {1, true},
        {1, false},          {3, true},
        {2, true},           {2, false},
        {1027, true},        {1026, true},
        {4, true},           {3, false},
        {4, false},          {1026, false},
        {9999, true},        {8975, false},
        {8976, true},        {8976, false},
        {UINT64_MAX, false}, {UINT64_MAX - 1, true},
        {9999, false},       {UINT64_MAX - 1024, true},
    };
    replay r = {0};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        assert_int_equal(replay_admits(&r, steps[i].counter), steps[i].taken);
    replay_begin(&r, 5000);
    for (uint64_t n = 0; n <= 5000; n++) assert_false(replay_admits(&r, n));
    assert_true(replay_admits(&r, 5002));
    assert_true(replay_admits(&r, 5001));
    assert_false(replay_admits(&r, 5000));
}

/* Against a list of all that came. */
static void random_counters(void **state)
{
    (void)state;
    enum { COUNTERS = 20000 };
    static bool came[COUNTERS];
    replay r = {0};
    uint64_t top = 0;
    srand(1);
    for (int i = 0; i < 100000; i++) {
        uint64_t n = top + (uint64_t)(rand() % 1500);
        n = n > 1300 ? n - 1300 : 0;
        if (n >= COUNTERS) break;
        bool new = n && !came[n] && n + REPLAY_WINDOW > top;
        assert_int_equal(replay_admits(&r, n), new);
        came[n] = true;
        if (n > top) top = n;
    }
    assert_true(top > COUNTERS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),   cmocka_unit_test(answers),  cmocka_unit_test(damaged),
        cmocka_unit_test(key_files), cmocka_unit_test(counters), cmocka_unit_test(random_counters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
