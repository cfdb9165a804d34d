/* SPDX-License-Identifier: MIT OR Unlicense
   runs_columns: the columns of an announcement, made presentable: clean, and each name once. Pure. */
#ifndef RUNS_COLUMNS_H
#define RUNS_COLUMNS_H

#include "runs/run.h"
#include "runs/runs_hash.h"

/* What had to be changed in the columns from `from` on. */
typedef struct {
    size_t clipped, renamed;
} columns_changes;

/* An owned copy of `in`: names and units clean and clipped (span_clean), a name that came before numbered "x (2)".
   The first columns of a longer list come out as those of a shorter one do. */
run_column *columns_make(const record_column *in, size_t count, size_t from, hash_key key, columns_changes *changes);
void columns_free(run_column *columns, size_t count);

/* Whether the shorter of two lists of names begins the longer. */
bool columns_agree(const run_column *a, size_t a_count, const run_column *b, size_t b_count);
/* Whether an announcement names, as it stands, exactly or the first of these. */
bool columns_named(const run_column *known, size_t known_count, const record_column *in, size_t count);

#endif
