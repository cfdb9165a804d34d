/* SPDX-License-Identifier: MIT OR Unlicense
   reducer: rows, and summaries of rows, into the points of a chart; for series and for the live stream. Pure. */
#ifndef REDUCER_H
#define REDUCER_H

#include "store/chunk.h"

/* Arrays of `points` elements. A point covers the rows of its part of the range: whole chunks where summaries serve,
   so its edge moves to the chunk's edge, and `time` (the middle of what it really covers) says so. */
typedef struct {
    double *mean, *min, *max;    /* NaN: the column has no value there                                     */
} series_column;

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

void series_free(series *out);                              /* what it points to */

/* A range cut into parts of equal width, the last perhaps shorter. */
typedef struct {
    int64_t from, to;            /* ns, both included */
    uint64_t width;              /* of a part, ns     */
    size_t parts;
} grid;
grid grid_of(int64_t from, int64_t to, size_t parts);        /* at least one part */
size_t grid_part(const grid *g, int64_t time);               /* of a time within the range */
int64_t grid_start(const grid *g, size_t part);
int64_t grid_end(const grid *g, size_t part);                /* the last ns of it */
int64_t grid_width(const grid *g);                           /* INT64_MAX if it is more than that */
/* An entry of the store goes by its summary if no rows are below it, or if it lies in the range and is no longer than `longest`
   ns; then it counts in the part that its middle lies in. */
bool grid_takes_whole(const grid *g, const chunk_key *key, int64_t longest);
size_t grid_part_of(const grid *g, const chunk_key *key);

typedef struct reducer reducer;
reducer *reducer_new(int64_t from, int64_t to, size_t points, size_t columns);
grid reducer_grid(const reducer *r);                         /* of its points  */
int64_t reducer_width(const reducer *r);                     /* of a point, ns */
/* Rows outside of the range are left out. As long as all rows fit, each becomes a point: so in order of time, please.
   values[column][row]; NULL: no value in any row. */
void reducer_rows(reducer *r, size_t rows, const int64_t *time, const double *const *values);
/* Rows that lie within the range and are known by their summaries; NULL: no value in any row. */
void reducer_summary(reducer *r, const chunk_key *key, const summary *const *columns);
void reducer_finish(reducer *r, series *out);                /* all but columns, gaps, marks; frees `r` */

#endif
