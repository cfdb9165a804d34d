/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon_link: whole tracers on the binary wire, against a server of a few lines that takes rows in order and
   acknowledges them: addresses of every kind, a server that goes, comes back or moves, ends of programs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <assert.h>
#include <netdb.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Names are looked up here. */
static int look_up(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **list);

#define getaddrinfo look_up
#define DOLON_IMPLEMENTATION
#define DOLON_STATIC
#define DOLON_ASSERT(x) assert(x)
#include "../dolon.h"
#undef getaddrinfo

#include "../server/base/histogram.h"
#include "../server/ingest/decode.h"

/* ---- the log, written by two threads ---- */

static int told[32]; /* by the negated code */

static void remember(void *user, dolon_error code, const char *message)
{
    (void)user;
    assert(strncmp(message, "dolon: ", 7) == 0 && !strchr(message, '\n'));
    __atomic_fetch_add(&told[-(int)code], 1, __ATOMIC_RELEASE);
}

static int times_told(dolon_error code)
{
    return __atomic_load_n(&told[-(int)code], __ATOMIC_ACQUIRE);
}

static int forget(void **state)
{
    (void)state;
    memset(told, 0, sizeof told);
    return 0;
}

/* ---- the server: a thread that keeps what it gets in order, and says so ---- */

typedef struct {
    int fd;
    pthread_t thread;
    pthread_mutex_t lock;
    int stop;
    /* guarded by the lock */
    uint8_t run[16];
    int datagrams, facts, byes, crashes, slices;
    bool deaf;    /* takes nothing, says nothing */
    bool bye_due; /* says nothing to a goodbye before somebody asks for it */
    uint64_t rows, lost, marks, sampled, top;
    uint32_t columns, work; /* known; the number of the column "work_mean" */
    double cells[4096];     /* of a row with histograms, as far as it has come */
    bool telling;           /* that row is new */
    histogram_set told;     /* of all rows     */
} server;

static void take_names(server *s, const record *r)
{
    s->columns = r->names.first + r->names.count;
    for (uint32_t i = 0; i < r->names.count; i++) {
        if (!span_eq(r->names.columns[i].name, span_of("work_mean"))) continue;
        assert(r->names.columns[i].kind == COLUMN_HISTOGRAM);
        s->work = r->names.first + i;
    }
}

/* Its slices come in order here. */
static void take_histograms(server *s, const record_rows *r, bool new)
{
    if (r->first == 0) s->telling = new;
    if (r->first > 0) s->slices++;
    if (!s->telling) return;
    memcpy(s->cells + r->first, r->values, r->slice * sizeof *r->values);
    if (r->first + r->slice < r->columns + r->words) return;
    s->telling = false;
    span words = {(const char *)(s->cells + r->columns), 8 * (size_t)r->words};
    if (!histogram_set_add(&s->told, words, r->columns)) assert(!"well-formed histograms");
}

static void take(void *ctx, const record *r)
{
    server *s = ctx;
    memcpy(s->run, r->run.b, 16);
    if (r->kind == RECORD_FACTS) s->facts++;
    if (r->kind == RECORD_COLUMNS) take_names(s, r);
    if (r->kind == RECORD_MARKS && s->marks < r->marks.first + r->marks.count)
        s->marks = r->marks.first + r->marks.count;
    if (r->kind == RECORD_ROWS) {
        uint64_t next = s->rows + s->lost, end = r->rows.seq + r->rows.count;
        if (r->rows.kept > next) s->lost += r->rows.kept - next;
        next = s->rows + s->lost;
        bool new = s->columns >= r->rows.columns && r->rows.seq <= next &&end > next;
        if (r->rows.words) take_histograms(s, &r->rows, new);
        if (new) s->rows += end - next;
        if (end > s->top) s->top = end;
    }
    if (r->kind == RECORD_GOODBYE) {
        if (r->goodbye.reason == END_CRASHED)
            s->crashes++;
        else
            s->byes++;
        s->sampled = r->goodbye.next;
    }
}

static size_t acknowledgement(const server *s, uint8_t *out)
{
    uint64_t next = s->rows + s->lost;
    int ended = (s->byes || s->crashes) && !s->bye_due && next >= s->sampled;
    uint8_t *p = dolon__put_bytes(out, "\xD0\x10\x01\x81", 4);
    p = dolon__put_bytes(p, s->run, 16);
    p = dolon__put(p, (uint64_t)(s->facts > 0) + 2 * (uint64_t)ended, 1);
    p = dolon__put(p, s->facts && s->top > next, 1);
    p = dolon__put(p, s->facts ? s->columns : 0, 2);
    p = dolon__put(p, s->facts ? s->marks : 0, 4);
    for (int i = 0; i < 2; i++) p = dolon__put(p, s->facts ? next : 0, 8);
    p = dolon__put(p, s->facts ? s->top : 0, 8);
    if (s->facts && s->top > next) p = dolon__put(dolon__put(p, next, 8), s->top - next, 4);
    return (size_t)(p - out);
}

static void *serve(void *arg)
{
    server *s = arg;
    while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
        uint8_t in[65536], out[80];
        struct sockaddr_storage from;
        socklen_t bytes = sizeof from;
        ssize_t n = recvfrom(s->fd, in, sizeof in, 0, (struct sockaddr *)&from, &bytes);
        if (n <= 0) continue;
        pthread_mutex_lock(&s->lock);
        if (!s->deaf) {
            s->datagrams++;
            assert(decode_datagram(in, (size_t)n, take, s) == DECODE_OK);
            sendto(s->fd, out, acknowledgement(s, out), 0, (struct sockaddr *)&from, bytes);
        }
        pthread_mutex_unlock(&s->lock);
    }
    return NULL;
}

/* Zeroed before: what it knows stays over close and open. */
static void server_open(server *s, const struct sockaddr *at, socklen_t bytes)
{
    struct timeval patience = {0, 20000};
    s->stop = 0;
    pthread_mutex_init(&s->lock, NULL);
    s->fd = socket(at->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(s->fd >= 0);
    setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(bind(s->fd, at, bytes), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

/* 127.0.0.LAST; returns the port. */
static int server_open_v4(server *s, int last, int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t bytes = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + (uint32_t)last);
    server_open(s, (struct sockaddr *)&at, sizeof at);
    getsockname(s->fd, (struct sockaddr *)&at, &bytes);
    return ntohs(at.sin_port);
}

static void server_close(server *s)
{
    __atomic_store_n(&s->stop, 1, __ATOMIC_RELEASE);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

/* Of a number that only grows; 60 s at most. */
static void await(server *s, const uint64_t *value, uint64_t least)
{
    uint64_t now = 0;
    for (int i = 0; i < 12000 && now < least; i++) {
        pthread_mutex_lock(&s->lock);
        now = *value;
        pthread_mutex_unlock(&s->lock);
        if (now < least) usleep(5000);
    }
    assert_true(now >= least);
}

static void set(server *s, bool *flag, bool value)
{
    pthread_mutex_lock(&s->lock);
    *flag = value;
    pthread_mutex_unlock(&s->lock);
}

static void await_told(dolon_error code, int times)
{
    for (int i = 0; i < 12000 && times_told(code) < times; i++) usleep(5000);
    assert_int_equal(times_told(code), times);
}

static double answer(void *user)
{
    (void)user;
    return 42;
}

static dolon_desc desc_for(const char *host, int port)
{
    dolon_desc d = {
        .app_name = "test", .host = host, .port = port, .interval = 0.005, .no_environment = 1, .goodbye = 60};
    d.probes[0] = (dolon_probe){"answer", answer, NULL, "unit"};
    d.log.fn = remember;
    return d;
}

/* ---- the ways to a server ---- */

/* All that was sampled has arrived when dolon_stop() returns. */
static void trace_and_stop(server *s, const dolon_desc *d)
{
    dolon_tracer *t = dolon_start(d);
    await(s, &s->rows, 20);
    dolon_mark(t, "not UTF-8: \xff");
    dolon_stop(t);
    assert_int_equal(s->byes > 0, 1);
    assert_int_equal(s->rows, s->sampled);
    assert_int_equal(s->lost, 0);
    assert_int_equal(s->marks, 1);
    server_close(s);
}

static void over_ipv4(void **state)
{
    server s = {0};
    (void)state;
    dolon_desc d = desc_for("127.0.0.1", server_open_v4(&s, 1, 0));
    trace_and_stop(&s, &d);
}

static void over_ipv6(void **state)
{
    server s = {0};
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t bytes = sizeof at;
    int probe = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)state;
    if (probe < 0 || bind(probe, (struct sockaddr *)&at, sizeof at) != 0) {
        if (probe >= 0) close(probe);
        skip(); /* no IPv6 on this machine */
    }
    close(probe);
    server_open(&s, (struct sockaddr *)&at, sizeof at);
    getsockname(s.fd, (struct sockaddr *)&at, &bytes);
    dolon_desc d = desc_for("::1", ntohs(at.sin6_port));
    trace_and_stop(&s, &d);
}

static char folder[64], host[100];

static struct sockaddr_un local_address(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", host + 5);
    return at;
}

static void make_folder(void)
{
    strcpy(folder, "/tmp/dolon_XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(host, sizeof host, "unix:%s/socket", folder);
}

static void remove_folder(void)
{
    unlink(host + 5);
    assert_int_equal(rmdir(folder), 0);
}

static void over_a_local_socket(void **state)
{
    server s = {0};
    (void)state;
    make_folder();
    struct sockaddr_un at = local_address();
    server_open(&s, (struct sockaddr *)&at, sizeof at);
    dolon_desc d = desc_for(host, 0);
    trace_and_stop(&s, &d);
    remove_folder();
}

/* The path leads to another socket then; what was sampled meanwhile arrives. */
static void a_local_server_comes_late_and_again(void **state)
{
    server s = {0};
    (void)state;
    make_folder();
    struct sockaddr_un at = local_address();
    dolon_desc d = desc_for(host, 0);
    dolon_tracer *t = dolon_start(&d);
    await_told(DOLON_UNREACHABLE, 1);
    server_open(&s, (struct sockaddr *)&at, sizeof at);
    await(&s, &s.rows, 20);
    server_close(&s);
    unlink(host + 5);
    await_told(DOLON_UNREACHABLE, 2);
    server_open(&s, (struct sockaddr *)&at, sizeof at);
    await(&s, &s.rows, s.rows + 20);
    dolon_stop(t);
    server_close(&s);
    assert_int_equal(s.rows, s.sampled);
    assert_int_equal(s.lost, 0);
    remove_folder();
}

/* A receiver that is slow to take: a local socket's queue is short, and what does not fit in is not lost. */
static void a_full_queue_is_waited_for(void **state)
{
    server s = {0};
    (void)state;
    make_folder();
    struct sockaddr_un at = local_address();
    server_open(&s, (struct sockaddr *)&at, sizeof at);
    dolon_desc d = desc_for(host, 0);
    d.interval = 0.001;
    d.datagram_bytes = 512;
    pthread_mutex_lock(&s.lock); /* it takes one datagram, and stops */
    dolon_tracer *t = dolon_start(&d);
    for (int i = 0; i < 12000 && times_told(DOLON_UNANSWERED) == 0; i++) usleep(5000);
    pthread_mutex_unlock(&s.lock);
    await(&s, &s.rows, 2000);
    dolon_stop(t);
    server_close(&s);
    assert_int_equal(s.rows, s.sampled);
    assert_int_equal(s.lost, 0);
    remove_folder();
}

/* ---- how long scopes took ---- */

/* Times of many sizes. A scope that joins when it is first reached: the other tests have no columns of it. */
static void work(int times)
{
    static dolon_site site = {"work", &dolon__owner, DOLON__SCOPE_SITE, 0};
    for (int i = 0; i < times; i++) {
        dolon_span one = dolon_enter(&site);
        one.start -= (uint64_t)(32 + i % 31) << i % 20;
        dolon_leave(&one);
    }
}

static uint64_t told_of_work(const server *s)
{
    for (size_t i = 0; i < s->told.count; i++)
        if (s->told.all[i].column == s->work) return histogram_total(&s->told.all[i].of);
    return 0;
}

/* Two tracers, one of which begins later, one in datagrams that its rows do not fit; and one to which scopes are
   brief. Each time that was measured while it ran has arrived at the server of each when dolon_stop() returns. */
static void each_measured_time_arrives(void **state)
{
    static server s[3];
    dolon_tracer *t[3];
    (void)state;
    memset(s, 0, sizeof s);
    for (int i = 0; i < 3; i++) {
        dolon_desc d = desc_for("127.0.0.1", server_open_v4(&s[i], 1, 0));
        d.datagram_bytes = i == 0 ? 512 : 0;
        d.brief_scopes = i == 2;
        t[i] = dolon_start(&d);
        work(1000);
    }
    for (int i = 0; i < 24; i++) {
        work(1000);
        usleep(50000);
    }
    work(7);
    for (int i = 0; i < 3; i++) dolon_stop(t[i]);
    for (int i = 0; i < 3; i++) server_close(&s[i]);
    assert_int_equal(told_of_work(&s[0]), 27007);
    assert_int_equal(told_of_work(&s[1]), 26007);
    assert_int_equal(s[2].told.count, 0);
    assert_true(s[0].slices > 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(s[i].rows, s[i].sampled);
        histogram_set_free(&s[i].told);
    }
}

/* ---- a server that is away, or refuses ---- */

static void rows_wait_for_the_server(void **state)
{
    server s = {0};
    dolon_stats stats;
    (void)state;
    int port = server_open_v4(&s, 1, 0);
    server_close(&s);
    dolon_desc d = desc_for("127.0.0.1", port);
    dolon_tracer *t = dolon_start(&d);
    await_told(DOLON_UNREACHABLE, 1);
    server_open_v4(&s, 1, port);
    await(&s, &s.rows, 20);
    await_told(DOLON_OK, 1);
    dolon_get_stats(t, &stats);
    dolon_stop(t);
    server_close(&s);
    assert_int_equal(s.rows, s.sampled);
    assert_int_equal(stats.lost, 0);
    assert_true(stats.acked > 0 && stats.acked <= stats.rows);
}

static void a_full_ring_loses_the_oldest_and_counts_them(void **state)
{
    server s = {0};
    dolon_stats stats;
    (void)state;
    dolon_desc d = desc_for("127.0.0.1", server_open_v4(&s, 1, 0));
    d.interval = 0.001;
    d.ring_bytes = 4096; /* 204 rows of a column */
    set(&s, &s.deaf, true);
    dolon_tracer *t = dolon_start(&d);
    do usleep(5000), dolon_get_stats(t, &stats);
    while (stats.lost < 100);
    set(&s, &s.deaf, false);
    await(&s, &s.rows, 300);
    dolon_stop(t);
    server_close(&s);
    assert_true(s.lost >= 100);
    assert_int_equal(s.rows + s.lost, s.sampled);
}

static void silence_and_return_are_told_once(void **state)
{
    server s = {0};
    (void)state;
    dolon_desc d = desc_for("127.0.0.1", server_open_v4(&s, 1, 0));
    dolon_tracer *t = dolon_start(&d);
    await(&s, &s.rows, 5);
    set(&s, &s.deaf, true);
    await_told(DOLON_UNANSWERED, 1);
    set(&s, &s.deaf, false);
    await_told(DOLON_OK, 1);
    dolon_stop(t);
    server_close(&s);
    assert_int_equal(s.rows, s.sampled);
    assert_int_equal(times_told(DOLON_UNREACHABLE), 0);
}

/* This program is compiled without DOLON_SODIUM: a key must not lead to what is not sealed. */
static void with_a_key_that_cannot_be_used_nothing_is_sent(void **state)
{
    static const dolon_wire wires[] = {DOLON_WIRE_BINARY, DOLON_WIRE_JSON};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wires); i++) {
        server s = {0};
        dolon_stats stats;
        dolon_desc d = desc_for("127.0.0.1", server_open_v4(&s, 1, 0));
        d.key_file = "/proc/self/exe";
        d.wire = wires[i];
        dolon_tracer *t = dolon_start(&d);
        assert_int_equal(times_told(DOLON_BAD_KEY), i + 1);
        do usleep(5000), dolon_get_stats(t, &stats);
        while (stats.rows < 10);
        dolon_stop(t);
        server_close(&s);
        assert_int_equal(stats.sent, 0);
        assert_int_equal(s.datagrams, 0);
    }
}

/* ---- the end ---- */

static void *stop(void *tracer)
{
    dolon_stop(tracer);
    return NULL;
}

static void stopping_waits_for_the_goodbyes_acknowledgement(void **state)
{
    server s = {0};
    pthread_t stopper;
    (void)state;
    s.bye_due = true;
    dolon_desc d = desc_for("127.0.0.1", server_open_v4(&s, 1, 0));
    dolon_tracer *t = dolon_start(&d);
    await(&s, &s.rows, 5);
    pthread_create(&stopper, NULL, stop, t);
    await(&s, &s.sampled, 1);
    int before = s.byes;
    while (before < 3) { /* it is said again and again */
        usleep(5000);
        pthread_mutex_lock(&s.lock);
        before = s.byes;
        pthread_mutex_unlock(&s.lock);
    }
    set(&s, &s.bye_due, false);
    pthread_join(stopper, NULL);
    server_close(&s);
    assert_int_equal(s.rows, s.sampled);
}

static void stopping_waits_no_longer_than_agreed(void **state)
{
    server s = {0};
    (void)state;
    set(&s, &s.deaf, true);
    dolon_desc d = desc_for("127.0.0.1", server_open_v4(&s, 1, 0));
    d.goodbye = 0.1;
    dolon_stop(dolon_start(&d));
    d.goodbye = -1;
    dolon_stop(dolon_start(&d));
    server_close(&s);
    d.goodbye = 3600; /* not even that where nobody listens */
    dolon_stop(dolon_start(&d));
    assert_int_equal(s.byes, 0);
}

/* ---- programs of their own: this one, called with what to do and the server's port ---- */

static double end_from_within(void *user)
{
    static int ticks;
    (void)user;
    if (++ticks == 5) exit(7);
    return 1;
}

static void on_fault(int number)
{
    (void)number;
    _exit(9); /* the program's own handler has been called */
}

static void crash(const char *what)
{
    if (strcmp(what, "crash by abort()") == 0) abort();
    if (strcmp(what, "crash by kill()") == 0) kill(getpid(), SIGSEGV);
    volatile char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *page = 1;
}

static void crash_in_a_child(void)
{
    struct sigaction now;
    pid_t child = fork();
    if (child == 0) {
        sigaction(SIGSEGV, NULL, &now);
        if (now.sa_handler != SIG_DFL) _exit(1);
        kill(getpid(), SIGSEGV);
    }
    waitpid(child, NULL, 0);
}

static void own_handlers(const char *what)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    for (int i = 0; i < 5; i++) signal(dolon__crash_signals[i], SIG_DFL); /* not the sanitizers' */
    if (strstr(what, "handler")) signal(SIGSEGV, on_fault);
    if (strstr(what, "ignored")) signal(SIGSEGV, SIG_IGN);
}

static int be_another(const char *what, int port)
{
    dolon_desc d = desc_for("127.0.0.1", port);
    if (strncmp(what, "crash", 5) == 0) {
        own_handlers(what);
        d.crash_handler = 1;
        dolon_tracer *t = dolon_start(&d);
        usleep(50000);
        if (strcmp(what, "crash in a child") == 0) crash_in_a_child();
        if (strcmp(what, "crash after the end") == 0) dolon_stop(t);
        if (strcmp(what, "crash in a child") != 0 && strcmp(what, "crash ignored") != 0) crash(what);
        if (strcmp(what, "crash ignored") == 0) kill(getpid(), SIGSEGV);
        return 7;
    }
    if (strcmp(what, "exit in a probe") == 0) d.probes[1] = (dolon_probe){"end", end_from_within, NULL, NULL};
    dolon_start(&d);
    if (strcmp(what, "two") == 0) dolon_start(&d);
    if (strcmp(what, "exit in a probe") == 0) pause();
    usleep(20000);
    return 7;
}

static int run_another(const char *what, int port)
{
    char number[16];
    int status;
    snprintf(number, sizeof number, "%d", port);
    pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "test_dolon_link", what, number, (char *)NULL);
        _exit(127);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void a_program_that_ends_says_goodbye(void **state)
{
    static const char *const ways[] = {"return", "exit in a probe"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        server s = {0};
        int port = server_open_v4(&s, 1, 0), status = run_another(ways[i], port);
        server_close(&s);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
        assert_true(s.byes > 0);
        assert_int_equal(s.rows, s.sampled);
    }
}

static void two_tracers_say_goodbye_at_once(void **state)
{
    server s = {0};
    (void)state;
    set(&s, &s.bye_due, true);
    int port = server_open_v4(&s, 1, 0);
    set(&s, &s.bye_due, false);
    int status = run_another("two", port);
    server_close(&s);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    assert_true(s.byes >= 2);
}

static void a_crash_says_goodbye_and_takes_its_course(void **state)
{
    static const struct {
        const char *how;
        int signal, status, crashes;
    } rows[] = {
        {"crash", SIGSEGV, 0, 1},           {"crash by abort()", SIGABRT, 0, 1},
        {"crash by kill()", SIGSEGV, 0, 1}, {"crash with a handler", 0, 9, 1},
        {"crash in a child", 0, 7, 0},      {"crash after the end", SIGSEGV, 0, 0},
        {"crash ignored", 0, 7, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        server s = {0};
        int port = server_open_v4(&s, 1, 0), status = run_another(rows[i].how, port);
        if (rows[i].crashes) await(&s, &s.sampled, 1);
        server_close(&s);
        if (rows[i].signal) assert_true(WIFSIGNALED(status) && WTERMSIG(status) == rows[i].signal);
        if (!rows[i].signal) assert_true(WIFEXITED(status) && WEXITSTATUS(status) == rows[i].status);
        assert_int_equal(s.crashes, rows[i].crashes);
        assert_int_equal(s.byes > 0, !rows[i].crashes);
    }
}

/* ---- a server that moves: a tracer without a thread, and times as the test has them ---- */

static int looked_up;
static uint32_t addresses[4];
static int address_count;

static int look_up(const char *name, const char *port, const struct addrinfo *hints, struct addrinfo **list)
{
    char text[INET_ADDRSTRLEN];
    struct addrinfo numeric = *hints, *all = NULL;
    __atomic_fetch_add(&looked_up, 1, __ATOMIC_RELEASE);
    assert(strcmp(name, "server.test") == 0);
    for (int i = address_count - 1; i >= 0; i--) {
        struct in_addr at = {htonl(addresses[i])};
        struct addrinfo *one;
        numeric.ai_flags = AI_NUMERICHOST;
        inet_ntop(AF_INET, &at, text, sizeof text);
        if (getaddrinfo(text, port, &numeric, &one) != 0) abort();
        one->ai_next = all;
        all = one;
    }
    *list = all;
    return all ? 0 : EAI_NONAME;
}

/* ---- several datagrams in one call ---- */

static void joined_datagrams_come_apart(void **state)
{
    static const size_t sizes[] = {100, 100, 100, 40};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof at;
    struct timeval patience = {20, 0};
    int receiver = socket(AF_INET, SOCK_DGRAM, 0);
    char out[340], in[400];
    dolon__address to;
    (void)state;
    for (size_t i = 0; i < sizeof out; i++) out[i] = (char)i;
    assert_int_equal(bind(receiver, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(receiver, (struct sockaddr *)&at, &bytes), 0);
    setsockopt(receiver, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_true(dolon__os_numeric("127.0.0.1", ntohs(at.sin_port), &to));
    int sender = dolon__os_open(&to);
    assert_int_equal(dolon__os_send(sender, out, sizeof out, 100), 0);
    for (size_t i = 0, sent = 0; i < ARRAY_LEN(sizes); sent += sizes[i++]) {
        assert_int_equal(recv(receiver, in, sizeof in, 0), sizes[i]);
        assert_memory_equal(in, out + sent, sizes[i]);
    }
    close(sender);
    close(receiver);
}

typedef struct {
    dolon_tracer *t;
    int64_t now;
} puppet;

static void puppet_make(puppet *p, int port)
{
    dolon_desc d = desc_for("server.test", port);
    dolon_alloc alloc = {dolon__malloc, dolon__malloc_free, NULL};
    p->t = malloc(sizeof *p->t);
    assert_true(dolon__setup(p->t, &d, &alloc));
    p->now = p->t->start;
    p->t->session.columns = 1;
}

/* Until what is being looked up is known. */
static void puppet_settle(puppet *p)
{
    do usleep(1000), dolon__link_exchange(p->t, p->now);
    while (p->t->link.resolver);
}

static void puppet_pass(puppet *p, int64_t seconds)
{
    for (int64_t end = p->now + seconds * DOLON__SECOND; p->now < end;) {
        int64_t due = dolon__link_due(p->t, p->now);
        assert_true(due > p->now); /* it never spins */
        p->now = dolon__earlier(due, end);
        dolon__link_exchange(p->t, p->now);
        if (p->t->link.resolver) puppet_settle(p);
    }
}

static uint32_t puppet_peer(const puppet *p)
{
    struct sockaddr_in at;
    socklen_t bytes = sizeof at;
    if (p->t->link.fd < 0) return 0;
    assert_int_equal(getpeername(p->t->link.fd, (struct sockaddr *)&at, &bytes), 0);
    return ntohl(at.sin_addr.s_addr);
}

#define LOCAL(n) (INADDR_LOOPBACK - 1 + (n))

static void a_silent_servers_name_is_looked_up_again(void **state)
{
    server s = {0};
    puppet p;
    (void)state;
    s.deaf = true;
    addresses[0] = LOCAL(1), address_count = 1, looked_up = 0;
    puppet_make(&p, server_open_v4(&s, 1, 0));
    dolon__link_exchange(p.t, p.now);
    puppet_settle(&p);
    assert_int_equal(looked_up, 1);
    assert_int_equal(puppet_peer(&p), LOCAL(1));
    puppet_pass(&p, 9);
    assert_int_equal(looked_up, 1);
    addresses[0] = LOCAL(2);
    puppet_pass(&p, 2);
    assert_int_equal(looked_up, 2);
    assert_int_equal(puppet_peer(&p), LOCAL(2));
    address_count = 0; /* the name has no address for a while: it stays with what it has */
    puppet_pass(&p, 31);
    assert_int_equal(looked_up, 3);
    assert_int_equal(puppet_peer(&p), LOCAL(2));
    dolon__free(p.t);
    server_close(&s);
}

/* Where nobody listens, the next address is tried, first after a second, then ever more rarely. */
static void the_next_of_several_addresses_is_tried(void **state)
{
    server s = {0};
    puppet p;
    (void)state;
    addresses[0] = LOCAL(1), addresses[1] = LOCAL(2), address_count = 2, looked_up = 0;
    puppet_make(&p, server_open_v4(&s, 2, 0));
    dolon__link_exchange(p.t, p.now);
    puppet_settle(&p);
    puppet_pass(&p, 4);
    assert_int_equal(puppet_peer(&p), LOCAL(2));
    assert_in_range(looked_up, 2, 3);
    server_close(&s);
    puppet_pass(&p, 100);
    assert_in_range(looked_up, 5, 12);
    dolon__free(p.t);
}

static void an_unknown_name_is_asked_for_ever_more_rarely(void **state)
{
    puppet p;
    (void)state;
    address_count = 0, looked_up = 0;
    puppet_make(&p, 9);
    dolon__link_exchange(p.t, p.now);
    puppet_settle(&p);
    puppet_pass(&p, 121);
    assert_in_range(looked_up, 7, 9); /* 0, 1, 3, 7, 15, 31, 61, 91, 121 s */
    assert_int_equal(times_told(DOLON_UNRESOLVED), 1);
    dolon__free(p.t);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(joined_datagrams_come_apart, forget),
        cmocka_unit_test_setup(over_ipv4, forget),
        cmocka_unit_test_setup(over_ipv6, forget),
        cmocka_unit_test_setup(over_a_local_socket, forget),
        cmocka_unit_test_setup(a_local_server_comes_late_and_again, forget),
        cmocka_unit_test_setup(a_full_queue_is_waited_for, forget),
        cmocka_unit_test_setup(rows_wait_for_the_server, forget),
        cmocka_unit_test_setup(a_full_ring_loses_the_oldest_and_counts_them, forget),
        cmocka_unit_test_setup(silence_and_return_are_told_once, forget),
        cmocka_unit_test_setup(with_a_key_that_cannot_be_used_nothing_is_sent, forget),
        cmocka_unit_test_setup(stopping_waits_for_the_goodbyes_acknowledgement, forget),
        cmocka_unit_test_setup(stopping_waits_no_longer_than_agreed, forget),
        cmocka_unit_test_setup(a_program_that_ends_says_goodbye, forget),
        cmocka_unit_test_setup(two_tracers_say_goodbye_at_once, forget),
        cmocka_unit_test_setup(a_crash_says_goodbye_and_takes_its_course, forget),
        cmocka_unit_test_setup(a_silent_servers_name_is_looked_up_again, forget),
        cmocka_unit_test_setup(the_next_of_several_addresses_is_tried, forget),
        cmocka_unit_test_setup(an_unknown_name_is_asked_for_ever_more_rarely, forget),
        cmocka_unit_test_setup(each_measured_time_arrives, forget),
    };
    if (argc == 3) return be_another(argv[1], atoi(argv[2]));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
