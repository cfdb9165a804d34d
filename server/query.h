/* SPDX-License-Identifier: MIT OR Unlicense
   query: what charts and exports ask of a run. Pure but for the store. The cost of a series follows the points asked
   for, not the run's length: summaries where a chunk is no wider than two points, rows where it is. */
#ifndef QUERY_H
#define QUERY_H

#include "store.h"

#define QUERY_MAX_POINTS 20000

typedef struct {
    int64_t from, to;            /* ns, both included                                                      */
    size_t points;               /* at most so many; 1 … QUERY_MAX_POINTS                                  */
    const uint32_t *columns;     /* indices into the run's columns; NULL: all                              */
    size_t column_count;
} series_request;

/* Arrays of `points` elements. A point covers the rows of its part of the range: whole chunks where summaries serve,
   so its edge moves to the chunk's edge, and `time` (the middle of what it really covers) says so. */
typedef struct {
    double *mean, *min, *max;    /* NaN: the column has no value there                                     */
} series_column;

#define SERIES_MAX_VALUES (UINT32_C(1) << 21) /* points × columns; a request for more gets fewer points */

typedef struct {
    size_t points;
    int64_t *time;               /* ns, rising (equal only where `exact`, and rows have equal times)       */
    uint64_t *rows;              /* how many rows each point stands for                                    */
    bool exact;                  /* every point is one row: mean = min = max                               */
    uint32_t *columns;           /* the indices of …                                                       */
    series_column *values;       /* … these                                                                */
    size_t column_count;
    run_event *gaps;             /* neighbours closer than one point are joined, their counts added        */
    size_t gap_count;
    run_event *marks;            /* at most `points`: of those closer than one point the first, with their
                                    number in `count`                                                      */
    size_t mark_count;
} series;

/* Every row in [from, to] is in exactly one point; nothing else is. STORE_OK, and the caller frees with series_free().
   If the range holds no more rows than `points`, each is a point (`exact`). Takes a snapshot of the store: the caller
   must not hold one. */
store_status query_series(store *s, const run_info *run, const series_request *request, series *out);
void series_free(series *out);

/* Every row in [from, to] by (time, seq), some thousand at a time at most, so that a consumer can pause: zero-initialise
   `cursor`, call until `*out` is NULL. The caller frees each chunk; its summaries are those of its rows. It goes on after
   the last row's (time, seq), so that it does not matter if chunks are merged between two calls. Each call takes a
   snapshot of the store: the caller must not hold one. */
typedef struct {
    bool started;
    int64_t time;                /* of the last row given */
    uint64_t seq;
} query_cursor;
store_status query_rows(store *s, const uuid *id, int64_t from, int64_t to, query_cursor *cursor, chunk **out);
/* The same within a snapshot of the caller's, and of some columns only (`columns` NULL: all). */
store_status query_rows_of(store *s, const uuid *id, int64_t from, int64_t to, const uint32_t *columns, size_t count,
                           query_cursor *cursor, chunk **out);

/* ---- reducer: rows and summaries into points; for the live stream too. Pure ---- */

typedef struct reducer reducer;
reducer *reducer_new(int64_t from, int64_t to, size_t points, size_t columns);
int64_t reducer_width(const reducer *r);                     /* of a point, ns */
/* Rows outside of the range are left out. As long as all rows fit, each becomes a point: so in order of time, please.
   values[column][row]; NULL: no value in any row. */
void reducer_rows(reducer *r, size_t rows, const int64_t *time, const double *const *values);
/* Rows that lie within the range and are known by their summaries; NULL: no value in any row. */
void reducer_summary(reducer *r, const chunk_key *key, const summary *const *columns);
void reducer_finish(reducer *r, series *out);                /* sets points, time, rows, exact, values; frees `r` */

#endif
