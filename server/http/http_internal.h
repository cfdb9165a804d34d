/* SPDX-License-Identifier: MIT OR Unlicense
   http_internal: what the files that know h2o share. Everything here runs on the event loop's thread only, but what
   says otherwise.

   http.c       the listener, connections, the thread, start and stop
   http_reply.c whole answers and errors
   http_task.c  requests that a worker answers
   assets.c     the page's files      api.c  the routes      sse.c  the live streams      download.c  CSV and NDJSON */
#ifndef HTTP_INTERNAL_H
#define HTTP_INTERNAL_H

#include <h2o.h>
#include <pthread.h>
#include <semaphore.h>

#include "http/guard.h"
#include "http/http.h"
#include "http/metrics.h"
#include "store/jobs.h"

/* Bounds: what strangers may cost. */
#define HTTP_WORKERS        2
#define HTTP_CONNECTIONS    4096           /* more wait in the kernel; fewer if descriptors are short           */
#define HTTP_CONCURRENT     64             /* requests at work of one HTTP/2 connection; more wait               */
#define HTTP_RESETS         200            /* requests given up before their answer, till a connection is closed */
#define HTTP_JOBS           256            /* requests that wait for a worker; more get 503                      */
#define HTTP_ANSWER_BYTES   (256u << 20)   /* of answers on their way; with more, further requests get 503       */
#define HTTP_STREAMS        1000           /* live streams; more get 503                                         */
#define HTTP_DOWNLOADS      32             /* exports at once; more get 503                                      */
#define HTTP_STALL_SECONDS  300            /* a peer that takes nothing for so long is closed                    */

typedef struct sse_hub sse_hub;

struct http {
    http_desc desc;
    guard guard;
    bool local_only;                       /* bound on loopback and open: the Host header is checked              */
    http_stats stats;                      /* workers read it                                                    */
    SSL_CTX *tls;
    int fd;                                /* the listener's, until h2o has it closed                             */
    h2o_loop_t *loop;
    h2o_globalconf_t config;
    h2o_context_t context;
    h2o_accept_ctx_t accept;
    h2o_socket_t *listener;                /* NULL once stopping                                                  */
    bool accepting;                        /* false while there are too many connections                          */
    h2o_linklist_t connections;
    size_t connection_bound;
    size_t requests;                       /* received and not yet disposed of                                    */
    size_t answer_bytes;
    jobs *jobs;                            /* NULL once stopped                                                   */
    size_t tasks_busy;                     /* given to a worker, and not yet back                                 */
    h2o_multithread_receiver_t finished;   /* tasks come back from the workers                                    */
    h2o_multithread_receiver_t control;    /* the message to stop                                                 */
    h2o_multithread_message_t stop_message;
    double stop_seconds;
    bool stopping;
    pthread_t thread;
    sem_t ready;                           /* the thread has set up what messages need                            */
    bool started;
    sse_hub *streams;
};

/* ---- http_reply.c ---- */

typedef enum { BODY_PLAIN, BODY_GZIPPED } body_form;
void http_header(h2o_req_t *req, const char *name, const char *value); /* both outlive the request, or: */
void http_header_copy(h2o_req_t *req, const char *name, const char *value);
void http_common_headers(h2o_req_t *req, const char *type, const char *cache);
/* Sends the whole answer, without the body to a HEAD; takes the body's bytes. Other headers are set before. */
void http_reply(http *h, h2o_req_t *req, int status, const char *type, body_form form, buf *body);
/* The same for bytes that live as long as the program, cached as `cache` says. */
void http_reply_static(h2o_req_t *req, int status, const char *type, const char *cache, const void *bytes, size_t n);
/* {"error": "…"}; what is not printable ASCII becomes '?'. */
void http_error(http *h, h2o_req_t *req, int status, const char *format, ...) __attribute__((format(printf, 4, 5)));
void http_refuse(http *h, h2o_req_t *req);                             /* 503: a bound is reached; counted */
bool http_is_head(const h2o_req_t *req);
span http_request_header(const h2o_req_t *req, const h2o_token_t *name); /* empty if it is not there */
span http_request_header_named(const h2o_req_t *req, const char *name);  /* ditto; lower case         */

/* ---- http_task.c ---- */

/* Work for a request that is done on a worker's thread, once or again and again. The task lives until the request is
   gone and no worker has it; then `destroy` is called. */
typedef struct task {
    job job;
    h2o_multithread_message_t message;
    http *http;
    h2o_req_t *req;                        /* NULL: the client has gone                                          */
    bool busy;                             /* a worker has it, or will have                                       */
    void (*work)(struct task *t, store *s);  /* on a worker's thread; must not touch what is above                */
    void (*done)(struct task *t);          /* back on the loop, only if the client is still there; job.ran tells
                                              whether it was worked on, or the server stops                       */
    void (*destroy)(struct task *t);
} task;

/* Binds a zeroed task, its three functions set, to the request. */
void task_bind(task *t, http *h, h2o_req_t *req);
typedef enum { TASK_FIRST, TASK_MORE } task_turn; /* what has begun goes on even if too much waits */
bool task_run(task *t, task_turn turn);    /* false: too much waits, or the server stops; nothing will happen      */
bool task_write(task *t);                  /* the same with the writer's connection, on its thread                    */
void task_finished(void *h, job *j);       /* for jobs: any thread                                                */
void task_receive(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages);

#endif
