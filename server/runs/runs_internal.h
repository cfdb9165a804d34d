/* SPDX-License-Identifier: MIT OR Unlicense
   runs_internal: the registry from within: what its parts for the two wires share. */
#ifndef RUNS_INTERNAL_H
#define RUNS_INTERNAL_H

#include "runs/runs.h"
#include "runs/runs_table.h"

/* A run is at first in `waiting`, by `since`: for the store's answer, or for an announcement. When it has both it is
   ready, moves to `known`, by `heard`, and what it said meanwhile is replayed. */
struct runs {
    runs_limits limits;
    void (*want)(void *ctx, const uuid *run);
    void *ctx;
    table table;
    queue waiting, known;
    entry *unasked; /* the oldest in `waiting` that the store was not asked for  */
    size_t asked;   /* answers that are due                                      */
    bool unsent;    /* news of a forgotten run leaves with the next flush only   */
    entry **dirty;  /* those that the next flush has to look at                  */
    size_t dirty_count, dirty_room;
    batch_part *done; /* parts that were complete before the flush                 */
    size_t done_count, done_room;
    size_t fresh_bytes; /* of all that is new                                        */
    size_t held_rows, held_bytes;
    size_t info_bytes;
    size_t early_bytes; /* of rows of the binary wire that wait for earlier ones   */
    int64_t now, tick; /* the last `now`; the same, but never set back              */
    entry **owing;      /* those whose clients are to get an acknowledgement       */
    size_t owing_count, owing_room;
    size_t owing_at;    /* how far a round of acknowledgements is */
    source_table *sources;
    bool behind;        /* the store is: rows that can wait at their clients do    */
    runs_counters counters;
};

void runs_count_up(_Atomic uint64_t *counter, uint64_t n);
/* Announced, and the store has said what it holds of the run: its rows are taken. */
bool runs_is_ready(const entry *e);
void runs_set_dirty(runs *r, entry *e);    /* the next flush has to look at it        */
void runs_set_changed(runs *r, entry *e);  /* its info has changed                    */
void runs_close_part(runs *r, entry *e);   /* what it has newly said ends here        */
void runs_add_row(runs *r, entry *e, uint64_t seq, int64_t time, const double *values, size_t count, span histograms);
void runs_add_event(runs *r, entry *e, run_event event); /* takes ownership of its text */
/* What was announced comes to what is known: false, and counted, if they contradict each other. Frees `told`. */
bool runs_merge(runs *r, entry *e, run_info *told);
/* Asks the store again what it holds of a run; false: not now, too many answers are due. */
bool runs_ask_again(runs *r, const entry *e);
/* It may have become ready. */
void runs_settle(runs *r, entry *e);
void runs_make_room(runs *r, const entry *keep);
const char *runs_text_of(const entry *e, char text[UUID_TEXT]);

#endif
