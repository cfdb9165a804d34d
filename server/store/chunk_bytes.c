/* SPDX-License-Identifier: MIT OR Unlicense
   chunk_bytes: a chunk's and its summaries' bytes. What is read is not trusted: damage gives NULL, never worse.

   chunk      u8 version, varint rows, varint columns, varint size of each block; then the blocks: times and seqs as
              integers, each column's values as doubles (column.c), so that a column is read without the others; in
              version 2, which is for rows with histograms, these as the last block (version 1 has none)
   histograms varint size, then so many bytes as octets (column.c): for each row that has any, varint row minus the one before,
              minus 1 (the first: its number), varint length, bytes of base/histogram.h
   summaries  varint columns; each: varint count; if that is not 0: u8 flags, then f64 first, last, min, max, sum
              without those that the flags say are equal to another */
#include "store/chunk.h"

#include "base/bytes.h"
#include "store/column.h"

#include <assert.h>
#include <stdlib.h>

enum { VERSION_PLAIN = 1, VERSION_HISTOGRAMS };

/* ---- chunk ---- */

/* The size of the block that was last appended to `blocks`; `*before` is what they had then. */
static void put_size(buf *out, const buf *blocks, size_t *before)
{
    put_varint(out, blocks->n - *before);
    *before = blocks->n;
}

void chunk_put_histograms(const chunk *c, buf *out)
{
    const row_histograms *h = &c->histograms;
    buf plain = {0};
    size_t next = 0;
    for (size_t i = 0; i < h->count; i++) {
        put_varint(&plain, h->each[i].row - next);
        next = h->each[i].row + 1;
        put_varint(&plain, h->each[i].n);
        buf_append(&plain, h->bytes.p + h->each[i].at, h->each[i].n);
    }
    put_varint(out, plain.n);
    octets_encode((span){plain.p, plain.n}, out);
    buf_free(&plain);
}

/* All of `plain` into the chunk. */
static bool take_histograms(chunk *c, span plain)
{
    reader r = reader_of(plain);
    for (uint64_t next = 0; !r.bad && r.p < r.end;) {
        uint64_t gap = get_varint(&r), n = get_varint(&r);
        if (r.bad || gap >= c->rows - next || n > (size_t)(r.end - r.p)) return false;
        span bytes = {(const char *)r.p, n};
        if (histogram_set_length(bytes, c->columns) != n || n == 0) return false;
        row_histograms_add(&c->histograms, next + gap, bytes);
        next += gap + 1;
        r.p += n;
    }
    return !r.bad;
}

bool chunk_get_histograms(chunk *c, span bytes)
{
    reader r = reader_of(bytes);
    uint64_t n = get_varint(&r);
    if (r.bad || n > CHUNK_MAX_HISTOGRAMS) return false;
    buf plain = {.p = mem_alloc(n), .n = n};
    bool good = octets_decode(rest_of(&r), plain.p, n) && take_histograms(c, (span){plain.p, n});
    buf_free(&plain);
    return good;
}

void chunk_encode(const chunk *c, buf *out)
{
    assert(c->rows > 0 && c->rows <= CHUNK_MAX_ROWS && c->columns <= MAX_COLUMNS);
    assert(c->rows * c->columns <= CHUNK_MAX_VALUES);
    put_u8(out, c->histograms.count ? VERSION_HISTOGRAMS : VERSION_PLAIN);
    put_varint(out, c->rows);
    put_varint(out, c->columns);

    buf blocks = {0};
    size_t before = 0;
    integers_encode((const uint64_t *)c->time, c->rows, &blocks);
    put_size(out, &blocks, &before);
    integers_encode(c->seq, c->rows, &blocks);
    put_size(out, &blocks, &before);
    for (size_t i = 0; i < c->columns; i++) {
        doubles_encode(c->values[i], c->rows, &blocks);
        put_size(out, &blocks, &before);
    }
    if (c->histograms.count) {
        chunk_put_histograms(c, &blocks);
        put_size(out, &blocks, &before);
    }
    buf_append(out, blocks.p, blocks.n);
    buf_free(&blocks);
}

/* The chunk's blocks by the directory: time, seq, columns. NULL: damaged. */
static span *blocks_of(reader *r, size_t count)
{
    if (count > (size_t)(r->end - r->p)) return NULL;
    span *blocks = mem_alloc(count * sizeof *blocks);
    for (size_t i = 0; i < count; i++) blocks[i].n = get_varint(r);
    for (size_t i = 0; i < count; i++) {
        if (r->bad || blocks[i].n > (size_t)(r->end - r->p)) {
            free(blocks);
            return NULL;
        }
        blocks[i].p = (const char *)r->p;
        r->p += blocks[i].n;
    }
    if (r->p == r->end) return blocks;
    free(blocks);
    return NULL;
}

/* The columns wanted get values, the others NULL. */
static bool columns_decode(const span *blocks, const uint32_t *columns, size_t count, chunk *c)
{
    double *values = c->columns ? c->values[0] : NULL;
    for (size_t i = 0; i < c->columns; i++) c->values[i] = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t col = columns ? columns[i] : i;
        if (col >= c->columns || c->values[col]) continue;
        c->values[col] = values + col * c->rows;
        if (!doubles_decode(blocks[col], c->values[col], c->rows)) return false;
    }
    return true;
}

static bool wants_histograms(const uint32_t *columns, size_t count)
{
    if (!columns) return true;
    while (count > 0 && columns[count - 1] != CHUNK_HISTOGRAMS) count--;
    return count > 0;
}

chunk *chunk_decode(span bytes, const uint32_t *columns, size_t count)
{
    reader r = reader_of(bytes);
    unsigned version = get_u8(&r);
    uint64_t rows = get_varint(&r), width = get_varint(&r);
    if (r.bad || (version != VERSION_PLAIN && version != VERSION_HISTOGRAMS) || rows == 0 || rows > CHUNK_MAX_ROWS || width > MAX_COLUMNS ||
        rows * width > CHUNK_MAX_VALUES)
        return NULL;
    bool has_histograms = version == VERSION_HISTOGRAMS;
    span *blocks = blocks_of(&r, width + 2 + has_histograms);
    if (!blocks) return NULL;

    chunk *c = chunk_new(rows, width);
    bool good = integers_decode(blocks[0], (uint64_t *)c->time, rows) && integers_decode(blocks[1], c->seq, rows) &&
                columns_decode(blocks + 2, columns, columns ? count : width, c) &&
                (!has_histograms || !wants_histograms(columns, count) || chunk_get_histograms(c, blocks[2 + width]));
    free(blocks);
    if (!good) {
        chunk_free(c);
        return NULL;
    }
    c->key = chunk_key_of(c);
    return c;
}

/* ---- summaries ---- */

/* `flags`: what is equal to another and so left out. */
enum { LAST_IS_FIRST = 1, MIN_IS_FIRST = 2, MIN_IS_LAST = 4, MAX_IS_FIRST = 8, MAX_IS_LAST = 16, SUM_IS_FIRST = 32 };

static unsigned flags_of(const summary *s)
{
    unsigned flags = 0;
    if (same(s->last, s->first)) flags |= LAST_IS_FIRST;
    if (same(s->min, s->first))
        flags |= MIN_IS_FIRST;
    else if (same(s->min, s->last))
        flags |= MIN_IS_LAST;
    if (same(s->max, s->first))
        flags |= MAX_IS_FIRST;
    else if (same(s->max, s->last))
        flags |= MAX_IS_LAST;
    if (same(s->sum, s->first)) flags |= SUM_IS_FIRST;
    return flags;
}

void summaries_encode(const summary *s, size_t columns, buf *out)
{
    put_varint(out, columns);
    for (const summary *end = s + columns; s < end; s++) {
        put_varint(out, s->count);
        if (s->count == 0) continue;
        unsigned flags = flags_of(s);
        put_u8(out, flags);
        put_f64(out, s->first);
        if (!(flags & LAST_IS_FIRST)) put_f64(out, s->last);
        if (!(flags & (MIN_IS_FIRST | MIN_IS_LAST))) put_f64(out, s->min);
        if (!(flags & (MAX_IS_FIRST | MAX_IS_LAST))) put_f64(out, s->max);
        if (!(flags & SUM_IS_FIRST)) put_f64(out, s->sum);
    }
}

static summary summary_decode(reader *r)
{
    summary s;
    summary_clear(&s);
    s.count = get_varint(r);
    if (s.count == 0) return s;
    unsigned flags = get_u8(r);
    s.first = get_f64(r);
    s.last = flags & LAST_IS_FIRST ? s.first : get_f64(r);
    s.min = flags & MIN_IS_FIRST ? s.first : flags & MIN_IS_LAST ? s.last : get_f64(r);
    s.max = flags & MAX_IS_FIRST ? s.first : flags & MAX_IS_LAST ? s.last : get_f64(r);
    s.sum = flags & SUM_IS_FIRST ? s.first : get_f64(r);
    return s;
}

int summaries_decode(span bytes, summary *out, size_t max)
{
    reader r = reader_of(bytes);
    uint64_t columns = get_varint(&r);
    if (r.bad || columns > MAX_COLUMNS) return -1;
    for (size_t i = 0; i < columns; i++) {
        summary s = summary_decode(&r);
        if (i < max) out[i] = s;
    }
    return r.bad || r.p != r.end ? -1 : (int)columns;
}
