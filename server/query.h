/* SPDX-License-Identifier: MIT OR Unlicense
   query: what charts and exports ask of a run. Pure but for the store. The cost of a series follows the points asked
   for, not the run's length: summaries where a chunk fits into one point, rows where it does not. */
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

typedef struct {
    size_t points;
    int64_t *time;               /* ns, rising                                                             */
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

/* STORE_OK, and the caller frees with series_free(). */
store_status query_series(store *s, const run_info *run, const series_request *request, series *out);
void series_free(series *out);

/* Every row in [from, to] by (time, seq), a chunk at a time, so that a consumer can pause: zero-initialise `cursor`,
   call until `*out` is NULL. Rows outside of the range are cut off. The caller frees each chunk. */
typedef struct {
    bool started;
    chunk_key last;
} query_cursor;
store_status query_rows(store *s, const uuid *id, int64_t from, int64_t to, query_cursor *cursor, chunk **out);

/* Rows into points, for the live stream too: adds rows one by one, in order of time. */
typedef struct reducer reducer;
reducer *reducer_new(int64_t from, int64_t to, size_t points, size_t columns);
void reducer_row(reducer *r, int64_t time, const double *values, size_t stride); /* values[column * stride] */
void reducer_summary(reducer *r, const chunk_key *key, const summary *const *columns);
void reducer_finish(reducer *r, series *out);                                    /* fills time, rows, exact, values; frees r */

#endif
