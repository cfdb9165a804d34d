/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres_held: what is known of a run while store_write() has it locked. Nobody else changes anything of it then
   but what users edit: so it stays true, is changed here, and is written back as a whole. */
#ifndef STORE_POSTGRES_HELD_H
#define STORE_POSTGRES_HELD_H

#include "store/postgres/store_postgres.h"
#include "store/store_trim.h"

typedef struct {
    uuid id;
    const run_info *info; /* of the first change that tells what to make of it; NULL: none does */
    size_t answer;
    bool there;
    store_position at;
    int64_t facts, seen, rows, lost, offset, counter, small, loose, max_gap, removed;
    place summed;  /* behind it no summary stands for anything                           */
    bool unsummed; /* a summary was put since, so `summed` is not known                  */
    int64_t max_span[STORE_LEVELS];
    bool pinned;
    int64_t deleted;
    size_t levels; /* that have entries, or had                                          */
} held_run;

/* Locks runs, in the order given; makes those that are not there. STORE_MISSING: one is not, and has no `info`. */
store_status held_lock(pg_store *s, held_run *runs, size_t count);
/* Asks for the facts to be updated, if they differ. */
void held_ask_facts(pg_store *s, held_run *run, const run_info *r);
/* Takes over what a change tells of the run, beside its rows. */
void held_tell(held_run *run, const run_info *r, uint64_t next_seq);
void held_lose(held_run *run, int64_t count);
/* An entry is put: a search by time must reach back that far. */
void held_reach(held_run *run, const chunk_key *k);
/* A chunk came (`sign` 1) or went (-1). */
void held_add_chunk(held_run *run, const chunk_key *k, int sign);
/* Removes chunks of it. STORE_MISSING: not all are there just so. In store_postgres_write.c. */
store_status held_remove(pg_store *s, held_run *run, const chunk_key *keys, size_t count);
/* Asks for all of that to be written. */
void held_ask_growth(pg_store *s, const held_run *run);

#endif
