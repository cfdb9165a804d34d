/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon_host: what a tracer asks of the program and the system it is in, and that it never harms them: names,
   memory, descriptors, probes that hang, forks, threads. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <assert.h>
#include <sys/wait.h>

#define DOLON_IMPLEMENTATION
#define DOLON_ASSERT(x) assert(x)
#include "../dolon.h"
#include "test_dolon_sink.h"

/* ---- no server, no name, no memory ---- */

static void a_missing_server_is_told_once_and_found_later(void **state)
{
    sink s;
    (void)state;
    sink_open(&s, 0);
    sink_close(&s);
    dolon_desc d = desc_for(&s, 0.010);
    dolon_tracer *t = dolon_start(&d);
    await_told(DOLON_UNREACHABLE, 1);
    sink_open(&s, s.port);
    json_decref(sink_next_announcement(&s));
    json_decref(sink_next_row(&s));
    await_told(DOLON_OK, 1);
    assert_int_equal(times_told(DOLON_UNREACHABLE), 1);
    dolon_stop(t);
    sink_close(&s);
}

static void an_unknown_host_is_told_once(void **state)
{
    sink s = {.port = 12013};
    (void)state;
    dolon_desc d = desc_for(&s, 0.010);
    d.host = "no-such-host.invalid";
    dolon_tracer *t = dolon_start(&d);
    await_told(DOLON_UNRESOLVED, 1);
    dolon_stats stats = await_stats(t, 3, 0);
    assert_true(stats.lost >= stats.rows - 1 && stats.sent == 0);
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
    d.wire = DOLON_WIRE_BINARY; /* which has a ring, and waits for an answer: not for longer than it is waited for */
    d.goodbye = 60;
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
    for (int i = 0; i < 12000 && __atomic_load_n(&freed, __ATOMIC_ACQUIRE) < 2; i++) usleep(5000);
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

static int counting;

static void *count_on(void *stop)
{
    __atomic_store_n(&counting, 1, __ATOMIC_RELEASE);
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
    int stop = 0, status, parent_rows = 0, child_runs = 0, child_marks = 0;
    char id[37];
    (void)state;
    sink_open(&s, 0);
    dolon_desc d = desc_for(&s, 0.005);
    dolon_tracer *t = dolon_start(&d);
    pthread_create(&busy, NULL, count_on, &stop);
    /* AddressSanitizer's child hangs if a thread was just beginning: its registry of threads stays locked. */
    while (!__atomic_load_n(&counting, __ATOMIC_ACQUIRE)) usleep(1000);
    await_stats(t, 1, 0);
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
        } else if (!ours && sink_is_row(j)) { /* one child's after another's */
            child_marks += (int)json_array_size(marks);
            if (json_object_get(j, "end")) assert_int_equal(child_marks, ++child_runs);
        }
        json_decref(j);
    }
    assert_int_equal(child_runs, CHILD_MAY_START ? 30 : 0);
    assert_true(parent_rows >= 2); /* the first and the last, however fast the children were */
    sink_close(&s);
}

/* ---- the thread ---- */

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
        cmocka_unit_test_setup(a_missing_server_is_told_once_and_found_later, forget),
        cmocka_unit_test_setup(an_unknown_host_is_told_once, forget),
        cmocka_unit_test_setup(a_name_is_resolved, forget),
        cmocka_unit_test_setup(addresses_need_no_resolver, forget),
        cmocka_unit_test_setup(memory_is_the_callers, forget),
        cmocka_unit_test_setup(start_and_stop_a_thousand_times, forget),
        cmocka_unit_test_setup(a_hung_probe_is_left_behind, forget),
        cmocka_unit_test_setup(a_childs_copy_is_silent, forget),
        cmocka_unit_test_setup(the_thread_is_named_and_deaf, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
