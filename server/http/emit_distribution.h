/* SPDX-License-Identifier: MIT OR Unlicense
   emit_distribution: histograms over time as the API answers them (API.md says what it means). Pure. */
#ifndef EMIT_DISTRIBUTION_H
#define EMIT_DISTRIBUTION_H

#include "http/emit.h"
#include "query/distribution.h"

#define DISTRIBUTION_BINS 64 /* that a column's values are put into, at most */

/* columns[i]: the run's column of d->of[i]. */
void emit_distribution(buf *out, const run_info *r, const uint32_t *columns, const distribution *d);

#endif
