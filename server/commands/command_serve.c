/* SPDX-License-Identifier: MIT OR Unlicense
   command_serve: receives, stores and shows what traced programs send. Only wires the parts and ends them. */
#include "commands/commands.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/http.h"
#include "ingest/ingest.h"
#include "ingest/seal.h"
#include "query/live.h"
#include "store/store.h"
#include "store/writer.h"

#define FLUSH_SECONDS  10 /* what the writer may take to write what waits; then it gives up and says what that cost */
#define ANSWER_SECONDS 2  /* what running requests may take */

typedef struct {
    live *live;
    writer *writer;
    ingest *ingest;
    http *http;
    seal_keys keys;
} server;

/* ---- what flows between the parts ---- */

static void on_batch(void *ctx, batch *b)
{
    server *s = ctx;
    live_publish(s->live, b);
    writer_put(s->writer, b);
}

static void on_durable(void *ctx, const batch *b)
{
    ingest_durable(((server *)ctx)->ingest, b);
}

static bool is_watched(void *ctx, const uuid *run)
{
    return live_is_watched(((server *)ctx)->live, run);
}

static bool is_behind(void *ctx)
{
    return writer_is_behind(((server *)ctx)->writer);
}

static void on_want(void *ctx, const uuid *run)
{
    writer_want(((server *)ctx)->writer, run);
}

static void on_found(void *ctx, const uuid *id, run_info *stored)
{
    ingest_answer(((server *)ctx)->ingest, id, stored);
}

/* ---- signals: every thread blocks them, the main one waits for them ---- */

static sigset_t ending_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

static void on_second_signal(int number)
{
    _exit(128 + number);
}

static void wait_for_the_end(void)
{
    sigset_t set = ending_signals();
    int number;
    sigwait(&set, &number);
    log_line(LOG_INFO, "signal %d: writing what waits; another one ends at once", number);
    struct sigaction at_once = {.sa_handler = on_second_signal};
    sigaction(SIGTERM, &at_once, NULL);
    sigaction(SIGINT, &at_once, NULL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* ---- start and stop ---- */

static bool start(server *s, const config *c, buf *udp, buf *page, buf *why)
{
    writer_desc writing = {
        .store_url = c->store, .retain = c->retain, .durable = on_durable, .watched = is_watched, .found = on_found, .ctx = s};
    ingest_desc receiving = {.address = c->udp, .batch = on_batch, .want = on_want, .behind = is_behind, .ctx = s};
    receiving.limits.shared = strcmp(store_name(c->store), "sqlite") != 0;
    s->live = live_new();
    if (c->key_file && !seal_read(c->key_file, &s->keys, why)) return false;
    if (c->key_file) receiving.keys = &s->keys;
    s->ingest = ingest_open(&receiving, udp, why);
    if (!s->ingest) return false;
    s->writer = writer_start(&writing, why);
    if (!s->writer) return false;
    http_desc serving = {.address = c->http,
                         .web = c->web,
                         .token_file = c->token_file,
                         .tls_cert = c->tls_cert,
                         .tls_key = c->tls_key,
                         .store_url = c->store,
                         .live = s->live,
                         .ingest = ingest_counters(s->ingest),
                         .runs = ingest_runs_counters(s->ingest),
                         .writer = writer_counters(s->writer),
                         .editor = s->writer,
                         .retain = c->retain};
    s->http = http_open(&serving, page, why);
    if (!s->http) return false;
    ingest_start(s->ingest);
    http_start(s->http);
    return true;
}

/* First what comes in ends, so that all of it is written; readers may look on until then. */
static void stop(server *s)
{
    if (s->http) ingest_stop(s->ingest);
    if (s->writer) writer_stop(s->writer, FLUSH_SECONDS);
    if (s->http) http_stop(s->http, ANSWER_SECONDS);
    writer_free(s->writer); /* whose counters http shows to the end */
    if (s->ingest) ingest_free(s->ingest);
    live_free(s->live);
}

int command_serve(const config *c)
{
    sigset_t set = ending_signals();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is like a full disk: to be waited out */
    server s = {0};
    buf udp = {0}, page = {0}, why = {0};
    int status = EXIT_SUCCESS;
    if (start(&s, c, &udp, &page, &why)) {
        printf("udp %s\n%s\n", udp.p, page.p);
        fflush(stdout);
        wait_for_the_end();
    } else {
        status = command_failed(&why);
    }
    stop(&s);
    buf_free(&udp);
    buf_free(&page);
    return status;
}
