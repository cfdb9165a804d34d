/* SPDX-License-Identifier: MIT OR Unlicense
   jobs: a few worker threads that read the store for others. */
#include "store/jobs.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct {
    jobs *pool;
    store *store;
    pthread_t thread;
} worker;

struct jobs {
    jobs_desc desc;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t wake;
    job *first, **end; /* the queue */
    size_t waiting;
    bool stopping;
    worker workers[];
};

/* The next job, or NULL: the pool stops and nothing waits. */
static job *next_job(jobs *p, bool *stopping)
{
    pthread_mutex_lock(&p->mutex);
    while (!p->first && !p->stopping) pthread_cond_wait(&p->wake, &p->mutex);
    job *j = p->first;
    if (j) {
        p->first = j->next;
        if (!p->first) p->end = &p->first;
        p->waiting--;
    }
    *stopping = p->stopping;
    pthread_mutex_unlock(&p->mutex);
    return j;
}

static void *work(void *arg)
{
    worker *w = arg;
    jobs *p = w->pool;
    bool stopping;
    for (job *j; (j = next_job(p, &stopping));) {
        if (!stopping) {
            j->run(j, w->store);
            j->ran = true;
        }
        p->desc.finished(p->desc.ctx, j);
    }
    return NULL;
}

static void pool_free(jobs *p)
{
    for (size_t i = 0; i < p->desc.workers; i++)
        if (p->workers[i].store) store_close(p->workers[i].store);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}

static void end_threads(jobs *p, size_t started)
{
    pthread_mutex_lock(&p->mutex);
    p->stopping = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->mutex);
    for (size_t i = 0; i < started; i++) pthread_join(p->workers[i].thread, NULL);
}

jobs *jobs_start(const jobs_desc *desc, buf *why)
{
    jobs *p = mem_calloc(1, sizeof *p + desc->workers * sizeof p->workers[0]);
    p->desc = *desc;
    p->end = &p->first;
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->wake, NULL);
    for (size_t i = 0; i < desc->workers; i++) {
        p->workers[i].pool = p;
        p->workers[i].store = store_open(desc->store_url, STORE_READ, why);
        if (!p->workers[i].store) {
            pool_free(p);
            return NULL;
        }
    }
    for (size_t i = 0; i < desc->workers; i++)
        if (pthread_create(&p->workers[i].thread, NULL, work, &p->workers[i]) != 0) {
            buf_text(why, "no thread can be started: the system's limit is reached");
            end_threads(p, i);
            pool_free(p);
            return NULL;
        }
    return p;
}

bool jobs_put(jobs *p, job *j, bool urgent)
{
    pthread_mutex_lock(&p->mutex);
    bool taken = (urgent || p->waiting < p->desc.bound) && !p->stopping;
    if (taken) {
        j->next = NULL;
        j->ran = false;
        *p->end = j;
        p->end = &j->next;
        p->waiting++;
        pthread_cond_signal(&p->wake);
    }
    pthread_mutex_unlock(&p->mutex);
    return taken;
}

bool jobs_cancel(jobs *p, job *j)
{
    pthread_mutex_lock(&p->mutex);
    job **link = &p->first;
    while (*link && *link != j) link = &(*link)->next;
    bool found = *link == j;
    if (found) {
        *link = j->next;
        if (!*link) p->end = link;
        p->waiting--;
    }
    pthread_mutex_unlock(&p->mutex);
    return found;
}

size_t jobs_waiting(jobs *p)
{
    pthread_mutex_lock(&p->mutex);
    size_t n = p->waiting;
    pthread_mutex_unlock(&p->mutex);
    return n;
}

void jobs_stop(jobs *p)
{
    end_threads(p, p->desc.workers);
    pool_free(p);
}
