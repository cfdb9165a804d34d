/* SPDX-License-Identifier: MIT OR Unlicense
   answers_internal: what the files that answer share. What returns bool gives false when it has made the answer an error. */
#ifndef ANSWERS_INTERNAL_H
#define ANSWERS_INTERNAL_H

#include "http/answers.h"
#include "http/emit.h"

void answer_fail(answer *a, int status, const char *sentence);
/* Says what went wrong with the store, if something did. */
bool answer_check(answer *a, store *s, store_status status);
/* Reads the run that is asked about, if it is there, and answers of it. */
void answer_of_run(answer *a, store *s, void (*make)(answer *a, store *s, const run_info *r));
/* The columns asked for are the run's, none twice. */
bool answer_columns(answer *a, const run_info *r);
/* Names the first `count` columns, as far as there are, if none were named. */
void answer_name_columns(answer *a, const run_info *r, size_t count);
/* What was not asked for is where the run begins, or ends. */
bool answer_range(answer *a, store *s, const run_info *r, emit_range *out);

#endif
