/* SPDX-License-Identifier: MIT OR Unlicense
   other: a file that only uses dolon.h, as C or C++, in the places that are hard for static data: inline functions,
   templates, lambdas, members. The program's own types have the names of dolon's locals. With DOLON_STATIC it has an
   implementation of its own, which must not mix with the other file's. */
typedef int span, cell, self, at, now, ticks;

#ifdef DOLON_STATIC
#define DOLON_IMPLEMENTATION
#endif
#include "dolon.h"

#include "other.h"

static inline int inlined(int n)
{
    DOLON_FUNCTION();
    DOLON_COUNT("bytes", sizeof n);
    return n;
}

#ifdef __cplusplus
template <class T> T templated(T n)
{
    DOLON_FUNCTION();
    DOLON_COUNT("templated", n);
    return n;
}
struct thing {
    int member(int n)
    {
        DOLON_SCOPE("thing::member");
        auto lambda = [](int m) {
            DOLON_SCOPE("lambda");
            return m;
        };
        return lambda(n);
    }
};
#endif

int other(int n)
{
    DOLON_BEGIN(region, "region");
    n = inlined(n);
    DOLON_END(region);
    DOLON_GAUGE("level", n);
    if (n < 0)
        DOLON_COUNT("negative", 1);
    else
        DOLON_COUNT("not_negative", 1ull);
#ifdef __cplusplus
    if (n == 1000000) n = templated(n) + static_cast<int>(templated(1L)) + thing().member(1);
#endif
#ifdef DOLON_STATIC
    if (n == 0) {
        dolon_stats stats;
        dolon_tracer *t = dolon_start(DOLON__NULL);
        dolon_get_stats(t, &stats);
        dolon_stop(t);
    }
#endif
    return 1;
}
