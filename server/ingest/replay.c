/* SPDX-License-Identifier: MIT OR Unlicense
   replay: a ring of bits below the highest counter (as in RFC 4303 §3.4.3). */
#include "ingest/replay.h"

#include <string.h>

void replay_begin(replay *r, uint64_t top)
{
    r->top = top;
    memset(r->seen, 0xFF, sizeof r->seen);
}

static uint64_t bit_of(uint64_t counter)
{
    return UINT64_C(1) << counter % 64;
}

static uint64_t *word_of(replay *r, uint64_t counter)
{
    return &r->seen[counter % REPLAY_WINDOW / 64];
}

static void advance(replay *r, uint64_t top)
{
    if (top - r->top >= REPLAY_WINDOW)
        memset(r->seen, 0, sizeof r->seen);
    else
        for (uint64_t n = r->top + 1; n <= top; n++) *word_of(r, n) &= ~bit_of(n);
    r->top = top;
}

bool replay_admits(replay *r, uint64_t counter)
{
    if (!counter || counter == UINT64_MAX || (counter < r->top && r->top - counter >= REPLAY_WINDOW)) return false;
    if (counter > r->top) advance(r, counter);
    if (*word_of(r, counter) & bit_of(counter)) return false;
    *word_of(r, counter) |= bit_of(counter);
    return true;
}
