/* SPDX-License-Identifier: MIT OR Unlicense
   test_wire: both ends of the binary wire, as they are, over a simulated clock, network and store: loss, duplicates,
   reordering, restarts, outages. A seed decides everything; what must hold, for every seed:
     - no row is stored twice, and rows are stored in order, with what was sampled;
     - once all is quiet, rows stored + rows counted lost = rows sampled;
     - without a full ring, nothing is lost;
     - the client acts when dolon__session_due() says so or something happens, which is enough, and then has something to
       send or a later time to wait for: it never spins;
     - no address ever gets more bytes from the server than it sent.
   A failing seed is printed; DOLON_SEED=N runs it alone. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOLON_IMPLEMENTATION
#define DOLON_STATIC
#include "../dolon.h"

#include "../server/decode.h"
#include "../server/runs.h"

#define MS       NS_PER_MS
#define DATAGRAM 1200

/* ---- random numbers: xorshift64* ---- */

static uint64_t state;

static uint64_t draw(uint64_t below)
{
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    return below ? (state * UINT64_C(2685821657736338717) >> 11) % below : 0;
}

static bool chance(double p)
{
    return (double)draw(1000000) < p * 1e6;
}

/* ---- the network: datagrams on their way ---- */

typedef struct {
    int64_t at;
    bool to_server;
    uint8_t address; /* the client's */
    size_t n;
    uint8_t bytes[DATAGRAM];
} packet;

typedef struct {
    double loss, twice;
    int64_t delay, jitter;
    packet *list;
    size_t count, room;
    bool cut;
    uint8_t address;      /* where the client is now */
    uint64_t credit[256]; /* bytes that came to the server from each address, less those sent there */
} network;

static void network_send(network *net, int64_t now, bool to_server, uint8_t address, const uint8_t *bytes, size_t n)
{
    assert_true(n <= DATAGRAM);
    if (!to_server) {
        assert_true(net->credit[address] >= n);
        net->credit[address] -= n;
    }
    for (int copies = chance(net->twice) ? 2 : 1; copies; copies--) {
        if (net->cut || chance(net->loss)) continue;
        if (net->count == net->room) {
            net->room = net->room ? 2 * net->room : 256;
            net->list = mem_resize(net->list, net->room, sizeof *net->list);
        }
        packet *p = &net->list[net->count++];
        *p = (packet){.at = now + net->delay + (int64_t)draw((uint64_t)net->jitter + 1),
                      .to_server = to_server,
                      .address = address,
                      .n = n};
        memcpy(p->bytes, bytes, n);
    }
}

/* Takes out the earliest that has arrived. */
static bool network_next(network *net, int64_t now, packet *out)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < net->count; i++)
        if (net->list[i].at <= now && (best == SIZE_MAX || net->list[i].at < net->list[best].at)) best = i;
    if (best == SIZE_MAX) return false;
    *out = net->list[best];
    net->list[best] = net->list[--net->count];
    return true;
}

/* ---- the store: what a commit has made durable ---- */

typedef struct {
    run_info *info; /* NULL: it does not know the run */
    uint64_t next, rows, lost;
    uint32_t marks;
    size_t columns, first_columns; /* now, and those that every row has */
} storage;

static double value_of(uint64_t seq, size_t column)
{
    return (double)seq * 10 + (double)column;
}

static void store_part(storage *s, const batch_part *p)
{
    for (size_t row = 0, event = 0; row < p->rows || event < p->event_count;) {
        bool gap = event < p->event_count && p->events[event].kind == EVENT_GAP;
        if (event < p->event_count && !gap) {
            assert_int_equal(p->events[event].seq, s->marks);
            s->marks++, event++;
        } else if (gap && (row == p->rows || p->events[event].seq < p->seq[row])) {
            assert_int_equal(p->events[event].seq, s->next);
            s->lost += p->events[event].count;
            s->next += p->events[event++].count;
        } else {
            assert_int_equal(p->seq[row], s->next);
            assert_int_equal(p->time[row], (int64_t)s->next * MS);
            for (size_t c = 0; c < p->columns; c++) {
                double v = p->values[row * p->columns + c];
                assert_true(isnan(v) ? c >= s->first_columns : v == value_of(s->next, c));
            }
            s->next++, s->rows++, row++;
        }
    }
    assert_true(p->info->next_seq >= s->next);
    run_info_free(s->info);
    s->info = run_info_copy(p->info);
    s->info->rows = s->rows;
    s->columns = p->info->column_count;
}

/* ---- the server ---- */

typedef struct {
    runs *runs; /* NULL: it is down */
    storage store;
    batch *waiting[64]; /* handed on, not yet committed */
    size_t waiting_count;
    uuid wanted[64];
    size_t wanted_count;
    int64_t now, flush_at;
    bool full; /* the disk is */
    const packet *packet;
} server;

static void want(void *ctx, const uuid *id)
{
    server *s = ctx;
    s->wanted[s->wanted_count++] = *id;
}

static void server_start(server *s)
{
    s->runs = runs_new(NULL, want, s);
    s->flush_at = s->now + FLUSH_MS * MS;
    s->wanted_count = 0;
}

/* As SIGKILL would: everything but the store is gone. */
static void server_kill(server *s)
{
    runs_free(s->runs);
    s->runs = NULL;
    while (s->waiting_count) batch_free(s->waiting[--s->waiting_count]);
}

static void take(void *ctx, const record *r)
{
    server *s = ctx;
    const peer from = {.bytes = {s->packet->address}, .size = 1};
    runs_take_from(s->runs, r, &from, s->packet->n, s->now);
}

static void commit(server *s)
{
    for (size_t i = 0; i < s->waiting_count; i++) {
        batch *b = s->waiting[i];
        for (size_t k = 0; k < b->count; k++) {
            const run_info *info = b->parts[k].info;
            store_part(&s->store, &b->parts[k]);
            receipt done = {.id = info->id,
                            .rows = info->next_seq,
                            .marks = info->next_mark,
                            .columns = (uint32_t)info->column_count,
                            .ended = info->state != RUN_LIVE};
            runs_durable(s->runs, &done);
        }
        batch_free(b);
    }
    s->waiting_count = 0;
}

static void server_step(server *s, network *net, int64_t now)
{
    s->now = now;
    if (!s->runs) return;
    for (size_t i = 0; i < s->wanted_count; i++)
        runs_answer(s->runs, &s->wanted[i], s->store.info ? run_info_copy(s->store.info) : NULL, now);
    s->wanted_count = 0;
    if (now >= s->flush_at) {
        batch *b = runs_flush(s->runs, now, false);
        if (b) s->waiting[s->waiting_count++] = b;
        s->flush_at = now + FLUSH_MS * MS;
        runs_set_behind(s->runs, s->waiting_count > 8);
        if (!s->full) commit(s);
    }
    uint8_t ack[RUNS_ACK_BYTES];
    peer to;
    for (size_t n; (n = runs_next_ack(s->runs, ack, &to));) network_send(net, now, false, to.bytes[0], ack, n);
}

/* ---- the client ---- */

typedef struct {
    dolon__session session;
    uint8_t ring[512 * 1024], scratch[4 + 8 + 8 * 1024];
    uint64_t sampled;
    uint32_t marks, columns;
    int64_t due;
    bool stirred; /* something has happened to it */
    bool gone;    /* it says and hears no more    */
} client;

static size_t column_entry(void *ctx, uint32_t i, uint8_t *out)
{
    (void)ctx;
    int n = snprintf((char *)out + 3, 32, "column%u", i);
    out[0] = 0, out[1] = 0, out[2] = (uint8_t)n;
    return 3 + (size_t)n;
}

static void client_start(client *c, size_t ring, uint32_t columns, int64_t now)
{
    static uint8_t facts[42]; /* no texts, no tags */
    facts[28] = 1, facts[30] = 'a';
    memset(c, 0, sizeof *c);
    c->columns = columns;
    memset(c->session.run, 7, 16);
    c->session.datagram = DATAGRAM;
    c->session.facts = facts;
    c->session.facts_bytes = 28 + 2 + 1 + 4 * 2 + 2;
    c->session.column = column_entry;
    c->session.linger = 100 * MS;
    c->session.ring.bytes = c->ring;
    c->session.ring.size = ring;
    c->session.columns = c->columns;
    dolon__session_start(&c->session, now);
}

static void client_sample(client *c, int64_t now)
{
    double values[1024];
    for (uint32_t i = 0; i < c->columns; i++) values[i] = value_of(c->sampled, i);
    dolon__session_row(&c->session, now, (int64_t)c->sampled * MS, values, c->columns, c->scratch);
    c->sampled++;
    c->stirred = true;
}

static void mark(client *c, int64_t now)
{
    const dolon__mark m = {now, "mark"};
    dolon__session_mark(&c->session, now, &m);
    c->marks++;
    c->stirred = true;
}

static void client_step(client *c, network *net, int64_t now)
{
    uint8_t out[DATAGRAM];
    size_t n;
    if (c->gone || (!c->stirred && now < c->due)) return;
    c->stirred = false;
    for (int i = 0; (n = dolon__session_next(&c->session, now, out)) > 0; i++) {
        assert_true(i < 1000);
        network_send(net, now, true, net->address, out, n);
    }
    c->due = dolon__session_due(&c->session, now);
    assert_true(c->due > now);
}

/* ---- a run from its beginning to its end ---- */

typedef struct {
    double loss, twice;
    int64_t jitter;   /* ms */
    int64_t interval; /* ms between rows */
    int rows;
    uint32_t columns; /* at first; some join on the way */
    size_t ring;
    double restart, outage, full; /* chance a ms that the server is killed, the network cut, the disk full */
    double move;                  /* … that the client's address changes                                  */
    bool vanish;                  /* the client is gone as soon as one goodbye has arrived                */
} world;

/* What a goodbye promises holds even if nothing comes after it. */
static bool is_over(const server *s, const client *c)
{
    return c->gone ? s->store.info->state == RUN_ENDED : dolon__session_done(&c->session);
}

static void deliver(const world *w, network *net, server *s, client *c, int64_t now)
{
    packet p;
    while (network_next(net, now, &p)) {
        if (!p.to_server) {
            if (p.address == net->address) dolon__session_take(&c->session, now, p.bytes, p.n), c->stirred = true;
        } else if (s->runs) {
            net->credit[p.address] += p.n;
            s->packet = &p;
            if (w->vanish && p.bytes[3] == DOLON__GOODBYE && s->store.info) c->gone = true;
            assert_int_equal(decode_datagram(p.bytes, p.n, take, s), DECODE_OK);
        }
    }
}

static void simulate(const world *w, uint64_t seed, bool may_lose)
{
    state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    static client c;
    server s = {0};
    network net = {.loss = w->loss, .twice = w->twice, .delay = MS, .jitter = w->jitter * MS};
    client_start(&c, w->ring, w->columns, 0);
    s.store.first_columns = w->columns;
    server_start(&s);
    int64_t now = 0, next_row = 0, down_until = 0, cut_until = 0, full_until = 0, quiet_from = 0;
    for (;; now += MS) {
        bool sampling = c.sampled < (uint64_t)w->rows;
        if (sampling && now >= next_row) {
            if (draw(400) == 0 && c.session.columns < w->columns + 5) c.columns = ++c.session.columns;
            client_sample(&c, now);
            next_row += w->interval * MS;
            if (draw(200) == 0) mark(&c, now);
        }
        if (!sampling && !quiet_from) {
            quiet_from = now;
            net.loss = net.loss < 0.5 ? net.loss : 0.5;
            dolon__session_bye(&c.session, now, now, 0);
        }
        if (sampling && s.runs && chance(w->restart)) server_kill(&s), down_until = now + (int64_t)draw(20000) * MS;
        if (sampling && chance(w->outage)) cut_until = now + (int64_t)draw(10000) * MS;
        if (chance(w->move)) net.address++;
        if (sampling && chance(w->full)) full_until = now + (int64_t)draw(10000) * MS;
        s.now = now;
        if (!s.runs && now >= down_until) server_start(&s);
        net.cut = now < cut_until;
        s.full = now < full_until;
        deliver(w, &net, &s, &c, now);
        server_step(&s, &net, now);
        client_step(&c, &net, now);
        if (is_over(&s, &c)) break;
        if (quiet_from && now - quiet_from > 600000 * MS) {
            print_error("seed %llu: not done 10 minutes after the goodbye: stored %llu, lost %llu, sampled %llu\n",
                        (unsigned long long)seed, (unsigned long long)s.store.rows, (unsigned long long)s.store.lost,
                        (unsigned long long)c.sampled);
            fail();
        }
    }
    if (s.store.rows + s.store.lost != c.sampled || (!may_lose && s.store.lost) ||
        s.store.lost < (may_lose ? 0 : c.session.ring.dropped) || (!c.gone && s.store.columns != c.columns))
        print_error("seed %llu: stored %llu + lost %llu of %llu sampled, %llu dropped\n", (unsigned long long)seed,
                    (unsigned long long)s.store.rows, (unsigned long long)s.store.lost, (unsigned long long)c.sampled,
                    (unsigned long long)c.session.ring.dropped);
    assert_int_equal(s.store.rows + s.store.lost, c.sampled);
    assert_int_equal(s.store.info->state, RUN_ENDED);
    if (!c.gone) assert_int_equal(s.store.columns, c.columns);
    if (!may_lose) assert_int_equal(s.store.lost, 0);
    if (!may_lose) assert_int_equal(s.store.marks, c.marks);
    server_kill(&s);
    run_info_free(s.store.info);
    free(net.list);
}

/* Under a sanitizer, which takes its time, fewer. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SEED_FACTOR 1
#else
#define SEED_FACTOR 5
#endif

static void worlds(const world *w, size_t seeds, bool may_lose)
{
    const char *one = getenv("DOLON_SEED");
    if (one) {
        simulate(w, strtoull(one, NULL, 10), may_lose);
        return;
    }
    for (uint64_t seed = 1; seed <= seeds * SEED_FACTOR; seed++) simulate(w, seed, may_lose);
}

static void clean_network(void **unused)
{
    (void)unused;
    worlds(&(world){.interval = 5, .rows = 2000, .columns = 3, .ring = 24576}, 20, false);
}

static void loss_1(void **unused)
{
    (void)unused;
    worlds(
        &(world){.loss = 0.01, .twice = 0.01, .jitter = 5, .interval = 20, .rows = 500, .columns = 3, .ring = 24576},
        200, false);
}

static void loss_20(void **unused)
{
    (void)unused;
    worlds(
        &(world){.loss = 0.2, .twice = 0.1, .jitter = 100, .interval = 100, .rows = 300, .columns = 3, .ring = 24576},
        200, false);
}

static void loss_50(void **unused)
{
    (void)unused;
    worlds(
        &(world){
            .loss = 0.5, .twice = 0.2, .jitter = 3000, .interval = 200, .rows = 200, .columns = 3, .ring = 24576},
        200, false);
}

static void restarts(void **unused)
{
    (void)unused;
    worlds(
        &(world){
            .loss = 0.05, .jitter = 20, .interval = 250, .rows = 300, .columns = 3, .ring = 24576, .restart = 0.0003},
        200, false);
}

static void rows_in_slices(void **unused)
{
    (void)unused;
    worlds(&(world){.loss = 0.2,
                    .twice = 0.1,
                    .jitter = 50,
                    .interval = 100,
                    .rows = 100,
                    .columns = 400,
                    .ring = 512 * 1024,
                    .restart = 0.0002},
           50, false);
}

static void addresses_change(void **unused)
{
    (void)unused;
    worlds(&(world){.loss = 0.1,
                    .twice = 0.1,
                    .jitter = 50,
                    .interval = 20,
                    .rows = 500,
                    .columns = 3,
                    .ring = 65536,
                    .restart = 0.00005,
                    .move = 0.002},
           200, false);
}

static void the_goodbye_is_the_last_word(void **unused)
{
    (void)unused;
    worlds(&(world){.loss = 0.3,
                    .twice = 0.1,
                    .jitter = 500,
                    .interval = 20,
                    .rows = 300,
                    .columns = 3,
                    .ring = 24576,
                    .full = 0.0002,
                    .vanish = true},
           200, true);
}

static void everything_goes_wrong(void **unused)
{
    (void)unused;
    worlds(&(world){.loss = 0.3,
                    .twice = 0.2,
                    .jitter = 2000,
                    .interval = 20,
                    .rows = 1500,
                    .columns = 3,
                    .ring = 4096,
                    .restart = 0.0001,
                    .outage = 0.0002,
                    .full = 0.0001},
           300, true);
}

/* Sampled faster than the pace at which repeating begins: what a killed server leaves behind is caught up with all the
   same, within seconds. */
static void a_fast_client_catches_up(void **unused)
{
    (void)unused;
    enum { PER_MS = 60, RING = 24 << 20 };
    static client c;
    server s = {.store.first_columns = 3};
    network net = {.delay = MS};
    state = 1;
    client_start(&c, RING, 3, 0);
    c.session.ring.bytes = mem_alloc(RING); /* ten seconds' rows */
    server_start(&s);
    for (int64_t now = 0; now < 15000 * MS; now += MS) {
        for (int i = 0; i < PER_MS; i++) client_sample(&c, now);
        if (now == 2000 * MS) server_kill(&s);
        s.now = now;
        if (now == 5000 * MS) server_start(&s);
        deliver(&(world){0}, &net, &s, &c, now);
        server_step(&s, &net, now);
        client_step(&c, &net, now);
    }
    assert_int_equal(c.session.ring.dropped, 0);
    assert_true(c.sampled - s.store.rows <= 1000 * PER_MS);
    server_kill(&s);
    run_info_free(s.store.info);
    free(c.session.ring.bytes);
    free(net.list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_network),
        cmocka_unit_test(loss_1),
        cmocka_unit_test(loss_20),
        cmocka_unit_test(loss_50),
        cmocka_unit_test(restarts),
        cmocka_unit_test(rows_in_slices),
        cmocka_unit_test(addresses_change),
        cmocka_unit_test(the_goodbye_is_the_last_word),
        cmocka_unit_test(everything_goes_wrong),
        cmocka_unit_test(a_fast_client_catches_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
