/* SPDX-License-Identifier: MIT OR Unlicense
   runs_json: a run that speaks the JSON wire: one way, so its rows leave at once, a late one finds its place, and what
   does not come in time is a gap. Pure. */
#ifndef RUNS_JSON_H
#define RUNS_JSON_H

#include "runs/runs_internal.h"

/* A record of a run that is ready. */
void runs_json_take(runs *r, entry *e, const record *rec, int64_t now);
/* Holes noticed at `until` or before become gaps. */
void runs_json_expire(runs *r, entry *e, int64_t until);
/* What waited until the run was known is taken, or it is not going to be known. */
void runs_json_replay_held(runs *r, entry *e);
void runs_json_drop_held(runs *r, entry *e);
/* The store's word on the run was taken over: what is missing in it is lost by now. */
void runs_json_adopted(runs *r, entry *e);

#endif
