/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon_names: a server that is known by name, and moves: a tracer without a thread, and times and names as the
   test has them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <assert.h>
#include <netdb.h>

/* Names are looked up here. */
static int look_up(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **list);

#define getaddrinfo look_up
#define DOLON_IMPLEMENTATION
#define DOLON_STATIC
#define DOLON_ASSERT(x) assert(x)
#include "../dolon.h"
#undef getaddrinfo
#include "test_dolon_server.h"

/* ---- names ---- */

static int looked_up;
static uint32_t addresses[4];
static int address_count;

static int look_up(const char *name, const char *port, const struct addrinfo *hints, struct addrinfo **list)
{
    char text[INET_ADDRSTRLEN];
    struct addrinfo numeric = *hints, *all = NULL;
    __atomic_fetch_add(&looked_up, 1, __ATOMIC_RELEASE);
    assert(strcmp(name, "server.test") == 0);
    for (int i = address_count - 1; i >= 0; i--) {
        struct in_addr at = {htonl(addresses[i])};
        struct addrinfo *one;
        numeric.ai_flags = AI_NUMERICHOST;
        inet_ntop(AF_INET, &at, text, sizeof text);
        if (getaddrinfo(text, port, &numeric, &one) != 0) abort();
        one->ai_next = all;
        all = one;
    }
    *list = all;
    return all ? 0 : EAI_NONAME;
}

/* ---- a tracer, pass by pass ---- */

typedef struct {
    dolon_tracer *t;
    int64_t now;
} puppet;

static void puppet_make(puppet *p, int port)
{
    dolon_desc d = desc_for("server.test", port);
    dolon_alloc alloc = {dolon__malloc, dolon__malloc_free, NULL};
    p->t = malloc(sizeof *p->t);
    assert_true(dolon__setup(p->t, &d, &alloc));
    p->now = p->t->start;
    p->t->session.columns = 1;
}

/* Until what is being looked up is known. */
static void puppet_settle(puppet *p)
{
    do usleep(1000), dolon__link_exchange(p->t, p->now);
    while (p->t->link.resolver);
}

static void puppet_pass(puppet *p, int64_t seconds)
{
    for (int64_t end = p->now + seconds * DOLON__SECOND; p->now < end;) {
        int64_t due = dolon__link_due(p->t, p->now);
        assert_true(due > p->now); /* it never spins */
        p->now = dolon__earlier(due, end);
        dolon__link_exchange(p->t, p->now);
        if (p->t->link.resolver) puppet_settle(p);
    }
}

static uint32_t puppet_peer(const puppet *p)
{
    struct sockaddr_in at;
    socklen_t bytes = sizeof at;
    if (p->t->link.fd < 0) return 0;
    assert_int_equal(getpeername(p->t->link.fd, (struct sockaddr *)&at, &bytes), 0);
    return ntohl(at.sin_addr.s_addr);
}

/* ---- a server that moves ---- */

#define LOCAL(n) (INADDR_LOOPBACK + 9 + (n)) /* where no other test listens by chance */

static void a_silent_servers_name_is_looked_up_again(void **state)
{
    server s = {0};
    puppet p;
    (void)state;
    s.deaf = true;
    addresses[0] = LOCAL(1), address_count = 1, looked_up = 0;
    puppet_make(&p, server_open_v4(&s, 11, 0));
    dolon__link_exchange(p.t, p.now);
    puppet_settle(&p);
    assert_int_equal(looked_up, 1);
    assert_int_equal(puppet_peer(&p), LOCAL(1));
    puppet_pass(&p, 9);
    assert_int_equal(looked_up, 1);
    addresses[0] = LOCAL(2);
    puppet_pass(&p, 2);
    assert_int_equal(looked_up, 2);
    assert_int_equal(puppet_peer(&p), LOCAL(2));
    address_count = 0; /* the name has no address for a while: it stays with what it has */
    puppet_pass(&p, 31);
    assert_int_equal(looked_up, 3);
    assert_int_equal(puppet_peer(&p), LOCAL(2));
    dolon__free(p.t);
    server_close(&s);
}

/* Where nobody listens, the next address is tried, first after a second, then ever more rarely. */
static void the_next_of_several_addresses_is_tried(void **state)
{
    server s = {0};
    puppet p;
    (void)state;
    addresses[0] = LOCAL(1), addresses[1] = LOCAL(2), address_count = 2, looked_up = 0;
    puppet_make(&p, server_open_v4(&s, 12, 0));
    dolon__link_exchange(p.t, p.now);
    puppet_settle(&p);
    puppet_pass(&p, 4);
    assert_int_equal(puppet_peer(&p), LOCAL(2));
    assert_in_range(looked_up, 2, 3);
    server_close(&s);
    puppet_pass(&p, 100);
    assert_in_range(looked_up, 5, 12);
    dolon__free(p.t);
}

static void an_unknown_name_is_asked_for_ever_more_rarely(void **state)
{
    puppet p;
    (void)state;
    address_count = 0, looked_up = 0;
    puppet_make(&p, 9);
    dolon__link_exchange(p.t, p.now);
    puppet_settle(&p);
    puppet_pass(&p, 121);
    assert_in_range(looked_up, 7, 9); /* 0, 1, 3, 7, 15, 31, 61, 91, 121 s */
    assert_int_equal(times_told(DOLON_UNRESOLVED), 1);
    dolon__free(p.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_silent_servers_name_is_looked_up_again, forget),
        cmocka_unit_test_setup(the_next_of_several_addresses_is_tried, forget),
        cmocka_unit_test_setup(an_unknown_name_is_asked_for_ever_more_rarely, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
