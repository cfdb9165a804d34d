/* SPDX-License-Identifier: MIT OR Unlicense
   replay: which counters of one run's sealed datagrams have come: each is taken once. Datagrams overtake each other on
   their way, so the highest alone does not tell; below a window of the latest nothing is taken. Pure. */
#ifndef REPLAY_H
#define REPLAY_H

#include "base/base.h"

#define REPLAY_WINDOW 1024

/* Zero-initialise: counters begin at 1. */
typedef struct {
    uint64_t top;
    uint64_t seen[REPLAY_WINDOW / 64]; /* counter n is bit n % REPLAY_WINDOW */
} replay;

/* Only what is above `top` is taken from now on: what was taken below is not known. */
void replay_begin(replay *r, uint64_t top);
/* false: it came before, or is too old to tell. */
bool replay_admits(replay *r, uint64_t counter);

#endif
