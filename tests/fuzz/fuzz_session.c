/* SPDX-License-Identifier: MIT OR Unlicense
   fuzz_session: hostile answers to the client of the binary wire, between rows, marks, new columns, time that passes
   and a goodbye. An input is a sequence of deeds, each a byte and what it needs. Whatever the network says:
     - a row is forgotten only if a well-formed acknowledgement says so, or the ring was full;
     - what is sent is well-formed to the server's own decoder, within the datagram, and holds the rows as sampled, and the
       histograms that go with some;
     - it comes to rest, and then knows a later time at which to go on. */
#define DOLON_IMPLEMENTATION
#define DOLON_STATIC
#include "../../dolon.h"

#include "../../server/ingest/decode.h"

#include "must.h"

enum { MOST_COLUMNS = 200, MOST_WORDS = 800, MOST_ROWS = 4096, DATAGRAM_LEAST = 512 };

typedef struct {
    const uint8_t *p, *end;
} input;

typedef struct {
    dolon__session session;
    uint8_t facts[64], ring[8192], scratch[12 + 8 * MOST_COLUMNS];
    uint32_t columns_of[MOST_ROWS], words_of[MOST_ROWS];
    int64_t now;
    uint32_t marks;
    bool bye;
} client;

/* ---- the input; past its end everything is 0 ---- */

static uint64_t get(input *in, size_t bytes)
{
    uint64_t v = 0;
    for (size_t i = 0; i < bytes && in->p < in->end; i++) v |= (uint64_t)*in->p++ << 8 * i;
    return v;
}

/* A number near `about`, mostly: those are the ones that matter. */
static uint64_t get_near(input *in, uint64_t about)
{
    uint64_t form = get(in, 1);
    return form < 240 ? about + form - 120 : get(in, 8);
}

/* ---- what is sent ---- */

static double value_of(uint64_t seq, size_t column)
{
    return (double)seq * 256 + (double)column;
}

/* Of histograms: bytes, some of which are no number. */
static void put_word(uint8_t *to, uint64_t seq, uint32_t word)
{
    memset(to, 0xff, 8);
    to[0] = (uint8_t)word, to[1] = (uint8_t)(word >> 8), to[2] = (uint8_t)seq;
}

static bool is_cell(const double *cell, uint64_t seq, uint32_t columns, uint32_t at)
{
    uint8_t word[8];
    if (at < columns) return *cell == value_of(seq, at);
    put_word(word, seq, at - columns);
    return memcmp(cell, word, sizeof word) == 0;
}

static void check_rows(const client *c, const record_rows *rows)
{
    const dolon__ring *ring = &c->session.ring;
    MUST(rows->kept == ring->oldest.seq);
    MUST(rows->next == ring->next.seq);
    for (uint32_t i = 0; i < rows->count; i++) {
        uint64_t seq = rows->seq + i;
        MUST(seq >= ring->oldest.seq);
        MUST(rows->columns == c->columns_of[seq]);
        MUST(rows->words == c->words_of[seq] && (!rows->words || rows->count == 1));
        MUST(rows->time[i] == (int64_t)seq);
        for (uint32_t k = 0; k < rows->slice; k++)
            MUST(is_cell(&rows->values[(size_t)i * rows->slice + k], seq, rows->columns, rows->first + k));
    }
}

static void check_record(void *ctx, const record *r)
{
    const client *c = ctx;
    switch (r->kind) {
    case RECORD_FACTS: MUST(r->announce.app.n == 1); break;
    case RECORD_COLUMNS: MUST(r->names.first + r->names.count <= c->session.columns); break;
    case RECORD_ROWS: check_rows(c, &r->rows); break;
    case RECORD_MARKS: MUST(r->marks.first + r->marks.count <= c->marks); break;
    case RECORD_GOODBYE: MUST(c->bye && r->goodbye.next == c->session.ring.next.seq); break;
    default: MUST(!"a message of the client's");
    }
}

static void send_what_is_due(client *c)
{
    uint8_t out[DATAGRAM_LEAST];
    size_t n;
    for (int i = 0; (n = dolon__session_next(&c->session, c->now, out)) > 0; i++) {
        MUST(i < 2000);
        MUST(n <= sizeof out);
        MUST(decode_datagram(out, n, check_record, c) == DECODE_OK);
    }
    MUST(dolon__session_due(&c->session, c->now) > c->now);
}

/* ---- what comes: an acknowledgement is as server/WIRE.md has it, or is none ---- */

static bool is_ack(const client *c, const uint8_t *p, size_t n, uint64_t *rows)
{
    const dolon__session *s = &c->session;
    if (n < 52 || n != 52 + 12 * (size_t)p[21] || p[21] > 16) return false;
    if (memcmp(p, "\xD0\x10\x01\x81", 4) != 0 || memcmp(p + 4, s->run, 16) != 0) return false;
    input in = {p + 22, p + n};
    uint64_t columns = get(&in, 2), marks = get(&in, 4), seen;
    *rows = get(&in, 8);
    seen = get(&in, 8);
    if (*rows && !(p[20] & 1)) return false; /* nothing of an unknown run is durable */
    return columns <= s->columns && marks <= c->marks && *rows <= seen && seen <= s->ring.next.seq;
}

static void take(client *c, const uint8_t *bytes, size_t n)
{
    dolon__session *s = &c->session;
    uint8_t *exact = malloc(n ? n : 1); /* so that a read beyond its end is seen */
    uint64_t oldest = s->ring.oldest.seq, dropped = s->ring.dropped, rows = 0;
    int known = s->known, bye_durable = s->bye_durable;
    memcpy(exact, bytes, n);
    bool valid = is_ack(c, exact, n, &rows);
    dolon__session_take(s, c->now, exact, n);
    free(exact);
    MUST(s->ring.oldest.seq == (valid && rows > oldest ? rows : oldest));
    MUST(s->ring.dropped == dropped);
    MUST(valid || (s->known == known && s->bye_durable == bye_durable));
    MUST(c->bye || !s->bye_durable);
    MUST(s->columns_durable <= s->columns && s->marks_durable <= c->marks);
    MUST(s->hole_count <= DOLON__HOLES);
    MUST(s->seen <= s->ring.next.seq && s->sent.row.seq <= s->ring.next.seq);
    MUST(s->sent.row.seq >= s->ring.oldest.seq);
}

static void take_raw(client *c, input *in)
{
    size_t n = get(in, 1);
    if (n > (size_t)(in->end - in->p)) n = (size_t)(in->end - in->p);
    take(c, in->p, n);
    in->p += n;
}

static uint8_t *put(uint8_t *p, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) p[i] = (uint8_t)(v >> 8 * i);
    return p + bytes;
}

static void take_ack(client *c, input *in)
{
    const dolon__session *s = &c->session;
    uint8_t bytes[52 + 12 * 20], *p = bytes;
    size_t holes = get(in, 1) % 20;
    p = put(p, 0x810110D0, 4);
    memcpy(p, s->run, 16);
    p = put(p + 16, get(in, 1), 1);
    p = put(p, holes, 1);
    p = put(p, get_near(in, s->columns), 2);
    p = put(p, get_near(in, c->marks), 4);
    uint64_t rows = get_near(in, s->ring.oldest.seq);
    p = put(p, rows, 8);
    p = put(p, get_near(in, rows), 8);
    p = put(p, get_near(in, s->ring.next.seq), 8);
    for (size_t i = 0; i < holes; i++) {
        p = put(p, get_near(in, rows + 8 * i), 8);
        p = put(p, get_near(in, 4), 4);
    }
    take(c, bytes, (size_t)(p - bytes));
}

static void take_refusal(client *c, input *in)
{
    uint8_t bytes[21];
    put(bytes, 0x820010D0 | get(in, 1) << 16, 4);
    memcpy(bytes + 4, c->session.run, 16);
    bytes[20] = (uint8_t)get(in, 1);
    take(c, bytes, sizeof bytes);
}

/* ---- what the program does ---- */

static size_t column_entry(void *ctx, uint32_t i, uint8_t *out)
{
    (void)ctx;
    size_t name = 1 + i % 255;
    out[0] = i & 1, out[1] = 0, out[2] = (uint8_t)name;
    memset(out + 3, 'a' + (int)(i % 26), name);
    return 3 + name;
}

static void sample(client *c, uint64_t count, uint32_t words)
{
    double values[MOST_COLUMNS];
    uint8_t bytes[8 * MOST_WORDS];
    for (; count && c->session.ring.next.seq < MOST_ROWS && !c->bye; count--) {
        uint64_t seq = c->session.ring.next.seq, dropped = c->session.ring.dropped;
        uint64_t oldest = c->session.ring.oldest.seq;
        const dolon__cells cells = {c->session.columns, words};
        c->columns_of[seq] = cells.columns;
        c->words_of[seq] = words;
        for (uint32_t i = 0; i < c->session.columns; i++) values[i] = value_of(seq, i);
        for (uint32_t i = 0; i < words; i++) put_word(bytes + 8 * i, seq, i);
        dolon__session_row(&c->session, c->now, (int64_t)seq, values, cells, bytes, c->scratch);
        MUST(c->session.ring.next.seq == seq + 1);
        MUST(c->session.ring.oldest.seq - oldest == c->session.ring.dropped - dropped);
    }
}

/* So many rows; after a 0, one with histograms. */
static void sample_some(client *c, input *in)
{
    uint64_t count = get(in, 1);
    if (count)
        sample(c, count, 0);
    else
        sample(c, 1, (uint32_t)get(in, 2) % (MOST_WORDS + 1));
}

static void mark(client *c, uint64_t length)
{
    dolon__mark m = {.time = c->now};
    memset(m.label, 'm', length % DOLON__LABEL_BYTES);
    dolon__session_mark(&c->session, c->now, &m);
    c->marks++;
}

static void add_columns(client *c, uint64_t count)
{
    uint64_t columns = c->session.columns + count;
    c->session.columns = columns < MOST_COLUMNS ? (uint32_t)columns : MOST_COLUMNS;
}

static void say_goodbye(client *c)
{
    if (c->bye) return;
    c->bye = true;
    dolon__session_bye(&c->session, c->now, c->now, 0);
}

static void client_start(client *c, input *in)
{
    memset(c, 0, sizeof *c);
    dolon__session *s = &c->session;
    c->now = DOLON__SECOND;
    c->facts[28] = 1, c->facts[30] = 'a';
    memset(s->run, 7, sizeof s->run);
    s->datagram = DATAGRAM_LEAST;
    s->facts = c->facts;
    s->facts_bytes = 28 + 2 + 1 + 4 * 2 + 2;
    s->column = column_entry;
    s->linger = get(in, 1) % 2 ? 100 * DOLON__MS : 0;
    s->ring.bytes = c->ring;
    s->ring.size = 512 + get(in, 1) * 30;
    s->columns = 1 + (uint32_t)get(in, 1) % 100;
    dolon__session_start(s, c->now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static client c;
    input in = {data, data + size};
    client_start(&c, &in);
    while (in.p < in.end) {
        switch (get(&in, 1) % 10) {
        case 0: sample(&c, 1, 0); break;
        case 1: sample_some(&c, &in); break;
        case 2: mark(&c, get(&in, 1)); break;
        case 3: add_columns(&c, get(&in, 1) % 16); break;
        case 4: take_raw(&c, &in); break;
        case 5: take_refusal(&c, &in); break;
        case 6: say_goodbye(&c); break;
        case 7: c.now += (int64_t)get(&in, 2) * DOLON__MS / 4; break;
        default: take_ack(&c, &in); break;
        }
        send_what_is_due(&c);
    }
    return 0;
}
