/* SPDX-License-Identifier: MIT OR Unlicense
   jobs: a few worker threads that read the store for others, each with a connection of its own, first come first
   served. So a slow query holds up neither the event loop nor the writer. Knows nothing of HTTP. */
#ifndef JOBS_H
#define JOBS_H

#include "store/store.h"

typedef struct jobs jobs;

/* Part of what its owner allocates; the pool never frees it. */
typedef struct job {
    void (*run)(struct job *j, store *s); /* on a worker's thread */
    bool ran;                             /* false after `finished`: the pool was stopped before its turn came */
    struct job *next;
} job;

typedef struct {
    const char *store_url;
    size_t workers;
    size_t bound;                         /* jobs that may wait, before only urgent ones are taken */
    void (*finished)(void *ctx, job *j);  /* on a worker's thread, once for each that was put and not cancelled */
    void *ctx;
} jobs_desc;

/* Opens the store once for each worker. NULL on failure, with one sentence in `why`. */
jobs *jobs_start(const jobs_desc *desc, buf *why);
/* Any thread; false: too many wait, and the job is not taken. What continues something begun is `urgent`: always taken. */
bool jobs_put(jobs *p, job *j, bool urgent);
bool jobs_cancel(jobs *p, job *j);        /* any thread; true: it will not run, nor be called finished      */
size_t jobs_waiting(jobs *p);             /* any thread                                                     */
/* Waits for those that run, hands back those that wait as not run, ends the threads, frees. */
void jobs_stop(jobs *p);

#endif
