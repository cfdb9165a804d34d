/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres_cover: entries of a level, and the cover of a range by entries of several.

   Places are (first_time, first_seq). A summary at place p with `until` u stands for all entries of lower levels in
   [p, u]; at each level these intervals are apart from each other. A cover is read level by level from the top, one
   statement each: the entries within the stretches that nothing stands for yet. Those that fit are kept; what lies under
   the others, and between them, are the stretches for the level below. Chunks are given as they come, together with what
   was kept. */
#include "store/postgres/store_postgres.h"

#include <stdlib.h>
#include <string.h>

#define SUMMARY_FIELDS 6 /* count, min, max, sum, first, last */

typedef struct {
    place lo, hi;
} stretch;

typedef struct {
    stretch *all;
    size_t count, room;
} stretches;

/* What the server gave. `summaries` is lent until the next one is read. */
typedef struct {
    chunk_key key;
    place until;
    size_t columns;
    summary *summaries;
} entry;

typedef struct {
    pg_store *s;
    const uuid *id;
    int64_t from, to, longest;
    int64_t max_span[STORE_LEVELS];
    int top;         /* the highest level there is; -1: nothing is stored      */
    stretches open;  /* that nothing stands for yet, in order                  */
    stretches below; /* what will be, for the next level …                    */
    size_t at;       /* … when the open ones before this, …                    */
    place lo;        /* … and of this what lies before here, are done          */
    entry *kept;     /* summaries of the cover; they own their `summaries`     */
    size_t kept_count, kept_room, kept_given;
    store_entry_fn each;
    void *ctx;
    bool stopped;
} cover;

/* seq -1 lies before each of a time, and nothing between `p` and next(p). */
static place next(place p)
{
    if (p.seq < INT64_MAX) return (place){p.time, p.seq + 1};
    return p.time < INT64_MAX ? (place){p.time + 1, -1} : p;
}

static place previous(place p)
{
    return (place){p.time, p.seq - 1};
}

static const place place_first = {INT64_MIN, -1}, place_last = {INT64_MAX, INT64_MAX};

/* Stretches are added in order; one that begins where the last ends prolongs it. */
static void add_stretch(stretches *s, place lo, place hi)
{
    if (before(hi, lo)) return;
    stretch *last = s->count ? &s->all[s->count - 1] : NULL;
    if (last && !before(next(last->hi), lo)) {
        last->hi = hi;
        return;
    }
    if (s->count == s->room) s->all = mem_resize(s->all, s->room = s->room * 2 + 8, sizeof *s->all);
    s->all[s->count++] = (stretch){lo, hi};
}

/* ---- reading entries ---- */

static bool read_summaries(const PGresult *r, int row, entry *e)
{
    pg_array a = pg_array_of(r, row, 8, PG_FLOAT8);
    int columns = pg_int4(r, row, 7);
    if (a.bad || columns < 0 || columns > MAX_COLUMNS || a.count != (size_t)columns * SUMMARY_FIELDS) return false;
    e->columns = (size_t)columns;
    for (size_t i = 0; i < e->columns; i++) {
        double v[SUMMARY_FIELDS];
        pg_next_doubles(&a, v, SUMMARY_FIELDS);
        if (!(v[0] >= 0 && v[0] < 0x1p63)) return false;
        e->summaries[i] = (summary){(uint64_t)v[0], v[1], v[2], v[3], v[4], v[5]};
    }
    return !a.bad;
}

static bool read_entry(pg_store *s, const PGresult *r, int row, int level, entry *e)
{
    e->key = (chunk_key){
        .first_time = pg_int8(r, row, 0),
        .first_seq = (uint64_t)pg_int8(r, row, 1),
        .last_time = pg_int8(r, row, 2),
        .last_seq = (uint64_t)pg_int8(r, row, 3),
        .rows = (uint64_t)pg_int8(r, row, 4),
        .level = (uint32_t)level,
    };
    e->until = (place){pg_int8(r, row, 5), pg_int8(r, row, 6)};
    e->summaries = s->summaries;
    if (level > 0 && before(e->until, place_of(&e->key))) return false;
    return read_summaries(r, row, e);
}

static store_status read_spans(cover *w)
{
    PGresult *r;
    pg_put_uuid(&w->s->params, w->id);
    store_status status = pg_run(w->s, PG_SPANS, &r);
    if (status != STORE_OK) return status;
    if (PQntuples(r) == 0) {
        status = pg_refuse(w->s, STORE_MISSING, "there is no such run");
    } else {
        pg_array spans = pg_array_of(r, 0, 0, PG_INT8);
        w->top = spans.count > STORE_LEVELS ? STORE_LEVELS - 1 : (int)spans.count - 1;
        for (int i = 0; i <= w->top; i++) w->max_span[i] = pg_next_int(&spans);
    }
    PQclear(r);
    return status;
}

/* The parts of the open stretches in which entries of a level overlap [from, to] if any do. */
static stretches narrowed(const cover *w, int level)
{
    place earliest = {store_earliest(w->from, w->max_span[level]), -1}, latest = {w->to, INT64_MAX};
    stretches out = {0};
    for (size_t i = 0; i < w->open.count; i++) {
        place lo = w->open.all[i].lo, hi = w->open.all[i].hi;
        add_stretch(&out, before(lo, earliest) ? earliest : lo, before(latest, hi) ? latest : hi);
    }
    return out;
}

static void put_places(pg_params *p, const stretches *s, bool hi)
{
    pg_put_array(p, PG_INT8, s->count);
    for (size_t i = 0; i < s->count; i++) pg_add_int8(p, (hi ? s->all[i].hi : s->all[i].lo).time);
    pg_put_array(p, PG_INT8, s->count);
    for (size_t i = 0; i < s->count; i++) pg_add_int8(p, (hi ? s->all[i].hi : s->all[i].lo).seq);
}

/* Calls `take` for each entry of a level that lies in an open stretch and overlaps [from, to], by place. */
static store_status read_level(cover *w, int level, void (*take)(cover *w, const entry *e))
{
    stretches within = narrowed(w, level);
    if (within.count == 0) {
        free(within.all);
        return STORE_OK;
    }
    pg_params *p = &w->s->params;
    pg_put_uuid(p, w->id);
    pg_put_int2(p, level);
    put_places(p, &within, false);
    put_places(p, &within, true);
    pg_put_int8(p, w->from);
    free(within.all);
    pg_cursor c;
    bool there = true;
    place last = {INT64_MIN, -1};
    store_status status = pg_cursor_open(&c, w->s, PG_ENTRIES);
    while (status == STORE_OK && !w->stopped) {
        status = pg_cursor_next(&c, &there);
        if (status != STORE_OK || !there) break;
        entry e;
        if (!read_entry(w->s, c.piece, c.row, level, &e) || before(place_of(&e.key), last)) {
            status = pg_refuse(w->s, STORE_FAILED, "a chunk's summary is damaged");
            break;
        }
        last = next(place_of(&e.key));
        take(w, &e);
    }
    pg_cursor_close(&c);
    return status;
}

/* ---- the cover ---- */

static void keep(cover *w, const entry *e)
{
    if (w->kept_count == w->kept_room)
        w->kept = mem_resize(w->kept, w->kept_room = w->kept_room * 2 + 64, sizeof *w->kept);
    entry *copy = &w->kept[w->kept_count++];
    *copy = *e;
    copy->summaries = mem_alloc(e->columns * sizeof *copy->summaries);
    memcpy(copy->summaries, e->summaries, e->columns * sizeof *copy->summaries);
}

static void give(cover *w, const entry *e)
{
    w->stopped = !w->each(w->ctx, &e->key, e->summaries, e->columns);
}

/* The kept ones that lie before a place, or all. */
static void give_kept(cover *w, const place *end)
{
    for (; !w->stopped && w->kept_given < w->kept_count; w->kept_given++) {
        const entry *e = &w->kept[w->kept_given];
        if (end && !before(place_of(&e->key), *end)) break;
        give(w, e);
    }
}

static void take_chunk(cover *w, const entry *e)
{
    place at = place_of(&e->key);
    give_kept(w, &at);
    if (!w->stopped) give(w, e);
}

static bool fits(const cover *w, const chunk_key *k)
{
    return k->first_time >= w->from && k->last_time <= w->to &&
           store_length(k->first_time, k->last_time) <= w->longest;
}

static int by_place(const void *a, const void *b)
{
    place x = place_of(&((const entry *)a)->key), y = place_of(&((const entry *)b)->key);
    return before(x, y) ? -1 : before(y, x);
}

/* What lies between the last summary and the end of the stretch it lies in is open for the level below; and so on, up to
   the stretch in which `first` lies. */
static void open_until(cover *w, const place *first)
{
    while (w->at < w->open.count && (!first || before(w->open.all[w->at].hi, *first))) {
        add_stretch(&w->below, w->lo, w->open.all[w->at].hi);
        if (++w->at < w->open.count) w->lo = w->open.all[w->at].lo;
    }
    if (first) add_stretch(&w->below, w->lo, previous(*first));
}

static void take_summary(cover *w, const entry *e)
{
    place first = place_of(&e->key);
    open_until(w, &first);
    if (fits(w, &e->key))
        keep(w, e);
    else
        add_stretch(&w->below, first, e->until);
    w->lo = next(e->until);
}

static store_status take_level(cover *w, int level)
{
    w->at = 0;
    w->lo = w->open.count ? w->open.all[0].lo : place_first;
    w->below = (stretches){0};
    store_status status = read_level(w, level, take_summary);
    open_until(w, NULL);
    free(w->open.all);
    w->open = w->below;
    return status;
}

static store_status read_cover(cover *w)
{
    store_status status = read_spans(w);
    add_stretch(&w->open, place_first, place_last);
    for (int level = w->top; status == STORE_OK && level > 0; level--) status = take_level(w, level);
    if (w->kept_count) qsort(w->kept, w->kept_count, sizeof *w->kept, by_place);
    if (status == STORE_OK && w->top >= 0) status = read_level(w, 0, take_chunk);
    if (status == STORE_OK) give_kept(w, NULL);
    free(w->open.all);
    for (size_t i = 0; i < w->kept_count; i++) free(w->kept[i].summaries);
    free(w->kept);
    return status;
}

store_status postgres_cover(store *base, const uuid *id, int64_t from, int64_t to, int64_t longest,
                            store_entry_fn each, void *ctx)
{
    cover w = {.s = (pg_store *)base, .id = id, .from = from, .to = to, .longest = longest, .each = each, .ctx = ctx};
    store_status status = pg_read_begin(w.s);
    if (status != STORE_OK) return status;
    w.top = -1;
    status = read_cover(&w);
    pg_read_end(w.s);
    return status;
}

store_status postgres_entries(store *base, const uuid *id, uint32_t level, int64_t from, int64_t to,
                              store_entry_fn each, void *ctx)
{
    cover w = {.s = (pg_store *)base, .id = id, .from = from, .to = to, .each = each, .ctx = ctx};
    store_status status = pg_read_begin(w.s);
    if (status != STORE_OK) return status;
    w.top = -1;
    status = read_spans(&w);
    add_stretch(&w.open, place_first, place_last);
    if (status == STORE_OK && (int)level <= w.top) status = read_level(&w, (int)level, give);
    free(w.open.all);
    pg_read_end(w.s);
    return status;
}
