/* SPDX-License-Identifier: MIT OR Unlicense
   drift_table: verdicts as text for a terminal, or a CI job's log. Pure. */
#ifndef DRIFT_TABLE_H
#define DRIFT_TABLE_H

#include "insight/drift.h"
#include "runs/run.h"

typedef struct {
    const char *name, *unit;
    column_kind kind;
    drift drift;
    bool failed; /* marked: this is why the program ends with 1 */
} drift_row;

/* A line a column, each followed by its shifts. */
void drift_table(buf *out, const drift_row *rows, size_t count);

#endif
