/* SPDX-License-Identifier: MIT OR Unlicense
   run: what is known of one run, and a batch: what several runs have newly said. Plain data, shared by the
   registry (makes them), the writer and the store (keep them), live and the API (show them). */
#ifndef RUN_H
#define RUN_H

#include "base/histogram.h"
#include "ingest/record.h"

typedef struct {
    char *name, *unit;
    column_kind kind;
} run_column;

typedef struct {
    char *name, *value;
} run_tag;

/* As stored. Silence is not stored: run_state_at() derives it. */
typedef enum { RUN_LIVE, RUN_ENDED, RUN_CRASHED, RUN_LOST } run_state;

typedef struct {
    uuid id;
    char *app;               /* never NULL, as all strings here          */
    char *host, *build, *args;
    char *place;             /* boot and pid namespace, where `pid` counts; "": not told */
    int64_t pid;             /* 0: not told                              */
    uint64_t born;           /* when that process was started, in clock ticks since boot; 0: not told */
    int64_t started;         /* ns since the epoch, the client's clock; the server's if not told */
    int64_t last;            /* the newest row's time; `started` while there is none             */
    int64_t seen;            /* when the server last heard of it, the server's clock             */
    int64_t interval;        /* ns; 0: not told                          */
    uint64_t rows, lost;     /* stored; known to be lost                 */
    uint64_t removed;        /* rows that were stored, and swept since   */
    uint64_t next_seq;       /* the sequence number after the highest stored                     */
    uint32_t next_mark;      /* the same of the marks that are numbered: the binary wire's       */
    int64_t offset;          /* ns: the client's wall clock minus the clock of its rows, lately  */
    uint64_t counter;        /* the highest of its sealed datagrams that was taken                */
    bool acked;              /* its client keeps rows until they are acknowledged; not stored    */
    bool counted;            /* the server numbers its rows, its client does not; not stored     */
    run_state state;
    run_column *columns;
    size_t column_count;
    run_tag *tags;
    size_t tag_count;
    char *note;              /* the user's, as all that follows: the registry never sets it      */
    char *user_tags;         /* a JSON object: tags added, changed, and (null) taken away; "": none */
    bool pinned;
    int64_t deleted;         /* when, ns by the server's clock; 0: it is not                     */
} run_info;

run_info *run_info_copy(const run_info *r);
void run_info_free(run_info *r);                             /* frees what it points to, and itself; NULL is fine */
/* What the store knows better than the registry passes from the one to the other: rows, lost, removed, and what the user
   edits. */
void run_info_take_stored(run_info *to, run_info *from);
const char *run_state_name(run_state s);                     /* "live", "ended", "crashed", "lost"                */
const char *column_kind_name(column_kind k);                 /* "gauge", "counter", "histogram"                  */
/* A run that says nothing for longer than 3 of its intervals, and than 15 s, is lost. */
run_state run_state_at(const run_info *r, int64_t now);

/* What happened at a moment of a run, beside its rows. */
typedef enum { EVENT_MARK, EVENT_GAP } event_kind;
typedef struct {
    event_kind kind;
    int64_t time, until;     /* ns; a mark has both the same; a gap lies between two rows' times  */
    uint64_t seq;            /* a gap's first lost row; a mark's number within its run            */
    uint64_t count;          /* rows lost; 0 for a mark                                           */
    char *text;              /* a mark's label; "" for a gap                                      */
} run_event;

/* New rows and events of one run. Rows are in order of `seq`. If columns join in mid-batch, the run has two parts. */
typedef struct {
    run_info *info;          /* a snapshot as of this batch; rows and lost are not yet added up   */
    size_t rows, columns;
    int64_t *time;
    uint64_t *seq;
    double *values;          /* row-major: values[row * columns + column]; NaN: no value          */
    row_histograms histograms;
    run_event *events;
    size_t event_count;
} batch_part;

typedef struct batch {
    batch_part *parts;
    size_t count;
    size_t bytes;            /* of memory, about: what the writer's bound counts */
    struct batch *next;      /* a queue's link */
} batch;

void batch_free(batch *b);

#endif
