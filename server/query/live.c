/* SPDX-License-Identifier: MIT OR Unlicense
   live: fan-out of fresh rows. What a batch says of a watched run is copied once, and all who watch it share the copy. */
#include "query/live.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 256

/* What one batch said of one run. Never changed once it is shared. */
typedef struct {
    _Atomic size_t holders;
    run_info *info;
    chunk *rows;    /* NULL: none                       */
    size_t dropped; /* rows before them: too many       */
} piece;

typedef struct node {
    piece *piece;
    struct node *next;
} node;

/* What waits for one subscriber. */
typedef struct {
    piece *latest;      /* its `info` is the newest                                       */
    node *first, **end; /* pieces with rows, oldest first                                 */
    size_t rows;        /* in them together                                               */
    uint64_t dropped;
    run_event *gaps, *marks; /* [LIVE_POINTS] each, or NULL                                    */
    size_t gap_count, mark_count;
} waiting;

typedef struct watch watch;

struct live_subscriber {
    live *live;
    watch *watch;
    live_subscriber *next; /* of the same watch */
    void (*wake)(void *ctx);
    void *ctx;
    bool woken; /* and not fetched since */
    waiting waiting;
};

/* A run that somebody looks at. */
struct watch {
    uuid run;
    live_subscriber *subscribers;
    watch *next; /* of the same bucket */
};

struct live {
    pthread_mutex_t lock; /* of all below, and of what waits; held while `wake` runs */
    watch *buckets[BUCKETS];
    _Atomic size_t subscribers;
};

live *live_new(void)
{
    live *l = mem_calloc(1, sizeof *l);
    if (pthread_mutex_init(&l->lock, NULL)) abort();
    return l;
}

void live_free(live *l)
{
    assert(live_subscribers(l) == 0);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

size_t live_subscribers(const live *l)
{
    return atomic_load_explicit(&l->subscribers, memory_order_relaxed);
}

/* ---- pieces ---- */

/* A run of many columns may have fewer rows waiting. */
static size_t row_bound(size_t columns)
{
    size_t most = columns ? LIVE_VALUES / columns : LIVE_ROWS;
    return most < LIVE_ROWS ? most : LIVE_ROWS;
}

static piece *piece_new(const batch_part *p)
{
    piece *made = mem_calloc(1, sizeof *made);
    atomic_init(&made->holders, 1);
    made->info = run_info_copy(p->info);
    size_t bound = row_bound(p->columns);
    if (p->rows > bound) made->dropped = p->rows - bound;
    if (p->rows) made->rows = chunk_from_part(p, made->dropped, p->rows - made->dropped);
    return made;
}

static piece *piece_hold(piece *p)
{
    atomic_fetch_add_explicit(&p->holders, 1, memory_order_relaxed);
    return p;
}

static void piece_release(piece *p)
{
    if (!p || atomic_fetch_sub_explicit(&p->holders, 1, memory_order_acq_rel) > 1) return;
    run_info_free(p->info);
    chunk_free(p->rows);
    free(p);
}

/* ---- what waits ---- */

static void drop_first(waiting *w)
{
    node *n = w->first;
    w->first = n->next;
    if (!w->first) w->end = &w->first;
    w->rows -= n->piece->rows->rows;
    piece_release(n->piece);
    free(n);
}

/* Whole pieces go as long as enough stays without them; live_fetch() cuts what is over then. */
static void add_rows(waiting *w, piece *p)
{
    node *n = mem_alloc(sizeof *n);
    *n = (node){piece_hold(p), NULL};
    if (!w->first) w->end = &w->first;
    *w->end = n;
    w->end = &n->next;
    w->rows += p->rows->rows;
    w->dropped += p->dropped;
    size_t bound = row_bound(p->rows->columns);
    while (w->rows - w->first->piece->rows->rows >= bound) {
        w->dropped += w->first->piece->rows->rows;
        drop_first(w);
    }
}

/* When there is no more room, the last one stands for those after it too. */
static void add_event(run_event **all, size_t *count, const run_event *e, uint64_t weight)
{
    if (!*all) *all = mem_alloc(LIVE_POINTS * sizeof **all);
    if (*count == LIVE_POINTS) {
        run_event *last = &(*all)[LIVE_POINTS - 1];
        last->count += weight;
        if (e->kind == EVENT_GAP && e->until > last->until) last->until = e->until;
        return;
    }
    run_event *copy = &(*all)[(*count)++];
    *copy = *e;
    copy->count = weight;
    copy->text = mem_strdup(e->text);
}

static void add_events(waiting *w, const batch_part *p)
{
    for (size_t i = 0; i < p->event_count; i++) {
        const run_event *e = &p->events[i];
        if (e->kind == EVENT_GAP)
            add_event(&w->gaps, &w->gap_count, e, e->count);
        else
            add_event(&w->marks, &w->mark_count, e, 1);
    }
}

static void events_free(run_event *all, size_t count)
{
    for (size_t i = 0; i < count; i++) free(all[i].text);
    free(all);
}

static void waiting_free(waiting *w)
{
    while (w->first) drop_first(w);
    piece_release(w->latest);
    events_free(w->gaps, w->gap_count);
    events_free(w->marks, w->mark_count);
    *w = (waiting){0};
}

/* ---- publishing ---- */

static watch **watch_of(live *l, const uuid *run)
{
    watch **at = &l->buckets[run->b[0]];
    while (*at && !uuid_eq(&(*at)->run, run)) at = &(*at)->next;
    return at;
}

static void tell(live_subscriber *s, const batch_part *part, piece *p)
{
    waiting *w = &s->waiting;
    piece_release(w->latest);
    w->latest = piece_hold(p);
    if (p->rows) add_rows(w, p);
    add_events(w, part);
    if (s->woken) return;
    s->woken = true;
    s->wake(s->ctx);
}

void live_publish(live *l, const batch *b)
{
    if (live_subscribers(l) == 0) return;
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < b->count; i++) {
        const watch *w = *watch_of(l, &b->parts[i].info->id);
        if (!w) continue;
        piece *p = piece_new(&b->parts[i]);
        for (live_subscriber *s = w->subscribers; s; s = s->next) tell(s, &b->parts[i], p);
        piece_release(p);
    }
    pthread_mutex_unlock(&l->lock);
}

bool live_is_watched(live *l, const uuid *run)
{
    if (live_subscribers(l) == 0) return false;
    pthread_mutex_lock(&l->lock);
    bool watched = *watch_of(l, run) != NULL;
    pthread_mutex_unlock(&l->lock);
    return watched;
}

/* ---- subscribers ---- */

live_subscriber *live_subscribe(live *l, const uuid *run, void (*wake)(void *ctx), void *ctx)
{
    live_subscriber *s = mem_calloc(1, sizeof *s);
    s->live = l;
    s->wake = wake;
    s->ctx = ctx;
    pthread_mutex_lock(&l->lock);
    watch **at = watch_of(l, run);
    if (!*at) {
        *at = mem_calloc(1, sizeof **at);
        (*at)->run = *run;
    }
    s->watch = *at;
    s->next = s->watch->subscribers;
    s->watch->subscribers = s;
    atomic_fetch_add_explicit(&l->subscribers, 1, memory_order_relaxed);
    pthread_mutex_unlock(&l->lock);
    return s;
}

void live_unsubscribe(live_subscriber *s)
{
    live *l = s->live;
    pthread_mutex_lock(&l->lock);
    live_subscriber **at = &s->watch->subscribers;
    while (*at != s) at = &(*at)->next;
    *at = s->next;
    if (!s->watch->subscribers) {
        watch **empty = watch_of(l, &s->watch->run);
        *empty = s->watch->next;
        free(s->watch);
    }
    atomic_fetch_sub_explicit(&l->subscribers, 1, memory_order_relaxed);
    pthread_mutex_unlock(&l->lock);
    waiting_free(&s->waiting);
    free(s);
}

/* ---- fetching ---- */

/* All rows that wait as one chunk, in order; NULL: none. */
static chunk *merge_rows(const waiting *w)
{
    size_t count = 0;
    for (const node *n = w->first; n; n = n->next) count++;
    if (!count) return NULL;
    chunk **parts = mem_alloc(count * sizeof *parts);
    count = 0;
    for (const node *n = w->first; n; n = n->next) parts[count++] = n->piece->rows;
    chunk *all = chunk_merge(parts, count);
    free(parts);
    return all;
}

/* Rows of `c` from `first` on into points, and the last one. */
static void reduce(const chunk *c, size_t first, live_news *out)
{
    size_t columns = out->info->column_count;
    reducer *r = reducer_new(c->time[first], c->time[c->rows - 1], LIVE_POINTS, columns);
    const double **values = mem_alloc(columns * sizeof *values);
    out->last = mem_alloc(columns * sizeof *out->last);
    for (size_t i = 0; i < columns; i++) {
        values[i] = i < c->columns ? c->values[i] + first : NULL;
        out->last[i] = values[i] ? c->values[i][c->rows - 1] : NAN;
    }
    reducer_rows(r, c->rows - first, c->time + first, values);
    reducer_finish(r, &out->rows);
    free(values);
    out->rows.columns = mem_alloc(columns * sizeof *out->rows.columns);
    for (size_t i = 0; i < columns; i++) out->rows.columns[i] = (uint32_t)i;
}

bool live_fetch(live_subscriber *s, live_news *out)
{
    *out = (live_news){0};
    pthread_mutex_lock(&s->live->lock);
    waiting w = s->waiting;
    s->waiting = (waiting){0};
    s->woken = false;
    pthread_mutex_unlock(&s->live->lock);
    if (!w.latest) return false;

    out->info = run_info_copy(w.latest->info);
    out->dropped = w.dropped;
    chunk *rows = merge_rows(&w);
    if (rows) {
        size_t bound = row_bound(rows->columns), over = rows->rows > bound ? rows->rows - bound : 0;
        out->dropped += over;
        reduce(rows, over, out);
        chunk_free(rows);
    }
    out->rows.gaps = w.gaps;
    out->rows.gap_count = w.gap_count;
    out->rows.marks = w.marks;
    out->rows.mark_count = w.mark_count;
    w.gaps = w.marks = NULL;
    w.gap_count = w.mark_count = 0;
    waiting_free(&w);
    return true;
}

void live_news_free(live_news *n)
{
    run_info_free(n->info);
    series_free(&n->rows);
    free(n->last);
    *n = (live_news){0};
}
