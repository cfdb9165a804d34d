/* SPDX-License-Identifier: MIT OR Unlicense
   http_server: the HTTP side in the test's own process, on a port of loopback that it chooses. Include after
   cmocka. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdlib.h>
#include <string.h>

#include "../server/http/http.h"

/* h2o keeps free lists in thread-local variables and never lets go of them. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:h2o_mem_alloc_recycle\n";
}

static inline int port_of(const char *bound)
{
    const char *colon = strrchr(bound, ':');
    return atoi(colon + 1);
}

static inline http *open_server(const http_desc *desc, int *chosen)
{
    buf bound = {0}, why = {0};
    http *h = http_open(desc, &bound, &why);
    if (!h) fail_msg("%s", why.p);
    assert_memory_equal(bound.p, "http://127.0.0.1:", 17);
    *chosen = port_of(bound.p);
    buf_free(&bound);
    http_start(h);
    return h;
}

#endif
