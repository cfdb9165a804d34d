/* SPDX-License-Identifier: MIT OR Unlicense
   wire_ends: both ends of the binary wire, as they are, over a simulated clock: the client's session, the server's runs, and
   of its store what a commit has made durable. What is stored is compared with what was sampled, row by row. Include after
   cmocka.h. */
#ifndef WIRE_ENDS_H
#define WIRE_ENDS_H

#include <math.h>
#include <stdio.h>

#define DOLON_IMPLEMENTATION
#define DOLON_STATIC
#include "../dolon.h"

#include "../server/base/bytes.h"
#include "../server/ingest/decode.h"
#include "../server/runs/runs.h"
#include "../server/store/store_trim.h"

#include "wire_network.h"

/* ---- the store: what a commit has made durable ---- */

typedef struct {
    run_info *info; /* NULL: it does not know the run */
    uint64_t next, rows, lost;
    uint32_t marks;
    size_t columns, first_columns; /* now, and those that every row has */
    bool tells;                    /* rows bring histograms */
} storage;

static inline double value_of(uint64_t seq, size_t column)
{
    return (double)seq * 10 + (double)column;
}

/* Those that row `seq` brings, if any do; each 70th more than a datagram holds. */
static inline void histograms_of(uint64_t seq, size_t columns, buf *out)
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

static inline void check_histograms(const storage *s, const chunk *c, size_t row)
{
    static buf told;
    span stored = row_histograms_of(&c->histograms, row);
    told.n = 0;
    if (s->tells) histograms_of(s->next, s->first_columns, &told);
    assert_int_equal(stored.n, told.n);
    if (told.n) assert_memory_equal(stored.p, told.p, told.n);
}

static inline void store_row(storage *s, const chunk *c, size_t row)
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

static inline void store_event(storage *s, const run_event *e)
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
static inline void store_rest(storage *s, const store_change *c)
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

static inline void store_part(storage *s, const batch_part *p)
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

static inline void want(void *ctx, const uuid *id)
{
    server *s = ctx;
    s->wanted[s->wanted_count++] = *id;
}

static inline void server_start(server *s)
{
    s->runs = runs_new(&(runs_limits){.shared = s->shared}, want, s);
    s->flush_at = s->now + FLUSH_MS * MS;
    s->wanted_count = 0;
}

/* As SIGKILL would: everything but the store is gone. */
static inline void server_kill(server *s)
{
    runs_free(s->runs);
    s->runs = NULL;
    while (s->waiting_count) batch_free(s->waiting[--s->waiting_count]);
}

static inline void take(void *ctx, const record *r)
{
    server *s = ctx;
    const peer from = {.bytes = {s->packet->address}, .size = 1};
    runs_take_from(s->runs, r, &from, s->packet->n, s->now);
}

/* Not even for a moment, on a live chart. */
static inline void assert_no_gaps(const batch_part *p)
{
    for (size_t i = 0; i < p->event_count; i++) assert_int_equal(p->events[i].kind, EVENT_MARK);
}

static inline void commit(server *s)
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

static inline void server_step(server *s, network *net, int64_t now)
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

static inline size_t column_entry(void *ctx, uint32_t i, uint8_t *out)
{
    (void)ctx;
    int n = snprintf((char *)out + 3, 32, "column%u", i);
    out[0] = 0, out[1] = 0, out[2] = (uint8_t)n;
    return 3 + (size_t)n;
}

static inline void client_start(client *c, size_t ring, uint32_t columns, int64_t now)
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

static inline void client_sample(client *c, int64_t now)
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

static inline void mark(client *c, int64_t now)
{
    const dolon__mark m = {now, "mark"};
    dolon__session_mark(&c->session, now, &m);
    c->marks++;
    c->stirred = true;
}

/* `spread`: each datagram goes to one of so many servers. */
static inline void client_step(client *c, network *net, int64_t now, size_t spread)
{
    uint8_t out[DATAGRAM];
    size_t n;
    if (c->gone || (!c->stirred && now < c->due)) return;
    c->stirred = false;
    for (int i = 0; (n = dolon__session_next(&c->session, now, out)) > 0; i++) {
        assert_true(i < 1000);
        if (spread > 1) net->server = random_below(spread);
        network_send(net, now, true, net->address, net->server, out, n);
    }
    c->due = dolon__session_due(&c->session, now);
    assert_true(c->due > now);
}

#endif
