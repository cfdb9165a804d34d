/* SPDX-License-Identifier: MIT OR Unlicense
   archive_import: a portable file → a store. */
#ifndef ARCHIVE_IMPORT_H
#define ARCHIVE_IMPORT_H

#include "archive/archive.h"
#include "store/store.h"

/* The note of a run while not all of it is there; then it gets its own. */
#define ARCHIVE_UNFINISHED "Import unfinished: import the file again."

/* What became of one run. */
typedef struct {
    const run_info *run;
    uint64_t rows, events; /* in the file                                             */
    uint64_t added;        /* rows of these that were not there                       */
    bool known;            /* the run was there: what the user said of it stays       */
    const char *refused;   /* not NULL: nothing was taken; why                        */
} archive_imported;

/* Reads the file to its end without taking anything. false: `why` gets the rest of a sentence, "is damaged …". */
bool archive_check(FILE *file, buf *why);

/* Takes in what the file has and the store has not, run by run, in memory some chunks at a time; calls `done` after
   each. Rows that are there already are known by their time and number, however they lie in chunks; so a repeated
   import changes nothing, and one that ended half-way is continued. false: it ended half-way; `why` gets one sentence
   that begins with `name`. */
bool archive_import(store *s, FILE *file, const char *name, void (*done)(void *ctx, const archive_imported *r),
                    void *ctx, buf *why);

#endif
