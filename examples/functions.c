/* SPDX-License-Identifier: MIT OR Unlicense
   functions: how often functions are called, how many calls run now, how long they take: one line in each. The page's table of
   functions shows which is slow, and the percentiles what the mean hides. Runs argv[1] seconds (10). */
#define DOLON_IMPLEMENTATION
#include "dolon.h"

#include <stdlib.h>

/* Microseconds of work. */
static void burn(int us)
{
    for (volatile int i = 0; i < 300 * us; i++) continue;
}

static void parse(void)
{
    DOLON_FUNCTION(); /* by the function's name, to the end of the block */
    burn(20);
}

/* One call in fifty is twenty times as slow: the mean hardly tells, the p99 does. */
static void look_up(int key)
{
    DOLON_FUNCTION();
    {
        DOLON_SCOPE("cache"); /* by any name, any block */
        burn(5);
    }
    if (key % 50 == 0) {
        DOLON_SCOPE("disk");
        burn(200);
    }
}

/* Where the region is no block of its own: a pair. */
static void answer(int key)
{
    DOLON_BEGIN(format, "format");
    burn(10 + key % 10);
    DOLON_END(format);
    burn(5);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 10;
    dolon_tracer *t = dolon_start(&(dolon_desc){.app_name = "functions", .interval = 0.25});
    for (int request = 0; request < (int)(seconds * 200); request++) {
        DOLON_SCOPE("request");
        parse();
        look_up(request);
        answer(request);
        usleep(4000);
    }
    dolon_stop(t);
    return 0;
}
