/* SPDX-License-Identifier: MIT OR Unlicense
   archive_import: a portable file → a store.

   A run that is new to the store, or that an earlier import did not finish, is live and has a note that says so until
   its last row is there; then it becomes what the file says. A run that was there gets what rows and events it lacks.
   Summaries are not in the file: store_write() makes those of chunks, merge_run() those above. */
#include "archive/archive_import.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "query/query.h"
#include "store/merge.h"

#define GROUP_BYTES  (8u << 20) /* of rows in a transaction, about                */
#define GROUP_CHUNKS 256
#define TRIES        30 /* a second apart, while the store says "not now" */

typedef struct {
    store *s;
    run_info *info;   /* what is stored with the next rows; NULL between runs, and of a run that is refused */
    run_info *whole;  /* what the file says of the run …                                             */
    bool known;       /* … which was there, whole                                                    */
    bool may_overlap; /* some of its rows may be there                                               */
    archive_imported result;
    chunk *chunks[GROUP_CHUNKS]; /* to be written                                                               */
    size_t chunk_count, bytes;
} importing;

/* ---- writing ---- */

static void pause_a_second(void)
{
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
}

static store_status write_patiently(importing *i, const store_change *change)
{
    store_status status = store_write(i->s, change, 1);
    for (int tries = 1; status == STORE_RETRY && tries < TRIES; tries++) {
        log_limited(LOG_WARN, "the store does not take it now, trying for %d s: %s", TRIES, store_error(i->s));
        pause_a_second();
        status = store_write(i->s, change, 1);
    }
    return status;
}

static void clear_group(importing *i)
{
    for (size_t k = 0; k < i->chunk_count; k++) chunk_free(i->chunks[k]);
    i->chunk_count = i->bytes = 0;
}

static store_status write_group(importing *i, const run_event *events, size_t event_count)
{
    store_change change = {
        .info = i->info, .put = i->chunks, .put_count = i->chunk_count, .events = events, .event_count = event_count};
    store_status status = write_patiently(i, &change);
    clear_group(i);
    return status;
}

/* ---- a run begins ---- */

/* A run's columns are only ever appended to. */
static bool same_columns(const run_info *a, const run_info *b)
{
    size_t count = a->column_count < b->column_count ? a->column_count : b->column_count;
    for (size_t k = 0; k < count; k++)
        if (strcmp(a->columns[k].name, b->columns[k].name) != 0) return false;
    return true;
}

static bool is_later(const run_info *a, const run_info *b)
{
    return a->column_count != b->column_count ? a->column_count > b->column_count : a->seen >= b->seen;
}

/* Of a run that was there: whichever of the two knows more of it, so that an old file does not set it back. */
static run_info *info_of_both(const run_info *file, const run_info *stored)
{
    run_info *info = run_info_copy(is_later(file, stored) ? file : stored);
    info->acked = false; /* the file's numbers are taken as they are */
    if (info->last < stored->last) info->last = stored->last;
    if (info->next_seq < file->next_seq) info->next_seq = file->next_seq;
    if (info->next_mark < file->next_mark) info->next_mark = file->next_mark;
    if (info->counter < file->counter) info->counter = file->counter;
    if (info->counter < stored->counter) info->counter = stored->counter;
    return info;
}

/* Of a run that is new: as if it had just begun. */
static run_info *info_of_new(const run_info *file)
{
    run_info *info = run_info_copy(file);
    info->state = RUN_LIVE;
    info->last = info->started;
    info->next_seq = 0;
    info->next_mark = 0;
    return info;
}

static store_status begin_new(importing *i)
{
    i->info = info_of_new(i->whole);
    store_status status = write_group(i, NULL, 0);
    run_edit edit = {.note = ARCHIVE_UNFINISHED, .pinned = -1, .deleted = -1};
    return status == STORE_OK ? store_edit(i->s, &i->whole->id, &edit) : status;
}

/* An earlier import did not get to its end. It may have been killed before it could note that: then the run is as it was begun,
   and nobody has said anything of it. */
static bool is_unfinished(const run_info *stored)
{
    bool untouched = !*stored->note && !*stored->user_tags && !stored->pinned && !stored->deleted;
    return strcmp(stored->note, ARCHIVE_UNFINISHED) == 0 || (stored->rows + stored->removed == 0 && untouched);
}

static store_status begin_known(importing *i, const run_info *stored)
{
    i->info = info_of_both(i->whole, stored);
    run_edit edit = {.pinned = -1, .deleted = 0}; /* or what is taken in would go with it */
    return stored->deleted ? store_edit(i->s, &stored->id, &edit) : STORE_OK;
}

static store_status begin_run(importing *i, archive_item *item)
{
    i->whole = item->run;
    item->run = NULL;
    i->result = (archive_imported){.run = i->whole};
    run_info *stored = NULL;
    store_status status = store_run(i->s, &i->whole->id, &stored);
    i->may_overlap = stored != NULL;
    i->known = i->result.known = stored && !is_unfinished(stored);
    if (stored && (strcmp(stored->app, i->whole->app) != 0 || !same_columns(stored, i->whole))) {
        i->result.refused = "the store has another run with this UUID: its application or columns differ";
        status = STORE_OK;
    } else if (i->known) {
        status = begin_known(i, stored);
    } else if (stored || status == STORE_MISSING) {
        status = begin_new(i);
    }
    run_info_free(stored);
    return status;
}

/* ---- rows ---- */

/* Which rows of a chunk the store has; both are in order of (time, seq). */
static void mark_stored(const chunk *c, const chunk *stored, bool *there, size_t *at)
{
    for (size_t row = 0; row < stored->rows; row++) {
        while (*at < c->rows && (c->time[*at] < stored->time[row] ||
                                 (c->time[*at] == stored->time[row] && c->seq[*at] < stored->seq[row])))
            ++*at;
        if (*at < c->rows && c->time[*at] == stored->time[row] && c->seq[*at] == stored->seq[row]) there[*at] = true;
    }
}

static store_status find_stored(store *s, const uuid *id, const chunk *c, bool *there)
{
    static const uint32_t no_columns[1];
    query_cursor cursor = {0};
    size_t at = 0;
    chunk *stored = NULL;
    store_status status = store_snapshot_begin(s);
    if (status != STORE_OK) return status;
    do {
        chunk_free(stored);
        status = query_rows_of(s, id, c->key.first_time, c->key.last_time, no_columns, 0, &cursor, &stored);
        if (stored) mark_stored(c, stored, there, &at);
    } while (status == STORE_OK && stored);
    store_snapshot_end(s);
    return status;
}

static bool is_new(const void *there, const chunk *c, size_t row)
{
    (void)c;
    return !((const bool *)there)[row];
}

/* Leaves only what the store has not. */
static store_status leave_new(importing *i, chunk *c)
{
    size_t rows = c->rows;
    bool *there = mem_calloc(rows, sizeof *there);
    store_status status = find_stored(i->s, &i->whole->id, c, there);
    chunk_keep_rows(c, is_new, there);
    if (c->rows && c->rows < rows) chunk_summarise(c);
    free(there);
    return status;
}

static store_status take_chunk(importing *i, archive_item *item)
{
    chunk *c = item->chunk;
    i->result.rows += c->rows;
    store_status status = i->may_overlap ? leave_new(i, c) : STORE_OK;
    if (status != STORE_OK || c->rows == 0) return status;
    item->chunk = NULL;
    i->result.added += c->rows;
    i->chunks[i->chunk_count++] = c;
    i->bytes += c->rows * (c->columns + 2) * sizeof(double);
    if (i->info->last < c->key.last_time) i->info->last = c->key.last_time;
    if (i->info->next_seq <= c->key.last_seq) i->info->next_seq = c->key.last_seq + 1;
    return i->chunk_count == GROUP_CHUNKS || i->bytes >= GROUP_BYTES ? write_group(i, NULL, 0) : STORE_OK;
}

/* ---- a run ends ---- */

static store_status make_summaries(importing *i)
{
    store_status status = STORE_OK;
    bool more = true;
    while (status == STORE_OK && more) status = merge_run(i->s, &i->whole->id, &more);
    return status == STORE_MISSING ? STORE_OK : status; /* a server was faster */
}

static store_status end_run(importing *i)
{
    if (!i->known) {
        run_info_free(i->info);
        i->info = run_info_copy(i->whole);
    }
    store_status status = write_group(i, NULL, 0);
    if (status == STORE_OK) status = make_summaries(i);
    const run_info *r = i->whole;
    run_edit edit = {.note = r->note, .tags = r->user_tags, .pinned = r->pinned, .deleted = -1};
    return status == STORE_OK && !i->known ? store_edit(i->s, &r->id, &edit) : status;
}

static void forget_run(importing *i)
{
    clear_group(i);
    run_info_free(i->info);
    run_info_free(i->whole);
    i->info = i->whole = NULL;
}

/* ---- the whole ---- */

static store_status take(importing *i, archive_item *item)
{
    if (item->kind == ARCHIVE_RUN) return begin_run(i, item);
    if (item->kind == ARCHIVE_END || i->result.refused) return STORE_OK;
    if (item->kind == ARCHIVE_CHUNK) return take_chunk(i, item);
    if (item->kind == ARCHIVE_RUN_END) return end_run(i);
    i->result.events += item->event_count;
    return write_group(i, item->events, item->event_count);
}

static void explain(const importing *i, const char *name, const buf *damage, buf *why)
{
    buf_printf(why, "%s", name);
    if (damage->n) buf_printf(why, " %s", damage->p);
    if (!damage->n) buf_printf(why, ": %s", store_error(i->s));
    if (!i->info) return;
    char text[UUID_TEXT];
    uuid_format(&i->whole->id, text);
    buf_printf(why, "; run %s of %s is there in part: import %s again to have the rest", text, i->whole->app,
               damage->n ? "a whole file" : "the file");
}

bool archive_import(store *s, FILE *file, const char *name, void (*done)(void *ctx, const archive_imported *r),
                    void *ctx, buf *why)
{
    importing i = {.s = s};
    archive_reader r;
    archive_item item = {0};
    buf damage = {0};
    store_status status = STORE_OK;
    bool good = archive_open(&r, file, &damage);
    while (good && item.kind != ARCHIVE_END) {
        good = archive_next(&r, &item, &damage);
        if (good) status = take(&i, &item);
        good = good && status == STORE_OK;
        if (good && item.kind == ARCHIVE_RUN_END) {
            done(ctx, &i.result);
            forget_run(&i);
        }
        archive_kind kind = item.kind;
        archive_item_free(&item);
        item.kind = kind;
    }
    if (!good) explain(&i, name, &damage, why);
    forget_run(&i);
    archive_close(&r);
    buf_free(&damage);
    return good;
}

bool archive_check(FILE *file, buf *why)
{
    archive_reader r;
    archive_kind last = ARCHIVE_RUN;
    bool good = archive_open(&r, file, why);
    while (good && last != ARCHIVE_END) {
        archive_item item;
        good = archive_next(&r, &item, why);
        last = item.kind;
        archive_item_free(&item);
    }
    archive_close(&r);
    return good;
}
