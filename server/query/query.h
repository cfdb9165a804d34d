/* SPDX-License-Identifier: MIT OR Unlicense
   query: what charts and exports ask of a run. Pure but for the store. The cost of a series follows the points asked
   for, not the run's length: summaries where a chunk is no wider than two points, rows where it is. */
#ifndef QUERY_H
#define QUERY_H

#include "query/reducer.h"
#include "store/store.h"

#define QUERY_MAX_POINTS  20000
#define SERIES_MAX_VALUES (UINT32_C(1) << 21) /* points × columns; a request for more gets fewer points */

typedef struct {
    int64_t from, to;            /* ns, both included                                                      */
    size_t points;               /* at most so many; 1 … QUERY_MAX_POINTS                                  */
    const uint32_t *columns;     /* indices into the run's columns; NULL: all                              */
    size_t column_count;
} series_request;

/* Every row in [from, to] is in exactly one point; nothing else is. STORE_OK, and the caller frees with series_free();
   STORE_MISSING if the store has no such run (any more).
   If the range holds no more rows than `points`, each is a point (`exact`). Takes a snapshot of the store: the caller
   must not hold one. */
store_status query_series(store *s, const run_info *run, const series_request *request, series *out);

/* What was not told (INT64_MIN, INT64_MAX) becomes where the run begins (its first row, or a mark or gap since it was started)
   or ends; from <= to afterwards. */
store_status query_range(store *s, const run_info *run, int64_t *from, int64_t *to);

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

#endif
