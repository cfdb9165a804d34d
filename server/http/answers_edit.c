/* SPDX-License-Identifier: MIT OR Unlicense
   answers_edit: what users change of a run. On the writer's thread, one at a time: what was read holds until it is
   changed, but for what another server on the same database does. */
#include "http/answers_internal.h"

#include <stdlib.h>

#include "store/writer.h"

static void answer_stored(answer *a, store *s)
{
    run_info *r;
    if (!answer_check(a, s, store_run(s, &a->run, &r))) return;
    emit_run(&a->body, r, clock_wall());
    buf_text(&a->body, "\n");
    run_info_free(r);
}

/* What is about to go cannot be held. */
static bool is_gone(const run_info *r)
{
    return r->deleted && clock_wall() - r->deleted > UNDO_SECONDS * NS_PER_SECOND;
}

static void change_run(answer *a, store *s, const run_info *r)
{
    const edit *e = a->edit;
    run_edit change = {.note = e->note, .pinned = e->pinned, .deleted = e->revive ? 0 : -1};
    buf why = {0};
    char *tags = e->tags ? edit_merge(r, e->tags, &why) : NULL;
    change.tags = tags;
    if (is_gone(r))
        answer_fail(a, 409, "the run is being removed: it was deleted too long ago, or for good");
    else if (e->tags && !tags)
        answer_fail(a, 400, why.p);
    else if (answer_check(a, s, store_edit(s, &a->run, &change)))
        answer_stored(a, s);
    free(tags);
    buf_free(&why);
}

void answer_patch(answer *a, store *s)
{
    run_info *r;
    if (!answer_check(a, s, store_run(s, &a->run, &r))) return;
    change_run(a, s, r);
    run_info_free(r);
}

/* Deleted at the beginning of time: no undo, and swept at once. */
#define LONG_AGO 1

void answer_delete(answer *a, store *s)
{
    run_info *r;
    if (!answer_check(a, s, store_run(s, &a->run, &r))) return;
    int64_t now = clock_wall();
    run_edit change = {.pinned = -1, .deleted = a->params.purge ? LONG_AGO : now};
    if (r->deleted && !a->params.purge) change.deleted = -1; /* that was when */
    bool live = run_state_at(r, now) == RUN_LIVE;
    run_info_free(r);
    if (live) {
        answer_fail(a, 409, "the run is live: it can be deleted when its program has ended");
    } else if (answer_check(a, s, store_edit(s, &a->run, &change))) {
        buf_printf(&a->body, "{\"undo_seconds\":%d}\n", a->params.purge ? 0 : UNDO_SECONDS);
        a->status = a->params.purge ? 202 : 200;
    }
}
