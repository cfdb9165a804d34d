/* SPDX-License-Identifier: MIT OR Unlicense
   wire_world: a run from its beginning to its end in a world where things go wrong: loss, duplicates, reordering, restarts,
   outages, full disks; one server, or two on one store among which a balancer moves the client, or each of its datagrams. A
   seed decides everything; what must hold, for every seed:
     - no row is stored twice, and rows are stored in order, with what was sampled, and with the histograms that the client
       told with it: some with none, some with such as do not fit a datagram;
     - once all is quiet, rows stored + rows counted lost = rows sampled;
     - without a full ring, nothing is lost;
     - the client acts when dolon__session_due() says so or something happens, which is enough, and then has something to
       send or a later time to wait for: it never spins;
     - no address ever gets more bytes from the server than it sent.
   A failing seed is printed; DOLON_SEED=N runs it alone. Include after cmocka.h. */
#ifndef WIRE_WORLD_H
#define WIRE_WORLD_H

#include <stdlib.h>

#include "wire_ends.h"

typedef struct {
    double loss, twice;
    int64_t jitter;   /* ms */
    int64_t interval; /* ms between rows */
    int rows;
    uint32_t columns; /* at first; some join on the way */
    size_t ring;
    double restart, outage, full; /* chance a ms that the server is killed, the network cut, the disk full */
    double move;                  /* … that the client's address changes                                  */
    double balance;               /* … that the balancer moves it to another server; 2: each datagram     */
    size_t servers;               /* 0: one                                                               */
    bool vanish;                  /* the client is gone as soon as one goodbye has arrived                */
} world;

/* What a goodbye promises holds even if nothing comes after it. */
static inline bool is_over(const storage *kept, const client *c)
{
    return c->gone ? kept->info->state == RUN_ENDED : dolon__session_done(&c->session);
}

static inline void deliver(const world *w, network *net, server *servers, client *c, int64_t now)
{
    packet p;
    while (network_next(net, now, &p)) {
        server *s = &servers[p.server];
        if (!p.to_server) {
            if (p.address == net->address) dolon__session_take(&c->session, now, p.bytes, p.n), c->stirred = true;
        } else if (s->runs) {
            net->credit[p.server][p.address] += p.n;
            s->packet = &p;
            if (w->vanish && p.bytes[3] == DOLON__GOODBYE && s->store->info) c->gone = true;
            assert_int_equal(decode_datagram(p.bytes, p.n, take, s), DECODE_OK);
        }
    }
}

/* A server is killed now and then, and started again; its disk fills. */
static inline void let_things_happen(const world *w, server *s, bool sampling, int64_t now, int64_t *down,
                                     int64_t *full)
{
    if (sampling && s->runs && chance(w->restart)) server_kill(s), *down = now + (int64_t)random_below(20000) * MS;
    if (sampling && chance(w->full)) *full = now + (int64_t)random_below(10000) * MS;
    s->now = now;
    if (!s->runs && now >= *down) server_start(s);
    s->full = now < *full;
}

static inline void check_end(const world *w, uint64_t seed, const storage *kept, const client *c, bool may_lose)
{
    if (kept->rows + kept->lost != c->sampled || (!may_lose && kept->lost) ||
        kept->lost < (may_lose ? 0 : c->session.ring.dropped) || (!c->gone && kept->columns != c->columns))
        print_error("seed %llu: stored %llu + lost %llu of %llu sampled, %llu dropped, %zu servers\n",
                    (unsigned long long)seed, (unsigned long long)kept->rows, (unsigned long long)kept->lost,
                    (unsigned long long)c->sampled, (unsigned long long)c->session.ring.dropped, w->servers);
    assert_int_equal(kept->rows + kept->lost, c->sampled);
    assert_int_equal(kept->info->state, RUN_ENDED);
    if (!c->gone) assert_int_equal(kept->columns, c->columns);
    if (!may_lose) assert_int_equal(kept->lost, 0);
    if (!may_lose) assert_int_equal(kept->marks, c->marks);
}

static inline void simulate(const world *w, uint64_t seed, bool may_lose)
{
    random_state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    static client c;
    storage kept = {.first_columns = w->columns, .tells = seed % 2};
    server servers[SERVERS] = {0};
    size_t count = w->servers ? w->servers : 1;
    network net = {.loss = w->loss, .twice = w->twice, .delay = MS, .jitter = w->jitter * MS};
    client_start(&c, w->ring, w->columns, 0);
    c.tells = kept.tells ? w->columns : 0;
    for (size_t i = 0; i < count; i++) {
        servers[i] = (server){.number = i, .store = &kept, .shared = count > 1, .lossless = !may_lose};
        servers[i].now = (int64_t)i * 100 * MS; /* so that they flush in turn */
        server_start(&servers[i]);
    }
    int64_t now = 0, next_row = 0, down_until[SERVERS] = {0}, cut_until = 0, full_until[SERVERS] = {0},
            quiet_from = 0;
    for (;; now += MS) {
        bool sampling = c.sampled < (uint64_t)w->rows;
        if (sampling && now >= next_row) {
            if (random_below(400) == 0 && c.session.columns < w->columns + 5) c.columns = ++c.session.columns;
            client_sample(&c, now);
            next_row += w->interval * MS;
            if (random_below(200) == 0) mark(&c, now);
        }
        if (!sampling && !quiet_from) {
            quiet_from = now;
            net.loss = net.loss < 0.5 ? net.loss : 0.5;
            dolon__session_bye(&c.session, now, now, 0);
        }
        for (size_t i = 0; i < count; i++)
            let_things_happen(w, &servers[i], sampling, now, &down_until[i], &full_until[i]);
        if (sampling && chance(w->outage)) cut_until = now + (int64_t)random_below(10000) * MS;
        if (chance(w->move)) net.address++;
        if (chance(w->balance)) net.server = random_below(count);
        net.cut = now < cut_until;
        deliver(w, &net, servers, &c, now);
        for (size_t i = 0; i < count; i++) server_step(&servers[i], &net, now);
        client_step(&c, &net, now, w->balance > 1 ? count : 1);
        if (is_over(&kept, &c)) break;
        if (quiet_from && now - quiet_from > 600000 * MS) {
            print_error("seed %llu: not done 10 minutes after the goodbye: stored %llu, lost %llu, sampled %llu\n",
                        (unsigned long long)seed, (unsigned long long)kept.rows, (unsigned long long)kept.lost,
                        (unsigned long long)c.sampled);
            fail();
        }
    }
    check_end(w, seed, &kept, &c, may_lose);
    for (size_t i = 0; i < count; i++) server_kill(&servers[i]);
    run_info_free(kept.info);
    free(net.list);
}

/* Under a sanitizer, which takes its time, fewer. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SEED_FACTOR 1
#else
#define SEED_FACTOR 5
#endif

/* A world, and how often it is tried. */
typedef struct {
    const char *name;
    size_t seeds;
    bool may_lose;
    world world;
} trial;

static inline void try_seeds(void **state)
{
    const trial *t = *state;
    const char *one = getenv("DOLON_SEED");
    if (one) {
        simulate(&t->world, strtoull(one, NULL, 10), t->may_lose);
        return;
    }
    for (uint64_t seed = 1; seed <= t->seeds * SEED_FACTOR; seed++) simulate(&t->world, seed, t->may_lose);
}

static inline struct CMUnitTest trial_test(const trial *t)
{
    return (struct CMUnitTest){.name = t->name, .test_func = try_seeds, .initial_state = (void *)t};
}

#endif
