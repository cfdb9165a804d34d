/* SPDX-License-Identifier: MIT OR Unlicense
   sources: what one sender may ask for. Each rate is a time up to which it is used up (the generic cell rate algorithm,
   ITU-T I.371 annex A): one number a rate, no timers. */
#include "ingest/sources.h"

#include <stdlib.h>
#include <string.h>

#define MAX_IDLE     65536 /* sources without runs that are remembered */
#define BYTES_PERIOD NS_PER_SECOND
#define RUNS_PERIOD  (60 * NS_PER_SECOND)

struct source {
    uint8_t id[SOURCE_BYTES];
    int64_t bytes_until, runs_until; /* used up to here */
    uint64_t live;
    source *chain;         /* the table's                           */
    source *older, *newer; /* those without runs, by their last use */
};

struct source_table {
    source_limits limits;
    hash_key key;
    source **buckets;
    size_t bucket_count, count, idle;
    source *oldest, *newest;
};

source_table *sources_new(const source_limits *limits, hash_key key)
{
    source_table *s = mem_calloc(1, sizeof *s);
    s->limits = *limits;
    if (!s->limits.bytes) s->limits.bytes = (uint64_t)512 << 20;
    if (!s->limits.runs) s->limits.runs = 6000;
    if (!s->limits.live) s->limits.live = 16384;
    s->key = key;
    return s;
}

void sources_free(source_table *s)
{
    if (!s) return;
    for (size_t i = 0; i < s->bucket_count; i++)
        for (source *e = s->buckets[i], *next; e; e = next) {
            next = e->chain;
            free(e);
        }
    free(s->buckets);
    free(s);
}

/* ---- the table ---- */

static source **bucket_of(const source_table *s, const uint8_t id[SOURCE_BYTES])
{
    return &s->buckets[hash_bytes(s->key, id, SOURCE_BYTES) & (s->bucket_count - 1)];
}

static void chain(source_table *s, source *e)
{
    source **bucket = bucket_of(s, e->id);
    e->chain = *bucket;
    *bucket = e;
}

static void grow(source_table *s)
{
    source **old = s->buckets;
    size_t count = s->bucket_count;
    s->bucket_count = count ? 2 * count : 64;
    s->buckets = mem_calloc(s->bucket_count, sizeof(source *));
    for (size_t i = 0; i < count; i++)
        for (source *e = old[i], *next; e; e = next) {
            next = e->chain;
            chain(s, e);
        }
    free(old);
}

/* ---- those without runs, which may be forgotten ---- */

static void set_idle(source_table *s, source *e)
{
    e->older = s->newest;
    e->newer = NULL;
    *(s->newest ? &s->newest->newer : &s->oldest) = e;
    s->newest = e;
    s->idle++;
}

static void set_busy(source_table *s, source *e)
{
    *(e->older ? &e->older->newer : &s->oldest) = e->newer;
    *(e->newer ? &e->newer->older : &s->newest) = e->older;
    s->idle--;
}

static void forget_oldest(source_table *s)
{
    source *e = s->oldest, **link = bucket_of(s, e->id);
    set_busy(s, e);
    while (*link != e) link = &(*link)->chain;
    *link = e->chain;
    s->count--;
    free(e);
}

source *sources_of(source_table *s, const uint8_t id[SOURCE_BYTES])
{
    source *e = s->bucket_count ? *bucket_of(s, id) : NULL;
    while (e && memcmp(e->id, id, SOURCE_BYTES) != 0) e = e->chain;
    if (e && !e->live && e != s->newest) {
        set_busy(s, e);
        set_idle(s, e);
    }
    if (e) return e;
    if (s->idle == MAX_IDLE) forget_oldest(s);
    if (s->count == s->bucket_count) grow(s);
    e = mem_calloc(1, sizeof *e);
    memcpy(e->id, id, SOURCE_BYTES);
    e->bytes_until = e->runs_until = INT64_MIN;
    chain(s, e);
    set_idle(s, e);
    s->count++;
    return e;
}

size_t sources_count(const source_table *s)
{
    return s->count;
}

/* ---- limits ---- */

/* Takes `n` of `rate` a period; a period's worth may be taken at once. */
static bool take(int64_t *until, uint64_t n, uint64_t rate, int64_t period, int64_t now)
{
    int64_t from = *until > now ? *until : now;
    int64_t to = from + (int64_t)((double)n * (double)period / (double)rate);
    if (to - now > period) return false;
    *until = to;
    return true;
}

source_limit sources_take_bytes(source_table *s, source *from, size_t n, int64_t now)
{
    if (s->limits.off || take(&from->bytes_until, n, s->limits.bytes, BYTES_PERIOD, now)) return LIMIT_NONE;
    return LIMIT_BYTES;
}

source_limit sources_add_run(source_table *s, source *from, int64_t now)
{
    if (!s->limits.off && from->live >= s->limits.live) return LIMIT_LIVE_RUNS;
    if (!s->limits.off && !take(&from->runs_until, 1, s->limits.runs, RUNS_PERIOD, now)) return LIMIT_NEW_RUNS;
    if (!from->live++) set_busy(s, from);
    return LIMIT_NONE;
}

void sources_remove_run(source_table *s, source *from)
{
    if (!--from->live) set_idle(s, from);
}
