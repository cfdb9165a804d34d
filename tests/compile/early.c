/* SPDX-License-Identifier: MIT OR Unlicense
   early: tracers at the edges of a program: started before main(), stopped in what atexit() was given; one that is left for
   dolon to stop; one of a destructor that runs when dolon has gone; and many, one after the other, and at once. */
#define DOLON_IMPLEMENTATION
#include "dolon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 20 };

static dolon_tracer *early, *left;

static dolon_tracer *begin(void)
{
    static dolon_desc desc;
    desc.no_environment = 1;
    desc.port = 9;
    desc.interval = 0.001;
    return dolon_start(&desc);
}

__attribute__((constructor)) static void before_main(void)
{
    DOLON_SCOPE("before main");
    early = begin();
    left = begin();
}

/* The lowest priority there is: after dolon's own, which has none. */
__attribute__((destructor(101))) static void after_all(void)
{
    DOLON_SCOPE("after all");
    dolon_mark(left, "too late");
    dolon_stop(begin());
}

static void at_exit(void)
{
    dolon_stop(early);
    puts("stopped at exit");
    fflush(stdout);
}

int main(void)
{
    dolon_tracer *many[AT_ONCE];
    if (!early || !left || atexit(at_exit) != 0) return 1;
    for (int i = 0; i < AT_ONCE; i++) dolon_stop(begin());
    for (int i = 0; i < AT_ONCE; i++) many[i] = begin();
    for (int i = 0; i < AT_ONCE; i++) {
        DOLON_SCOPE("at once");
        dolon_mark(many[i], "here");
        if (!many[i]) return 1;
    }
    for (int i = 0; i < AT_ONCE; i++) dolon_stop(many[i]);
    return 0;
}
