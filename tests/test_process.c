/* SPDX-License-Identifier: MIT OR Unlicense
   test_process: real processes: running, ended, killed, and another with the same pid. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define DOLON_IMPLEMENTATION
#define DOLON_STATIC
#include "../dolon.h"

#include "../server/base/process.h"

/* Waits to be killed, under a name that is hard to read past. */
static pid_t start(void)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid) return pid;
    prctl(PR_SET_NAME, ") Z 1 (x) 2 ");
    for (;;) pause();
}

static void wait_for_the_name(pid_t pid)
{
    char path[40], text[64] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    for (int i = 0; i < 30000 && text[0] != ')'; i++) {
        FILE *f = fopen(path, "r");
        assert_non_null(f);
        assert_non_null(fgets(text, sizeof text, f));
        fclose(f);
        usleep(1000);
    }
    assert_int_equal(text[0], ')');
}

static void both_ends_tell_the_same_place(void **state)
{
    (void)state;
    char here[PLACE_BYTES], there[PLACE_BYTES];
    process_place(here);
    dolon__os_place(there, sizeof there);
    assert_string_equal(here, there);
    assert_non_null(strstr(here, " pid:["));
}

static void running(void **state)
{
    (void)state;
    assert_false(process_is_gone(getpid(), 0));
    assert_false(process_is_gone(getpid(), dolon__os_born()));
    assert_true(process_is_gone(getpid(), dolon__os_born() + 1)); /* another had its pid before */
    assert_false(process_is_gone(1, 0));                          /* perhaps not ours          */
    pid_t pid = start();
    wait_for_the_name(pid);
    assert_false(process_is_gone(pid, 0));
    kill(pid, SIGSTOP);
    assert_false(process_is_gone(pid, 0));
    kill(pid, SIGKILL);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_true(process_is_gone(pid, 0)); /* a zombie */
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(process_is_gone(pid, 0));
}

static void nonsense(void **state)
{
    (void)state;
    static const int64_t pids[] = {0, -1, INT64_MIN, INT64_C(1) << 31, INT64_MAX};
    for (size_t i = 0; i < ARRAY_LEN(pids); i++) assert_false(process_is_gone(pids[i], 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_tell_the_same_place),
        cmocka_unit_test(running),
        cmocka_unit_test(nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
