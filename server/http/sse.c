/* SPDX-License-Identifier: MIT OR Unlicense
   sse: live streams of runs. One tick, ten times a second while there are streams, moves them all: what the ingest
   thread has waked is fetched, reduced to points by then, and sent as one piece. While a piece is on its way nothing
   is fetched, so a slow reader costs a bounded queue (live.h), which drops its oldest rows and tells. */
#include "http/sse.h"

#include <stdatomic.h>

#include "http/emit.h"

#define TICKS_PER_COMMENT  100        /* a silent HTTP/1 client's death is seen only by writing to it */
#define TICKS_PER_STORAGE  50         /* while the store is behind, how far is told so often */
#define LIVE_PATIENCE      60         /* ticks, to hear live of a run that the store does not tell of just now */
#define BYTES_ON_THEIR_WAY (64 << 20) /* of all streams together; with more, fetching waits */

struct sse_hub {
    http *http;
    h2o_linklist_t streams;
    h2o_timeout_entry_t tick;
    size_t sending_bytes;
};

typedef struct {
    task task; /* reads the run from the store: for hello, and when something changed */
    h2o_linklist_t link;
    h2o_generator_t generator;
    sse_hub *hub;
    uuid run;
    live_subscriber *subscriber;
    _Atomic bool fresh; /* set by the ingest thread */
    run_info *info;     /* as last heard of; its row counts as last read from the store */
    run_info *stored;   /* what the task read */
    store_status status;
    run_state shown;
    bool begun, stale; /* the response; `info` differs from what was sent */
    bool behind;       /* as last told                                    */
    unsigned storage_ticks;
    unsigned patience; /* ticks left to begin without the store; 0: it was not needed */
    bool sending, closing;
    buf next, piece; /* to be sent; on its way */
    unsigned silent_ticks;
} stream;

/* ---- writing ---- */

static void event(stream *s, const char *name)
{
    buf_printf(&s->next, "event: %s\ndata: ", name);
}

static void event_end(stream *s)
{
    buf_text(&s->next, "\n\n");
}

static void flush(stream *s)
{
    if (s->sending || !s->next.n) return;
    buf sent = s->piece;
    s->piece = s->next;
    s->next = sent;
    s->sending = true;
    s->silent_ticks = 0;
    s->hub->sending_bytes += s->piece.n;
    h2o_iovec_t bytes = h2o_iovec_init(s->piece.p, s->piece.n);
    h2o_send(s->task.req, &bytes, 1, H2O_SEND_STATE_IN_PROGRESS);
}

/* Nothing big is kept for the next time: a thousand idle streams should be small. */
static void piece_gone(stream *s)
{
    if (s->sending) s->hub->sending_bytes -= s->piece.n;
    s->sending = false;
    buf_free(&s->piece);
}

static void proceed(h2o_generator_t *generator, h2o_req_t *req)
{
    stream *s = H2O_STRUCT_FROM_MEMBER(stream, generator, generator);
    piece_gone(s);
    if (s->closing) h2o_send(req, NULL, 0, H2O_SEND_STATE_FINAL);
}

/* ---- the run as the store has it, for what only the store knows: how many rows, the note ---- */

static void read_run(task *t, store *from)
{
    stream *s = H2O_STRUCT_FROM_MEMBER(stream, task, t);
    s->status = store_run(from, &s->run, &s->stored);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The newer facts are those heard live; unless the program now speaks to another server on the same store. */
static void merge_stored(stream *s)
{
    run_info *stored = s->stored, *info = s->info;
    s->stored = NULL;
    if (!info) {
        s->info = stored;
        return;
    }
    if (stored->seen > info->seen && stored->next_seq >= info->next_seq) info->state = stored->state;
    info->seen = later(info->seen, stored->seen);
    info->last = later(info->last, stored->last);
    run_info_take_stored(info, stored);
    run_info_free(stored);
}

static void begin(stream *s)
{
    h2o_req_t *req = s->task.req;
    http_header(req, "x-accel-buffering", "no"); /* a proxy must not collect what comes */
    http_common_headers(req, "text/event-stream", "no-store");
    req->res.status = 200;
    s->begun = true;
    h2o_start_response(req, &s->generator);
}

static void refuse(stream *s)
{
    h2o_req_t *req = s->task.req;
    if (!s->task.job.ran || s->closing)
        http_error(s->hub->http, req, 503, "the server is stopping");
    else if (s->status == STORE_MISSING)
        http_error(s->hub->http, req, 404, "there is no such run");
    else
        http_error(s->hub->http, req, 503, "the store does not answer now; try again in a moment");
}

static void tell_run(stream *s, const char *name)
{
    int64_t now = clock_wall();
    s->shown = run_state_at(s->info, now);
    event(s, name);
    emit_run(&s->next, s->info, now);
    event_end(s);
    flush(s);
}

static void run_read(task *t)
{
    stream *s = H2O_STRUCT_FROM_MEMBER(stream, task, t);
    bool good = t->job.ran && s->status == STORE_OK, first = !s->begun;
    if (good) merge_stored(s);
    if (first && t->job.ran && !s->closing && !good && s->status != STORE_MISSING) {
        s->patience = LIVE_PATIENCE; /* if rows come, they tell of the run */
    } else if (first && (!good || s->closing)) {
        refuse(s);
    } else if (!s->closing && s->info) {
        if (first) begin(s);
        tell_run(s, first ? "hello" : "run");
    }
}

/* ---- what is new ---- */

static bool facts_differ(const run_info *a, const run_info *b)
{
    return a->column_count != b->column_count || a->tag_count != b->tag_count || a->interval != b->interval ||
           strcmp(a->app, b->app) != 0 || strcmp(a->host, b->host) != 0 || strcmp(a->build, b->build) != 0 ||
           strcmp(a->args, b->args) != 0;
}

static void take_info(stream *s, live_news *news)
{
    run_info *old = s->info, *info = news->info;
    news->info = NULL;
    if (!old) { /* the store did not tell of it */
        s->info = info;
        begin(s);
        tell_run(s, "hello");
        return;
    }
    if (facts_differ(old, info)) s->stale = true;
    run_info_take_stored(info, old);
    s->info = info;
    run_info_free(old);
}

static void take_news(stream *s)
{
    live_news news;
    if (!atomic_exchange(&s->fresh, false) || !live_fetch(s->subscriber, &news)) return;
    take_info(s, &news);
    if (news.dropped) {
        event(s, "dropped");
        buf_printf(&s->next, "{\"rows\":%llu}", (unsigned long long)news.dropped);
        event_end(s);
        atomic_fetch_add(&s->hub->http->stats.stream_rows_dropped, news.dropped);
    }
    if (news.rows.points || news.rows.gap_count || news.rows.mark_count) {
        event(s, "rows");
        emit_series(&s->next, s->info, &news.rows, NULL);
        event_end(s);
    }
    live_news_free(&news);
}

/* Whether rows become durable just now; when they do again, how many there are by then. */
static void take_storage(stream *s)
{
    const writer_stats *w = s->hub->http->desc.writer;
    bool behind = writer_lags(w);
    if (behind == s->behind && !(behind && ++s->storage_ticks >= TICKS_PER_STORAGE)) return;
    if (s->behind && !behind) s->stale = true;
    s->behind = behind;
    s->storage_ticks = 0;
    event(s, "storage");
    buf_printf(&s->next, "{\"behind\":%s,\"waiting_bytes\":%llu}", behind ? "true" : "false",
               (unsigned long long)atomic_load(&w->waiting_bytes));
    event_end(s);
}

/* Waits for what is heard live of a run that the store did not tell of. */
static void wait_for_news(stream *s)
{
    take_news(s);
    if (!s->begun && --s->patience == 0) refuse(s);
}

static void stream_tick(stream *s, int64_t now)
{
    if (!s->task.req || s->sending || s->closing) return;
    if (!s->begun) {
        if (s->patience) wait_for_news(s);
        return;
    }
    take_storage(s);
    if (s->hub->sending_bytes < BYTES_ON_THEIR_WAY) take_news(s);
    if (run_state_at(s->info, now) != s->shown) s->stale = true;
    if (s->stale && !s->task.busy && task_run(&s->task, TASK_MORE)) s->stale = false;
    if (!s->next.n && ++s->silent_ticks >= TICKS_PER_COMMENT) buf_text(&s->next, ": keep-alive\n\n");
    flush(s);
}

static void tick(h2o_timeout_entry_t *entry)
{
    sse_hub *hub = H2O_STRUCT_FROM_MEMBER(sse_hub, tick, entry);
    int64_t now = clock_wall();
    for (h2o_linklist_t *at = hub->streams.next, *next; at != &hub->streams; at = next) {
        next = at->next;
        stream_tick(H2O_STRUCT_FROM_MEMBER(stream, link, at), now);
    }
    if (!h2o_linklist_is_empty(&hub->streams))
        h2o_timeout_link(hub->http->loop, &hub->http->context.hundred_ms_timeout, &hub->tick);
}

/* ---- opening and closing ---- */

static void wake(void *ctx)
{
    atomic_store(&((stream *)ctx)->fresh, true);
}

static void destroy(task *t)
{
    stream *s = H2O_STRUCT_FROM_MEMBER(stream, task, t);
    live_unsubscribe(s->subscriber);
    h2o_linklist_unlink(&s->link);
    piece_gone(s);
    buf_free(&s->next);
    run_info_free(s->info);
    run_info_free(s->stored);
    atomic_fetch_sub(&t->http->stats.streams, 1);
    free(s);
}

void sse_handle(http *h, h2o_req_t *req, const uuid *run)
{
    if (atomic_load(&h->stats.streams) >= HTTP_STREAMS) {
        http_refuse(h, req);
        return;
    }
    stream *s = mem_calloc(1, sizeof *s);
    s->task = (task){.work = read_run, .done = run_read, .destroy = destroy};
    s->generator.proceed = proceed;
    s->hub = h->streams;
    s->run = *run;
    s->subscriber = live_subscribe(h->desc.live, run, wake, s); /* before the run is read: nothing falls between */
    if (h->desc.editor) writer_hurry(h->desc.editor, run);      /* what came before can be read soon, as API.md says */
    h2o_linklist_insert(&s->hub->streams, &s->link);
    atomic_fetch_add(&h->stats.streams, 1);
    if (!h2o_timeout_is_linked(&s->hub->tick))
        h2o_timeout_link(h->loop, &h->context.hundred_ms_timeout, &s->hub->tick);
    task_bind(&s->task, h, req);
    if (!task_run(&s->task, TASK_FIRST)) http_refuse(h, req);
}

void sse_close_all(sse_hub *hub)
{
    for (h2o_linklist_t *at = hub->streams.next, *next; at != &hub->streams; at = next) {
        next = at->next;
        stream *s = H2O_STRUCT_FROM_MEMBER(stream, link, at);
        s->closing = true;
        if (!s->begun && s->patience && s->task.req)
            refuse(s);
        else if (s->begun && s->task.req && !s->sending)
            h2o_send(s->task.req, NULL, 0, H2O_SEND_STATE_FINAL);
    }
}

sse_hub *sse_hub_new(http *h)
{
    sse_hub *hub = mem_calloc(1, sizeof *hub);
    hub->http = h;
    hub->tick.cb = tick;
    h2o_linklist_init_anchor(&hub->streams);
    return hub;
}

void sse_hub_free(sse_hub *hub)
{
    h2o_timeout_unlink(&hub->tick);
    free(hub);
}
