/* SPDX-License-Identifier: MIT OR Unlicense
   test_ingest: datagrams over loopback, and what comes out; answers from another thread; the end. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../server/base/address.h"
#include "../server/ingest/ingest.h"

#define ID  "\"uuid\": \"1e7c356f-16b3-485c-a4f0-06872919285e\""
#define NEW "{\"msg_type\": \"create_trace_run\", " ID ", \"app_name\": \"app\", \"column_names\": [\"a\", \"b\"]}"
#define ROW "{\"msg_type\": \"row\", " ID ", \"row_data\": [1, 2]}"

/* ---- what ingest hands on, gathered; and a store that answers from a thread of its own ---- */

typedef struct {
    ingest *in;
    int socket; /* sends to it */
    const seal_keys *keys;
    pthread_mutex_t lock;
    pthread_cond_t news;
    size_t batches, rows, columns;
    uint64_t first_seq;
    uuid asked[64];
    size_t asked_count;
    uint64_t stored_next; /* 0: the store knows no run */
    bool silent, ending;
    pthread_t store;
} rig;

static void on_batch(void *ctx, batch *b)
{
    rig *g = ctx;
    pthread_mutex_lock(&g->lock);
    g->batches++;
    for (size_t i = 0; i < b->count; i++) {
        if (!g->rows && b->parts[i].rows) g->first_seq = b->parts[i].seq[0];
        g->rows += b->parts[i].rows;
        g->columns = b->parts[i].columns;
    }
    pthread_cond_broadcast(&g->news);
    pthread_mutex_unlock(&g->lock);
    batch_free(b);
}

static void on_want(void *ctx, const uuid *id)
{
    rig *g = ctx;
    pthread_mutex_lock(&g->lock);
    g->asked[g->asked_count++ % ARRAY_LEN(g->asked)] = *id;
    pthread_cond_broadcast(&g->news);
    pthread_mutex_unlock(&g->lock);
}

static run_info *stored_run(const uuid *id, uint64_t next)
{
    run_info *r = mem_calloc(1, sizeof *r);
    r->id = *id;
    r->app = mem_strdup("app");
    r->host = mem_strdup("");
    r->build = mem_strdup("");
    r->args = mem_strdup("");
    r->place = mem_strdup("");
    r->note = mem_strdup("");
    r->user_tags = mem_strdup("");
    r->next_seq = next;
    r->columns = mem_calloc(1, sizeof *r->columns);
    r->columns[0] = (run_column){mem_strdup("a"), mem_strdup(""), COLUMN_GAUGE};
    r->column_count = 1;
    return r;
}

static void *store_thread(void *arg)
{
    rig *g = arg;
    pthread_mutex_lock(&g->lock);
    for (size_t done = 0; !g->ending;) {
        if (g->silent || done == g->asked_count) {
            pthread_cond_wait(&g->news, &g->lock);
            continue;
        }
        uuid id = g->asked[done++ % ARRAY_LEN(g->asked)];
        uint64_t next = g->stored_next;
        pthread_mutex_unlock(&g->lock);
        ingest_answer(g->in, &id, next ? stored_run(&id, next) : NULL);
        pthread_mutex_lock(&g->lock);
    }
    pthread_mutex_unlock(&g->lock);
    return NULL;
}

static int connect_to(const char *bound)
{
    char host[ADDRESS_HOST], port[ADDRESS_PORT];
    assert_true(address_split(bound, host, port));
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *a;
    assert_int_equal(getaddrinfo(host, port, &hints, &a), 0);
    int fd = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, a->ai_addr, a->ai_addrlen), 0);
    freeaddrinfo(a);
    return fd;
}

/* `g` is zero but for what the store shall do. false: the machine has no such address (IPv6 may be switched off). */
static bool rig_open(rig *g, const char *address, int receive_buffer, runs_limits limits)
{
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->news, NULL);
    buf bound = {0}, why = {0};
    ingest_desc desc = {.address = address,
                        .receive_buffer = receive_buffer,
                        .limits = limits,
                        .keys = g->keys,
                        .batch = on_batch,
                        .want = on_want,
                        .ctx = g};
    g->in = ingest_open(&desc, &bound, &why);
    if (g->in) g->socket = connect_to(bound.p);
    buf_free(&bound);
    buf_free(&why);
    if (!g->in) return false;
    assert_int_equal(pthread_create(&g->store, NULL, store_thread, g), 0);
    return true;
}

static void rig_close(rig *g)
{
    ingest_stop(g->in);
    pthread_mutex_lock(&g->lock);
    g->ending = true;
    pthread_cond_broadcast(&g->news);
    pthread_mutex_unlock(&g->lock);
    pthread_join(g->store, NULL);
    ingest_free(g->in);
    close(g->socket);
    pthread_cond_destroy(&g->news);
    pthread_mutex_destroy(&g->lock);
}

static void send_bytes(const rig *g, const char *bytes, size_t n)
{
    assert_int_equal(send(g->socket, bytes, n, 0), n);
}

static void send_text(const rig *g, const char *text)
{
    send_bytes(g, text, strlen(text));
}

static void wait_for(_Atomic uint64_t *counter, uint64_t n)
{
    for (int i = 0; i < 30000 && atomic_load(counter) < n; i++) usleep(1000);
    assert_true(atomic_load(counter) >= n);
}

static void wait_for_rows(rig *g, size_t n)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 30;
    pthread_mutex_lock(&g->lock);
    while (g->rows < n && pthread_cond_timedwait(&g->news, &g->lock, &until) != ETIMEDOUT) {
    }
    assert_true(g->rows >= n);
    pthread_mutex_unlock(&g->lock);
}

static ingest_stats *stats_of(rig *g)
{
    return (ingest_stats *)ingest_counters(g->in);
}

/* ---- tests ---- */

static void rows_arrive(void **state)
{
    (void)state;
    static const char *const addresses[] = {"127.0.0.1:0", "localhost:0", "[::1]:0"};
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        rig g = {0};
        if (!rig_open(&g, addresses[i], 0, (runs_limits){0})) continue;
        ingest_start(g.in);
        send_text(&g, NEW);
        send_text(&g, ROW);
        wait_for_rows(&g, 1);
        send_text(&g, ROW);
        wait_for_rows(&g, 2);
        assert_int_equal(g.columns, 2);
        ingest_stats *s = stats_of(&g);
        assert_int_equal(s->datagrams, 3);
        assert_int_equal(s->records, 3);
        assert_int_equal(s->bytes, strlen(NEW) + 2 * strlen(ROW));
        assert_int_equal(s->runs, 1);
        assert_int_equal(ingest_runs_counters(g.in)->rows, 2);
        rig_close(&g);
    }
}

/* What was sent before the end is handed on, also what the socket still holds and what waits for an answer. */
static void stop_takes_all(void **state)
{
    (void)state;
    rig g = {0};
    assert_true(rig_open(&g, "127.0.0.1:0", 0, (runs_limits){0}));
    send_text(&g, NEW);
    for (int i = 0; i < 1000; i++) send_text(&g, ROW);
    ingest_start(g.in);
    ingest_stop(g.in);
    assert_int_equal(g.rows, 1000);
    rig_close(&g);
}

static void stop_without_answer(void **state)
{
    (void)state;
    rig g = {.silent = true};
    assert_true(rig_open(&g, "127.0.0.1:0", 0, (runs_limits){0}));
    send_text(&g, NEW);
    send_text(&g, ROW);
    ingest_start(g.in);
    ingest_stop(g.in);
    assert_int_equal(g.rows, 1);
    rig_close(&g);
}

static void never_started(void **state)
{
    (void)state;
    rig g = {0};
    assert_true(rig_open(&g, "127.0.0.1:0", 0, (runs_limits){0}));
    uuid id = {{1}};
    ingest_answer(g.in, &id, stored_run(&id, 1)); /* an answer that nobody takes is freed */
    rig_close(&g);
    ingest_free(NULL);
}

/* The store's answer, from its thread, says where the numbers go on. */
static void stored_run_goes_on(void **state)
{
    (void)state;
    rig g = {.stored_next = 10};
    assert_true(rig_open(&g, "127.0.0.1:0", 0, (runs_limits){0}));
    ingest_start(g.in);
    send_text(&g, ROW);
    wait_for_rows(&g, 1);
    assert_int_equal(g.first_seq, 10);
    assert_int_equal(g.columns, 1);
    rig_close(&g);
}

static void refusals_counted(void **state)
{
    (void)state;
#define BYTES(text) (text), sizeof(text) - 1
    static const struct {
        const char *bytes;
        size_t n;
        decode_result why;
    } cases[] = {
        {BYTES(""), DECODE_EMPTY},
        {BYTES("\xff"), DECODE_ENCODING},
        {BYTES("\0"), DECODE_SYNTAX},
        {BYTES("[]"), DECODE_TYPE},
        {BYTES("{\"msg_type\": \"?\"}"), DECODE_MESSAGE},
        {BYTES("{\"msg_type\": \"row\", \"uuid\": \"?\"}"), DECODE_UUID},
        {BYTES("{\"msg_type\": \"create_trace_run\", " ID ", \"app_name\": \"\", \"column_names\": []}"),
         DECODE_COLUMNS},
        {BYTES("\xD0\x10"), DECODE_LENGTH},
        {BYTES("\xD0\x10\x7F"), DECODE_VERSION},
    };
#undef BYTES
    rig g = {0};
    assert_true(rig_open(&g, "127.0.0.1:0", 0, (runs_limits){0}));
    ingest_start(g.in);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) send_bytes(&g, cases[i].bytes, cases[i].n);
    send_text(&g, NEW);
    send_text(&g, ROW);
    wait_for_rows(&g, 1); /* and nothing of that hurt a run */
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) assert_int_equal(stats_of(&g)->refused[cases[i].why], 1);
    rig_close(&g);
}

static void longest_datagram(void **state)
{
    (void)state;
    enum { most = 65507 }; /* of IPv4: 65535 less both headers */
    buf text = {0};
    buf_text(&text, "{\"msg_type\": \"create_trace_run\", " ID ", \"app_name\": \"app\", \"column_names\": [\"c\"");
    for (int i = 1; i < MAX_COLUMNS; i++) buf_printf(&text, ",\"%d\"", i);
    buf_text(&text, "]");
    while (text.n < most - 1) buf_text(&text, " ");
    buf_text(&text, "}");
    rig g = {0};
    assert_true(rig_open(&g, "127.0.0.1:0", 0, (runs_limits){0}));
    ingest_start(g.in);
    send_bytes(&g, text.p, text.n);
    send_text(&g, ROW);
    wait_for_rows(&g, 1);
    assert_int_equal(g.columns, MAX_COLUMNS);
    assert_int_equal(stats_of(&g)->bytes, most + strlen(ROW));
    rig_close(&g);
    buf_free(&text);
}

/* What the kernel drops is counted: nothing is lost silently. */
static void overflow_counted(void **state)
{
    (void)state;
    enum { sent = 2000 };
    rig g = {0};
    assert_true(rig_open(&g, "127.0.0.1:0", 1, (runs_limits){0})); /* the least the kernel gives */
    for (int i = 0; i < sent; i++) send_text(&g, ROW);
    ingest_start(g.in);
    wait_for(&stats_of(&g)->overflows, 1);
    rig_close(&g);
    g = (rig){0};
    assert_true(rig_open(&g, "127.0.0.1:0", 1, (runs_limits){0}));
    for (int i = 0; i < sent; i++) send_text(&g, ROW);
    ingest_start(g.in);
    ingest_stop(g.in);
    assert_int_equal(stats_of(&g)->datagrams + stats_of(&g)->overflows, sent);
    assert_true(stats_of(&g)->overflows > 0);
    rig_close(&g);
}

static void refusals_are_told(void **state)
{
    (void)state;
    rig g = {0};
    assert_true(rig_open(&g, "127.0.0.1:0", 0, (runs_limits){0}));
    ingest_start(g.in);
    send_bytes(&g,
               "\xD0\x10\x01\x82"
               "0123456789abcdef!",
               21); /* not answered */
    send_bytes(&g,
               "\xD0\x10\x07\x01"
               "0123456789abcdef!",
               21);
    struct pollfd answer = {.fd = g.socket, .events = POLLIN};
    assert_int_equal(poll(&answer, 1, 30000), 1);
    char out[64];
    assert_int_equal(recv(g.socket, out, sizeof out, 0), 21);
    assert_memory_equal(out,
                        "\xD0\x10\x01\x82"
                        "0123456789abcdef\x01",
                        21);
    wait_for(&stats_of(&g)->refusals, 1);
    rig_close(&g);
}

static void one_host_is_limited(void **state)
{
    (void)state;
    rig g = {0};
    assert_true(rig_open(&g, "127.0.0.1:0", 0, (runs_limits){.sources = {.live = 2, .bytes = 1000}}));
    ingest_start(g.in);
    for (int i = 0; i < 3; i++) {
        char beat[60] = "\xD0\x10\x01\x03"
                        "0123456789abcde";
        beat[19] = (char)i;
        send_bytes(&g, beat, sizeof beat);
    }
    wait_for((_Atomic uint64_t *)&ingest_runs_counters(g.in)->over_live_runs, 1);
    while (!atomic_load(&ingest_runs_counters(g.in)->over_bytes)) send_text(&g, NEW);
    assert_int_equal(stats_of(&g)->refusals, 1); /* JSON is not answered */
    rig_close(&g);
}

/* A local socket: what a killed server left is replaced, and nothing else. */
static void local_sockets(void **state)
{
    (void)state;
    char dir[] = "/tmp/mnemic-test-XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%s/socket", dir);
    int left = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(left, (struct sockaddr *)&to, sizeof to), 0);
    close(left);
    buf address = {0}, bound = {0}, why = {0};
    buf_printf(&address, "unix:%s", to.sun_path);
    rig g = {0};
    ingest_desc desc = {.address = address.p, .batch = on_batch, .want = on_want, .ctx = &g};
    pthread_mutex_init(&g.lock, NULL);
    pthread_cond_init(&g.news, NULL);
    g.in = ingest_open(&desc, &bound, &why);
    assert_non_null(g.in);
    assert_string_equal(bound.p, address.p);
    assert_null(ingest_open(&desc, &bound, &why)); /* it is in use now */
    assert_non_null(strstr(why.p, "in use"));
    ingest_start(g.in);
    g.socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(g.socket, (struct sockaddr *)&to, sizeof(sa_family_t)),
                     0); /* a name of the kernel's choice */
    assert_int_equal(connect(g.socket, (struct sockaddr *)&to, sizeof to), 0);
    send_bytes(&g,
               "\xD0\x10\x07\x01"
               "0123456789abcdef!",
               21);
    struct pollfd answer = {.fd = g.socket, .events = POLLIN};
    assert_int_equal(poll(&answer, 1, 30000), 1);
    char out[64];
    assert_int_equal(recv(g.socket, out, sizeof out, 0), 21);
    ingest_stop(g.in);
    ingest_free(g.in);
    close(g.socket);
    assert_int_equal(access(to.sun_path, F_OK), -1); /* taken away again */
    FILE *file = fopen(to.sun_path, "w");
    assert_non_null(file);
    fclose(file);
    assert_null(ingest_open(&desc, &bound, &why));
    assert_int_equal(access(to.sun_path, F_OK), 0); /* not ours to remove */
    unlink(to.sun_path);
    rmdir(dir);
    buf_free(&address);
    buf_free(&bound);
    buf_free(&why);
    pthread_cond_destroy(&g.news);
    pthread_mutex_destroy(&g.lock);
}

/* From a socket of one's own to the rig, sealed as a client does it. */
static size_t seal_as_client(const seal_keys *keys, const uint8_t *message, size_t n, uint64_t counter, uint8_t *out)
{
    memcpy(out, "\xD0\x10\x01\x7E", 4);
    memcpy(out + 4, message + 4, 16);
    for (int i = 0; i < 8; i++) out[20 + i] = (uint8_t)(counter >> 8 * i);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + SEAL_HEAD, NULL, message, n, out, 4, NULL, out + 4,
                                               keys->from_client);
    return n + SEAL_BYTES;
}

/* With a key: a sealed stranger is answered, sealed; whatever else comes is counted, and no word is said. */
static void sealed_only(void **state)
{
    (void)state;
    rig g = {0};
    seal_keys keys;
    seal_derive((const uint8_t[SEAL_KEY]){1, 2, 3}, &keys);
    g.keys = &keys;
    assert_true(rig_open(&g, "127.0.0.1:0", 0, (runs_limits){0}));
    ingest_start(g.in);
    uint8_t beat[60] = "\xD0\x10\x01\x03"
                       "0123456789abcdef",
            out[2][200], answer[300];
    size_t n = 0;
    send_text(&g, NEW);
    send_bytes(&g, (const char *)beat, sizeof beat);
    send_bytes(&g,
               "\xD0\x10\x07\x01"
               "0123456789abcdef!",
               21); /* no REFUSED */
    n = seal_as_client(&keys, beat, sizeof beat, 1, out[0]);
    out[0][40] ^= 1;
    send_bytes(&g, (const char *)out[0], n);
    wait_for(&stats_of(&g)->forged, 1);
    assert_int_equal(stats_of(&g)->unsealed, 3);
    /* Until the store has answered, nothing is: it asks again, as clients do. */
    struct pollfd ready = {.fd = g.socket, .events = POLLIN};
    for (uint64_t counter = 2; counter < 3000 && poll(&ready, 1, 10) == 0; counter++) {
        n = seal_as_client(&keys, beat, sizeof beat, counter, out[1]);
        send_bytes(&g, (const char *)out[1], n);
    }
    assert_int_equal(recv(g.socket, answer, sizeof answer, MSG_DONTWAIT), 52 + SEAL_BYTES);
    assert_memory_equal(answer, "\xD0\x10\x01\x7E", 4);
    uint64_t replayed = ingest_runs_counters(g.in)->replayed;
    send_bytes(&g, (const char *)out[1], n);
    wait_for((_Atomic uint64_t *)&ingest_runs_counters(g.in)->replayed, replayed + 1);
    assert_int_equal(stats_of(&g)->refusals, 0);
    rig_close(&g);
    assert_int_equal(g.rows, 0);
}

static void much_leaves_early(void **state)
{
    (void)state;
    rig g = {0};
    assert_true(rig_open(&g, "127.0.0.1:0", 0, (runs_limits){.batch_bytes = 1000}));
    send_text(&g, NEW);
    send_text(&g, ROW);
    ingest_start(g.in);
    wait_for_rows(&g, 1); /* the store has answered: what comes now waits for nothing */
    for (int i = 0; i < 2000; i++) send_text(&g, ROW);
    wait_for_rows(&g, 2001);
    assert_true(g.batches > 5);
    rig_close(&g);
}

static void bad_addresses(void **state)
{
    (void)state;
    rig g = {0};
    assert_true(rig_open(&g, "127.0.0.1:0", 0, (runs_limits){0}));
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    char host[NI_MAXHOST], port[NI_MAXSERV], taken[64];
    assert_int_equal(getpeername(g.socket, (struct sockaddr *)&a, &n), 0);
    assert_int_equal(
        getnameinfo((struct sockaddr *)&a, n, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV),
        0);
    snprintf(taken, sizeof taken, "127.0.0.1:%s", port);
    const struct {
        const char *address, *why;
    } cases[] = {
        {taken, "in use"},          {"nonsense", "HOST:PORT"},
        {"127.0.0.1", "HOST:PORT"}, {"127.0.0.1:70000", "HOST:PORT"},
        {"", "HOST:PORT"},          {"192.0.2.1:0", "Cannot assign"}, /* a documentation address: RFC 5737 */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ingest_desc desc = {.address = cases[i].address, .batch = on_batch, .want = on_want};
        buf bound = {0}, why = {0};
        assert_null(ingest_open(&desc, &bound, &why));
        assert_non_null(strstr(why.p, cases[i].why));
        assert_non_null(strstr(why.p, "--udp"));
        buf_free(&bound);
        buf_free(&why);
    }
    rig_close(&g);
}

/* Datagrams that are sent in one piece, of which the kernel may make one message, are taken one by one. */
static void joined_datagrams(void **state)
{
    (void)state;
    enum { ROWS = 20 };
    char bytes[ROWS * sizeof ROW];
    const int size = sizeof ROW - 1;
    for (int i = 0; i < ROWS; i++) memcpy(bytes + i * size, ROW, (size_t)size);
    rig g = {0};
    assert_true(rig_open(&g, "127.0.0.1:0", 0, (runs_limits){0}));
    if (setsockopt(g.socket, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size) != 0) {
        rig_close(&g);
        skip(); /* Linux before 4.18 */
    }
    ingest_start(g.in);
    send_text(&g, NEW); /* longer than `size`: segments that are no messages, and refused */
    setsockopt(g.socket, IPPROTO_UDP, UDP_SEGMENT, &(int){0}, sizeof(int));
    send_text(&g, NEW);
    setsockopt(g.socket, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size);
    send_bytes(&g, bytes, (size_t)(ROWS * size));
    send_bytes(&g, bytes, (size_t)(2 * size + 5)); /* the last one shorter: refused */
    wait_for_rows(&g, ROWS + 2);
    const size_t pieces = (sizeof NEW - 1 + (size_t)size - 1) / (size_t)size;
    wait_for(&stats_of(&g)->datagrams, pieces + 1 + ROWS + 3);
    assert_int_equal(stats_of(&g)->datagrams, pieces + 1 + ROWS + 3);
    assert_int_equal(stats_of(&g)->bytes, 2 * (sizeof NEW - 1) + (ROWS + 2) * (size_t)size + 5);
    rig_close(&g);
    assert_int_equal(g.rows, ROWS + 2);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_arrive),         cmocka_unit_test(stop_takes_all),
        cmocka_unit_test(stop_without_answer), cmocka_unit_test(never_started),
        cmocka_unit_test(refusals_counted),    cmocka_unit_test(longest_datagram),
        cmocka_unit_test(stored_run_goes_on),  cmocka_unit_test(overflow_counted),
        cmocka_unit_test(much_leaves_early),   cmocka_unit_test(bad_addresses),
        cmocka_unit_test(refusals_are_told),   cmocka_unit_test(joined_datagrams),
        cmocka_unit_test(local_sockets),       cmocka_unit_test(sealed_only),
        cmocka_unit_test(one_host_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
