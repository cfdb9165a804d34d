/* SPDX-License-Identifier: MIT OR Unlicense
   edit: what a user says of a run: the body of a PATCH, checked; and tags, the client's and the user's put together. Pure.
   Beside decode.c the only one that knows the JSON library. */
#ifndef EDIT_H
#define EDIT_H

#include "runs/run.h"

#define EDIT_BYTES (64 << 10) /* a longer body is refused before it is read */

typedef struct {
    char *note;  /* NULL: not told                                                                       */
    char *tags;  /* a JSON object of strings and nulls, to be merged into the run's tags; NULL: not told */
    int pinned;  /* 0, 1; -1: not told                                                                   */
    bool revive; /* the run is not to be deleted after all                                               */
} edit;

/* A JSON object with any of "note", "tags", "pinned" and "deleted": false, and nothing else. Texts are cleaned as those of
   clients are; too long ones are refused. false: one sentence in `why`, and nothing to free. */
bool edit_read(edit *out, span body, buf *why);
void edit_free(edit *e);

/* run_info.user_tags as they are after `patch` (edit.tags) was merged into the run's tags as RFC 7396 has it. The caller
   frees. NULL: the run would have more than MAX_TAGS; one sentence in `why`. */
char *edit_merge(const run_info *r, const char *patch, buf *why);

/* The run's tags as users see them: the client's in their order, changed by the user's; then the user's own. Free with
   edit_tags_free(). */
run_tag *edit_tags(const run_info *r, size_t *count);
void edit_tags_free(run_tag *tags, size_t count);

#endif
