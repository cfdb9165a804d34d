/* SPDX-License-Identifier: MIT OR Unlicense
   hello: a make-believe server that serves requests in waves, with a burst now and then, and a slow leak.
   Start `mnemic`, run this, open http://127.0.0.1:12111/ and watch. Ends by Ctrl-C, or after argv[1] seconds. */
#define DOLON_IMPLEMENTATION
#include "dolon.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static volatile sig_atomic_t stopped;

static void on_signal(int signal)
{
    (void)signal;
    stopped = 1;
}

static void print_line(void *user, dolon_error code, const char *message)
{
    (void)user;
    (void)code;
    fprintf(stderr, "%s\n", message);
}

static void pause_for(double seconds)
{
    struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&t, NULL);
}

/* The point (x, y) goes round a circle: y is a sine wave, and one turn takes about 2 pi / step calls. */
static double wave(double *x, double *y, double step)
{
    *x -= step * *y;
    *y += step * *x;
    return *y;
}

/* A probe: dolon calls it once an interval, in its own thread. */
static volatile double queue;

static double queue_depth(void *user)
{
    return *(volatile double *)user;
}

static void compute(double effort)
{
    DOLON_FUNCTION();
    for (volatile int i = 0; i < (int)(effort * 20000); i++) continue;
}

/* The slow leak: what was served is remembered, and never forgotten. See mem_allocation grow. */
struct memory {
    struct memory *older;
    char what[200];
};
static struct memory *memories;

static void serve(double effort)
{
    DOLON_FUNCTION();
    struct memory *m = calloc(1, sizeof *m);
    if (!m) return;
    m->older = memories;
    memories = m;
    compute(effort);
    DOLON_COUNT("requests", 1);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 1e9;
    double day_x = 1, day_y = 0, hour_x = 1, hour_y = 0, burst = 0;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);

    dolon_tracer *tracer = dolon_start(&(dolon_desc){
        .app_name = "hello-world",
        .probes = {DOLON_DEFAULT_PROBES, {"queue_depth", queue_depth, (void *)&queue, NULL}},
        .tags = {{"example", "hello"}},
        .log = {print_line, NULL},
    });

    for (int round = 0; !stopped && round < seconds * 20; round++) {
        double load = 10 + 6 * wave(&day_x, &day_y, 0.02) + 3 * wave(&hour_x, &hour_y, 0.09);
        if (round % 300 == 150) {
            burst = 60;
            dolon_mark(tracer, "a burst of requests");
        }
        burst *= 0.96;
        queue = load + burst + rand() % 4;
        DOLON_GAUGE("temperature", 40 + load + burst / 4);
        for (int i = 0; i < (int)queue; i++) serve(0.2 + queue / 50);
        pause_for(0.05);
    }
    dolon_stop(tracer);
    return 0;
}
