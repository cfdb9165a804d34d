/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres_outline: the entries of the original's run that was looked into last are kept, so that a chart or a download,
   which asks for many ranges, does not read the whole table for each. */
#include "store/postgres/store_postgres_original.h"

#include <stdlib.h>
#include <string.h>

#define OUTLINE_BYTES (64u << 20) /* for summaries; a run with more is read again for each range */

static bool keep_entry(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    original_outline *line = ctx;
    if ((line->count + 1) * count * sizeof *columns > OUTLINE_BYTES) {
        line->too_long = true;
        return false;
    }
    if (line->count == line->room) {
        line->room = line->room * 2 + 16;
        line->keys = mem_resize(line->keys, line->room, sizeof *line->keys);
        line->summaries = mem_resize(line->summaries, line->room * count, sizeof *line->summaries);
    }
    line->keys[line->count] = *key;
    memcpy(line->summaries + line->count * count, columns, count * sizeof *columns);
    line->count++;
    return true;
}

static void forget(original_outline *line)
{
    free(line->keys);
    free(line->summaries);
    *line = (original_outline){0};
}

static store_status draw(pg_store *s, const original_run *run)
{
    original_outline *line = &s->original->outline;
    forget(line);
    line->columns = run->info->column_count;
    store_status status = original_scan(s, run, INT64_MIN, INT64_MAX, keep_entry, line);
    if (status != STORE_OK) {
        forget(line);
        return status;
    }
    line->run = run->info->id;
    line->rows = run->info->rows;
    return STORE_OK;
}

store_status original_cover(pg_store *s, const original_run *run, int64_t from, int64_t to, store_entry_fn each,
                            void *ctx)
{
    original_outline *line = &s->original->outline;
    bool drawn = line->rows == run->info->rows && uuid_eq(&line->run, &run->info->id);
    store_status status = drawn || run->info->rows == 0 ? STORE_OK : draw(s, run);
    if (status != STORE_OK || run->info->rows == 0) return status;
    if (line->too_long) return original_scan(s, run, from, to, each, ctx);
    bool more = true;
    for (size_t i = 0; more && i < line->count; i++) {
        const chunk_key *key = &line->keys[i];
        if (key->first_time > to || key->last_time < from) continue;
        more = each(ctx, key, line->summaries + i * line->columns, line->columns);
    }
    return STORE_OK;
}
