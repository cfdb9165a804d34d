/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon_wire: the client of the binary wire, datagram by datagram: each kind as tests/golden/wire/KIND.hex has it,
   which the server's decoder reads as it was meant; and answers that must change nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <assert.h>
#include <math.h>

#define DOLON_IMPLEMENTATION
#define DOLON_STATIC
#define DOLON_ASSERT(x) assert(x)
#include "../dolon.h"

#include "../server/base/bytes.h"
#include "../server/base/histogram.h"
#include "../server/ingest/decode.h"

#define MS       DOLON__MS
#define STARTED  INT64_C(1700000000123456789)
#define DATAGRAM 1200

/* ---- a session with two columns ---- */

typedef struct {
    dolon__session session;
    uint8_t ring[4096], facts[DATAGRAM], scratch[256];
    uint8_t out[DATAGRAM];
} client;

static const uint8_t run[16] = {0x1e, 0x7c, 0x35, 0x6f, 0x16, 0xb3, 0x48, 0x5c,
                                0xa4, 0xf0, 0x06, 0x87, 0x29, 0x19, 0x28, 0x5e};

static size_t column(void *ctx, uint32_t i, uint8_t *out)
{
    (void)ctx;
    memcpy(out, i ? "\1\0\10requests" : "\0\2\3MBrss", i ? 11 : 8);
    return i ? 11 : 8;
}

static int begin(void **state)
{
    static client c;
    static dolon__passport p;
    dolon__session *s = &c.session;
    memset(&c, 0, sizeof c);
    memset(&p, 0, sizeof p);
    strcpy(p.app, "hello");
    strcpy(p.host, "b\xc3\xb6x \xff"); /* the last byte is no UTF-8: U+FFFD */
    strcpy(p.place, "boot pid:[4026531836]");
    strcpy(p.build, "a1b2c3");
    strcpy(p.args, "./hello -v");
    strcpy(p.tag_names[0], "branch");
    strcpy(p.tag_values[0], "main");
    p.tag_count = 1, p.pid = 4711, p.born = 86400, p.time = STARTED, p.interval = 250 * MS;
    memcpy(s->run, run, 16);
    s->datagram = DATAGRAM;
    s->facts = c.facts;
    s->facts_bytes = dolon__link_facts(&p, c.facts, sizeof c.facts - DOLON__HEADER);
    s->column = column;
    s->columns = 2;
    s->offset = -5;
    s->ring.bytes = c.ring;
    s->ring.size = sizeof c.ring;
    dolon__session_start(s, 0);
    *state = &c;
    return 0;
}

static void sample(client *c, int64_t now)
{
    uint64_t seq = c->session.ring.next.seq;
    const double values[] = {1.5 + (double)seq, seq % 2 ? dolon__nan() : (double)seq};
    dolon__session_row(&c->session, now, STARTED + now, values, (dolon__cells){2, 0}, NULL, c->scratch);
}

/* Of column 0: 300 times what is in bucket 130,000, once what is in the one after the next. Of column 1: once 0. */
static const uint8_t histograms[] = {1, 2, 0xd0, 0xf7, 7, 0xac, 2, 1, 1, 1, 1, 0, 1, 0, 0, 0};

/* A row with these, in `words` words: zeros follow them. */
static void sample_with_histograms(client *c, int64_t now, uint32_t words)
{
    uint8_t bytes[2048] = {0};
    const double values[] = {1.5, 2.5};
    memcpy(bytes, histograms, sizeof histograms);
    dolon__session_row(&c->session, now, STARTED + now, values, (dolon__cells){2, words}, bytes, c->scratch);
}

/* The next datagram of a kind; others are passed over. */
static size_t next_of(client *c, int64_t now, int kind)
{
    for (size_t n; (n = dolon__session_next(&c->session, now, c->out)) > 0;)
        if (c->out[3] == kind) return n;
    fail_msg("no datagram of kind %d", kind);
    return 0;
}

typedef struct {
    const char *what;
    int flags, holes; /* as the byte says, which may not fit the ranges there are */
    uint32_t columns, marks;
    uint64_t rows, seen, top;
    int ranges;
    uint64_t hole_seq;
    uint32_t hole_count;
} ack;

static size_t write_ack(const ack *a, uint8_t *out)
{
    uint8_t *p = dolon__put_bytes(dolon__put_bytes(out, "\xD0\x10\x01\x81", 4), run, 16);
    p = dolon__put(p, (uint64_t)a->flags, 1);
    p = dolon__put(p, (uint64_t)a->holes, 1);
    p = dolon__put(p, a->columns, 2);
    p = dolon__put(p, a->marks, 4);
    p = dolon__put(p, a->rows, 8);
    p = dolon__put(p, a->seen, 8);
    p = dolon__put(p, a->top, 8);
    for (int i = 0; i < a->ranges; i++) p = dolon__put(dolon__put(p, a->hole_seq, 8), a->hole_count, 4);
    return (size_t)(p - out);
}

/* ---- golden datagrams ---- */

static size_t read_golden(const char *kind, uint8_t *out, size_t room)
{
    char path[100];
    size_t n = 0;
    unsigned byte;
    snprintf(path, sizeof path, "tests/golden/wire/%s.hex", kind);
    FILE *f = fopen(path, "r");
    if (!f) fail_msg("%s is missing", path);
    while (n < room && fscanf(f, "%2x", &byte) == 1) out[n++] = (uint8_t)byte;
    fclose(f);
    return n;
}

static void keep(void *ctx, const record *r)
{
    *(record *)ctx = *r;
}

/* The bytes are as they should be; what the server makes of them. Its texts and arrays live until the next. */
static record check_golden(const client *c, size_t n, const char *kind)
{
    uint8_t golden[DATAGRAM];
    record r = {.kind = RECORD_ROW};
    size_t length = read_golden(kind, golden, sizeof golden);
    if (length != n || memcmp(golden, c->out, n) != 0) {
        for (size_t i = 0; i < n; i++) fprintf(stderr, "%02x%s", c->out[i], i % 16 == 15 || i == n - 1 ? "\n" : " ");
        fail_msg("%s.hex is not what is sent (above)", kind);
    }
    assert_int_equal(decode_datagram(c->out, n, keep, &r), DECODE_OK);
    assert_memory_equal(r.run.b, run, 16);
    return r;
}

static void assert_text(span text, const char *expected)
{
    assert_int_equal(text.n, strlen(expected));
    assert_memory_equal(text.p, expected, text.n);
}

static void facts(void **state)
{
    client *c = *state;
    record r = check_golden(c, next_of(c, 0, DOLON__FACTS), "facts");
    assert_int_equal(r.kind, RECORD_FACTS);
    assert_int_equal(r.announce.started, STARTED);
    assert_int_equal(r.announce.interval, 250 * MS);
    assert_int_equal(r.announce.pid, 4711);
    assert_int_equal(r.announce.born, 86400);
    assert_text(r.announce.app, "hello");
    assert_text(r.announce.host, "b\xc3\xb6x \xef\xbf\xbd");
    assert_text(r.announce.place, "boot pid:[4026531836]");
    assert_text(r.announce.build, "a1b2c3");
    assert_text(r.announce.args, "./hello -v");
    assert_int_equal(r.announce.tag_count, 1);
    assert_text(r.announce.tags[0].name, "branch");
    assert_text(r.announce.tags[0].value, "main");
}

static void columns(void **state)
{
    client *c = *state;
    record r = check_golden(c, next_of(c, 0, DOLON__COLUMNS), "columns");
    assert_int_equal(r.names.first, 0);
    assert_int_equal(r.names.count, 2);
    assert_text(r.names.columns[0].name, "rss");
    assert_text(r.names.columns[0].unit, "MB");
    assert_int_equal(r.names.columns[0].kind, COLUMN_GAUGE);
    assert_text(r.names.columns[1].name, "requests");
    assert_text(r.names.columns[1].unit, "");
    assert_int_equal(r.names.columns[1].kind, COLUMN_COUNTER);
}

static void rows(void **state)
{
    client *c = *state;
    for (int i = 0; i < 3; i++) sample(c, i * MS);
    record r = check_golden(c, next_of(c, 3 * MS, DOLON__ROWS), "rows");
    assert_int_equal(r.rows.kept, 0);
    assert_int_equal(r.rows.next, 3);
    assert_int_equal(r.rows.offset, -5);
    assert_int_equal(r.rows.columns, 2);
    assert_int_equal(r.rows.first, 0);
    assert_int_equal(r.rows.slice, 2);
    assert_int_equal(r.rows.seq, 0);
    assert_int_equal(r.rows.count, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(r.rows.time[i], STARTED + i * MS);
        assert_true(r.rows.values[2 * i] == 1.5 + i);
    }
    assert_true(r.rows.values[1] == 0 && isnan(r.rows.values[3]) && r.rows.values[5] == 2);
}

static void heartbeat(void **state)
{
    client *c = *state;
    while (dolon__session_next(&c->session, 0, c->out) > 0) continue;
    record r = check_golden(c, next_of(c, 4000 * MS, DOLON__ROWS), "heartbeat");
    assert_int_equal(r.rows.count, 0);
    assert_int_equal(r.rows.next, 0);
    assert_int_equal(r.rows.columns, 2);
}

/* A datagram of 84 bytes holds one row of two columns, or of what is wider 2 columns at a time. */
static void slices(void **state)
{
    client *c = *state;
    const double values[] = {1, 2, 3};
    c->session.datagram = 84;
    c->session.columns = 0; /* none to tell of */
    dolon__session_row(&c->session, 0, STARTED, values, (dolon__cells){3, 0}, NULL, c->scratch);
    record r = check_golden(c, next_of(c, 0, DOLON__ROWS), "slice0");
    assert_int_equal(r.rows.columns, 3);
    assert_int_equal(r.rows.first, 0);
    assert_int_equal(r.rows.slice, 2);
    assert_true(r.rows.values[0] == 1 && r.rows.values[1] == 2);
    r = check_golden(c, next_of(c, 0, DOLON__ROWS), "slice1");
    assert_int_equal(r.rows.first, 2);
    assert_int_equal(r.rows.slice, 1);
    assert_int_equal(r.rows.seq, 0);
    assert_true(r.rows.values[0] == 3);
}

static histogram *picked_of(void *ctx, uint32_t column)
{
    return (histogram *)ctx + column;
}

static void row_with_histograms(void **state)
{
    client *c = *state;
    sample_with_histograms(c, 0, 2);
    record r = check_golden(c, next_of(c, 100 * MS, DOLON__ROW), "row");
    assert_int_equal(r.kind, RECORD_ROWS);
    assert_int_equal(r.rows.kept, 0);
    assert_int_equal(r.rows.next, 1);
    assert_int_equal(r.rows.offset, -5);
    assert_int_equal(r.rows.columns, 2);
    assert_int_equal(r.rows.words, 2);
    assert_int_equal(r.rows.first, 0);
    assert_int_equal(r.rows.slice, 4);
    assert_int_equal(r.rows.count, 1);
    assert_true(r.rows.time[0] == STARTED && r.rows.values[0] == 1.5 && r.rows.values[1] == 2.5);
    span words = {(const char *)(r.rows.values + 2), 16};
    histogram picked[2] = {{0}};
    assert_int_equal(histogram_set_length(words, 2), 13);
    histogram_set_pick(words, picked_of, picked);
    histogram first = picked[0], second = picked[1];
    assert_true(first.count == 2 && first.bins[0].bucket == 130000 && first.bins[0].count == 300);
    assert_true(first.bins[1].bucket == 130002 && first.bins[1].count == 1);
    assert_true(second.count == 1 && second.bins[0].bucket == 0 && second.bins[0].count == 1);
    histogram_free(&first);
    histogram_free(&second);
}

/* Datagrams that bring row 1 from here on: each cell once, in order. Returns how many they were. */
static int take_slices(client *c, int64_t now, uint32_t words)
{
    uint32_t next = 0;
    int datagrams = 0;
    for (; next < 2 + words; datagrams++) {
        record r = {.kind = RECORD_ROW};
        assert_int_equal(decode_datagram(c->out, next_of(c, now, DOLON__ROW), keep, &r), DECODE_OK);
        assert_int_equal(r.rows.seq, 1);
        assert_int_equal(r.rows.words, words);
        assert_int_equal(r.rows.first, next);
        assert_true(r.rows.time[0] == STARTED + MS);
        for (uint32_t i = 0; i < r.rows.slice; i++, next++) {
            uint8_t bytes[8] = {0};
            if (next < 2) store_u64(bytes, bits_of(next ? 2.5 : 1.5));
            if (next >= 2 && next < 4) memcpy(bytes, histograms + 8 * (next - 2), 8);
            uint64_t cell = load_u64(bytes);
            if (next < 2)
                assert_true(bits_of(r.rows.values[i]) == cell);
            else
                assert_memory_equal(&r.rows.values[i], bytes, 8);
        }
    }
    assert_int_equal(next, 2 + words);
    return datagrams;
}

/* More words than a datagram holds, at first, as a hole, and again when no answer comes. */
static void histograms_in_slices(void **state)
{
    client *c = *state;
    uint8_t bytes[128];
    sample(c, 0);
    sample_with_histograms(c, MS, 200);
    sample(c, 2 * MS);
    assert_int_equal(take_slices(c, 100 * MS, 200), 2);
    next_of(c, 100 * MS, DOLON__ROWS);
    assert_int_equal(c->session.sent.row.seq, 3);
    const ack hole = {"", 1, 1, 2, 0, 1, 1, 3, 1, 1, 1};
    dolon__session_take(&c->session, 110 * MS, bytes, write_ack(&hole, bytes));
    assert_int_equal(take_slices(c, 110 * MS, 200), 2);
    const ack same = {"", 1, 0, 2, 0, 1, 1, 1, 0, 0, 0};
    dolon__session_take(&c->session, 900 * MS, bytes, write_ack(&same, bytes));
    assert_int_equal(take_slices(c, 1900 * MS, 200), 2);
    assert_int_equal(c->session.ring.dropped, 0);
}

/* A row with histograms goes alone, but neither it nor those behind it wait for that any longer than those before it. */
static void rows_beside_histograms_do_not_wait(void **state)
{
    static const int kinds[] = {DOLON__ROWS, DOLON__ROW, DOLON__ROW, DOLON__ROWS};
    client *c = *state;
    uint8_t bytes[128];
    const ack known = {"", 1, 0, 2, 0, 0, 0, 0, 0, 0, 0};
    c->session.linger = 100 * MS;
    while (dolon__session_next(&c->session, 0, c->out) > 0) continue;
    dolon__session_take(&c->session, 0, bytes, write_ack(&known, bytes));
    for (int i = 0; i < 3; i++) sample(c, i * 10 * MS);
    sample_with_histograms(c, 30 * MS, 2);
    sample_with_histograms(c, 40 * MS, 2);
    for (int i = 5; i < 10; i++) sample(c, i * 10 * MS);
    assert_int_equal(dolon__session_next(&c->session, 99 * MS, c->out), 0);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        assert_true(dolon__session_next(&c->session, 100 * MS, c->out) > 0);
        assert_int_equal(c->out[3], kinds[i]);
    }
    assert_int_equal(c->session.sent.row.seq, 10);
    assert_int_equal(dolon__session_next(&c->session, 100 * MS, c->out), 0);
}

static void marks(void **state)
{
    client *c = *state;
    const dolon__mark first = {STARTED, "cache flushed"}, second = {STARTED + MS, "no UTF-8: \xff"};
    dolon__session_mark(&c->session, 0, &first);
    dolon__session_mark(&c->session, 0, &second);
    record r = check_golden(c, next_of(c, 0, DOLON__MARKS), "marks");
    assert_int_equal(r.marks.kept, 0);
    assert_int_equal(r.marks.first, 0);
    assert_int_equal(r.marks.count, 2);
    assert_int_equal(r.marks.labels[1].time, STARTED + MS);
    assert_text(r.marks.labels[0].text, "cache flushed");
    assert_text(r.marks.labels[1].text, "no UTF-8: \xef\xbf\xbd");
}

static void goodbye(void **state)
{
    client *c = *state;
    const dolon__mark mark = {STARTED, "m"};
    for (int i = 0; i < 3; i++) sample(c, i * MS);
    dolon__session_mark(&c->session, 0, &mark);
    dolon__session_bye(&c->session, 3 * MS, STARTED + 3 * MS, 1);
    record r = check_golden(c, next_of(c, 3 * MS, DOLON__GOODBYE), "goodbye");
    assert_int_equal(r.goodbye.reason, END_CRASHED);
    assert_int_equal(r.goodbye.time, STARTED + 3 * MS);
    assert_int_equal(r.goodbye.kept, 0);
    assert_int_equal(r.goodbye.next, 3);
    assert_int_equal(r.goodbye.marks, 1);
}

/* ---- answers ---- */

/* Ten rows, of which all were sent, and a mark. */
static void ten_rows(client *c)
{
    const dolon__mark mark = {STARTED, "m"};
    for (int i = 0; i < 10; i++) sample(c, i * MS);
    dolon__session_mark(&c->session, 0, &mark);
    while (dolon__session_next(&c->session, 10 * MS, c->out)) continue;
    assert_int_equal(c->session.sent_top, 10);
}

static void ill_formed_answers_change_nothing(void **state)
{
    static const ack bad[] = {
        {"more rows than there are", 1, 0, 2, 1, 11, 11, 11, 0, 0, 0},
        {"rows beyond any", 1, 0, 2, 1, UINT64_MAX, UINT64_MAX, UINT64_MAX, 0, 0, 0},
        {"more seen than there are", 1, 0, 2, 1, 5, 11, 11, 0, 0, 0},
        {"fewer seen than durable", 1, 0, 2, 1, 5, 4, 10, 0, 0, 0},
        {"more columns than there are", 1, 0, 3, 1, 5, 5, 5, 0, 0, 0},
        {"more marks than there are", 1, 0, 2, 2, 5, 5, 5, 0, 0, 0},
        {"rows of a run it does not know", 0, 0, 0, 0, 5, 5, 5, 0, 0, 0},
        {"a hole that is not there", 1, 1, 2, 1, 5, 5, 10, 0, 0, 0},
        {"a hole too many", 1, 0, 2, 1, 5, 5, 10, 1, 5, 1},
        {"more holes than there may be", 1, 17, 2, 1, 5, 5, 10, 17, 5, 1},
        {"255 holes", 1, 255, 2, 1, 5, 5, 10, 2, 5, 1},
    };
    client *c = *state;
    uint8_t bytes[512];
    ten_rows(c);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        dolon__session before = c->session;
        dolon__session_take(&c->session, 20 * MS, bytes, write_ack(&bad[i], bytes));
        if (memcmp(&before, &c->session, sizeof before) != 0) fail_msg("%s", bad[i].what);
    }
}

static const ack good = {"", 1, 1, 2, 1, 4, 5, 8, 1, 5, 2};

/* Each length but the right one; each byte of the head but the right one. */
static void other_answers_change_nothing(void **state)
{
    client *c = *state;
    uint8_t bytes[128] = {0}, changed[128];
    ten_rows(c);
    size_t n = write_ack(&good, bytes);
    dolon__session before = c->session;
    for (size_t length = 0; length < sizeof bytes; length++) {
        if (length == n) continue;
        dolon__session_take(&c->session, 20 * MS, bytes, length);
        assert_memory_equal(&before, &c->session, sizeof before);
    }
    for (size_t i = 0; i < DOLON__HEADER; i++) {
        for (unsigned other = 1; other < 256; other++) {
            memcpy(changed, bytes, n);
            changed[i] ^= (uint8_t)other;
            dolon__session_take(&c->session, 20 * MS, changed, n);
            assert_memory_equal(&before, &c->session, sizeof before);
        }
    }
    dolon__session_take(&c->session, 20 * MS, bytes, n);
    assert_int_equal(c->session.ring.oldest.seq, 4);
    assert_int_equal(c->session.marks_durable, 1);
    assert_int_equal(c->session.known, 1);
}

/* Holes that lie elsewhere than between what was seen and what was sent are cut to that, or left. */
static void holes_are_mended_where_there_can_be_any(void **state)
{
    static const struct {
        uint64_t seq;
        uint32_t count;
        uint64_t top, first, rows; /* what is sent again; rows 0: nothing */
    } table[] = {
        {5, 2, 8, 5, 2},
        {0, 100, 100, 4, 6},
        {8, 100, 9, 8, 1},
        {10, 5, 20, 0, 0},
        {UINT64_MAX - 1, UINT32_MAX, UINT64_MAX, 0, 0},
        {3, 0, 10, 0, 0},
        {0, 3, 10, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        uint8_t bytes[128];
        uint64_t sent = 0;
        begin(state);
        client *c = *state;
        ten_rows(c);
        ack a = good;
        a.hole_seq = table[i].seq, a.hole_count = table[i].count, a.top = table[i].top;
        dolon__session_take(&c->session, 20 * MS, bytes, write_ack(&a, bytes));
        while (dolon__session_next(&c->session, 20 * MS, c->out) > 0) {
            record r = {.kind = RECORD_ROW};
            assert_int_equal(c->out[3], DOLON__ROWS);
            assert_int_equal(decode_datagram(c->out, DOLON__ROWS_HEAD + (size_t)(c->out[50] * 24), keep, &r),
                             DECODE_OK);
            if (sent == 0) assert_int_equal(r.rows.seq, table[i].first);
            sent += r.rows.count;
        }
        assert_int_equal(sent, table[i].rows);
    }
}

/* ---- paces ---- */

/* A ring that has filled while the server was away does not go to it all at once, and the client sleeps in between. */
static void what_has_gathered_goes_at_a_measured_pace(void **state)
{
    client *c = *state;
    uint8_t bytes[128];
    const ack back = {"", 1, 0, 2, 0, 0, 0, 0, 0, 0, 0};
    int64_t now = 4000 * MS;
    int datagrams = 0, rounds = 0;
    c->session.datagram = 84; /* a row each */
    assert_true(dolon__session_next(&c->session, 0, c->out) > 0);
    for (int i = 0; i < 100; i++) sample(c, now);
    while (dolon__session_next(&c->session, now, c->out) > 0)
        assert_int_not_equal(c->out[50], 1); /* asleep, as what was asked is not answered: no row */
    dolon__session_take(&c->session, now, bytes, write_ack(&back, bytes));
    for (; c->session.sent.row.seq < 100; rounds++) {
        int burst = 0;
        while (dolon__session_next(&c->session, now, c->out) > 0) burst++;
        assert_in_range(burst, 1, 32 + 1); /* and COLUMNS, perhaps */
        datagrams += burst;
        int64_t due = dolon__session_due(&c->session, now);
        assert_true(due > now);
        now = due;
    }
    assert_true(datagrams >= 100 && rounds >= 4);
    assert_int_equal(c->session.resent, 0);
}

static void a_full_list_of_marks_lets_the_oldest_go(void **state)
{
    client *c = *state;
    for (int i = 0; i < DOLON_MAX_MARKS + 3; i++) {
        dolon__mark m = {STARTED + i, ""};
        snprintf(m.label, sizeof m.label, "mark %d", i);
        assert_int_equal(dolon__session_marks_are_full(&c->session), i >= DOLON_MAX_MARKS);
        dolon__session_mark(&c->session, 0, &m);
    }
    record r = {.kind = RECORD_ROW};
    assert_int_equal(decode_datagram(c->out, next_of(c, 0, DOLON__MARKS), keep, &r), DECODE_OK);
    assert_int_equal(r.marks.kept, 3);
    assert_int_equal(r.marks.first, 3);
    assert_text(r.marks.labels[0].text, "mark 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(facts, begin),
        cmocka_unit_test_setup(columns, begin),
        cmocka_unit_test_setup(rows, begin),
        cmocka_unit_test_setup(heartbeat, begin),
        cmocka_unit_test_setup(slices, begin),
        cmocka_unit_test_setup(row_with_histograms, begin),
        cmocka_unit_test_setup(histograms_in_slices, begin),
        cmocka_unit_test_setup(rows_beside_histograms_do_not_wait, begin),
        cmocka_unit_test_setup(marks, begin),
        cmocka_unit_test_setup(goodbye, begin),
        cmocka_unit_test_setup(ill_formed_answers_change_nothing, begin),
        cmocka_unit_test_setup(other_answers_change_nothing, begin),
        cmocka_unit_test_setup(holes_are_mended_where_there_can_be_any, begin),
        cmocka_unit_test_setup(what_has_gathered_goes_at_a_measured_pace, begin),
        cmocka_unit_test_setup(a_full_list_of_marks_lets_the_oldest_go, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
