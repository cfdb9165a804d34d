/* SPDX-License-Identifier: MIT OR Unlicense
   emit_correlation: a correlation as the API answers it (API.md says what it means). Pure. */
#ifndef EMIT_CORRELATION_H
#define EMIT_CORRELATION_H

#include "http/emit.h"
#include "insight/correlation.h"

/* What the numbers are of. */
typedef struct {
    const run_info *run;
    const uint32_t *columns; /* [c->count]: of the run, as they stand in the correlation */
    emit_range range;
    size_t points;
    bool exact, differenced; /* every point is a row; what was correlated is its change */
} correlated;

void emit_correlation(buf *out, const correlation *c, const correlated *of);

#endif
