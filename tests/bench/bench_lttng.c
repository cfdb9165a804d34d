/* SPDX-License-Identifier: MIT OR Unlicense
   bench_lttng: a peer of dolon's scopes, where this machine has it: two tracepoints of LTTng-UST around a region. It takes
   turns with two raw clock reads, and its figure is made as bench_dolon's are. tests/bench/lttng.sh has it recorded. */
#if defined(__has_include)
#if __has_include(<lttng/tracepoint.h>)
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "lttng_points.h"
#define HAS_LTTNG
#endif
#endif

#ifndef HAS_LTTNG

int main(void)
{
    return 0; /* nothing to tell */
}

#else

#define DOLON_IMPLEMENTATION
#include "../../dolon.h"

#define LOOPS  2000 /* a round */
#define ROUNDS 31   /* a group */
#define GROUPS 15

#if defined(DOLON__HAS_TSC)
#define RAW_CLOCK() __builtin_ia32_rdtsc()
#else
#define RAW_CLOCK() ((uint64_t)dolon__os_mono())
#endif

static volatile uint64_t sink;

static void empty_loop(void)
{
    for (int i = 0; i < LOOPS; i++) __asm__ volatile("" ::: "memory");
}

static void two_raw_reads(void)
{
    for (int i = 0; i < LOOPS; i++) {
        uint64_t start = RAW_CLOCK();
        __asm__ volatile("" ::: "memory");
        sink = RAW_CLOCK() - start;
    }
}

static void scopes(void)
{
    for (int i = 0; i < LOOPS; i++) {
        DOLON_SCOPE("bench");
        __asm__ volatile("" ::: "memory");
    }
}

static void tracepoints(void)
{
    for (int i = 0; i < LOOPS; i++) {
        lttng_ust_tracepoint(dolon_bench, begin);
        __asm__ volatile("" ::: "memory");
        lttng_ust_tracepoint(dolon_bench, end);
    }
}

enum { EMPTY, RAW, SCOPE, POINTS, KINDS };

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* ns of one turn of each loop: the least of the medians of several groups, in which they take turns. */
static void measure(double ns[KINDS])
{
    static void (*const run[KINDS])(void) = {empty_loop, two_raw_reads, scopes, tracepoints};
    for (int group = 0; group < GROUPS; group++) {
        double rounds[KINDS][ROUNDS];
        for (int i = 0; i < ROUNDS * KINDS; i++) {
            int64_t start = dolon__os_mono();
            run[i % KINDS]();
            rounds[i % KINDS][i / KINDS] = (double)(dolon__os_mono() - start) / LOOPS;
        }
        for (int k = 0; k < KINDS; k++) {
            qsort(rounds[k], ROUNDS, sizeof rounds[k][0], by_value);
            if (group == 0 || rounds[k][ROUNDS / 2] < ns[k]) ns[k] = rounds[k][ROUNDS / 2];
        }
    }
}

int main(void)
{
    double ns[KINDS];
    const char *what = lttng_ust_tracepoint_enabled(dolon_bench, begin) ? "recorded in memory" : "that nobody records";
    measure(ns);
    for (int k = RAW; k < KINDS; k++) ns[k] -= ns[EMPTY];
    printf("peer: two LTTng-UST tracepoints, %s\t%.2f\tns\tan empty scope: %.2f ns, two raw clock reads: %.2f ns\t-\n",
           what, ns[POINTS], ns[SCOPE], ns[RAW]);
    return 0;
}

#endif
