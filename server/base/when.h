/* SPDX-License-Identifier: MIT OR Unlicense
   when: times and durations as people write them. Pure. */
#ifndef WHEN_H
#define WHEN_H

#include "base/base.h"

/* "90s", "30m", "2h", "7d", "2w"; also "1.5h". More than 0. false: it is none. */
bool when_duration(const char *text, int64_t *ns);
/* A duration counts from `start`. "2026-01-31", "2026-01-31T12:00", "2026-01-31T12:00:30", with or without a Z, in UTC;
   or milliseconds since the epoch, as in the API. false: it is none. */
bool when_time(const char *text, int64_t start, int64_t *ns);

#endif
