/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon_tracer: the client with its limits shrunken, and a tracer of it without a thread. Include after
   cmocka. */
#ifndef TEST_DOLON_TRACER_H
#define TEST_DOLON_TRACER_H

#include <assert.h>

#define DOLON_STATIC
#define DOLON_IMPLEMENTATION
#define DOLON_MAX_COLUMNS    12
#define DOLON_MAX_SITES      5
#define DOLON_MAX_MARKS      3
#define DOLON_DATAGRAM_BYTES 1500
#define DOLON_ASSERT(x)      assert(x)
#include "../dolon.h"

static char told[2048];

static inline void remember(void *user, dolon_error code, const char *message)
{
    (void)user;
    (void)code;
    snprintf(told + strlen(told), sizeof told - strlen(told), "%s\n", message);
}

static inline int make_tracer(void **state)
{
    dolon_tracer *t = calloc(1, sizeof *t);
    dolon__passport *p = &t->passport;
    told[0] = 0;
    pthread_mutex_init(&t->lock, NULL);
    t->log.fn = remember;
    t->link.fd = -1;
    t->brief_scopes = 1;
    strcpy(p->uuid, "1e7c356f-16b3-485c-a4f0-06872919285e");
    strcpy(p->app, "hello-world");
    strcpy(p->host, "box");
    p->pid = 4711;
    p->time = INT64_C(1700000000123456789);
    p->interval = DOLON__SECOND / 4;
    t->announce_bytes = dolon__json_announce(t->datagram, sizeof t->datagram, t, 0);
    *state = t;
    return 0;
}

static inline int free_tracer(void **state)
{
    free(*state);
    return 0;
}

static inline double nothing(void *user)
{
    (void)user;
    return 0;
}

static inline dolon_error add(dolon_tracer *t, const char *name, const char *unit)
{
    return dolon_add_probe(t, &(dolon_probe){name, nothing, NULL, unit});
}

#endif
