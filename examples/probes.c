/* SPDX-License-Identifier: MIT OR Unlicense
   probes: numbers of your own, each a column: of a variable, with a unit, with no value now and then, as a rate, and one that
   joins while the program runs. Runs argv[1] seconds (10). */
#define DOLON_IMPLEMENTATION
#include "dolon.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    volatile double level; /* litres */
    volatile double drawn; /* litres, since the start */
    volatile int pump_on;
} tank;

/* What a probe is given is what stands beside it. It is called by dolon's thread, once an interval, and should be quick. */
static double level(void *user)
{
    const tank *t = user;
    return t->level;
}

/* NaN says "no value now": the chart has a gap there, not a zero. */
static double pump_pressure(void *user)
{
    const tank *t = user;
    return t->pump_on ? 2.5 + 0.01 * t->level : NAN;
}

/* The rate of a value that only grows. */
static double drawn_per_second(void *user)
{
    static dolon_speedometer speed = {.time_interval = 1};
    const tank *t = user;
    return dolon_speed(&speed, t->drawn);
}

int main(int argc, char **argv)
{
    static tank t = {.level = 50};
    int rounds = (int)(20 * (argc > 1 ? atof(argv[1]) : 10));
    dolon_tracer *tracer = dolon_start(&(dolon_desc){
        .app_name = "probes",
        .interval = 0.1,
        .probes = {{"level", level, &t, "l"}, {"pump_pressure", pump_pressure, &t, "bar"}, DOLON_CPU_PERCENT},
    });
    for (int round = 0; round < rounds; round++) {
        double draw = (round % 7) * 0.2;
        t.level += (t.pump_on ? 1.5 : 0) - draw;
        t.drawn += draw;
        if (t.level < 20) t.pump_on = 1;
        if (t.level > 80) t.pump_on = 0;
        if (round == 40) dolon_add_probe(tracer, &(dolon_probe){"drawn_per_second", drawn_per_second, &t, "l/s"});
        usleep(50000);
    }
    dolon_stop(tracer);
    return 0;
}
