/* SPDX-License-Identifier: MIT OR Unlicense
   functions: a traced program of a hundred profiled functions, f00() to f99(), each called some hundred times a second, the later the
   slower. It ends after argv[1] seconds (3). Host, port and name come from the environment. */
#define DOLON_IMPLEMENTATION
#include "dolon.h"

#include <stdlib.h>
#include <unistd.h>

static void work(int rounds)
{
    for (volatile int i = 0; i < 20 * rounds; i++) continue;
}

#define ONE(n)                                                                                                       \
    static void f##n(void)                                                                                           \
    {                                                                                                                \
        DOLON_FUNCTION();                                                                                            \
        work(1##n);                                                                                                  \
    }
#define ALL(X)    TEN(X, 0) TEN(X, 1) TEN(X, 2) TEN(X, 3) TEN(X, 4) TEN(X, 5) TEN(X, 6) TEN(X, 7) TEN(X, 8) TEN(X, 9)
#define TEN(X, d) X(d##0) X(d##1) X(d##2) X(d##3) X(d##4) X(d##5) X(d##6) X(d##7) X(d##8) X(d##9)
#define CALL(n)   f##n();

ALL(ONE)

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 3;
    static dolon_desc desc;
    desc.interval = 0.1;
    dolon_tracer *t = dolon_start(&desc);
    for (int round = 0; round < (int)(seconds * 100); round++) {
        ALL(CALL)
        usleep(10000);
    }
    dolon_stop(t);
    return 0;
}
