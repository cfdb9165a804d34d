/* SPDX-License-Identifier: MIT OR Unlicense
   find_run: the run that somebody names on a command line. */
#ifndef FIND_RUN_H
#define FIND_RUN_H

#include "store/store.h"

/* A UUID; an application, which stands for its newest run, as APP/latest does; or what only one run's UUID begins with,
   at least 4 digits. The caller frees `*out`. false: `why` says in a sentence what is wrong, with the name or the store. */
bool find_run(store *s, const char *name, run_info **out, buf *why);

#endif
