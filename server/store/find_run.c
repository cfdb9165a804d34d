/* SPDX-License-Identifier: MIT OR Unlicense
   find_run: the run that somebody names. */
#include "store/find_run.h"

#include <string.h>

#define LEAST_DIGITS 4

static const char latest[] = "/latest";

typedef struct {
    const char *name;
    size_t n;
    run_info *newest; /* of the application of that name */
    run_info *begun;  /* one whose UUID begins so …      */
    size_t begins;    /* … of so many                    */
} looking;

/* Newest first. */
static bool look_at(void *ctx, const run_info *r)
{
    looking *l = ctx;
    char id[UUID_TEXT];
    uuid_format(&r->id, id);
    bool with_latest = strncmp(l->name, r->app, strlen(r->app)) == 0 && strcmp(l->name + strlen(r->app), latest) == 0;
    if (!l->newest && (with_latest || strcmp(r->app, l->name) == 0)) l->newest = run_info_copy(r);
    if (l->n >= LEAST_DIGITS && l->n < UUID_TEXT && strncasecmp(id, l->name, l->n) == 0) {
        l->begins++;
        if (!l->begun) l->begun = run_info_copy(r);
    }
    return true;
}

bool find_run(store *s, const char *name, run_info **out, buf *why)
{
    looking l = {.name = name, .n = strlen(name)};
    *out = NULL;
    if (store_runs(s, look_at, &l) != STORE_OK) {
        buf_printf(why, "the store cannot be read: %s", store_error(s));
    } else if (l.newest) {
        *out = l.newest;
        l.newest = NULL;
    } else if (l.begins == 1) {
        *out = l.begun;
        l.begun = NULL;
    } else if (l.begins) {
        buf_printf(why, "'%s' could be %zu runs; name more of the one's UUID", name, l.begins);
    } else {
        buf_printf(why, "there is no run, and no application, '%s'", name);
    }
    run_info_free(l.newest);
    run_info_free(l.begun);
    return *out;
}
