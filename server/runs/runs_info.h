/* SPDX-License-Identifier: MIT OR Unlicense
   runs_info: what announcements and the store say of a run, put together. Pure. */
#ifndef RUNS_INFO_H
#define RUNS_INFO_H

#include "runs/run.h"
#include "runs/runs_hash.h"

/* Of a run of which nothing is known but that it speaks: no columns, no text. */
run_info *info_blank(const uuid *id, int64_t now);

/* What an announcement says, made presentable. What had to be changed in it is added to `*clipped` and `*renamed`,
   but not for the first `known` columns, which were told before. */
run_info *info_told(const record *announce, size_t known, hash_key key, uint64_t *clipped, uint64_t *renamed);

/* Whether the announcement says nothing that `info` does not hold: cheap, and the usual case. */
bool info_holds(const run_info *info, const record *announce);

/* The application and the columns that both hold must be the same, or nothing happens: false. Columns are appended; of
   other facts those that were not told before are filled in; the interval is as told last. Empties `told`. */
bool info_merge(run_info *info, run_info *told);

size_t info_bytes(const run_info *info);                     /* of memory, about */

#endif
