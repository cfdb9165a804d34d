/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon_lifetimes: what the manual says of the timer thread's stack, and of scopes that end by other ways than the
   end of their block. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <assert.h>

#define DOLON_IMPLEMENTATION
#define DOLON_ASSERT(x) assert(x)
#include "../dolon.h"

#include <stdbool.h>

/* ---- the stack ---- */

enum { PAINTED = 128 * 1024, PAINT = 0xA5 };

/* The part of the timer thread's stack that its first probe has painted, from its lowest byte up. */
static unsigned char *lowest;
static size_t deepest; /* bytes of it that were used since, and what lies above it */

static double paint_or_look(void *user)
{
    pthread_attr_t attr;
    void *stack = NULL;
    size_t size = 0;
    unsigned char *here = (unsigned char *)__builtin_frame_address(0);
    (void)user;
    if (pthread_getattr_np(pthread_self(), &attr) != 0) return 0;
    pthread_attr_getstack(&attr, &stack, &size);
    pthread_attr_destroy(&attr);
    if (!lowest) {
        lowest = here - PAINTED;
        if (lowest < (unsigned char *)stack + 16384) return 0;
        for (unsigned char *p = lowest; p < here - 1024; p++) *(volatile unsigned char *)p = PAINT; /* below this frame */
        return 0;
    }
    for (size_t i = 0; i < PAINTED; i++) {
        if (lowest[i] == PAINT) continue;
        size_t used = PAINTED - i; /* below a probe's frame, which lies below the timer's own */
        if (used > deepest) deepest = used;
        break;
    }
    return (double)((unsigned char *)stack + size - here);
}

static void say_nothing(void *user, dolon_error code, const char *message)
{
    (void)user;
    (void)code;
    (void)message;
}

/* A run with all that a timer thread does, but for an answer. `deepest` then is what was used below the probes' frames. */
static void run_painted(dolon_wire wire)
{
    dolon_desc d = {.port = 9, .no_environment = 1, .interval = 0.005, .goodbye = 0.05, .wire = wire, .crash_handler = 1};
    d.log.fn = say_nothing;
    const dolon_probe probes[] = {{"paint", paint_or_look, NULL, NULL}, DOLON_DEFAULT_PROBES, DOLON_PAGE_FAULTS,
                                  DOLON_CONTEXT_SWITCHES, DOLON_IO_READ_BYTES, DOLON_DISK_WRITE_BYTES};
    memcpy(d.probes, probes, sizeof probes);
    lowest = NULL;
    dolon_tracer *t = dolon_start(&d);
    assert_non_null(t);
    for (int i = 0; i < 100; i++) {
        DOLON_SCOPE("painted");
        DOLON_GAUGE("painted_gauge", 1.0 / 3 + i);
        if (i % 10 == 0) dolon_mark(t, "a mark");
        usleep(2000);
    }
    dolon_stop(t);
}

static void the_stack_is_bounded(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* whose frames are larger */
#endif
    run_painted(DOLON_WIRE_BINARY);
    run_painted(DOLON_WIRE_JSON);
    print_message("dolon used %zu bytes of stack\n", deepest);
    assert_true(deepest > 1024 && deepest < PAINTED); /* it was looked at, and found */
    assert_true(deepest <= 16 * 1024);
}

/* ---- scopes that are left otherwise ---- */

static dolon__totals totals_of(const char *name)
{
    dolon__totals sum;
    dolon__os_lock(&dolon__all.lock);
    dolon__total(dolon__cell_of(name, DOLON__SCOPE_SITE) - DOLON__FIRST_CELL, &sum);
    dolon__os_unlock(&dolon__all.lock);
    return sum;
}

static jmp_buf back;

static void jump(void)
{
    DOLON_SCOPE("jumped out of");
    longjmp(back, 1);
}

static void jump_from_within(void)
{
    DOLON_SCOPE("jumped out of");
    jump();
}

static void *jumps(void *arg)
{
    volatile int round = 0;
    (void)arg;
    if (setjmp(back) != 0) round++;
    if (round < 3) jump_from_within();
    dolon__totals sum = totals_of("jumped out of");
    assert_true(sum.hits == 6 && sum.done == 0 && sum.active == 6); /* none was left by its end */
    for (int i = 0; i < 10; i++) { DOLON_SCOPE("after the jump"); }
    return NULL;
}

static void a_longjmp_leaves_scopes_active_until_the_thread_ends(void **state)
{
    pthread_t thread;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, jumps, NULL), 0);
    pthread_join(thread, NULL);
    dolon__totals sum = totals_of("jumped out of"), after = totals_of("after the jump");
    assert_true(sum.hits == 6 && sum.active == 0);
    assert_true(after.hits == 10 && after.done == 10 && after.active == 0);
}

static void *exits(void *arg)
{
    DOLON_SCOPE("exited from");
    pthread_exit(arg);
}

static void pthread_exit_ends_them_with_the_thread(void **state)
{
    pthread_t thread;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, exits, NULL), 0);
    pthread_join(thread, NULL);
    dolon__totals sum = totals_of("exited from");
    assert_true(sum.hits == 1 && sum.active == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stack_is_bounded),
        cmocka_unit_test(a_longjmp_leaves_scopes_active_until_the_thread_ends),
        cmocka_unit_test(pthread_exit_ends_them_with_the_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
