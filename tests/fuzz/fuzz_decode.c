/* SPDX-License-Identifier: MIT OR Unlicense
   fuzz_decode: hostile datagrams through the decoder and the registry, beside a store that remembers what left. An
   input is datagrams with a zero byte between them; or, after a byte B1 and since binary ones hold zeros, each begins with
   how it comes (see `frame`) and its length. What must hold of records, batches and answers is asserted. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../server/ingest/decode.h"
#include "../../server/runs/runs.h"
#include "../../server/ingest/seal.h"

#define NOW  (INT64_C(1700000000) * NS_PER_SECOND)
#define STEP (100 * NS_PER_MS) /* from one datagram to the next */

#include "must.h"

typedef struct {
    runs *r;
    int64_t now;
    run_info *stored[64]; /* what left, added up */
    size_t stored_count;
    uuid asked[64];
    size_t asked_count;
    peer from;
    size_t length,
        credit[256];  /* of the datagram in work; bytes that came from an address, less those that went there */
    uint64_t counter; /* of the sealed datagram in work; 0: it is not sealed */
} world;

/* The first byte of a datagram's frame. */
typedef enum {
    FRAME_SEALED = 1, /* with the next counter …            */
    FRAME_AGAIN = 2,  /* … or with the last one              */
    FRAME_OTHER = 4,  /* from another address                */
    FRAME_COMMIT = 8, /* afterwards all that left is durable */
    FRAME_BEHIND = 16 /* the store is behind                 */
} frame;

/* ---- text is well-formed UTF-8 (RFC 3629 §4) ---- */

static size_t character_bytes(const unsigned char *p, size_t n)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high;
        size_t bytes;
    } forms[] = {
        {0x00, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (*p < forms[i].first_low || *p > forms[i].first_high) continue;
        if (forms[i].bytes > n) return 0;
        if (forms[i].bytes > 1 && (p[1] < forms[i].second_low || p[1] > forms[i].second_high)) return 0;
        for (size_t k = 2; k < forms[i].bytes; k++)
            if ((p[k] & 0xC0) != 0x80) return 0;
        return forms[i].bytes;
    }
    return 0;
}

static bool is_utf8(span s)
{
    for (size_t i = 0, n; i < s.n; i += n) {
        n = character_bytes((const unsigned char *)s.p + i, s.n - i);
        if (!n) return false;
    }
    return true;
}

static void check_clean(const char *text, size_t max)
{
    MUST(text && strlen(text) <= max && is_utf8(span_of(text)));
    for (; *text; text++) MUST((unsigned char)*text >= 0x20 && *text != 0x7F);
}

/* ---- records ---- */

static void check_announce(const record *r)
{
    MUST(r->announce.column_count > 0 && r->announce.column_count <= MAX_COLUMNS);
    MUST(r->announce.tag_count <= MAX_TAGS);
    MUST(r->announce.interval >= 0 && r->announce.pid >= 0);
    MUST(r->announce.started >= 0 || r->announce.started == NO_TIME);
    MUST(is_utf8(r->announce.app) && is_utf8(r->announce.host) && is_utf8(r->announce.build) &&
         is_utf8(r->announce.args));
    for (size_t i = 0; i < r->announce.column_count; i++)
        MUST(is_utf8(r->announce.columns[i].name) && is_utf8(r->announce.columns[i].unit));
    for (size_t i = 0; i < r->announce.tag_count; i++)
        MUST(is_utf8(r->announce.tags[i].name) && is_utf8(r->announce.tags[i].value));
}

static void check_row(const record *r)
{
    MUST(r->row.count <= MAX_COLUMNS);
    MUST(r->row.seq <= MAX_SEQ || r->row.seq == NO_SEQ);
    MUST(r->row.time >= 0 || r->row.time == NO_TIME);
    for (size_t i = 0; i < r->row.count; i++) MUST(!isinf(r->row.values[i]));
}

static void check_rows(const record_rows *r)
{
    MUST(r->kept <= r->seq && r->seq + r->count <= r->next && r->first + r->slice <= r->columns + r->words);
    MUST(r->columns <= MAX_COLUMNS && r->words <= MAX_WORDS && (!r->words || r->count == 1));
    for (uint32_t i = 0; i < r->count; i++) {
        MUST(r->time[i] >= 0);
        for (uint32_t c = 0; c < r->slice && r->first + c < r->columns; c++)
            MUST(!isinf(r->values[(size_t)i * r->slice + c]));
    }
}

static void take(void *ctx, const record *r)
{
    world *w = ctx;
    if (r->kind == RECORD_ANNOUNCE) check_announce(r);
    if (r->kind == RECORD_ROW) check_row(r);
    if (r->kind == RECORD_MARK) MUST(is_utf8(r->mark.text));
    if (r->kind == RECORD_ROWS) check_rows(&r->rows);
    record with = *r;
    with.counter = w->counter;
    runs_take_from(w->r, &with, &w->from, w->length, w->now);
}

/* ---- batches ---- */

static void check_info(const run_info *i)
{
    MUST((i->column_count > 0 || i->acked) && i->column_count <= MAX_COLUMNS);
    check_clean(i->app, MAX_NAME_BYTES);
    check_clean(i->host, MAX_NAME_BYTES);
    check_clean(i->build, MAX_TEXT_BYTES);
    check_clean(i->args, MAX_TEXT_BYTES);
    for (size_t c = 0; c < i->column_count; c++) {
        check_clean(i->columns[c].name, MAX_NAME_BYTES);
        check_clean(i->columns[c].unit, MAX_NAME_BYTES);
        for (size_t d = 0; d < c && d < 20; d++) MUST(strcmp(i->columns[c].name, i->columns[d].name) != 0);
    }
    for (size_t t = 0; t < i->tag_count; t++) {
        check_clean(i->tags[t].name, MAX_NAME_BYTES);
        check_clean(i->tags[t].value, MAX_TEXT_BYTES);
    }
}

static run_info **find_stored(world *w, const uuid *id)
{
    for (size_t i = 0; i < w->stored_count; i++)
        if (uuid_eq(&w->stored[i]->id, id)) return &w->stored[i];
    return NULL;
}

static void store_part(world *w, const batch_part *p)
{
    check_info(p->info);
    MUST(p->columns == p->info->column_count);
    for (size_t i = 1; i < p->rows; i++) MUST(p->seq[i - 1] < p->seq[i]);
    if (p->rows) MUST(p->seq[p->rows - 1] < p->info->next_seq);
    for (size_t i = 0; i < p->histograms.count; i++) {
        span bytes = row_histograms_of(&p->histograms, p->histograms.each[i].row);
        MUST(p->histograms.each[i].row < p->rows && bytes.n <= 8 * MAX_WORDS);
        MUST(histogram_set_length(bytes, p->columns) == bytes.n);
    }
    run_info *info = run_info_copy(p->info);
    info->rows += p->rows;
    for (size_t i = 0; i < p->event_count; i++) {
        const run_event *e = &p->events[i];
        check_clean(e->text, MAX_TEXT_BYTES);
        MUST(e->time <= e->until);
        MUST(e->kind == EVENT_MARK || (e->count > 0 && e->seq + e->count <= info->next_seq));
        info->lost += e->count;
    }
    run_info **slot = find_stored(w, &info->id);
    if (slot) {
        MUST(info->rows >= (*slot)->rows && info->lost >= (*slot)->lost && info->next_seq >= (*slot)->next_seq);
        MUST(info->column_count >= (*slot)->column_count);
        run_info_free(*slot);
        *slot = info;
    } else if (w->stored_count < ARRAY_LEN(w->stored)) {
        w->stored[w->stored_count++] = info;
    } else {
        run_info_free(info);
    }
}

static void flush(world *w, bool final)
{
    batch *b = runs_flush(w->r, w->now, final);
    for (size_t i = 0; b && i < b->count; i++) store_part(w, &b->parts[i]);
    batch_free(b);
}

static void want(void *ctx, const uuid *id)
{
    world *w = ctx;
    MUST(w->asked_count < ARRAY_LEN(w->asked));
    w->asked[w->asked_count++] = *id;
}

static void answer_all(world *w)
{
    while (w->asked_count) {
        uuid id = w->asked[--w->asked_count];
        run_info **stored = find_stored(w, &id);
        runs_answer(w->r, &id, stored ? run_info_copy(*stored) : NULL, w->now);
    }
}

/* Never more bytes to an address than came from there. */
static void acknowledge(world *w)
{
    uint8_t ack[RUNS_ACK_BYTES];
    peer to;
    for (size_t n; (n = runs_next_ack(w->r, ack, &to)) > 0;) {
        MUST(n >= 52 && n == 52 + 12 * (size_t)ack[21] && to.size == 1);
        MUST(n <= w->credit[to.bytes[0]]);
        w->credit[to.bytes[0]] -= n;
    }
}

static void commit(world *w)
{
    for (size_t i = 0; i < w->stored_count; i++) {
        const run_info *info = w->stored[i];
        receipt done = {info->id, info->next_seq, info->next_mark, (uint32_t)info->column_count,
                        info->state != RUN_LIVE};
        if (info->acked) runs_durable(w->r, &done);
    }
}

/* ---- an input ---- */

/* Nothing that was not made with the key opens, whatever it looks like. */
static void unseal(const char *bytes, size_t n)
{
    static seal_keys keys;
    static bool ready;
    if (!ready) seal_derive((const uint8_t[SEAL_KEY]){1}, &keys);
    ready = true;
    uint64_t counter;
    uint8_t *copy = malloc(n ? n : 1);
    MUST(copy);
    if (n) memcpy(copy, bytes, n);
    MUST(seal_open(&keys, copy, n, &counter) != SEAL_GOOD);
    free(copy);
}

static void deliver(world *w, const uint8_t *bytes, size_t n)
{
    w->length = n;
    char *exact = malloc(n ? n : 1); /* so that reading past its end is seen */
    MUST(exact);
    if (n) memcpy(exact, bytes, n);
    unseal(exact, n);
    decode_result result = decode_datagram(exact, n, take, w);
    MUST(result < DECODE_RESULTS && decode_result_text(result));
    free(exact);
    w->credit[w->from.bytes[0]] += n;
    flush(w, false);
    flush(w, false); /* the second asks for runs that wait for what the first took along */
    answer_all(w);
    acknowledge(w);
    w->now += STEP;
}

static void deliver_frames(world *w, const uint8_t *data, size_t size)
{
    uint64_t last = 0;
    while (size >= 3) {
        frame how = (frame)data[0];
        size_t n = (size_t)data[1] | (size_t)data[2] << 8;
        data += 3, size -= 3;
        if (n > size) n = size;
        w->counter = how &FRAME_SEALED ? last += !(how & FRAME_AGAIN) : 0;
        w->from.bytes[0] = how & FRAME_OTHER ? 2 : 1;
        runs_set_behind(w->r, how & FRAME_BEHIND);
        deliver(w, data, n);
        if (how & FRAME_COMMIT) commit(w);
        data += n, size -= n;
    }
}

static void deliver_lines(world *w, const uint8_t *data, size_t size)
{
    for (size_t from = 0; from <= size;) {
        const uint8_t *zero = from < size ? memchr(data + from, 0, size - from) : NULL;
        size_t end = zero ? (size_t)(zero - data) : size;
        deliver(w, data + from, end - from);
        from = end + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    log_set_level(LOG_ERROR);
    const runs_limits limits = {.runs = 4, .pending_rows = 8, .shared = size % 2, .reorder = NS_PER_SECOND};
    static world w; /* too large for the stack */
    w = (world){.now = NOW, .from = {.bytes = {1}, .size = 1}};
    w.r = runs_new(&limits, want, &w);
    if (size && data[0] == 0xB1)
        deliver_frames(&w, data + 1, size - 1);
    else
        deliver_lines(&w, data, size);
    flush(&w, true);
    for (size_t i = 0; i < w.stored_count; i++) {
        MUST(w.stored[i]->rows + w.stored[i]->lost == w.stored[i]->next_seq); /* each is there or known to be lost */
        run_info_free(w.stored[i]);
    }
    runs_free(w.r);
    return 0;
}
