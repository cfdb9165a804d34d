/* SPDX-License-Identifier: MIT OR Unlicense
   latest: a run's newest values, as the store has them. */
#include "query/latest.h"

#include <math.h>

typedef struct {
    double *out;
    size_t count;
} found;

/* Entries come by time, so a later one's value replaces an earlier one's. */
static bool take_entry(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    (void)key;
    found *f = ctx;
    for (size_t i = 0; i < count && i < f->count; i++)
        if (columns[i].count) f->out[i] = columns[i].last;
    return true;
}

store_status latest_values(store *s, const run_info *run, double *out)
{
    found f = {out, run->column_count};
    for (size_t i = 0; i < f.count; i++) out[i] = NAN;
    int64_t from;
    if (__builtin_sub_overflow(run->last, LATEST_SECONDS * NS_PER_SECOND, &from)) from = INT64_MIN;
    return store_entries(s, &run->id, 0, from, run->last, take_entry, &f);
}
