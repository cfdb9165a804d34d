/* SPDX-License-Identifier: MIT OR Unlicense
   test_wire: both ends of the binary wire, as they are, over a simulated clock, network and store: loss, duplicates,
   reordering, restarts, outages; one server, or two on one store among which a balancer moves the client, or each of
   its datagrams. A seed decides everything; what must hold, for every seed:
     - no row is stored twice, and rows are stored in order, with what was sampled, and with the histograms that the client
       told with it: some with none, some with such as do not fit a datagram;
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

#include "../server/base/bytes.h"
#include "../server/ingest/decode.h"
#include "../server/runs/runs.h"
#include "../server/store/store_trim.h"

#define SERVERS  2
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
    size_t server;   /* whom it goes to, or comes from */
    size_t n;
    uint8_t bytes[DATAGRAM];
} packet;

typedef struct {
    double loss, twice;
    int64_t delay, jitter;
    packet *list;
    size_t count, room;
    bool cut;
    uint8_t address;               /* where the client is now */
    size_t server;                 /* where the balancer sends it */
    uint64_t credit[SERVERS][256]; /* bytes that came to a server from each address, less those sent there */
} network;

static void network_send(network *net, int64_t now, bool to_server, uint8_t address, size_t server,
                         const uint8_t *bytes, size_t n)
{
    assert_true(n <= DATAGRAM);
    if (!to_server) {
        assert_true(net->credit[server][address] >= n);
        net->credit[server][address] -= n;
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
                      .server = server,
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
    bool tells;                    /* rows bring histograms */
} storage;

static double value_of(uint64_t seq, size_t column)
{
    return (double)seq * 10 + (double)column;
}

/* Those that row `seq` brings, if any do; each 70th more than a datagram holds. */
static void histograms_of(uint64_t seq, size_t columns, buf *out)
{
    uint64_t buckets = seq % 70 == 0 ? 700 : 1 + seq % 5;
    out->n = 0;
    if (seq % 7 != 0) return;
    put_varint(out, 1 + seq % columns);
    put_varint(out, buckets);
    for (uint64_t i = 0; i < buckets; i++) {
        put_varint(out, seq % 300);
        put_varint(out, seq + i + 1);
    }
}

static void check_histograms(const storage *s, const chunk *c, size_t row)
{
    static buf told;
    span stored = row_histograms_of(&c->histograms, row);
    told.n = 0;
    if (s->tells) histograms_of(s->next, s->first_columns, &told);
    assert_int_equal(stored.n, told.n);
    if (told.n) assert_memory_equal(stored.p, told.p, told.n);
}

static void store_row(storage *s, const chunk *c, size_t row)
{
    assert_int_equal(c->seq[row], s->next);
    assert_int_equal(c->time[row], (int64_t)s->next * MS);
    for (size_t i = 0; i < c->columns; i++) {
        double v = c->values[i][row];
        assert_true(isnan(v) ? i >= s->first_columns : v == value_of(s->next, i));
    }
    check_histograms(s, c, row);
    s->next++, s->rows++;
}

static void store_event(storage *s, const run_event *e)
{
    if (e->kind == EVENT_MARK) {
        assert_true(e->seq >= s->marks);
        s->marks = (uint32_t)e->seq + 1;
    } else {
        assert_int_equal(e->seq, s->next);
        s->lost += e->count;
        s->next += e->count;
    }
}

/* In the order of their numbers: rows, gaps, and marks wherever they stand. */
static void store_rest(storage *s, const store_change *c)
{
    const chunk *rows = c->put_count ? c->put[0] : NULL;
    size_t row = 0, count = rows ? rows->rows : 0, event = 0;
    while (row < count || event < c->event_count) {
        const run_event *e = event < c->event_count ? &c->events[event] : NULL;
        if (e && (e->kind == EVENT_MARK || row == count || e->seq < rows->seq[row]))
            store_event(s, e), event++;
        else
            store_row(s, rows, row++);
    }
}

static void store_part(storage *s, const batch_part *p)
{
    chunk *rows = p->rows ? chunk_from_part(p, 0, p->rows) : NULL;
    store_change change = {
        .info = p->info, .put = &rows, .put_count = rows != NULL, .events = p->events, .event_count = p->event_count};
    store_position at = {s->next, s->info ? s->info->next_mark : 0, s->info ? s->info->last : 0,
                         s->info ? s->info->state : RUN_LIVE};
    uint64_t next = p->info->next_seq;
    store_trimmed rest;
    if (store_trim(&change, &at, &rest)) {
        next = rest.next_seq;
        store_rest(s, &rest.change);
        store_trimmed_free(&rest);
    } else {
        store_rest(s, &change);
    }
    assert_int_equal(s->next, next);
    run_info *info = run_info_copy(p->info), *old = s->info;
    info->rows = s->rows;
    info->next_seq = next;
    info->state = store_state(p->info->state, next, &at);
    if (old && old->next_mark > info->next_mark) info->next_mark = old->next_mark;
    if (old && old->column_count > info->column_count) { /* columns are only ever added */
        info->columns = mem_resize(info->columns, old->column_count, sizeof *info->columns);
        for (size_t i = info->column_count; i < old->column_count; i++)
            info->columns[i] = (run_column){mem_strdup(old->columns[i].name), mem_strdup(old->columns[i].unit),
                                            old->columns[i].kind};
        info->column_count = old->column_count;
    }
    s->columns = info->column_count;
    s->info = info;
    run_info_free(old);
    chunk_free(rows);
}

/* ---- the server ---- */

typedef struct {
    runs *runs; /* NULL: it is down */
    size_t number;
    storage *store;
    bool shared, lossless; /* others write the store, too; what is missing is never lost */
    batch *waiting[64];    /* handed on, not yet committed */
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
    s->runs = runs_new(&(runs_limits){.shared = s->shared}, want, s);
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

/* Not even for a moment, on a live chart. */
static void assert_no_gaps(const batch_part *p)
{
    for (size_t i = 0; i < p->event_count; i++) assert_int_equal(p->events[i].kind, EVENT_MARK);
}

static void commit(server *s)
{
    for (size_t i = 0; i < s->waiting_count; i++) {
        batch *b = s->waiting[i];
        for (size_t k = 0; k < b->count; k++) {
            const run_info *info = b->parts[k].info;
            if (s->lossless) assert_no_gaps(&b->parts[k]);
            store_part(s->store, &b->parts[k]);
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
        runs_answer(s->runs, &s->wanted[i], s->store->info ? run_info_copy(s->store->info) : NULL, now);
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
    for (size_t n; (n = runs_next_ack(s->runs, ack, &to));)
        network_send(net, now, false, to.bytes[0], s->number, ack, n);
}

/* ---- the client ---- */

typedef struct {
    dolon__session session;
    uint8_t ring[512 * 1024], scratch[4 + 8 + 8 * 1024];
    uint64_t sampled;
    uint32_t marks, columns;
    size_t tells; /* of so many columns rows bring histograms; 0: none do */
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
    static buf words;
    double values[1024];
    for (uint32_t i = 0; i < c->columns; i++) values[i] = value_of(c->sampled, i);
    words.n = 0;
    if (c->tells) histograms_of(c->sampled, c->tells, &words);
    while (words.n % 8) put_u8(&words, 0);
    const dolon__cells cells = {c->columns, (uint32_t)(words.n / 8)};
    dolon__session_row(&c->session, now, (int64_t)c->sampled * MS, values, cells, (const uint8_t *)words.p,
                       c->scratch);
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

/* `spread`: each datagram goes to one of so many servers. */
static void client_step(client *c, network *net, int64_t now, size_t spread)
{
    uint8_t out[DATAGRAM];
    size_t n;
    if (c->gone || (!c->stirred && now < c->due)) return;
    c->stirred = false;
    for (int i = 0; (n = dolon__session_next(&c->session, now, out)) > 0; i++) {
        assert_true(i < 1000);
        if (spread > 1) net->server = draw(spread);
        network_send(net, now, true, net->address, net->server, out, n);
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
    double balance;               /* … that the balancer moves it to another server; 2: each datagram     */
    size_t servers;               /* 0: one                                                               */
    bool vanish;                  /* the client is gone as soon as one goodbye has arrived                */
} world;

/* What a goodbye promises holds even if nothing comes after it. */
static bool is_over(const storage *kept, const client *c)
{
    return c->gone ? kept->info->state == RUN_ENDED : dolon__session_done(&c->session);
}

static void deliver(const world *w, network *net, server *servers, client *c, int64_t now)
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
static void let_things_happen(const world *w, server *s, bool sampling, int64_t now, int64_t *down, int64_t *full)
{
    if (sampling && s->runs && chance(w->restart)) server_kill(s), *down = now + (int64_t)draw(20000) * MS;
    if (sampling && chance(w->full)) *full = now + (int64_t)draw(10000) * MS;
    s->now = now;
    if (!s->runs && now >= *down) server_start(s);
    s->full = now < *full;
}

static void check_end(const world *w, uint64_t seed, const storage *kept, const client *c, bool may_lose)
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

static void simulate(const world *w, uint64_t seed, bool may_lose)
{
    state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
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
        for (size_t i = 0; i < count; i++)
            let_things_happen(w, &servers[i], sampling, now, &down_until[i], &full_until[i]);
        if (sampling && chance(w->outage)) cut_until = now + (int64_t)draw(10000) * MS;
        if (chance(w->move)) net.address++;
        if (chance(w->balance)) net.server = draw(count);
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
            .loss = 0.05, .jitter = 20, .interval = 250, .rows = 300, .columns = 3, .ring = 65536, .restart = 0.0003},
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

/* ---- two servers on one store ---- */

static void moved_now_and_then(void **unused)
{
    (void)unused;
    worlds(&(world){.loss = 0.05,
                    .twice = 0.05,
                    .jitter = 20,
                    .interval = 20,
                    .rows = 1000,
                    .columns = 3,
                    .ring = 65536,
                    .servers = 2,
                    .balance = 0.0005},
           100, false);
}

static void moved_with_each_datagram(void **unused)
{
    (void)unused;
    worlds(&(world){.loss = 0.05,
                    .twice = 0.05,
                    .jitter = 20,
                    .interval = 20,
                    .rows = 500,
                    .columns = 3,
                    .ring = 65536,
                    .servers = 2,
                    .balance = 2},
           100, false);
}

/* Servers are killed, too: the other one takes over. */
static void moved_from_the_dead(void **unused)
{
    (void)unused;
    worlds(&(world){.loss = 0.1,
                    .twice = 0.05,
                    .jitter = 50,
                    .interval = 250,
                    .rows = 300,
                    .columns = 3,
                    .ring = 65536,
                    .servers = 2,
                    .balance = 0.001,
                    .restart = 0.0003},
           100, false);
}

/* A small ring: what is lost is lost, and counted once. */
static void moved_while_all_goes_wrong(void **unused)
{
    (void)unused;
    worlds(&(world){.loss = 0.3,
                    .twice = 0.2,
                    .jitter = 2000,
                    .interval = 20,
                    .rows = 1500,
                    .columns = 3,
                    .ring = 4096,
                    .servers = 2,
                    .balance = 0.001,
                    .restart = 0.0001,
                    .outage = 0.0002,
                    .full = 0.0001},
           150, true);
}

/* Sampled faster than the pace at which repeating begins: what a killed server leaves behind is caught up with all the
   same, within seconds. */
static void a_fast_client_catches_up(void **unused)
{
    (void)unused;
    enum { PER_MS = 60, RING = 24 << 20 };
    static client c;
    storage kept = {.first_columns = 3};
    server s = {.store = &kept};
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
        client_step(&c, &net, now, 1);
    }
    assert_int_equal(c.session.ring.dropped, 0);
    assert_true(c.sampled - kept.rows <= 1000 * PER_MS);
    server_kill(&s);
    run_info_free(kept.info);
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
        cmocka_unit_test(moved_now_and_then),
        cmocka_unit_test(moved_with_each_datagram),
        cmocka_unit_test(moved_from_the_dead),
        cmocka_unit_test(moved_while_all_goes_wrong),
        cmocka_unit_test(a_fast_client_catches_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
