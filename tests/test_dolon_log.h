/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon_log: what a tracer told its log, by two threads; and waiting for what it does. Include after cmocka and dolon.h. */
#ifndef TEST_DOLON_LOG_H
#define TEST_DOLON_LOG_H

#include <assert.h>
#include <string.h>
#include <unistd.h>

static int told[32]; /* by the negated code */

static inline void remember(void *user, dolon_error code, const char *message)
{
    (void)user;
    assert(strncmp(message, "dolon: ", 7) == 0 && !strchr(message, '\n'));
    __atomic_fetch_add(&told[-(int)code], 1, __ATOMIC_RELEASE);
}

static inline int times_told(dolon_error code)
{
    return __atomic_load_n(&told[-(int)code], __ATOMIC_ACQUIRE);
}

/* Waits until it was told so often; 60 s at most. */
static inline void await_told(dolon_error code, int times)
{
    for (int i = 0; i < 12000 && times_told(code) < times; i++) usleep(5000);
    assert_int_equal(times_told(code), times);
}

/* Waits until so many rows were sampled, and so many of them stored, as the server has said; 60 s at most. */
static inline dolon_stats await_stats(dolon_tracer *t, uint64_t rows, uint64_t acked)
{
    dolon_stats stats;
    dolon_get_stats(t, &stats);
    for (int i = 0; i < 12000 && (stats.rows < rows || stats.acked < acked); i++) {
        usleep(5000);
        dolon_get_stats(t, &stats);
    }
    assert_true(stats.rows >= rows && stats.acked >= acked);
    return stats;
}

static inline int forget(void **state)
{
    (void)state;
    memset(told, 0, sizeof told);
    return 0;
}

#endif
