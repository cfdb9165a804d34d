/* SPDX-License-Identifier: MIT OR Unlicense
   record: what a datagram says, decoded. The decoder emits records, the run registry takes them.
   A record and all it points to live only during the call that hands it over. */
#ifndef RECORD_H
#define RECORD_H

#include "base/base.h"

/* Bounds on what a stranger may ask for. WIRE.md tells clients of them. */
#define MAX_COLUMNS    4096 /* of a run; an announcement with more is refused            */
#define MAX_NAME_BYTES 200  /* of a column's or an application's name; longer is clipped */
#define MAX_TEXT_BYTES 1000 /* of a mark, argv, tag …; longer is clipped                 */
#define MAX_TAGS       64
#define MAX_WORDS      4096 /* 8 bytes each: the histograms of a row; with more it is refused */
#define MAX_SEQ        (UINT64_C(1) << 53) /* every JSON library keeps an integer up to it exactly */
#define NO_SEQ         UINT64_MAX
#define NO_TIME        INT64_MIN

/* How a column's numbers are to be read. Of a histogram's column each is the mean of what was measured since the row
   before; and rows may bring how often each value came (base/histogram.h). */
typedef enum { COLUMN_GAUGE, COLUMN_COUNTER, COLUMN_HISTOGRAM } column_kind;

typedef struct {
    span name, unit;
    column_kind kind;
} record_column;

typedef struct {
    span name, value;
} record_tag;

typedef enum {
    RECORD_ANNOUNCE, /* the run exists, and these are its columns; may come again, with columns appended */
    RECORD_ROW,      /* one sample of every column                                                       */
    RECORD_MARK,     /* a labelled moment                                                                */
    RECORD_LOST,     /* the client says: these rows I had to drop                                        */
    RECORD_ALIVE,    /* nothing new, but the program lives                                               */
    RECORD_END,      /* goodbye                                                                          */

    /* The binary wire's, whose runs are acknowledged: */
    RECORD_FACTS,    /* an announcement without columns                                                  */
    RECORD_COLUMNS,  /* the names of some columns                                                        */
    RECORD_ROWS,     /* the rows of a datagram; none: the client is alive                                */
    RECORD_MARKS,    /* labelled moments, numbered                                                       */
    RECORD_GOODBYE   /* what the run has in all                                                          */
} record_kind;

typedef enum { END_STOPPED, END_CRASHED } end_reason;

/* The rows of one ROWS datagram, or slices of them: row i has values[i * slice …] in cells first … first + slice - 1. A
   row's cells are its columns and then its words, 8 bytes each as they came: histograms, if it has any; then it is alone. */
typedef struct {
    uint64_t kept, next;      /* the oldest row the client still has; the rows it has sampled in all     */
    int64_t offset;           /* ns: its wall clock minus the clock of the rows' times                   */
    uint32_t columns, words, first, slice, count;
    uint64_t seq;             /* of row 0; kept <= seq, seq + count <= next                              */
    const int64_t *time;
    const double *values;     /* NaN: no value                                                           */
} record_rows;

typedef struct {
    int64_t time;
    span text;
} record_label;

typedef struct {
    record_kind kind;
    unsigned ignored;         /* optional parts that were left out because they were ill-formed          */
    uint64_t counter;         /* of the sealed datagram it came in, from 1 on; 0: it was not sealed       */
    uuid run;
    union {
        struct {
            span app, host, build, args;
            span place;       /* boot and pid namespace: where `pid` means the same process; "": not told */
            int64_t pid;      /* 0: not told                                   */
            uint64_t born;    /* when that process was started, in clock ticks since boot; 0: not told    */
            int64_t started;  /* ns since the epoch, or NO_TIME                */
            int64_t interval; /* ns between two rows as planned; 0: not told   */
            const record_column *columns;
            size_t column_count;
            const record_tag *tags;
            size_t tag_count;
        } announce;
        struct {
            uint64_t seq;     /* 0, 1, 2 … MAX_SEQ in the order of sampling, or NO_SEQ             */
            int64_t time;     /* ns since the epoch by the client's clock, or NO_TIME              */
            const double *values;
            size_t count;     /* NaN: no value                                                     */
        } row;
        struct {
            int64_t time;     /* ns, or NO_TIME                                                    */
            span text;        /* follows the row it came with, and is dropped with it              */
        } mark;
        struct {
            uint64_t first_seq, count;
        } lost;
        struct {
            end_reason reason;
            int64_t time;
        } end;
        struct {
            uint32_t first, count;   /* columns[0] is the run's column `first`                             */
            const record_column *columns;
        } names;
        record_rows rows;
        struct {
            uint32_t kept, first, count; /* labels[0] is the run's mark `first`; below `kept` none will come again */
            const record_label *labels;
        } marks;
        struct {
            end_reason reason;
            int64_t time;
            uint64_t kept, next;     /* as in record_rows: `next` is how many rows there are in all        */
            uint32_t marks;          /* how many there are in all                                          */
        } goodbye;
    };
} record;

typedef void (*record_sink)(void *ctx, const record *r);

#endif
