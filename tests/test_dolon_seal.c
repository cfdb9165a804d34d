/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon_seal: a client that seals, and the server's seal: what one closes the other opens; anything else is ignored,
   and nothing that could be sealed leaves unsealed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <assert.h>

#define DOLON_IMPLEMENTATION
#define DOLON_STATIC
#define DOLON_SODIUM
#define DOLON_ASSERT(x) assert(x)
#include "../dolon.h"

#include "../server/ingest/decode.h"
#include "../server/ingest/seal.h"

#define DIGITS "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1E1F"

/* ---- the key's file ---- */

static char path[64];

static void write_key(const char *text)
{
    strcpy(path, "/tmp/dolon_key_XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void keys_are_read_strictly(void **state)
{
    static const struct {
        const char *text;
        int good;
    } rows[] = {
        {DIGITS, 1},
        {DIGITS "\n", 1},
        {DIGITS "\r\n", 1},
        {"", 0},
        {DIGITS "0", 0},
        {DIGITS "00", 0},
        {DIGITS DIGITS, 0},
        {"00 " DIGITS, 0},
        {"g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 0},
        {"00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        dolon__seal seal = {0};
        write_key(rows[i].text);
        assert_int_equal(dolon__seal_setup(&seal, path) == NULL, rows[i].good);
        assert_int_equal(seal.on, rows[i].good);
        unlink(path);
    }
    dolon__seal seal = {0};
    assert_non_null(dolon__seal_setup(&seal, "/no/such/file"));
    assert_int_equal(seal.on, 0);
}

/* Both ends' keys, from the same file. */
static void both_keys(dolon__seal *client, seal_keys *at_server)
{
    buf why = {0};
    write_key(DIGITS "\n");
    memset(client, 0, sizeof *client);
    assert_null(dolon__seal_setup(client, path));
    assert_true(seal_read(path, at_server, &why));
    unlink(path);
}

/* ---- from the client to the server ---- */

#define INNER 60

static size_t inner(uint8_t *out)
{
    uint8_t *p = dolon__put_bytes(out, "\xD0\x10\x01\x05", 4);
    for (int i = 0; i < INNER - 4; i++) p = dolon__put(p, (uint64_t)i, 1);
    return INNER;
}

static void the_server_opens_what_the_client_seals(void **state)
{
    dolon__seal client;
    seal_keys at_server;
    uint8_t plain[INNER], sealed[INNER + DOLON__SEAL_BYTES];
    (void)state;
    both_keys(&client, &at_server);
    inner(plain);
    for (uint64_t expected = 1; expected < 4; expected++) {
        uint64_t counter = 0;
        inner(sealed + DOLON__SEAL_HEAD);
        size_t n = dolon__seal_close(&client, sealed, INNER);
        assert_int_equal(n, sizeof sealed);
        assert_memory_equal(sealed, "\xD0\x10\x01\x7E", 4);
        assert_memory_equal(sealed + 4, plain + 4, 16);
        assert_memory_not_equal(sealed + SEAL_HEAD, plain, INNER);
        assert_int_equal(seal_open(&at_server, sealed, n, &counter), SEAL_GOOD);
        assert_memory_equal(sealed + SEAL_HEAD, plain, INNER);
        assert_int_equal(counter, expected); /* rising: none is used twice */
    }
}

/* ---- from the server to the client ---- */

static void the_client_opens_what_the_server_seals(void **state)
{
    dolon__seal client;
    seal_keys at_server;
    uint8_t plain[INNER], sealed[INNER + SEAL_BYTES];
    (void)state;
    both_keys(&client, &at_server);
    inner(plain);
    size_t n = seal_close(&at_server, plain, INNER, sealed);
    assert_int_equal(n, sizeof sealed);
    assert_int_equal(dolon__seal_open(&client, sealed, n), INNER);
    assert_memory_equal(sealed + DOLON__SEAL_HEAD, plain, INNER);
}

/* Each bit turned, each length less; its own datagrams sent back. */
static void the_client_opens_nothing_else(void **state)
{
    dolon__seal client;
    seal_keys at_server;
    uint8_t plain[INNER], sealed[INNER + SEAL_BYTES], changed[sizeof sealed];
    (void)state;
    both_keys(&client, &at_server);
    inner(plain);
    size_t n = seal_close(&at_server, plain, INNER, sealed);
    for (size_t bit = 0; bit < 8 * n; bit++) {
        memcpy(changed, sealed, n);
        changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(dolon__seal_open(&client, changed, n), 0);
    }
    for (size_t less = 0; less < n; less++) {
        memcpy(changed, sealed, n);
        assert_int_equal(dolon__seal_open(&client, changed, less), 0);
    }
    inner(changed + DOLON__SEAL_HEAD);
    n = dolon__seal_close(&client, changed, INNER);
    assert_int_equal(dolon__seal_open(&client, changed, n), 0);
}

/* ---- a whole tracer: without a thread, its socket's other end is ours ---- */

typedef struct {
    dolon_tracer *t;
    int fd;
    seal_keys keys;
    uint64_t counter;
    int kinds[256];
    uint8_t run[16];
} stage;

static double answer(void *user)
{
    (void)user;
    return 42;
}

static void begin(stage *s, int datagram_bytes)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t bytes = sizeof at;
    dolon_alloc alloc = {dolon__malloc, dolon__malloc_free, NULL};
    buf why = {0};
    memset(s, 0, sizeof *s);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof at), 0);
    getsockname(s->fd, (struct sockaddr *)&at, &bytes);
    write_key(DIGITS);
    assert_true(seal_read(path, &s->keys, &why));
    dolon_desc d = {.host = "127.0.0.1",
                    .port = ntohs(at.sin_port),
                    .no_environment = 1,
                    .key_file = path,
                    .datagram_bytes = datagram_bytes,
                    .crash_handler = 1};
    d.probes[0] = (dolon_probe){"answer", answer, NULL, NULL};
    s->t = malloc(sizeof *s->t);
    assert_true(dolon__setup(s->t, &d, &alloc));
    unlink(path);
}

static void end(stage *s)
{
    dolon__free(s->t);
    close(s->fd);
}

static void count(void *ctx, const record *r)
{
    stage *s = ctx;
    s->kinds[r->kind]++;
    memcpy(s->run, r->run.b, 16);
}

/* Opens one datagram; it must be sealed, with a higher counter than the one before. */
static void take(stage *s, uint8_t *bytes, size_t n)
{
    uint64_t counter = 0;
    assert_int_equal(seal_open(&s->keys, bytes, n, &counter), SEAL_GOOD);
    assert_true(counter > s->counter);
    s->counter = counter;
    assert_int_equal(decode_datagram(bytes + SEAL_HEAD, n - SEAL_BYTES, count, s), DECODE_OK);
}

static size_t receive(stage *s)
{
    uint8_t bytes[2048];
    size_t longest = 0;
    for (ssize_t n; (n = recv(s->fd, bytes, sizeof bytes, 0)) > 0;) {
        if ((size_t)n > longest) longest = (size_t)n;
        take(s, bytes, (size_t)n);
    }
    return longest;
}

static void all_that_leaves_is_sealed_and_short_enough(void **state)
{
    stage s;
    size_t longest = 0;
    (void)state;
    begin(&s, 512);
    int64_t now = s.t->start;
    s.t->session.linger = DOLON__SECOND; /* so that datagrams are filled */
    for (int i = 0; i < 300; i++) {
        dolon__tick(s.t, now, now, i == 299);
        size_t n = receive(&s);
        if (n > longest) longest = n;
        now += 5 * DOLON__MS;
    }
    assert_in_range(longest, 512 - 40, 512);
    assert_true(s.kinds[RECORD_FACTS] > 0 && s.kinds[RECORD_COLUMNS] > 0 && s.kinds[RECORD_ROWS] > 0);
    assert_int_equal(s.kinds[RECORD_GOODBYE], 1);
    end(&s);
}

static void what_a_crash_would_say_is_sealed(void **state)
{
    stage s;
    (void)state;
    begin(&s, 0);
    dolon__tick(s.t, s.t->start, s.t->start, 0);
    receive(&s);
    dolon__last_words *w = s.t->last_words;
    assert_non_null(w);
    assert_int_equal(w->fd, s.t->link.fd);
    assert_int_equal(w->n[w->which], DOLON__GOODBYE_BYTES + DOLON__SEAL_BYTES);
    take(&s, w->bytes[w->which], w->n[w->which]);
    assert_int_equal(s.kinds[RECORD_GOODBYE], 1);
    end(&s);
}

static size_t acknowledgement(const stage *s, uint8_t *out)
{
    uint8_t *p = dolon__put_bytes(out, "\xD0\x10\x01\x81", 4);
    p = dolon__put_bytes(p, s->run, 16);
    p = dolon__put(p, 1, 1);
    p = dolon__put(p, 0, 1);
    p = dolon__put(p, 1, 2);
    p = dolon__put(p, 0, 4);
    for (int i = 0; i < 3; i++) p = dolon__put(p, 1, 8);
    return (size_t)(p - out);
}

static void only_sealed_answers_count(void **state)
{
    stage s;
    uint8_t ack[64], sealed[128];
    (void)state;
    begin(&s, 0);
    int64_t now = s.t->start;
    dolon__tick(s.t, now, now, 0);
    receive(&s);
    size_t n = acknowledgement(&s, ack);
    dolon__link_take(s.t, now + 1, ack, n);
    assert_int_equal(s.t->session.known, 0);
    assert_int_equal(s.t->session.ring.oldest.seq, 0);
    n = seal_close(&s.keys, ack, n, sealed);
    dolon__link_take(s.t, now + 2, sealed, n);
    assert_int_equal(s.t->session.known, 1);
    assert_int_equal(s.t->session.ring.oldest.seq, 1);
    end(&s);
}

/* A server without a key says so unsealed, what else. It is told to the log, and changes nothing. */
static void a_server_without_a_key_is_told(void **state)
{
    stage s;
    uint8_t refused[21];
    (void)state;
    begin(&s, 0);
    dolon__tick(s.t, s.t->start, s.t->start, 0);
    receive(&s);
    uint8_t *p = dolon__put_bytes(refused, "\xD0\x10\x01\x82", 4);
    p = dolon__put_bytes(p, s.run, 16);
    dolon__put(p, 2, 1);
    dolon__session before = s.t->session;
    dolon__link_take(s.t, s.t->start + 1, refused, sizeof refused);
    assert_int_equal(s.t->session.refused, 2);
    before.refused = 2;
    assert_memory_equal(&before, &s.t->session, sizeof before);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_read_strictly),
        cmocka_unit_test(the_server_opens_what_the_client_seals),
        cmocka_unit_test(the_client_opens_what_the_server_seals),
        cmocka_unit_test(the_client_opens_nothing_else),
        cmocka_unit_test(all_that_leaves_is_sealed_and_short_enough),
        cmocka_unit_test(what_a_crash_would_say_is_sealed),
        cmocka_unit_test(only_sealed_answers_count),
        cmocka_unit_test(a_server_without_a_key_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
