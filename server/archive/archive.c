/* SPDX-License-Identifier: MIT OR Unlicense
   archive: the blocks of the portable file, and what they hold. Layout: EXPORT.md. */
#include "archive/archive.h"
#include "archive/archive_block.h"
#include "base/bytes.h"

#include <errno.h>
#include <stdlib.h>

#define EVENTS_BYTES (64u << 10) /* a block of events is written when it has so many */

/* ---- writing ---- */

static void put_text(buf *b, const char *text)
{
    size_t n = strlen(text);
    put_varint(b, n);
    buf_append(b, text, n);
}

/* Writes the block that was made, if there is one. */
static void flush(archive_writer *w, archive_kind kind)
{
    if (!w->failed && !archive_block_write(w->file, kind, &w->block, w->check)) {
        w->failed = true;
        w->error = errno;
    }
    w->block.n = 0;
}

static void flush_events(archive_writer *w)
{
    if (w->block.n) flush(w, ARCHIVE_EVENTS);
}

void archive_begin(archive_writer *w, FILE *file)
{
    *w = (archive_writer){.file = file};
    if (archive_head_write(file, w->check)) return;
    w->failed = true;
    w->error = errno;
}

void archive_put_run(archive_writer *w, const run_info *r)
{
    buf *b = &w->block;
    buf_append(b, r->id.b, sizeof r->id.b);
    const char *const texts[] = {r->app, r->host, r->build, r->args, r->place, r->note, r->user_tags};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) put_text(b, texts[i]);
    const int64_t numbers[] = {r->pid, r->started, r->last, r->seen, r->interval, r->offset};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) put_zigzag(b, (uint64_t)numbers[i]);
    const uint64_t counts[] = {r->born, r->next_seq, r->next_mark, r->counter};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) put_varint(b, counts[i]);
    put_u8(b, r->state);
    put_u8(b, r->pinned);
    put_varint(b, r->column_count);
    for (size_t i = 0; i < r->column_count; i++) {
        put_text(b, r->columns[i].name);
        put_text(b, r->columns[i].unit);
        put_u8(b, r->columns[i].kind);
    }
    put_varint(b, r->tag_count);
    for (size_t i = 0; i < r->tag_count; i++) {
        put_text(b, r->tags[i].name);
        put_text(b, r->tags[i].value);
    }
    flush(w, ARCHIVE_RUN);
    w->rows = w->events = 0;
    w->runs++;
}

void archive_put_chunk(archive_writer *w, const chunk *c)
{
    flush_events(w);
    chunk_encode(c, &w->block);
    flush(w, ARCHIVE_CHUNK);
    w->rows += c->rows;
}

void archive_put_event(archive_writer *w, const run_event *e)
{
    put_u8(&w->block, e->kind);
    put_zigzag(&w->block, (uint64_t)e->time);
    put_zigzag(&w->block, (uint64_t)e->until);
    put_varint(&w->block, e->seq);
    put_varint(&w->block, e->count);
    put_text(&w->block, e->text);
    w->events++;
    if (w->block.n >= EVENTS_BYTES) flush_events(w);
}

void archive_put_run_end(archive_writer *w)
{
    flush_events(w);
    put_varint(&w->block, w->rows);
    put_varint(&w->block, w->events);
    flush(w, ARCHIVE_RUN_END);
}

void archive_end(archive_writer *w)
{
    put_varint(&w->block, w->runs);
    flush(w, ARCHIVE_END);
    if (!w->failed && fflush(w->file) != 0) {
        w->failed = true;
        w->error = errno;
    }
    buf_free(&w->block);
}

/* ---- reading: what blocks hold. Each leaves r->bad set if it is not as it must be ---- */

/* Owned by the caller, also if it is bad. */
static char *get_text(reader *r)
{
    uint64_t n = get_varint(r);
    if (n > ARCHIVE_MAX_TEXT || n > (uint64_t)(r->end - r->p)) r->bad = true;
    if (r->bad) return mem_strdup("");
    span text = {(const char *)r->p, (size_t)n};
    r->p += n;
    if (!span_is_utf8(text) || memchr(text.p, 0, text.n)) r->bad = true;
    return mem_strndup(text.p, text.n);
}

/* A number that is at most `max`. */
static uint64_t get_bounded(reader *r, uint64_t max)
{
    uint64_t v = get_varint(r);
    if (v > max) r->bad = true;
    return r->bad ? 0 : v;
}

static void get_columns(reader *r, run_info *run)
{
    size_t count = get_bounded(r, MAX_COLUMNS);
    run->columns = mem_calloc(count, sizeof *run->columns);
    for (; !r->bad && run->column_count < count; run->column_count++) {
        run_column *c = &run->columns[run->column_count];
        c->name = get_text(r);
        c->unit = get_text(r);
        c->kind = (column_kind)get_bounded(r, COLUMN_HISTOGRAM);
    }
}

static void get_tags(reader *r, run_info *run)
{
    size_t count = get_bounded(r, MAX_TAGS);
    run->tags = mem_calloc(count, sizeof *run->tags);
    for (; !r->bad && run->tag_count < count; run->tag_count++) {
        run_tag *t = &run->tags[run->tag_count];
        t->name = get_text(r);
        t->value = get_text(r);
    }
}

static run_info *get_run(reader *r)
{
    run_info *run = mem_calloc(1, sizeof *run);
    for (size_t i = 0; i < sizeof run->id.b; i++) run->id.b[i] = (uint8_t)get_u8(r);
    char **const texts[] = {&run->app, &run->host, &run->build, &run->args, &run->place, &run->note, &run->user_tags};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) *texts[i] = get_text(r);
    int64_t *const numbers[] = {&run->pid, &run->started, &run->last, &run->seen, &run->interval, &run->offset};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) *numbers[i] = (int64_t)get_zigzag(r);
    run->born = get_bounded(r, INT64_MAX);
    run->next_seq = get_bounded(r, MAX_SEQ + 1);
    run->next_mark = (uint32_t)get_bounded(r, UINT32_MAX);
    run->counter = get_bounded(r, INT64_MAX);
    run->state = (run_state)get_bounded(r, RUN_LOST);
    run->pinned = get_bounded(r, 1) != 0;
    get_columns(r, run);
    get_tags(r, run);
    return run;
}

static bool is_in_order(const chunk *c)
{
    for (size_t i = 1; i < c->rows; i++)
        if (c->time[i - 1] > c->time[i] || (c->time[i - 1] == c->time[i] && c->seq[i - 1] >= c->seq[i])) return false;
    return true;
}

/* NULL: damaged. */
static chunk *get_chunk(reader *r, size_t columns)
{
    chunk *c = chunk_decode(rest_of(r), NULL, 0);
    r->p = r->end;
    bool good = c && c->columns <= columns && c->key.last_seq <= MAX_SEQ && is_in_order(c);
    if (good)
        chunk_summarise(c);
    else
        r->bad = true;
    if (good) return c;
    chunk_free(c);
    return NULL;
}

static void get_events(reader *r, archive_item *item)
{
    size_t room = 0;
    while (!r->bad && r->p < r->end) {
        if (item->event_count == room)
            item->events = mem_resize(item->events, room = room * 2 + 8, sizeof(run_event));
        run_event *e = &item->events[item->event_count++];
        e->kind = (event_kind)get_bounded(r, EVENT_GAP);
        e->time = (int64_t)get_zigzag(r);
        e->until = (int64_t)get_zigzag(r);
        e->seq = get_bounded(r, INT64_MAX);
        e->count = get_bounded(r, INT64_MAX);
        e->text = get_text(r);
        if (e->until < e->time) r->bad = true;
    }
    if (!item->event_count) r->bad = true;
}

/* ---- reading: the file ---- */

void archive_item_free(archive_item *item)
{
    run_info_free(item->run);
    chunk_free(item->chunk);
    for (size_t i = 0; i < item->event_count; i++) free(item->events[i].text);
    free(item->events);
    *item = (archive_item){0};
}

/* What must be told and counted rightly for a block to be in its place. */
static bool is_in_place(const archive_reader *r, archive_kind kind)
{
    return r->inside ? kind == ARCHIVE_CHUNK || kind == ARCHIVE_EVENTS || kind == ARCHIVE_RUN_END
                     : kind == ARCHIVE_RUN || kind == ARCHIVE_END;
}

static void take(archive_reader *r, archive_item *item, reader *bytes)
{
    switch (item->kind) {
    case ARCHIVE_RUN:
        item->run = get_run(bytes);
        r->columns = item->run->column_count;
        r->rows = r->events = 0;
        r->inside = true;
        r->runs++;
        break;
    case ARCHIVE_CHUNK:
        item->chunk = get_chunk(bytes, r->columns);
        if (item->chunk) r->rows += item->chunk->rows;
        break;
    case ARCHIVE_EVENTS:
        get_events(bytes, item);
        r->events += item->event_count;
        break;
    case ARCHIVE_RUN_END:
        if (get_varint(bytes) != r->rows || get_varint(bytes) != r->events) bytes->bad = true;
        r->inside = false;
        break;
    case ARCHIVE_END:
        if (get_varint(bytes) != r->runs || fgetc(r->file) != EOF) bytes->bad = true;
        break;
    }
}

bool archive_open(archive_reader *r, FILE *file, buf *why)
{
    *r = (archive_reader){.file = file};
    return archive_head_read(file, r->check, &r->offset, why);
}

bool archive_next(archive_reader *r, archive_item *item, buf *why)
{
    *item = (archive_item){0};
    uint64_t at = r->offset;
    if (!archive_block_read(r->file, &item->kind, &r->block, r->check, &r->offset, why)) return false;
    reader bytes = reader_of((span){r->block.p, r->block.n});
    if (is_in_place(r, item->kind))
        take(r, item, &bytes);
    else
        bytes.bad = true;
    if (!bytes.bad && bytes.p == bytes.end) return true;
    archive_item_free(item);
    archive_block_damaged(at, why);
    return false;
}

void archive_close(archive_reader *r)
{
    buf_free(&r->block);
}
