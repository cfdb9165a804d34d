/* SPDX-License-Identifier: MIT OR Unlicense
   decode_binary: the layouts of the binary wire, as WIRE.md has them. */
#include "ingest/decode_binary.h"
#include "base/bytes.h"

#define MAX_DATAGRAM 65507 /* what UDP over IPv4 carries: no array below is longer than its bytes can fill */
#define MAX_NUMBER   (UINT64_C(1) << 62)

/* One datagram at a time and thread: too large for its stack. */
static _Thread_local struct {
    int64_t time[MAX_DATAGRAM / 8];
    double values[MAX_DATAGRAM / 8];
    record_column columns[MAX_COLUMNS];
    record_label labels[MAX_DATAGRAM / 10 + 1];
    record_tag tags[MAX_TAGS];
} room;

/* A text of `n` bytes; one that is not UTF-8 makes the whole datagram bad, as in JSON. */
static span get_text(reader *r, size_t n)
{
    if (r->bad || (size_t)(r->end - r->p) < n) {
        r->bad = true;
        return span_of("");
    }
    span text = {(const char *)r->p, n};
    r->p += n;
    if (!span_is_utf8(text)) r->bad = true;
    return text;
}

static int64_t get_time(reader *r)
{
    int64_t time = (int64_t)get_uint(r, 8);
    return time >= 0 ? time : NO_TIME;
}

/*  0         8        16    20     28  …
    |started   |interval |pid  |born  | app host place build args, tags: each text a u16 and bytes */
static decode_result read_facts(reader *r, record *out)
{
    out->announce.started = get_time(r);
    int64_t interval = get_time(r);
    out->announce.interval = interval > 0 ? interval : 0;
    out->announce.pid = (int64_t)get_uint(r, 4);
    out->announce.born = get_uint(r, 8);
    span *texts[] = {&out->announce.app, &out->announce.host, &out->announce.place, &out->announce.build,
                     &out->announce.args};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) *texts[i] = get_text(r, (size_t)get_uint(r, 2));
    size_t count = (size_t)get_uint(r, 2);
    for (size_t i = 0; i < count && !r->bad; i++) {
        record_tag tag;
        tag.name = get_text(r, (size_t)get_uint(r, 2));
        tag.value = get_text(r, (size_t)get_uint(r, 2));
        if (i < MAX_TAGS)
            room.tags[out->announce.tag_count++] = tag;
        else
            out->ignored++;
    }
    out->announce.tags = room.tags;
    r->p = r->end; /* what a later version may add */
    return DECODE_OK;
}

/*  0      2      4  …
    |first |count | each: u8 kind, u8 length of the unit, u8 length of the name, unit, name */
static decode_result read_columns(reader *r, record *out)
{
    uint32_t first = (uint32_t)get_uint(r, 2), count = (uint32_t)get_uint(r, 2);
    if (r->bad || !count || first + count > MAX_COLUMNS) return DECODE_COLUMNS;
    for (uint32_t i = 0; i < count && !r->bad; i++) {
        record_column *c = &room.columns[i];
        unsigned kind = get_u8(r);
        c->kind = kind <= COLUMN_HISTOGRAM ? (column_kind)kind : COLUMN_GAUGE;
        size_t unit = get_u8(r), name = get_u8(r);
        c->unit = get_text(r, unit);
        c->name = get_text(r, name);
    }
    out->names.first = first;
    out->names.count = count;
    out->names.columns = room.columns;
    return DECODE_OK;
}

/* The cells of a row: values, and what stands behind those as it is: no machine may take that for numbers, which some would
   change. */
static void get_cells(reader *r, const record_rows *rows, double *cells)
{
    uint32_t left = rows->first < rows->columns ? rows->columns - rows->first : 0;
    uint32_t values = rows->slice < left ? rows->slice : left;
    for (uint32_t i = 0; i < values; i++, r->p += 8) {
        double value = of_bits(load_u64(r->p));
        cells[i] = isfinite(value) ? value : NAN;
    }
    size_t words = (size_t)(rows->slice - values) * sizeof *cells;
    if (words) memcpy(cells + values, r->p, words);
    r->p += words;
}

/* rows->count rows: the time of each, and its cells. */
static decode_result read_samples(reader *r, record_rows *rows)
{
    uint32_t cells = rows->columns + rows->words;
    if (rows->next > MAX_NUMBER || rows->seq > rows->next || rows->count > rows->next - rows->seq ||
        rows->kept > rows->seq || rows->first + rows->slice > cells || (rows->count && cells && !rows->slice) ||
        (size_t)(r->end - r->p) != (size_t)rows->count * 8 * (1 + rows->slice))
        return DECODE_LENGTH;
    for (uint32_t i = 0; i < rows->count; i++) {
        room.time[i] = (int64_t)load_u64(r->p);
        if (room.time[i] < 0) return DECODE_LENGTH;
        r->p += 8;
        get_cells(r, rows, room.values + (size_t)i * rows->slice);
    }
    rows->time = room.time;
    rows->values = room.values;
    return DECODE_OK;
}

static decode_result read_rows_head(reader *r, record_rows *rows)
{
    rows->kept = get_uint(r, 8);
    rows->next = get_uint(r, 8);
    rows->offset = (int64_t)get_uint(r, 8);
    rows->columns = (uint32_t)get_uint(r, 2);
    rows->first = (uint32_t)get_uint(r, 2);
    rows->slice = (uint32_t)get_uint(r, 2);
    rows->count = (uint32_t)get_uint(r, 2);
    rows->seq = get_uint(r, 8);
    return r->bad || rows->columns > MAX_COLUMNS ? DECODE_COLUMNS : DECODE_OK;
}

/*  0     8     16      24       26     28     30     32   40 …
    |kept |next |offset |columns |first |slice |count |seq | count × (i64 time, f64 × slice) */
static decode_result read_rows(reader *r, record *out)
{
    decode_result result = read_rows_head(r, &out->rows);
    return result == DECODE_OK ? read_samples(r, &out->rows) : result;
}

/*  0     8     16      24       26     28     30     32   40    48 …
    |kept |next |offset |columns |first |slice |words |seq |time | 8 bytes × slice */
static decode_result read_row(reader *r, record *out)
{
    decode_result result = read_rows_head(r, &out->rows);
    if (result != DECODE_OK) return result;
    out->rows.words = out->rows.count;
    out->rows.count = 1;
    if (!out->rows.words || out->rows.words > MAX_WORDS) return DECODE_LENGTH;
    return read_samples(r, &out->rows);
}

/*  0     4      8      10 …
    |kept |first |count | each: i64 time, u16 length, text */
static decode_result read_marks(reader *r, record *out)
{
    uint32_t kept = (uint32_t)get_uint(r, 4), first = (uint32_t)get_uint(r, 4), count = (uint32_t)get_uint(r, 2);
    if (kept > first || count > UINT32_MAX - first) return DECODE_LENGTH;
    for (uint32_t i = 0; i < count && !r->bad; i++) {
        room.labels[i].time = get_time(r);
        room.labels[i].text = get_text(r, (size_t)get_uint(r, 2));
    }
    out->marks.kept = kept;
    out->marks.first = first;
    out->marks.count = count;
    out->marks.labels = room.labels;
    return DECODE_OK;
}

/*  0       1     9     17    25     29
    |reason |time |kept |next |marks | 11 bytes of zero */
static decode_result read_goodbye(reader *r, record *out)
{
    out->goodbye.reason = get_u8(r) == 1 ? END_CRASHED : END_STOPPED;
    out->goodbye.time = get_time(r);
    out->goodbye.kept = get_uint(r, 8);
    out->goodbye.next = get_uint(r, 8);
    out->goodbye.marks = (uint32_t)get_uint(r, 4);
    get_text(r, 11);
    return out->goodbye.kept > out->goodbye.next || out->goodbye.next > MAX_NUMBER ? DECODE_LENGTH : DECODE_OK;
}

bool decode_is_binary(const uint8_t *p, size_t n)
{
    return n >= 2 && p[0] == BINARY_MAGIC_0 && p[1] == BINARY_MAGIC_1;
}

decode_result decode_binary(const uint8_t *p, size_t n, record_sink sink, void *ctx)
{
    static const struct {
        record_kind kind;
        decode_result (*read)(reader *r, record *out);
    } kinds[] = {
        [1] = {RECORD_FACTS, read_facts}, [2] = {RECORD_COLUMNS, read_columns}, [3] = {RECORD_ROWS, read_rows},
        [4] = {RECORD_MARKS, read_marks}, [5] = {RECORD_GOODBYE, read_goodbye}, [6] = {RECORD_ROWS, read_row},
    };
    if (n < 3 || n > MAX_DATAGRAM) return DECODE_LENGTH;
    if (p[2] != BINARY_VERSION) return DECODE_VERSION;
    if (n < BINARY_HEADER) return DECODE_LENGTH;
    if (p[3] == BINARY_SEALED) return DECODE_SEALED;
    if (p[3] == 0 || p[3] >= ARRAY_LEN(kinds)) return DECODE_MESSAGE;
    record out = {.kind = kinds[p[3]].kind};
    memcpy(out.run.b, p + 4, sizeof out.run.b);
    reader r = {p + BINARY_HEADER, p + n, false};
    decode_result result = kinds[p[3]].read(&r, &out);
    if (result == DECODE_OK && (r.bad || r.p != r.end)) result = DECODE_LENGTH;
    if (result == DECODE_OK) sink(ctx, &out);
    return result;
}
