/* SPDX-License-Identifier: MIT OR Unlicense
   random: numbers that are the same each time: xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift
   generators, scrambled"). Define RANDOM_SEED, not 0, before the include. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stddef.h>
#include <stdint.h>

static uint64_t random_state = RANDOM_SEED;

static inline uint64_t random_u64(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 2685821657736338717u;
}

/* 0 … n - 1; 0 for 0. */
static inline size_t random_below(size_t n)
{
    return n ? (size_t)(random_u64() >> 11) % n : 0;
}

#endif
