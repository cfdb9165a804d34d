/* SPDX-License-Identifier: MIT OR Unlicense
   archive_export: a store's run → a portable file. */
#include "archive/archive_export.h"

#include <string.h>

typedef struct {
    store *s;
    const uuid *id;
    archive_writer *w;
    store_status status; /* of reading what an entry stands for */
} exporting;

static bool put_entry(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    (void)columns, (void)count;
    exporting *e = ctx;
    chunk *c;
    e->status = store_chunk(e->s, e->id, key, NULL, 0, &c);
    if (e->status != STORE_OK) return false;
    archive_put_chunk(e->w, c);
    chunk_free(c);
    return !e->w->failed;
}

static bool put_event(void *ctx, const run_event *event)
{
    exporting *e = ctx;
    archive_put_event(e->w, event);
    return !e->w->failed;
}

static store_status put_rest(exporting *e)
{
    store_status status = store_entries(e->s, e->id, 0, INT64_MIN, INT64_MAX, put_entry, e);
    if (status == STORE_OK) status = e->status;
    if (status == STORE_OK) status = store_events(e->s, e->id, INT64_MIN, INT64_MAX, put_event, e);
    if (status == STORE_OK) archive_put_run_end(e->w);
    return status == STORE_MISSING ? STORE_FAILED : status; /* nothing goes from a snapshot; and the run has begun */
}

/* Within a snapshot. */
static store_status put_run(exporting *e, bool *deleted)
{
    run_info *run = NULL;
    store_status status = store_run(e->s, e->id, &run);
    *deleted = run && run->deleted != 0;
    if (*deleted) status = STORE_MISSING;
    if (status == STORE_OK) {
        archive_put_run(e->w, run);
        status = put_rest(e);
    }
    run_info_free(run);
    return status;
}

store_status archive_export(store *s, const uuid *id, archive_writer *w, buf *why)
{
    exporting e = {s, id, w, STORE_OK};
    bool deleted = false;
    store_status status = store_snapshot_begin(s);
    if (status == STORE_OK) {
        status = put_run(&e, &deleted);
        store_snapshot_end(s);
    }
    char text[UUID_TEXT];
    uuid_format(id, text);
    if (w->failed) {
        buf_printf(why, "the file cannot be written: %s", strerror(w->error));
        return STORE_FAILED;
    }
    if (status != STORE_OK)
        buf_printf(why, "run %s: %s", text,
                   deleted ? "it was deleted; bring it back in the page first" : store_error(s));
    return status;
}
