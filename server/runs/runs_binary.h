/* SPDX-License-Identifier: MIT OR Unlicense
   runs_binary: a run that speaks the binary wire: its rows leave in order, what is durable is acknowledged, what is
   not taken comes again. WIRE.md has the state machine. Pure. */
#ifndef RUNS_BINARY_H
#define RUNS_BINARY_H

#include "runs/runs_internal.h"

bool runs_is_binary(record_kind kind);
binary *binary_new(void);
void binary_free(binary *b);                                 /* NULL is fine */
bool binary_is_announced(const binary *b);
/* Something was handed on that is not acknowledged yet: such a run must not be forgotten. */
bool binary_is_owed(const binary *b);

void binary_take(runs *r, entry *e, const record *rec, const peer *from, size_t bytes, int64_t now);
/* Whether a sealed datagram is new: each is taken once, and none before the store has said which were taken. */
bool binary_admits(runs *r, entry *e, const record *rec);
/* The store has answered: `stored` is what it holds of the run, or NULL. */
void binary_answered(runs *r, entry *e, const run_info *stored);
/* Once more, after runs_ask_again(). Takes ownership. */
void binary_answered_again(runs *r, entry *e, run_info *stored);
/* How far the run's rows and marks are handed on, into the info that goes with them. */
void binary_snapshot(const binary *b, run_info *info);
/* Its process is gone: what has not come is lost. */
void binary_crash(runs *r, entry *e);
/* It said goodbye, but not all of its rows have come. */
bool binary_is_leaving(const binary *b, const run_info *info);
/* After GOODBYE_SECONDS (CRASH_SECONDS) of that, what has not come is lost. */
void binary_expire(runs *r, entry *e);
/* Rows of it are not durable, and its client has not heard that they have come. */
bool binary_is_untold(const binary *b);
void binary_forget(runs *r, entry *e);                       /* before the entry is freed */

#endif
