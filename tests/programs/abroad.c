/* SPDX-License-Identifier: MIT OR Unlicense
   abroad: a traced program of standard C, C++ and dolon.h, for any system. It samples argv[1] rows: all built-in probes,
   "number" (1024 × the row's, from 0), scopes and counters of two threads. argv[2] is what it does then: "stop" calls
   dolon_stop(), "return" leaves main() without, "crash" writes to where nothing is, "abort" calls abort(). */
#define DOLON_IMPLEMENTATION
#include "dolon.h"

#ifdef _WIN32
#include <windows.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile int *volatile nowhere;
static long sampled; /* written by the timer thread */

static double number(void *user)
{
    (void)user;
    __atomic_store_n(&sampled, sampled + 1, __ATOMIC_RELAXED);
    return 1024.0 * (double)(sampled - 1);
}

static double from_within(void *user)
{
    DOLON_SCOPE("in a probe");
    return *(const double *)user;
}

static void work(void *rounds)
{
    for (int i = 0; i < *(const int *)rounds; i++) {
        DOLON_SCOPE("work");
        DOLON_COUNT("bytes", 3);
    }
    DOLON_GAUGE("level", 2.5);
}

static void pause_ms(int ms)
{
#ifdef _WIN32
    Sleep((DWORD)ms);
#else
    usleep((useconds_t)ms * 1000);
#endif
}

/* The last words of a program that crashes are said once: who is to hear them must know it. */
static void await_acked(dolon_tracer *t)
{
    dolon_stats stats;
    do pause_ms(1), dolon_get_stats(t, &stats);
    while (stats.acked == 0);
}

static void print_log(void *user, dolon_error code, const char *message)
{
    (void)user;
    fprintf(stderr, "%d %s\n", (int)code, message);
}

static void fill(dolon_desc *desc, double *value)
{
    const dolon_probe probes[] = {{"number", number, DOLON__NULL, DOLON__NULL},
                                  {"answer", from_within, value, "K"},
                                  DOLON_DEFAULT_PROBES,
                                  DOLON_PAGE_FAULTS,
                                  DOLON_MAJOR_PAGE_FAULTS,
                                  DOLON_CONTEXT_SWITCHES,
                                  DOLON_INVOLUNTARY_SWITCHES,
                                  DOLON_IO_READ_BYTES,
                                  DOLON_IO_WRITE_BYTES,
                                  DOLON_DISK_READ_BYTES,
                                  DOLON_DISK_WRITE_BYTES};
    memcpy(desc->probes, probes, sizeof probes);
    desc->interval = 0.02;
    desc->goodbye = 20;
    desc->crash_handler = 1;
    desc->log.fn = print_log;
    desc->tags[0].name = "where";
    desc->tags[0].value = "abroad";
}

int main(int argc, char **argv)
{
    static dolon_desc desc;
    static double value = 42;
    static dolon__thread threads[2];
    static int rounds = 1000;
    const char *end = argc > 2 ? argv[2] : "stop";
    long rows = argc > 1 ? atol(argv[1]) : 10;
    dolon_tracer *t;
    fill(&desc, &value);
    t = dolon_start(&desc);
    for (int i = 0; i < 2; i++)
        if (!dolon__os_thread(&threads[i], 0, work, &rounds)) return 1;
    for (int i = 0; i < 2; i++) dolon__os_thread_join(&threads[i]);
    dolon_mark(t, "both have worked");
    while (__atomic_load_n(&sampled, __ATOMIC_RELAXED) < rows) pause_ms(1);
    if (strcmp(end, "crash") == 0 || strcmp(end, "abort") == 0) await_acked(t);
    if (strcmp(end, "crash") == 0) *nowhere = 1;
    if (strcmp(end, "abort") == 0) abort();
    if (strcmp(end, "stop") == 0) {
        dolon_stats stats;
        dolon_stop(t);
        dolon_get_stats(DOLON__NULL, &stats);
        printf("sampled %ld\n", sampled);
    }
    return 0;
}
