/* SPDX-License-Identifier: MIT OR Unlicense
   process: whether a process of this machine still runs, so that a program that was killed is not only silent. */
#ifndef PROCESS_H
#define PROCESS_H

#include "base/base.h"

#define PLACE_BYTES 96

/* Where this process sees pids: the boot's id and the pid namespace, as clients tell theirs (WIRE.md, FACTS). "" if it
   cannot be told: then no client's place equals it. */
void process_place(char out[PLACE_BYTES]);

/* Whether process `pid`, started `born` clock ticks after boot (0: not known), has ended: its pid is free, a zombie's, or
   another's by now. What cannot be told counts as running. */
bool process_is_gone(int64_t pid, uint64_t born);

#endif
