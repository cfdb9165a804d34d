/* SPDX-License-Identifier: MIT OR Unlicense
   test_store_trim: what of a change is still to be written, when several servers write a run in any order. The store here
   is the list of what became of each row; it refuses to take a row twice, or a gap where a row is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sample.h"

#define RANDOM_SEED 7
#include "random.h"

#include "../server/store/store_trim.h"

#define ROWS    400
#define MARKS   (2 * ROWS)
#define SERVERS 3
#define QUEUE   8
#define ROUNDS  2000

/* ---- a store: what became of each row ---- */

enum { NOTHING, A_ROW, A_GAP };

typedef struct {
    store_position at;
    uint8_t rows[ROWS];   /* by number                                     */
    uint8_t marks[MARKS]; /* ditto: how often it is there                  */
    size_t told[ROWS];    /* how often the row of that value is there      */
    uint64_t lost;
} model;

static void hold_rows(model *m, const chunk *c)
{
    assert_true(c->rows > 0);
    chunk_key k = chunk_key_of(c);
    assert_true(k.first_time == c->key.first_time && k.last_time == c->key.last_time);
    assert_true(k.first_seq == c->key.first_seq && k.last_seq == c->key.last_seq && k.rows == c->key.rows);
    for (size_t i = 0; i < c->rows; i++) {
        assert_int_equal(m->rows[c->seq[i]], NOTHING);
        m->rows[c->seq[i]] = A_ROW;
        m->told[(size_t)c->values[0][i]]++;
        assert_true(c->values[1][i] == c->values[0][i] + 0.5);
        if (c->time[i] > m->at.last) m->at.last = c->time[i];
    }
    assert_int_equal(c->summaries[0].count, c->rows);
    assert_true(c->summaries[0].first == c->values[0][0]);
}

static void hold_event(model *m, const run_event *e)
{
    if (e->kind == EVENT_MARK) {
        assert_int_equal(m->marks[e->seq]++, 0);
        return;
    }
    assert_true(e->count > 0 && e->time <= e->until);
    for (uint64_t seq = e->seq; seq < e->seq + e->count; seq++) {
        assert_int_equal(m->rows[seq], NOTHING);
        m->rows[seq] = A_GAP;
    }
    m->lost += e->count;
}

static void hold(model *m, const store_change *c, uint64_t next_seq)
{
    for (size_t i = 0; i < c->put_count; i++) hold_rows(m, c->put[i]);
    for (size_t i = 0; i < c->event_count; i++) hold_event(m, &c->events[i]);
    assert_true(next_seq >= m->at.next_seq);
    m->at.next_seq = next_seq;
    if (c->info->next_mark > m->at.next_mark) m->at.next_mark = c->info->next_mark;
    for (uint64_t seq = 0; seq < ROWS; seq++) assert_int_equal(m->rows[seq] != NOTHING, seq < next_seq);
}

static void write_change(model *m, const store_change *c)
{
    store_trimmed t;
    if (!store_trim(c, &m->at, &t)) {
        hold(m, c, c->info->next_seq);
        return;
    }
    assert_ptr_equal(t.change.info, c->info);
    hold(m, &t.change, t.next_seq);
    store_trimmed_free(&t);
}

/* ---- a server: what it has handed on and not yet written ---- */

typedef struct {
    store_change queue[QUEUE];
    size_t count;
    uint64_t next;
    uint32_t next_mark;
} server;

static run_info *info_of(const server *s, bool acked)
{
    run_info *r = sample_run(1);
    r->acked = acked;
    r->counted = !acked;
    r->next_seq = s->next;
    r->next_mark = s->next_mark;
    r->last = sample_time(s->next);
    return r;
}

static void free_change(store_change *c)
{
    for (size_t i = 0; i < c->put_count; i++) chunk_free(c->put[i]);
    free((void *)c->put);
    free((void *)c->events);
    run_info_free((run_info *)c->info);
}

static void forget_first(server *s)
{
    free_change(&s->queue[0]);
    memmove(s->queue, s->queue + 1, --s->count * sizeof *s->queue);
}

static void kill_server(server *s, const model *m)
{
    while (s->count > 0) forget_first(s);
    s->next = m->at.next_seq;
    s->next_mark = m->at.next_mark;
}

/* Rows from `first` on, the values from `value` on. */
static chunk *rows_of(uint64_t first, size_t rows, uint64_t value)
{
    chunk *c = chunk_new(rows, 2);
    for (size_t i = 0; i < rows; i++) {
        c->seq[i] = first + i;
        c->time[i] = sample_time(value + i);
        c->values[0][i] = (double)(value + i);
        c->values[1][i] = (double)(value + i) + 0.5;
    }
    chunk_summarise(c);
    return c;
}

/* The next rows, marks and gaps that this server has to tell of; perhaps nothing. `value`: of the next row. */
static void hand_on(server *s, bool acked, uint64_t *value)
{
    static char none[] = "";
    if (s->count == QUEUE) return;
    chunk **put = mem_calloc(2, sizeof(chunk *));
    run_event *events = mem_calloc(4, sizeof *events);
    size_t puts = 0, count = 0;
    int64_t last = sample_time(s->next);
    for (size_t i = random_below(3); i > 0; i--) {
        uint64_t from = acked ? s->next : *value;
        size_t rows = 1 + random_below(6);
        if (from + rows > ROWS || s->next + rows > ROWS) break;
        if (random_below(4) == 0) {
            events[count++] = (run_event){EVENT_GAP, last, sample_time(s->next + rows), s->next, rows, none};
        } else {
            put[puts++] = rows_of(s->next, rows, from);
            *value += rows;
        }
        s->next += rows;
    }
    if (random_below(3) == 0 && s->next_mark < MARKS && acked)
        events[count++] = (run_event){EVENT_MARK, last, last, s->next_mark++, 0, none};
    s->queue[s->count++] = (store_change){
        .info = info_of(s, acked), .put = put, .put_count = puts, .events = events, .event_count = count};
}

/* ---- the binary wire's ---- */

/* Servers get the same rows again and again, write them in any order, twice, or are killed before; now and then the store
   itself falls back to what it held before. However it goes, all up to next_seq is there once. */
static void each_row_once(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        model m = {0}, before = {0};
        server servers[SERVERS] = {0};
        uint64_t unused = 0;
        for (int step = 0; step < 100; step++) {
            server *s = &servers[random_below(SERVERS)];
            switch (random_below(12)) {
            case 0: kill_server(s, &m); break;
            case 1:
                if (random_below(20) == 0) m = before;
                break;
            case 2: before = m; break;
            case 3:
                if (s->count > 0) write_change(&m, &s->queue[0]); /* and its answer is lost */
                break;
            case 4:
            case 5:
            case 6:
            case 7:
                if (s->count > 0) {
                    write_change(&m, &s->queue[0]);
                    forget_first(s);
                }
                break;
            default: hand_on(s, true, &unused);
            }
        }
        uint64_t lost = 0;
        for (uint64_t seq = 0; seq < ROWS; seq++) {
            lost += m.rows[seq] == A_GAP;
            assert_int_equal(m.told[seq], m.rows[seq] == A_ROW);
        }
        assert_int_equal(m.lost, lost);
        for (int i = 0; i < SERVERS; i++) kill_server(&servers[i], &m);
    }
}

/* What one server has stored changes nothing when the other comes with it; with some more, only that is taken. */
static void what_is_there_is_left_out(void **state)
{
    (void)state;
    server s = {.next = 30, .next_mark = 2};
    run_info *r = info_of(&s, true);
    chunk *rows[] = {rows_of(0, 10, 0), rows_of(15, 15, 15)};
    char text[] = "";
    run_event events[] = {{EVENT_MARK, 1, 1, 0, 0, text},
                          {EVENT_GAP, sample_time(9), sample_time(15), 10, 5, text},
                          {EVENT_MARK, 2, 2, 1, 0, text}};
    store_change c = {.info = r, .put = rows, .put_count = 2, .events = events, .event_count = 3};
    store_trimmed t;
    assert_false(store_trim(&c, &(store_position){0, 0, 0, RUN_LIVE}, &t));

    assert_true(store_trim(&c, &(store_position){30, 2, sample_time(29), RUN_LIVE}, &t));
    assert_true(t.change.put_count == 0 && t.change.event_count == 0 && t.next_seq == 30);
    store_trimmed_free(&t);

    assert_true(store_trim(&c, &(store_position){40, 7, sample_time(39), RUN_LIVE}, &t));
    assert_true(t.change.put_count == 0 && t.change.event_count == 0 && t.next_seq == 40);
    store_trimmed_free(&t);

    assert_true(store_trim(&c, &(store_position){12, 1, sample_time(11), RUN_LIVE}, &t));
    assert_true(t.change.put_count == 1 && t.change.put[0] == rows[1] && t.next_seq == 30);
    assert_int_equal(t.change.event_count, 2);
    assert_true(t.change.events[0].seq == 12 && t.change.events[0].count == 3);
    assert_true(t.change.events[0].time == sample_time(11) && t.change.events[0].until == sample_time(15));
    assert_int_equal(t.change.events[1].seq, 1);
    store_trimmed_free(&t);

    assert_true(store_trim(&c, &(store_position){20, 2, sample_time(19), RUN_LIVE}, &t));
    assert_true(t.change.put_count == 1 && t.change.event_count == 0 && t.next_seq == 30);
    assert_true(t.change.put[0]->rows == 10 && t.change.put[0]->key.first_seq == 20);
    assert_true(t.change.put[0]->key.first_time == sample_time(20) && t.change.put[0]->values[0][0] == 20);
    store_trimmed_free(&t);
    for (size_t i = 0; i < 2; i++) chunk_free(rows[i]);
    run_info_free(r);
}

/* The store fell back to 20; rows up to 29 were acknowledged and are nowhere. */
static void what_the_store_forgot_is_lost(void **state)
{
    (void)state;
    server s = {.next = 40};
    run_info *r = info_of(&s, true);
    chunk *rows = rows_of(30, 10, 30);
    store_change c = {.info = r, .put = &rows, .put_count = 1}, silent = {.info = r};
    store_position at = {20, 0, sample_time(19), RUN_LIVE};
    store_trimmed t;
    assert_true(store_trim(&c, &at, &t));
    assert_true(t.change.put_count == 1 && t.change.event_count == 1 && t.next_seq == 40);
    const run_event *gap = &t.change.events[0];
    assert_true(gap->kind == EVENT_GAP && gap->seq == 20 && gap->count == 10);
    assert_true(gap->time == sample_time(19) && gap->until == sample_time(30));
    store_trimmed_free(&t);

    assert_true(store_trim(&silent, &at, &t)); /* it brings nothing, but says how far it is */
    assert_true(t.change.event_count == 1 && t.change.events[0].count == 20 && t.next_seq == 40);
    store_trimmed_free(&t);
    chunk_free(rows);
    run_info_free(r);
}

/* ---- those that the server numbers ---- */

/* Each server numbers what it gets; the client spreads its rows among them. */
static void numbers_go_on(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        model m = {0};
        server servers[SERVERS] = {0};
        uint64_t value = 0;
        for (int step = 0; step < 60; step++) {
            server *s = &servers[random_below(SERVERS)];
            if (random_below(2) == 0) {
                hand_on(s, false, &value);
            } else if (s->count > 0 && m.at.next_seq + 20 < ROWS) {
                write_change(&m, &s->queue[0]);
                forget_first(s);
            }
        }
        for (int i = 0; i < SERVERS; i++) {
            for (; servers[i].count > 0 && m.at.next_seq + 20 < ROWS; forget_first(&servers[i]))
                write_change(&m, &servers[i].queue[0]);
            value = servers[i].count > 0 ? 0 : value;
            kill_server(&servers[i], &m);
        }
        for (uint64_t v = 0; v < value; v++) assert_int_equal(m.told[v], 1);
    }
}

/* A standby took over that had fewer of the rows that this server numbered; or the run was removed. */
static void numbers_the_store_forgot(void **state)
{
    (void)state;
    server s = {.next = 12};
    for (uint64_t stored = 0; stored <= 6; stored += 6) {
        store_change c = {.info = info_of(&s, false), .put_count = 1};
        chunk **put = mem_calloc(1, sizeof *put);
        put[0] = rows_of(10, 2, 10);
        c.put = put;
        store_position at = {.next_seq = stored, .last = sample_time(stored)};
        store_trimmed t;
        assert_true(store_trim(&c, &at, &t));
        assert_int_equal(t.change.put_count, 1);
        assert_int_equal(t.change.event_count, stored ? 1 : 0);
        assert_int_equal(t.change.put[0]->key.first_seq, stored ? 10 : 0);
        assert_int_equal(t.next_seq, stored ? 12 : 2);
        if (stored) {
            assert_int_equal(t.change.events[0].seq, 6);
            assert_int_equal(t.change.events[0].count, 4);
        }
        store_trimmed_free(&t);
        free_change(&c);
    }
}

/* ---- the others ---- */

static void others_are_as_they_are(void **state)
{
    (void)state;
    server s = {.next = 40};
    run_info *r = info_of(&s, true);
    chunk *rows = rows_of(30, 10, 30);
    store_change c = {.info = r, .put = &rows, .put_count = 1};
    store_trimmed t;
    r->acked = false; /* JSON with "seq": its rows may come late */
    for (uint64_t next = 0; next < 50; next += 10)
        assert_false(store_trim(&c, &(store_position){next, 0, 0, RUN_LIVE}, &t));
    r->acked = true; /* a merge says what it builds on */
    c.drop = &rows->key, c.drop_count = 1;
    for (uint64_t next = 0; next < 50; next += 10)
        assert_false(store_trim(&c, &(store_position){next, 0, 0, RUN_LIVE}, &t));
    chunk_free(rows);
    run_info_free(r);
}

/* ---- the state ---- */

static void who_knows_more_tells_the_state(void **state)
{
    (void)state;
    const run_state L = RUN_LIVE, E = RUN_ENDED, C = RUN_CRASHED;
    const struct {
        run_state stored, told, fewer, same, more; /* rows that the teller knows, and the state that is right then */
    } cases[] = {
        {L, L, L, L, L}, {L, E, L, E, E}, {L, C, L, C, C}, {E, L, E, E, L}, {E, E, E, E, E},
        {E, C, E, E, C}, {C, L, C, C, L}, {C, E, C, E, E}, {C, C, C, C, C},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        store_position at = {10, 0, 0, cases[i].stored};
        assert_int_equal(store_state(cases[i].told, 9, &at), cases[i].fewer);
        assert_int_equal(store_state(cases[i].told, 10, &at), cases[i].same);
        assert_int_equal(store_state(cases[i].told, 11, &at), cases[i].more);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_once),
        cmocka_unit_test(what_is_there_is_left_out),
        cmocka_unit_test(what_the_store_forgot_is_lost),
        cmocka_unit_test(numbers_go_on), cmocka_unit_test(numbers_the_store_forgot),
        cmocka_unit_test(others_are_as_they_are),
        cmocka_unit_test(who_knows_more_tells_the_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
