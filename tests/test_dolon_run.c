/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon_run: whole tracers against a socket on loopback: what arrives, when, and what never harms the host. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <assert.h>
#include <sys/wait.h>

#define DOLON_IMPLEMENTATION
#define DOLON_MAX_MARKS 8
#define DOLON_ASSERT(x) assert(x)
#include "../dolon.h"
#include "test_dolon_sink.h"

/* ---- the log, written by two threads ---- */

static pthread_mutex_t told_lock = PTHREAD_MUTEX_INITIALIZER;
static int told[16]; /* by the negated code */

static void remember(void *user, dolon_error code, const char *message)
{
    (void)user;
    assert(strncmp(message, "dolon: ", 7) == 0 && !strchr(message, '\n'));
    pthread_mutex_lock(&told_lock);
    told[-(int)code]++;
    pthread_mutex_unlock(&told_lock);
}

static int times_told(dolon_error code)
{
    pthread_mutex_lock(&told_lock);
    int n = told[-(int)code];
    pthread_mutex_unlock(&told_lock);
    return n;
}

/* Waits until the log was told; 60 s at most. */
static void await_told(dolon_error code)
{
    for (int i = 0; i < 12000 && times_told(code) == 0; i++) usleep(5000);
    assert_int_equal(times_told(code), 1);
}

static int forget(void **state)
{
    (void)state;
    memset(told, 0, sizeof told);
    return 0;
}

/* ---- what most tests start with ---- */

static double answer(void *user)
{
    return user ? *(double *)user : 42;
}

static dolon_desc desc_for(const sink *s, double interval)
{
    dolon_desc d = {
        .app_name = "test", .port = s->port, .interval = interval, .no_environment = 1, .wire = DOLON_WIRE_JSON};
    d.probes[0] = (dolon_probe){"answer", answer, NULL, "unit"};
    d.log.fn = remember;
    return d;
}

static int64_t integer(const json_t *j, const char *key)
{
    assert_true(json_is_integer(json_object_get(j, key)));
    return json_integer_value(json_object_get(j, key));
}

static const char *text(const json_t *j, const char *key)
{
    assert_true(json_is_string(json_object_get(j, key)));
    return json_string_value(json_object_get(j, key));
}

/* ---- what arrives ---- */

static void a_run_is_announced_sampled_and_ended(void **state)
{
    sink s;
    char id[37];
    int64_t time = 0;
    (void)state;
    sink_open(&s, 0);
    dolon_desc d = desc_for(&s, 0.005);
    d.tags[0] = (dolon_tag){"branch", "main"};
    dolon_tracer *t = dolon_start(&d);
    json_t *j = sink_next(&s);
    assert_memory_equal(
        s.bytes, "{\"msg_type\": \"create_trace_run\", \"app_name\": \"test\", \"column_names\": [\"answer\"", 76);
    assert_int_equal(integer(j, "pid"), getpid());
    assert_true(strlen(text(j, "host")) > 0);
    assert_non_null(strstr(text(j, "args"), "test_dolon_run"));
    assert_string_equal(text(json_object_get(j, "tags"), "branch"), "main");
    assert_true(json_number_value(json_object_get(j, "interval")) == 0.005);
    strcpy(id, text(j, "uuid"));
    time = integer(j, "time") - 1;
    json_decref(j);
    for (int seq = 0; seq < 20; seq++) {
        j = sink_next_row(&s);
        assert_string_equal(text(j, "uuid"), id);
        assert_int_equal(integer(j, "seq"), seq);
        assert_true(integer(j, "time") > time);
        assert_true(json_number_value(sink_value(j, 0)) == 42);
        assert_null(json_object_get(j, "end"));
        time = integer(j, "time");
        json_decref(j);
    }
    dolon_mark(t, "the end is near");
    dolon_stop(t);
    j = sink_next_row(&s);
    while (!json_object_get(j, "end")) {
        json_decref(j);
        j = sink_next_row(&s);
    }
    assert_string_equal(text(j, "end"), "stopped");
    assert_true(integer(j, "time") > time);
    json_decref(j);
    sink_close(&s);
}

static void defaults_and_environment(void **state)
{
    sink s;
    char port[16];
    (void)state;
    sink_open(&s, 0);
    snprintf(port, sizeof port, "%d", s.port);
    setenv("DOLON_PORT", port, 1);
    dolon_tracer *t = dolon_start(&(dolon_desc){.wire = DOLON_WIRE_JSON});
    json_t *j = sink_next_announcement(&s);
    assert_string_equal(text(j, "app_name"), "test_dolon_run");
    assert_true(json_number_value(json_object_get(j, "interval")) == 1);
    assert_int_equal(sink_column(j, "mem_allocation"), 0);
    assert_true(sink_column(j, "cpu_percent") > 0 && sink_column(j, "open_descriptors") > 0);
    json_decref(j);
    j = sink_next_row(&s);
    assert_true(json_number_value(sink_value(j, 1)) >= 1);
    dolon_stop(t);

    setenv("DOLON_HOST", "127.0.0.1", 1);
    setenv("DOLON_INTERVAL", "0.25", 1);
    setenv("DOLON_APP_NAME", "from outside", 1);
    t = dolon_start(&(dolon_desc){
        .app_name = "inside", .port = 1, .host = "nowhere.invalid", .interval = 9, .wire = DOLON_WIRE_JSON});
    do j = (json_decref(j), sink_next_announcement(&s));
    while (strcmp(text(j, "app_name"), "from outside") != 0);
    assert_true(json_number_value(json_object_get(j, "interval")) == 0.25);
    json_decref(j);
    dolon_stop(t);

    setenv("DOLON_DISABLED", "1", 1);
    assert_null(dolon_start(NULL));
    assert_true(dolon__scopes_off);
    dolon_measure_scopes(1);
    setenv("DOLON_DISABLED", "0", 1);
    t = dolon_start(NULL);
    assert_non_null(t);
    dolon_stop(t);
    unsetenv("DOLON_DISABLED");
    unsetenv("DOLON_HOST");
    unsetenv("DOLON_INTERVAL");
    unsetenv("DOLON_APP_NAME");
    unsetenv("DOLON_PORT");
    sink_close(&s);
}

static void senseless_settings_are_told_and_ignored(void **state)
{
    sink s;
    (void)state;
    sink_open(&s, 0);
    setenv("DOLON_PORT", "port", 1);
    setenv("DOLON_INTERVAL", "-1", 1);
    dolon_desc d = desc_for(&s, 1e-9);
    d.no_environment = 0;
    d.probes[1] = (dolon_probe){"no such builtin", NULL, NULL, NULL};
    dolon_tracer *t = dolon_start(&d);
    assert_int_equal(times_told(DOLON_BAD_VALUE), 3); /* the two, and the interval in the desc */
    assert_int_equal(times_told(DOLON_BAD_PROBE), 1);
    json_t *j = sink_next_announcement(&s);
    assert_true(json_number_value(json_object_get(j, "interval")) == 0.0001);
    json_decref(j);
    dolon_stop(t);
    unsetenv("DOLON_PORT");
    unsetenv("DOLON_INTERVAL");
    sink_close(&s);
}

static void null_tracers_do_nothing(void **state)
{
    dolon_stats stats;
    (void)state;
    dolon_mark(NULL, "x");
    dolon_get_stats(NULL, &stats);
    assert_int_equal(stats.rows, 0);
    dolon_stop(NULL);
}

static void a_long_interval_is_announced_again(void **state)
{
    sink s;
    (void)state;
    sink_open(&s, 0);
    dolon_desc d = desc_for(&s, 86400);
    dolon_tracer *t = dolon_start(&d);
    json_decref(sink_next_announcement(&s));
    json_decref(sink_next_row(&s));
    json_t *again = sink_next(&s); /* a second later */
    assert_false(sink_is_row(again));
    json_decref(again);
    dolon_stop(t);
    sink_close(&s);
}

static void columns_join_while_it_runs(void **state)
{
    sink s;
    double value = 7;
    (void)state;
    sink_open(&s, 0);
    dolon_desc d = desc_for(&s, 0.005);
    dolon_tracer *t = dolon_start(&d);
    json_decref(sink_next_row(&s));
    assert_int_equal(dolon_add_probe(t, &(dolon_probe){"joined", answer, &value, NULL}), DOLON_OK);
    json_t *j = sink_next_announcement(&s);
    while (sink_column(j, "joined") < 0) {
        json_decref(j);
        j = sink_next_announcement(&s);
    }
    int column = sink_column(j, "joined");
    assert_int_equal(sink_column(j, "answer"), 0);
    json_decref(j);
    j = sink_next_row(&s);
    assert_true(json_number_value(sink_value(j, column)) == 7);
    json_decref(j);
    dolon_stop(t);
    sink_close(&s);
}

static void hundreds_of_columns(void **state)
{
    sink s;
    char name[64];
    double value = -1.2345678901234567e-300;
    (void)state;
    sink_open(&s, 0);
    dolon_desc d = desc_for(&s, 3600);
    dolon_tracer *t = dolon_start(&d);
    for (int i = 0; i < 600; i++) {
        snprintf(name, sizeof name, "a_column_with_a_fairly_long_name_%d", i);
        assert_int_equal(dolon_add_probe(t, &(dolon_probe){name, answer, &value, "unit"}), DOLON_OK);
    }
    dolon_stop(t);
    json_t *j = sink_next_announcement(&s);
    while (json_array_size(json_object_get(j, "column_names")) < 601) {
        json_decref(j);
        j = sink_next_announcement(&s);
    }
    json_decref(j);
    j = sink_next_row(&s);
    assert_true(json_array_size(json_object_get(j, "row_data")) >= 601);
    assert_true(json_number_value(sink_value(j, 600)) == value);
    json_decref(j);
    sink_close(&s);
}

/* ---- time ---- */

/* 1,000 rows a second apart by a millisecond: all on the grid, but for those counted as late. */
static void rows_are_on_the_grid(void **state)
{
    sink s;
    dolon_stats stats;
    int rows = 0, off = 0, end = 0;
    int64_t last = 0, expected = 0;
    (void)state;
    sink_open(&s, 0);
    dolon_desc d = desc_for(&s, 0.001);
    dolon_tracer *t = dolon_start(&d);
    json_t *j = sink_next_announcement(&s);
    int64_t start = integer(j, "time"), began = dolon__os_mono();
    json_decref(j);
    usleep(1000000);
    dolon_get_stats(t, &stats);
    int64_t ticks = (dolon__os_mono() - began) / DOLON__MS;
    assert_in_range(stats.rows + stats.skipped, (uint64_t)(ticks - ticks / 2), (uint64_t)ticks + 20);
    dolon_stop(t);
    while (!end) {
        j = sink_next_row(&s);
        int64_t time = integer(j, "time");
        end = json_object_get(j, "end") != NULL;
        assert_int_equal(integer(j, "seq"), expected++);
        assert_true(time > last);
        last = time;
        rows++;
        if (!end) off += (time - start) % DOLON__MS != 0;
        json_decref(j);
    }
    assert_true((uint64_t)rows > stats.rows);
    assert_true((uint64_t)off >= stats.late);
    assert_true(off <= (int)stats.late + (rows - (int)stats.rows));
    sink_close(&s);
}

static double slow(void *user)
{
    (void)user;
    usleep(25000);
    return 1;
}

static void a_slow_probe_skips_ticks_and_keeps_the_schedule(void **state)
{
    sink s;
    dolon_stats stats;
    (void)state;
    sink_open(&s, 0);
    dolon_desc d = desc_for(&s, 0.010);
    d.probes[0].fn = slow;
    dolon_tracer *t = dolon_start(&d);
    json_t *j = sink_next_announcement(&s);
    json_decref(j);
    for (int i = 0; i < 10; i++) json_decref(sink_next_row(&s));
    dolon_get_stats(t, &stats);
    assert_true(stats.skipped >= 2 * (stats.rows - 2));
    dolon_stop(t);
    sink_close(&s);
}

/* ---- marks ---- */

static void *mark_often(void *tracer)
{
    for (int i = 0; i < 100; i++) dolon_mark(tracer, "m");
    return NULL;
}

static void no_mark_is_lost_uncounted(void **state)
{
    sink s;
    pthread_t threads[4];
    int marks = 0, lost = 0, end = 0;
    (void)state;
    sink_open(&s, 0);
    dolon_desc d = desc_for(&s, 0.001);
    dolon_tracer *t = dolon_start(&d);
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, mark_often, t);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    dolon_stop(t);
    while (!end) {
        json_t *j = sink_next_row(&s), *list = json_object_get(j, "marks");
        for (size_t i = 0; i < json_array_size(list); i++) {
            const char *label = json_string_value(json_array_get(json_array_get(list, i), 1));
            int n;
            if (sscanf(label, "(%d more marks", &n) == 1)
                lost += n;
            else
                marks++;
        }
        end = json_object_get(j, "end") != NULL;
        json_decref(j);
    }
    assert_int_equal(marks + lost, 400);
    assert_true(marks >= DOLON_MAX_MARKS);
    sink_close(&s);
}

/* ---- no server, no name, no memory ---- */

static void a_missing_server_is_told_once_and_found_later(void **state)
{
    sink s;
    (void)state;
    sink_open(&s, 0);
    sink_close(&s);
    dolon_desc d = desc_for(&s, 0.010);
    dolon_tracer *t = dolon_start(&d);
    await_told(DOLON_UNREACHABLE);
    sink_open(&s, s.port);
    json_decref(sink_next_announcement(&s));
    json_decref(sink_next_row(&s));
    await_told(DOLON_OK);
    assert_int_equal(times_told(DOLON_UNREACHABLE), 1);
    dolon_stop(t);
    sink_close(&s);
}

static void an_unknown_host_is_told_once(void **state)
{
    sink s = {.port = 12013};
    dolon_stats stats;
    (void)state;
    dolon_desc d = desc_for(&s, 0.010);
    d.host = "no-such-host.invalid";
    dolon_tracer *t = dolon_start(&d);
    await_told(DOLON_UNRESOLVED);
    usleep(50000);
    dolon_get_stats(t, &stats);
    assert_true(stats.rows > 2 && stats.lost >= stats.rows - 1 && stats.sent == 0);
    dolon_stop(t);
    assert_int_equal(times_told(DOLON_UNRESOLVED), 1);
    t = dolon_start(&d); /* and at once stopped, while the name is being looked up */
    dolon_stop(t);
}

static void a_name_is_resolved(void **state)
{
    sink s;
    char host[256];
    dolon__address found[4];
    (void)state;
    sink_open(&s, 0);
    gethostname(host, sizeof host - 1);
    dolon_desc d = desc_for(&s, 0.010);
    if (dolon__os_lookup("ip4-loopback.", s.port, found, 4) > 0)
        d.host = "ip4-loopback.";
    else
        d.host = "LOCALHOST"; /* not the word that needs no look-up */
    if (dolon__os_lookup(d.host, s.port, found, 4) == 0 || found[0].u.any.sa_family != AF_INET) {
        sink_close(&s);
        skip();
    }
    dolon_tracer *t = dolon_start(&d);
    json_decref(sink_next_announcement(&s));
    dolon_stop(t);
    sink_close(&s);
}

static void addresses_need_no_resolver(void **state)
{
    dolon__address a;
    (void)state;
    assert_true(dolon__os_numeric("localhost", 1, &a) && a.u.v4.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    assert_true(dolon__os_numeric("::1", 1, &a) && a.u.any.sa_family == AF_INET6);
    assert_true(dolon__os_numeric("10.1.2.3", 12013, &a) && a.u.v4.sin_port == htons(12013));
    assert_false(dolon__os_numeric("example.org", 1, &a));
    assert_false(dolon__os_numeric("10.1.2", 1, &a));
}

static int allocated, freed;

/* `user` says after how many blocks there are no more. */
static void *count_alloc(void *user, size_t bytes)
{
    if ((*(int *)user)-- <= 0) return NULL;
    allocated++;
    return malloc(bytes);
}

static void count_free(void *user, void *p)
{
    (void)user;
    __atomic_fetch_add(&freed, 1, __ATOMIC_RELEASE);
    free(p);
}

static void memory_is_the_callers(void **state)
{
    sink s;
    int left = 0;
    (void)state;
    sink_open(&s, 0);
    dolon_desc d = desc_for(&s, 0.001);
    d.alloc = (dolon_alloc){count_alloc, count_free, &left};
    allocated = freed = 0;
    assert_null(dolon_start(&d));
    assert_int_equal(times_told(DOLON_NO_MEMORY), 1);
    left = 1000;
    dolon_tracer *t = dolon_start(&d);
    for (int i = 0; i < 20; i++) json_decref(sink_next(&s));
    dolon_stop(t);
    assert_int_equal(allocated, 2); /* the tracer, and what scopes took */
    assert_int_equal(freed, 2);
    d.wire = DOLON_WIRE_BINARY; /* which has a ring */
    for (int blocks = 0; blocks < 3; blocks++) {
        left = blocks;
        assert_null(dolon_start(&d));
        assert_int_equal(times_told(DOLON_NO_MEMORY), blocks + 2);
    }
    left = 1000;
    allocated = freed = 0;
    dolon_stop(dolon_start(&d));
    assert_int_equal(allocated, 3);
    assert_int_equal(freed, 3);
    d.brief_scopes = 1;
    dolon_stop(dolon_start(&d));
    assert_int_equal(allocated, 5);
    assert_int_equal(freed, 5);
    sink_close(&s);
}

/* ---- stopping ---- */

static int open_descriptors(void)
{
    dolon__system system;
    memset(&system, 0, sizeof system);
    int n = (int)dolon__open_descriptors(&system);
    dolon__system_close(&system);
    return n;
}

static void start_and_stop_a_thousand_times(void **state)
{
    sink s;
    (void)state;
    sink_open(&s, 0);
    dolon_desc d = desc_for(&s, 0.001);
    dolon_stop(dolon_start(&d));
    int before = open_descriptors();
    for (int i = 0; i < 1000; i++) {
        dolon_tracer *t =
            dolon_start(i % 2 ? &d : &(dolon_desc){.port = s.port, .no_environment = 1, .wire = DOLON_WIRE_JSON});
        assert_non_null(t);
        if (i % 3 == 0) dolon_mark(t, "now");
        dolon_stop(t);
    }
    assert_true(open_descriptors() < before + 10); /* a look-up of an earlier test may just end, or go on */
    assert_null(dolon__all.tracers);
    sink_close(&s);
}

static int let_go;

static double hang(void *user)
{
    (void)user;
    while (!__atomic_load_n(&let_go, __ATOMIC_ACQUIRE)) usleep(1000);
    return 1;
}

static void a_hung_probe_is_left_behind(void **state)
{
    sink s;
    int left = 1000;
    (void)state;
    sink_open(&s, 0);
    dolon_desc d = desc_for(&s, 0.001);
    d.probes[0].fn = hang;
    d.alloc = (dolon_alloc){count_alloc, count_free, &left};
    allocated = freed = let_go = 0;
    dolon_tracer *t = dolon_start(&d);
    usleep(20000);
    dolon_stop(t);
    assert_int_equal(times_told(DOLON_STUCK), 1);
    assert_int_equal(__atomic_load_n(&freed, __ATOMIC_ACQUIRE), 0);
    __atomic_store_n(&let_go, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < 4000 && __atomic_load_n(&freed, __ATOMIC_ACQUIRE) < 2; i++) usleep(5000);
    assert_int_equal(__atomic_load_n(&freed, __ATOMIC_ACQUIRE), 2);
    sink_close(&s);
}

/* ---- fork ---- */

#ifdef __SANITIZE_THREAD__
#define CHILD_MAY_START 0 /* ThreadSanitizer ends a forked child that starts a thread */
#else
#define CHILD_MAY_START 1
#endif

static void in_the_child(dolon_tracer *t, const dolon_desc *d)
{
    dolon_stats stats;
    DOLON_SCOPE("child");
    dolon_mark(t, "from the child");
    dolon_add_probe(t, &(dolon_probe)DOLON_CPU_PERCENT);
    dolon_get_stats(t, &stats);
    dolon_stop(t);
    if (!CHILD_MAY_START) return;
    dolon_tracer *own = dolon_start(d);
    dolon_mark(own, "from the child's own");
    dolon_stop(own);
}

static void *count_on(void *stop)
{
    while (!__atomic_load_n((int *)stop, __ATOMIC_ACQUIRE)) {
        DOLON_SCOPE("busy");
        DOLON_COUNT("busy_rounds", 1);
    }
    return NULL;
}

static void a_childs_copy_is_silent(void **state)
{
    sink s;
    pthread_t busy;
    int stop = 0, status, parent_rows = 0, child_runs = 0;
    char id[37];
    (void)state;
    sink_open(&s, 0);
    dolon_desc d = desc_for(&s, 0.001);
    dolon_tracer *t = dolon_start(&d);
    pthread_create(&busy, NULL, count_on, &stop);
    for (int i = 0; i < 30; i++) {
        pid_t child = fork();
        if (child == 0) {
            in_the_child(t, &d);
            _exit(0);
        }
        assert_true(child > 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    pthread_join(busy, NULL);
    strcpy(id, t->passport.uuid);
    dolon_stop(t);
    for (int end = 0; !end;) {
        json_t *j = sink_next(&s);
        int ours = strcmp(text(j, "uuid"), id) == 0;
        json_t *marks = json_object_get(j, "marks");
        if (ours && sink_is_row(j)) {
            assert_int_equal(integer(j, "seq"), parent_rows++);
            assert_null(marks);
            end = json_object_get(j, "end") != NULL;
        } else if (!ours && json_object_get(j, "end")) {
            assert_int_equal(json_array_size(marks), 1);
            child_runs++;
        }
        json_decref(j);
    }
    assert_int_equal(child_runs, CHILD_MAY_START ? 30 : 0);
    assert_true(parent_rows >= 2); /* the first and the last, however fast the children were */
    sink_close(&s);
}

/* ---- several at once; the thread ---- */

static void scopes_appear_in_every_tracer(void **state)
{
    sink a, b;
    (void)state;
    sink_open(&a, 0);
    sink_open(&b, 0);
    dolon_desc da = desc_for(&a, 0.005), db = desc_for(&b, 0.003);
    dolon_tracer *ta = dolon_start(&da), *tb = dolon_start(&db);
    for (int i = 0; i < 10; i++) {
        DOLON_SCOPE("shared");
        DOLON_GAUGE("shared_gauge", 1.5);
    }
    dolon_stop(ta);
    dolon_stop(tb);
    for (int i = 0; i < 2; i++) {
        sink *s = i ? &b : &a;
        json_t *j = sink_next_announcement(s);
        int hits = sink_column(j, "shared_hits"), gauge = sink_column(j, "shared_gauge"), end = 0;
        assert_true(hits > 0 && gauge > 0);
        json_decref(j);
        while (!end) {
            j = sink_next_row(s);
            end = json_object_get(j, "end") != NULL;
            if (end) assert_true(json_number_value(sink_value(j, hits)) == 10);
            if (end) assert_true(json_number_value(sink_value(j, gauge)) == 1.5);
            json_decref(j);
        }
    }
    sink_close(&a);
    sink_close(&b);
}

/* The thread's own view, asked by a probe: its name, and that the program's signals do not reach it. */
static int named, masked;

static double look_around(void *user)
{
    char name[32];
    sigset_t blocked;
    (void)user;
    prctl(PR_GET_NAME, name, 0, 0, 0);
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    named = strcmp(name, "dolon") == 0;
    masked = sigismember(&blocked, SIGINT) && sigismember(&blocked, SIGALRM) && sigismember(&blocked, SIGPROF) &&
             !sigismember(&blocked, SIGSEGV);
    return 1;
}

static void the_thread_is_named_and_deaf(void **state)
{
    sink s;
    sigset_t before, after;
    (void)state;
    sink_open(&s, 0);
    dolon_desc d = desc_for(&s, 0.001);
    d.probes[0].fn = look_around;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    dolon_tracer *t = dolon_start(&d);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    json_decref(sink_next_row(&s));
    dolon_stop(t);
    assert_true(named && masked);
    assert_int_equal(sigismember(&before, SIGINT), sigismember(&after, SIGINT));
    sink_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_run_is_announced_sampled_and_ended, forget),
        cmocka_unit_test_setup(defaults_and_environment, forget),
        cmocka_unit_test_setup(senseless_settings_are_told_and_ignored, forget),
        cmocka_unit_test_setup(null_tracers_do_nothing, forget),
        cmocka_unit_test_setup(a_long_interval_is_announced_again, forget),
        cmocka_unit_test_setup(columns_join_while_it_runs, forget),
        cmocka_unit_test_setup(hundreds_of_columns, forget),
        cmocka_unit_test_setup(rows_are_on_the_grid, forget),
        cmocka_unit_test_setup(a_slow_probe_skips_ticks_and_keeps_the_schedule, forget),
        cmocka_unit_test_setup(no_mark_is_lost_uncounted, forget),
        cmocka_unit_test_setup(a_missing_server_is_told_once_and_found_later, forget),
        cmocka_unit_test_setup(an_unknown_host_is_told_once, forget),
        cmocka_unit_test_setup(a_name_is_resolved, forget),
        cmocka_unit_test_setup(addresses_need_no_resolver, forget),
        cmocka_unit_test_setup(memory_is_the_callers, forget),
        cmocka_unit_test_setup(start_and_stop_a_thousand_times, forget),
        cmocka_unit_test_setup(a_hung_probe_is_left_behind, forget),
        cmocka_unit_test_setup(a_childs_copy_is_silent, forget),
        cmocka_unit_test_setup(scopes_appear_in_every_tracer, forget),
        cmocka_unit_test_setup(the_thread_is_named_and_deaf, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
