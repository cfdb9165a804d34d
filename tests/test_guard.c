/* SPDX-License-Identifier: MIT OR Unlicense
   test_guard: tokens, hosts, and who takes gzip. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "../server/http/guard.h"
#include "../server/base/gzip.h"

static bool admits(const guard *g, const char *header)
{
    return guard_admits(g, span_of(header));
}

static void an_open_server_admits_all(void **state)
{
    (void)state;
    guard g;
    buf why = {0};
    assert_true(guard_read(&g, NULL, &why));
    assert_false(g.needs_token);
    assert_true(admits(&g, ""));
    assert_true(admits(&g, "Bearer whatever"));
}

static void tokens(void **state)
{
    (void)state;
    guard g = {0};
    guard_set(&g, span_of("s3cret:x"));
    static const char *const right[] = {
        "Bearer s3cret:x",      "bearer  s3cret:x", "Basic eDpzM2NyZXQ6eA==", /* x:s3cret:x */
        "basic eDpzM2NyZXQ6eA",                                               /* without padding */
        "Basic OnMzY3JldDp4",                                                 /* :s3cret:x */
    };
    static const char *const wrong[] = {
        "",
        "Bearer",
        "Bearer ",
        "Bearer s3cret",
        "Bearer s3cret:x ",
        "Bearer s3cret:xx",
        "s3cret:x",
        "Basic",
        "Basic s3cret:x",
        "Basic czNjcmV0Ong=",     /* s3cret:x: a user and a password */
        "Basic eDpzM2NyZXQ6eA=A", /* padding within */
        "Basic eDpzM2NyZXQ6e",    /* no base64 has such a length */
        "Basic ====",
        "Digest username=x",
    };
    for (size_t i = 0; i < ARRAY_LEN(right); i++)
        if (!admits(&g, right[i])) fail_msg("refused: %s", right[i]);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        if (admits(&g, wrong[i])) fail_msg("admitted: %s", wrong[i]);
    char *huge = mem_calloc(100001, 1);
    memset(huge, 'A', 100000);
    memcpy(huge, "Basic ", 6);
    assert_false(admits(&g, huge));
    free(huge);
}

/* Writes a token file and reads it; "" is told if all is well. */
static const char *read_token(const char *text, size_t n, guard *g)
{
    static char said[300];
    char path[] = "/tmp/mnemic-token-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text, n) == (ssize_t)n);
    close(fd);
    buf why = {0};
    bool good = guard_read(g, path, &why);
    assert_int_equal(good, why.n == 0);
    strncpy(said, why.n ? why.p : "", sizeof said - 1);
    buf_free(&why);
    unlink(path);
    return said;
}

static void token_files(void **state)
{
    (void)state;
    guard g;
    static const char *const good[] = {"abc", "abc\n", "abc\r\n"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_string_equal(read_token(good[i], strlen(good[i]), &g), "");
        assert_true(g.needs_token);
        assert_true(admits(&g, "Bearer abc"));
    }
    assert_non_null(strstr(read_token("", 0, &g), "empty"));
    assert_non_null(strstr(read_token("\n", 1, &g), "empty"));
    assert_non_null(strstr(read_token("a\nb\n", 4, &g), "more than one line"));
    assert_non_null(strstr(read_token("a\0b", 3, &g), "more than one line"));
    char big[2000];
    memset(big, 'x', sizeof big);
    assert_non_null(strstr(read_token(big, sizeof big, &g), "longer"));
    buf why = {0};
    assert_false(guard_read(&g, "/nonexistent/token", &why));
    assert_non_null(strstr(why.p, "/nonexistent/token cannot be read: No such file"));
    why.n = 0;
    assert_false(guard_read(&g, "/tmp", &why));
    assert_non_null(strstr(why.p, "cannot be read"));
    buf_free(&why);
}

static void hosts(void **state)
{
    (void)state;
    static const char *const local[] = {"localhost",     "LocalHost:12111", "127.0.0.1",  "127.0.0.1:1",
                                        "127.8.9.10:80", "[::1]",           "[::1]:12111"};
    static const char *const other[] = {"",
                                        "evil.example",
                                        "localhost.evil.example",
                                        "127.0.0.1.evil.example",
                                        "127.0.0.1x",
                                        "evil.example:12111",
                                        "localhost:12111:1",
                                        "[::2]:1",
                                        "::1",
                                        "128.0.0.1",
                                        "127.1",
                                        "localhost:x"};
    for (size_t i = 0; i < ARRAY_LEN(local); i++)
        if (!guard_host_is_local(span_of(local[i]))) fail_msg("not local: %s", local[i]);
    for (size_t i = 0; i < ARRAY_LEN(other); i++)
        if (guard_host_is_local(span_of(other[i]))) fail_msg("local: %s", other[i]);
}

static void who_takes_gzip(void **state)
{
    (void)state;
    static const char *const yes[] = {"gzip",       "GZIP",        "deflate, gzip, br", "br;q=1.0, gzip;q=0.8",
                                      "gzip ; q=1", "gzip;q=0.001"};
    static const char *const no[] = {"",      "br",    "gzip;q=0",    "gzip; q=0.000",
                                     "xgzip", "gzipx", "identity, *", ",,;q=1"};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        if (!gzip_accepted(span_of(yes[i]))) fail_msg("should take gzip: %s", yes[i]);
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        if (gzip_accepted(span_of(no[i]))) fail_msg("should not take gzip: %s", no[i]);
}

static void gzip_and_back(void **state)
{
    (void)state;
    buf b = {0};
    for (int i = 0; i < 10000; i++) buf_printf(&b, "%d,", i);
    buf plain = {0};
    buf_append(&plain, b.p, b.n);
    assert_true(gzip_compress(&b));
    assert_true(b.n < plain.n / 2);
    char *out = mem_alloc(plain.n + 1);
    z_stream z = {
        .next_in = (Bytef *)b.p, .avail_in = (uInt)b.n, .next_out = (Bytef *)out, .avail_out = (uInt)plain.n + 1};
    assert_int_equal(inflateInit2(&z, 16 + 15), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.total_out, plain.n);
    assert_memory_equal(out, plain.p, plain.n);
    inflateEnd(&z);
    free(out);
    buf_free(&b);
    buf_free(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_server_admits_all),
        cmocka_unit_test(tokens),
        cmocka_unit_test(token_files),
        cmocka_unit_test(hosts),
        cmocka_unit_test(who_takes_gzip),
        cmocka_unit_test(gzip_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
