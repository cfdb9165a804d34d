/* SPDX-License-Identifier: MIT OR Unlicense
   emit_drift: verdicts as the API answers them (API.md says what they mean). Pure. */
#ifndef EMIT_DRIFT_H
#define EMIT_DRIFT_H

#include "http/emit.h"
#include "insight/drift.h"

void emit_drift(buf *out, const run_info *r, const uint32_t *columns, const drift *drifts, size_t count,
                const emit_range *range);

#endif
