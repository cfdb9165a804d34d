/* SPDX-License-Identifier: MIT OR Unlicense
   threads: a server of four workers and a queue. Counters and scopes are used from all threads, without a lock, and each adds
   up over all of them; the queue's length is a probe. Runs argv[1] seconds (10). */
#define DOLON_IMPLEMENTATION
#include "dolon.h"

#include <pthread.h>
#include <stdlib.h>

enum { WORKERS = 4 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    int length, closed;
} queue = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};

/* 0: there will be none any more. */
static int next_request(void)
{
    DOLON_SCOPE("waiting"); /* its active instances are the workers that have nothing to do */
    pthread_mutex_lock(&queue.lock);
    while (queue.length == 0 && !queue.closed) pthread_cond_wait(&queue.filled, &queue.lock);
    int is_one = queue.length > 0;
    queue.length -= is_one;
    pthread_mutex_unlock(&queue.lock);
    return is_one;
}

static void *work(void *unused)
{
    while (next_request()) {
        DOLON_SCOPE("serve"); /* at most WORKERS are active: a server at its limit shows */
        for (volatile int i = 0; i < 400000; i++) continue;
        DOLON_COUNT("served", 1);
    }
    return unused;
}

static void enqueue(int requests)
{
    pthread_mutex_lock(&queue.lock);
    queue.length += requests;
    queue.closed = requests == 0;
    pthread_cond_broadcast(&queue.filled);
    pthread_mutex_unlock(&queue.lock);
}

static double queue_length(void *user)
{
    (void)user;
    pthread_mutex_lock(&queue.lock); /* short, and nobody sleeps with it: so a probe may take it */
    int length = queue.length;
    pthread_mutex_unlock(&queue.lock);
    return length;
}

int main(int argc, char **argv)
{
    int rounds = (int)(20 * (argc > 1 ? atof(argv[1]) : 10));
    pthread_t workers[WORKERS];
    dolon_tracer *t = dolon_start(&(dolon_desc){
        .app_name = "threads",
        .interval = 0.2,
        .probes = {DOLON_DEFAULT_PROBES, {"queue_length", queue_length, NULL, "requests"}},
    });
    for (int i = 0; i < WORKERS; i++) pthread_create(&workers[i], NULL, work, NULL);
    for (int round = 0; round < rounds; round++) {
        enqueue(1 + rand() % 8);
        usleep(50000);
    }
    enqueue(0);
    for (int i = 0; i < WORKERS; i++) pthread_join(workers[i], NULL);
    dolon_stop(t);
    return 0;
}
