/* SPDX-License-Identifier: MIT OR Unlicense
   http: the listener, connections, the event loop's thread, start and stop. */
#include "http/http_internal.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "base/address.h"
#include "http/api.h"
#include "http/sse.h"
#include "http/tls.h"

/* ---- connections ---- */

typedef struct {
    h2o_linklist_t link;
    http *http;
    int fd;
    unsigned resets; /* requests that were given up before their answer */
} connection;

static void on_accept(h2o_socket_t *listener, const char *error);

static void connection_closed(void *p)
{
    connection *c = p;
    http *h = c->http;
    h2o_linklist_unlink(&c->link);
    free(c);
    atomic_fetch_sub(&h->stats.connections, 1);
    if (h->listener && !h->accepting) {
        h->accepting = true;
        h2o_socket_read_start(h->listener, on_accept);
    }
}

static void connection_opened(http *h, h2o_socket_t *socket)
{
    connection *c = mem_calloc(1, sizeof *c);
    c->http = h;
    c->fd = h2o_socket_get_fd(socket);
    h2o_linklist_insert(&h->connections, &c->link);
    socket->on_close.cb = connection_closed;
    socket->on_close.data = c;
    if (atomic_fetch_add(&h->stats.connections, 1) + 1 < h->connection_bound) return;
    h->accepting = false;
    h2o_socket_read_stop(h->listener);
    log_limited(LOG_WARN, "http: %zu connections are open; further ones wait", h->connection_bound);
}

static void on_accept(h2o_socket_t *listener, const char *error)
{
    http *h = listener->data;
    if (error) return;
    for (int n = 0; n < 64 && h->accepting; n++) {
        h2o_socket_t *socket = h2o_evloop_socket_accept(listener);
        if (!socket) return;
        connection_opened(h, socket);
        h2o_accept(&h->accept, socket);
    }
}

/* Its reads and writes fail from now on, and h2o closes it. */
static void connection_cut(const connection *c)
{
    shutdown(c->fd, SHUT_RDWR);
}

/* ---- requests ---- */

/* One request's time with us; ends when h2o frees the request. */
typedef struct {
    connection *connection;
    h2o_req_t *req;
} visit;

static void visit_ended(void *p)
{
    visit *v = p;
    connection *c = v->connection;
    int status = v->req->res.status;
    c->http->requests--;
    atomic_fetch_add(&c->http->stats.responses[status >= 100 && status < 600 ? status / 100 : 0], 1);
    /* HTTP/2 lets a client ask and give up at no cost to itself (CVE-2023-44487). */
    if (status == 0 && ++c->resets == HTTP_RESETS) {
        log_limited(LOG_WARN, "http: a connection that gave up %u requests is closed", c->resets);
        connection_cut(c);
    }
}

static void visit_begins(http *h, h2o_req_t *req)
{
    visit *v = h2o_mem_alloc_shared(&req->pool, sizeof *v, visit_ended);
    *v = (visit){req->conn->callbacks->get_socket(req->conn)->on_close.data, req};
    h->requests++;
}

typedef struct {
    h2o_handler_t super;
    http *http;
} entrance;

static int on_request(h2o_handler_t *self, h2o_req_t *req)
{
    http *h = ((entrance *)self)->http;
    visit_begins(h, req);
    bool alive = h2o_memis(req->path_normalized.base, req->path_normalized.len, H2O_STRLIT("/healthz"));
    if (!alive && !guard_admits(&h->guard, http_request_header(req, H2O_TOKEN_AUTHORIZATION))) {
        http_header(req, "www-authenticate", "Basic realm=\"mnemic\", charset=\"UTF-8\"");
        http_error(h, req, 401, "a token is needed, as Authorization: Bearer TOKEN or as the password of Basic");
    } else if (!alive && h->local_only && !guard_host_is_local((span){req->authority.base, req->authority.len})) {
        http_error(h, req, 421,
                   "this server answers only to localhost; to reach it by another name, bind --http to an "
                   "address of the network, or set --token-file");
    } else {
        api_handle(h, req);
    }
    return 0;
}

/* ---- setting up ---- */

static void on_stop(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
    http *h = H2O_STRUCT_FROM_MEMBER(http, control, receiver);
    h2o_linklist_unlink(messages->next);
    h->stopping = true;
}

static void open_listener(http *h)
{
    h->listener = h2o_evloop_socket_create(h->loop, h->fd, H2O_SOCKET_FLAG_DONT_READ);
    h->listener->data = h;
    h->accepting = true;
    h2o_socket_read_start(h->listener, on_accept);
}

/* On the loop's thread: h2o's free lists are the thread's own. */
static void set_up_h2o(http *h)
{
    h2o_config_init(&h->config);
    h->config.server_name = h2o_iovec_init(H2O_STRLIT("mnemic"));
    h->config.max_request_entity_size = 64 << 10;
    h->config.http2.max_concurrent_requests_per_connection = HTTP_CONCURRENT;
    h2o_hostconf_t *host = h2o_config_register_host(&h->config, h2o_iovec_init(H2O_STRLIT("localhost")), 65535);
    h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);
    entrance *e = (entrance *)h2o_create_handler(path, sizeof *e);
    e->super.on_req = on_request;
    e->http = h;
    h->loop = h2o_evloop_create();
    h2o_context_init(&h->context, h->loop, &h->config);
    h2o_multithread_register_receiver(h->context.queue, &h->finished, task_receive);
    h2o_multithread_register_receiver(h->context.queue, &h->control, on_stop);
    h->accept = (h2o_accept_ctx_t){.ctx = &h->context, .hosts = h->config.hosts, .ssl_ctx = h->tls};
    if (h->tls) h2o_ssl_register_alpn_protocols(h->tls, h2o_http2_alpn_protocols);
    h->streams = sse_hub_new(h);
    open_listener(h);
}

static void tear_down_h2o(http *h)
{
    h2o_multithread_queue_t *queue = h->context.queue;
    sse_hub_free(h->streams);
    h2o_timeout_unlink(&h->context.http2._graceful_shutdown_timeout);
    h2o_multithread_unregister_receiver(queue, &h->finished);
    h2o_multithread_unregister_receiver(queue, &h->control);
    h2o_context_dispose(&h->context);
    h2o_config_dispose(&h->config);
    h2o_evloop_destroy(h->loop);
#if H2O_LIBRARY_VERSION_MAJOR == 0 && H2O_LIBRARY_VERSION_MINOR <= 13
    free(queue); /* h2o_multithread_destroy_queue() does not */
#endif
}

/* Descriptors are also needed for the store and the page's files. */
static size_t connections_that_fit(void)
{
    const rlim_t others = 64, wanted = HTTP_CONNECTIONS + others;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return others;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= wanted) return HTTP_CONNECTIONS;
    return limit.rlim_cur > 2 * others ? (size_t)(limit.rlim_cur - others) : (size_t)others;
}

static int listen_on(const char *address, buf *bound, buf *why)
{
    int fd = address_bind(address, SOCK_STREAM, bound, why);
    if (fd < 0) {
        buf_text(why, " (where the page is served is set by --http ADDR:PORT)");
        return -1;
    }
    /* Accepted connections inherit it: a peer that takes nothing for so long is gone. */
    unsigned stall = HTTP_STALL_SECONDS * 1000;
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &stall, sizeof stall);
    if (listen(fd, SOMAXCONN) == 0) return fd;
    buf_printf(why, "%s: %s", address, strerror(errno));
    close(fd);
    return -1;
}

static bool open_parts(http *h, buf *bound, buf *why)
{
    if (!guard_read(&h->guard, h->desc.token_file, why)) return false;
    if (h->desc.tls_cert && !(h->tls = tls_context(h->desc.tls_cert, h->desc.tls_key, why))) return false;
    if ((h->fd = listen_on(h->desc.address, bound, why)) < 0) return false;
    jobs_desc work = {h->desc.store_url, HTTP_WORKERS, HTTP_JOBS, task_finished, h};
    h->jobs = jobs_start(&work, why);
    return h->jobs != NULL;
}

static void close_parts(http *h)
{
    if (h->jobs) jobs_stop(h->jobs);
    if (h->fd >= 0) close(h->fd);
    SSL_CTX_free(h->tls);
    free(h);
}

http *http_open(const http_desc *desc, buf *bound, buf *why)
{
    http *h = mem_calloc(1, sizeof *h);
    h->desc = *desc;
    h->fd = -1;
    h2o_linklist_init_anchor(&h->connections);
    buf address = {0};
    if (open_parts(h, &address, why)) {
        buf_printf(bound, "%s://%s/", h->tls ? "https" : "http", address.p);
        h->local_only = address_is_loopback(h->fd) && !h->guard.needs_token;
        h->connection_bound = connections_that_fit();
    } else {
        close_parts(h);
        h = NULL;
    }
    buf_free(&address);
    return h;
}

/* ---- the thread ---- */

static bool requests_left(http *h)
{
    return h->requests > 0;
}

static bool anything_left(http *h)
{
    return h->tasks_busy > 0 || !h2o_linklist_is_empty(&h->connections);
}

static void turn_while(http *h, bool (*left)(http *h), double seconds)
{
    int64_t until = clock_mono() + (int64_t)(seconds * (double)NS_PER_SECOND);
    while (left(h) && clock_mono() < until) h2o_evloop_run(h->loop, 10);
}

/* In order: nobody new; running answers may end; workers end, and what they still bring is answered into closed
   connections, which lets h2o free everything. */
static void wind_up(http *h)
{
    h2o_socket_close(h->listener);
    h->listener = NULL;
    h->fd = -1;
    h2o_context_request_shutdown(&h->context);
    sse_close_all(h->streams);
    turn_while(h, requests_left, h->stop_seconds);
    jobs_stop(h->jobs);
    h->jobs = NULL;
    for (h2o_linklist_t *at = h->connections.next; at != &h->connections; at = at->next)
        connection_cut(H2O_STRUCT_FROM_MEMBER(connection, link, at));
    turn_while(h, anything_left, 5);
}

static void *run_loop(void *p)
{
    http *h = p;
    pthread_setname_np(pthread_self(), "mnemic-http");
    set_up_h2o(h);
    sem_post(&h->ready);
    while (!h->stopping) h2o_evloop_run(h->loop, INT32_MAX);
    wind_up(h);
    tear_down_h2o(h);
    return NULL;
}

void http_start(http *h)
{
    sem_init(&h->ready, 0, 0);
    h->started = pthread_create(&h->thread, NULL, run_loop, h) == 0;
    if (!h->started) {
        log_line(LOG_ERROR, "http: no thread can be started: the system's limit is reached");
        abort();
    }
    while (sem_wait(&h->ready) != 0) continue; /* a signal's arrival is no reason to go on */
    sem_destroy(&h->ready);
}

void http_stop(http *h, double seconds)
{
    if (h->started) {
        h->stop_seconds = seconds;
        h2o_multithread_send_message(&h->control, &h->stop_message);
        pthread_join(h->thread, NULL);
    }
    close_parts(h);
}
