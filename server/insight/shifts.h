/* SPDX-License-Identifier: MIT OR Unlicense
   shifts: where a series goes to another level at once, and stays there. Pure.

   The median of the points before a place is held against that of the points after it (a moving sum test, MOSUM: Bauer &
   Hackl, Technometrics 20, 1978; Eichinger & Kirch, Bernoulli 24, 2018; with medians, so that a few wild points neither
   make nor hide one). It is a shift if they differ by SHIFTS_NOISES times the noise: the spread of the points on either
   side around their medians, or of the series from one point to the next, or of these differences at all places (so that
   what always goes up and down has none), whichever is most; and if most of the way is made from the three points before
   to the three after: a slope is none. */
#ifndef SHIFTS_H
#define SHIFTS_H

#include <stddef.h>

#define SHIFTS_NOISES 5.0
#define SHIFTS_MAX    8

typedef struct {
    size_t at;            /* the first point of the new level */
    double before, after; /* the levels                       */
} shift;

/* How many points on either side tell of a level in a series of n. */
size_t shifts_window(size_t n);
/* At most SHIFTS_MAX, the largest, in order. Points evenly apart; no NaN. O(n * window). */
size_t shifts_find(const double *y, size_t n, shift out[SHIFTS_MAX]);

#endif
