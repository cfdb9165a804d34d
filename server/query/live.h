/* SPDX-License-Identifier: MIT OR Unlicense
   live: fan-out of fresh rows to those who look on. Knows nothing of HTTP. Bounded: a subscriber that does not fetch
   loses its oldest rows and is told how many. Thread-safe. */
#ifndef LIVE_H
#define LIVE_H

#include "query/reducer.h"

typedef struct live live;
typedef struct live_subscriber live_subscriber;

/* What a subscriber gets at a time: the new rows, reduced to at most LIVE_POINTS points, newly heard marks and gaps
   (beyond LIVE_POINTS of a kind the last one stands for the rest, its count and end extended). */
#define LIVE_POINTS 100
#define LIVE_ROWS   4096             /* that may wait for one subscriber … */
#define LIVE_VALUES (UINT32_C(1) << 20) /* … but no more values than this */
typedef struct {
    run_info *info;          /* the latest snapshot: its state, columns (they may have grown)              */
    series rows;             /* `points` may be 0                                                          */
    double *last;            /* the newest row's values, info->column_count of them; NULL if none          */
    uint64_t dropped;        /* rows this subscriber lost since the last fetch because it was slow         */
} live_news;

live *live_new(void);
void live_free(live *l);                                     /* no subscriber may be left */
/* Called by the ingest thread for each batch; copies what subscribers need. While nobody subscribes it only looks. */
void live_publish(live *l, const batch *b);
/* `wake(ctx)` is called, from the publishing thread and under no lock of the caller's, once when there is something to
   fetch, and again only after live_fetch(). It must be short and call no live_… function. */
live_subscriber *live_subscribe(live *l, const uuid *run, void (*wake)(void *ctx), void *ctx);
void live_unsubscribe(live_subscriber *s);                   /* `wake` is not running and will not be called after it */
bool live_fetch(live_subscriber *s, live_news *out);         /* false: nothing new. Free with live_news_free */
void live_news_free(live_news *n);
size_t live_subscribers(const live *l);
bool live_is_watched(live *l, const uuid *run);              /* by some subscriber */

#endif
