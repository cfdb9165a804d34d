/* SPDX-License-Identifier: MIT OR Unlicense
   runs_table: the registry's runs, found by UUID, and in the order in which their time comes. */
#ifndef RUNS_TABLE_H
#define RUNS_TABLE_H

#include "ingest/sources.h"
#include "runs/runs_gather.h"
#include "runs/runs_hash.h"
#include "runs/runs_held.h"
#include "runs/runs_seqs.h"

typedef struct binary binary; /* runs_binary.h */
typedef struct entry entry;
struct entry {
    run_info *info;          /* without columns while the run is not announced                 */
    size_t weight;           /* bytes of memory, about                                         */
    seqs seqs;
    binary *binary;          /* of a run that speaks the binary wire; else NULL                */
    gather fresh;
    held_list held;          /* while it is not ready                                          */
    source *source;          /* that it counts for; NULL: none                                 */
    int64_t since;           /* the tick at which it was new to the registry …                 */
    int64_t heard;           /* … and at which it spoke last                                   */
    int64_t shown;           /* `info->seen` as of the last snapshot                           */
    uint64_t row;            /* the last row's number …                                        */
    unsigned row_marks;      /* … how many marks came with it …                                */
    bool row_seen;           /* … and that it had come before: so had what came with it        */
    bool numbered;           /* a row came with a number of its own                            */
    bool answered;           /* the store has said what it holds of the run                    */
    bool changed;            /* `info` has, since the last snapshot                            */
    size_t dirty;            /* its place in the registry's list, or NOT_DIRTY                 */
    entry *chain;            /* the table's                                                    */
    entry *older, *newer;    /* the queue's                                                    */
};
#define NOT_DIRTY SIZE_MAX

/* ---- by UUID; zero-initialise but for the key ---- */
typedef struct {
    hash_key key;
    entry **buckets;
    size_t bucket_count, count;
} table;

entry *table_find(const table *t, const uuid *id);
void table_insert(table *t, entry *e);                       /* which is not in it */
void table_remove(table *t, entry *e);                       /* which is in it     */

/* ---- by time; zero-initialise; an entry is in one queue at a time ---- */
typedef struct {
    entry *oldest, *newest;
} queue;

void queue_append(queue *q, entry *e);
void queue_remove(queue *q, entry *e);

#endif
