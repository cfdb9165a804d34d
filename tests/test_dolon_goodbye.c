/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon_goodbye: how tracers on the binary wire end: stopped, with their program, or by a crash of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <assert.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define DOLON_IMPLEMENTATION
#define DOLON_STATIC
#define DOLON_ASSERT(x) assert(x)
#include "../dolon.h"
#include "test_dolon_server.h"

/* ---- stopping ---- */

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
        await_stats(t, 1, 1); /* its last words are prepared */
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
        execl("/proc/self/exe", "test_dolon_goodbye", what, number, (char *)NULL);
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(stopping_waits_for_the_goodbyes_acknowledgement, forget),
        cmocka_unit_test_setup(stopping_waits_no_longer_than_agreed, forget),
        cmocka_unit_test_setup(a_program_that_ends_says_goodbye, forget),
        cmocka_unit_test_setup(two_tracers_say_goodbye_at_once, forget),
        cmocka_unit_test_setup(a_crash_says_goodbye_and_takes_its_course, forget),
    };
    if (argc == 3) return be_another(argv[1], atoi(argv[2]));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
