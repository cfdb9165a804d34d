/* SPDX-License-Identifier: MIT OR Unlicense
   program: the file with the implementation, as C or C++. Checks that scopes, counters and gauges of both files are
   columns from the start (EXPECT of them, as the compiler allows), and counts what the other file does. */
#define DOLON_IMPLEMENTATION
#include "dolon.h"

#include <stdio.h>
#include <string.h>

#include "other.h"

/* Where scopes are known only when they are reached, this one must not be before the columns are counted. */
static volatile int counted;

static double probe(void *user)
{
    (void)user;
    if (!counted) return 0;
    DOLON_SCOPE("in a probe");
    return 1;
}

static void unreached(void)
{
    DOLON_FUNCTION();
    DOLON_COUNT("unreached_count", 1);
    DOLON_GAUGE("unreached_gauge", 1.5);
}

static int work(int n)
{
    DOLON_SCOPE("first");
    DOLON_SCOPE("second on the same line");
    DOLON_COUNT("rounds", n);
    if (n < 0) unreached();
    return n >= 0;
}

int main(void)
{
    dolon_desc desc;
    dolon_stats stats;
    dolon_tracer *t;
    dolon_probe late = DOLON_CPU_PERCENT;
    dolon_speedometer speed = {0, 0, 0, 0, 0};
    int sum = 0;
    memset(&desc, 0, sizeof desc);
    desc.no_environment = 1;
    desc.port = 9;
    desc.interval = 0.001;
    desc.probes[0].name = "probe";
    desc.probes[0].fn = probe;
    desc.brief_scopes = 1;
    dolon_measure_scopes(1);
    t = dolon_start(&desc);
    dolon_get_stats(t, &stats);
    if (stats.columns != EXPECT) {
        printf("%d columns at the start, not %d\n", (int)stats.columns, EXPECT);
        return 1;
    }
    counted = 1;
    for (int i = 0; i < 1000; i++) sum += work(i) + other(i);
    dolon_mark(t, "a mark");
    dolon_add_probe(t, &late);
    if (dolon_speed(&speed, 1) != 0) return 1;
    dolon_stop(t);
    return sum == 2000 && dolon_error_text(DOLON_OK) ? 0 : 1;
}
