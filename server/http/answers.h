/* SPDX-License-Identifier: MIT OR Unlicense
   answers: what the API answers from the store, in whole. On a worker's thread, or the writer's where something is
   changed; knows nothing of h2o. */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "http/metrics.h"
#include "http/params.h"
#include "runs/edit.h"
#include "store/store.h"

/* A question and its answer. */
typedef struct {
    uuid run;
    params params;
    const metrics_sources *metrics;
    const edit *edit; /* of answer_patch() */
    int status; /* 200, 202, or why `body` is no answer but a sentence: 400, 404, 409, 503 */
    buf body;
} answer;

/* Each fills `status` and `body`. */
typedef void (*answer_fn)(answer *a, store *s);
void answer_apps(answer *a, store *s);
void answer_run(answer *a, store *s);
void answer_series(answer *a, store *s);
void answer_histogram(answer *a, store *s);
void answer_drift(answer *a, store *s);
void answer_correlation(answer *a, store *s);
void answer_patch(answer *a, store *s);
void answer_delete(answer *a, store *s);
void answer_ready(answer *a, store *s);
void answer_metrics(answer *a, store *s);

#endif
