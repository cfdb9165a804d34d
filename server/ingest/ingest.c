/* SPDX-License-Identifier: MIT OR Unlicense
   ingest: the thread of the UDP socket. */
#include "ingest/ingest.h"
#include "base/address.h"
#include "base/process.h"
#include "ingest/refuse.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    SLOTS = 128,        /* messages a call takes at most: bounds how long the thread looks at nothing else */
    NAP_NS = 300000,    /* after some came */
    SLOT_BYTES = 65536, /* no UDP datagram is longer, so none is cut */
    RECEIVE_BUFFER = 32 << 20,
    LOOK_SECONDS = 2, /* between two looks for programs that have crashed … */
    SUSPECTS = 1024,  /* … of which each asks the system for so many */
    STOP_SECONDS = 2  /* for what the socket holds and for answers, once it is to end */
};

/* The store's answer, on its way from another thread. */
typedef struct answer {
    struct answer *next;
    uuid id;
    run_info *stored;
} answer;

struct ingest {
    ingest_desc desc;
    runs *runs;
    ingest_stats stats;
    char *path;       /* the socket's file, or NULL */
    int socket, wake; /* `wake`: an eventfd: there are answers, or it is to end */
    pthread_t thread;
    bool started;
    atomic_bool stopping;
    pthread_mutex_t lock; /* guards: */
    answer *answers, **answers_end;
    receipt *receipts;
    size_t receipt_count, receipt_room;

    /* the thread's own */
    int64_t now; /* when the datagram in work came */
    const struct msghdr *message;
    peer from; /* its sender … */
    const uint8_t *datagram;
    size_t length;
    uint64_t counter; /* … if it was sealed; else 0 */
    uint64_t records;
    refuser refuser;
    char place[PLACE_BYTES]; /* where this process sees pids */
    int64_t looked;          /* when it last looked for crashed programs */
    uint32_t drops;          /* as last read from the kernel, which counts modulo 2^32 */
    char *bytes;             /* [SLOTS][SLOT_BYTES]; only pages that are used take memory */
    struct mmsghdr messages[SLOTS];
    struct iovec parts[SLOTS];
    struct sockaddr_storage senders[SLOTS];
    _Alignas(struct cmsghdr) char controls[SLOTS][CMSG_SPACE(sizeof(int))];
};

/* ---- what comes in ---- */

static void add(_Atomic uint64_t *counter, uint64_t n)
{
    if (n) atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static void log_sender(log_limit *limit, const char *what, const struct msghdr *m, size_t n, const char *why)
{
    char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";
    getnameinfo(m->msg_name, m->msg_namelen, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    log_limited_line(limit, LOG_WARN, "%s a datagram of %zu bytes from %s port %s: %s", what, n, host, port, why);
}

static void tell_refused(ingest *in, refusal why, const uint8_t *bytes, size_t n)
{
    uint8_t out[REFUSED_BYTES];
    if (in->desc.keys || !refuse(&in->refuser, why, bytes, n, clock_mono(), out)) return;
    const struct msghdr *m = in->message;
    sendto(in->socket, out, sizeof out, MSG_DONTWAIT, m->msg_name, m->msg_namelen);
    add(&in->stats.refusals, 1);
}

static void refuse_datagram(ingest *in, const uint8_t *bytes, size_t n, decode_result why)
{
    static log_limit limits[DECODE_RESULTS]; /* one a reason: a frequent one must not hide the others */
    add(&in->stats.refused[why], 1);
    log_sender(&limits[why], "refused", in->message, n, decode_result_text(why));
    if (why == DECODE_VERSION) tell_refused(in, REFUSED_VERSION, bytes, n);
    if (why == DECODE_SEALED) tell_refused(in, REFUSED_SEALED, bytes, n);
}

/* false: it is over a limit; the log hears of it, and its client. */
static bool is_within(ingest *in, source_limit over, const uint8_t *bytes, size_t n)
{
    static const char *const texts[LIMITS] = {
        [LIMIT_BYTES] = "its host sends too many bytes a second",
        [LIMIT_NEW_RUNS] = "its host begins too many runs a minute",
        [LIMIT_LIVE_RUNS] = "its host has too many runs at once",
    };
    static log_limit limits[LIMITS];
    if (over == LIMIT_NONE) return true;
    log_sender(&limits[over], "ignored", in->message, n, texts[over]);
    tell_refused(in, REFUSED_LIMIT, bytes, n);
    return false;
}

static void take_record(void *ctx, const record *r)
{
    ingest *in = ctx;
    record with = *r;
    with.counter = in->counter;
    in->records++;
    is_within(in, runs_take_from(in->runs, &with, &in->from, in->length, in->now), in->datagram, in->length);
}

/* What is within the seal, if there is a key: false, and nobody is told but the log, if it isn't sealed with that. */
static bool unseal(ingest *in, uint8_t **bytes, size_t *n)
{
    static log_limit unsealed, forged;
    if (!in->desc.keys) return true;
    switch (seal_open(in->desc.keys, *bytes, *n, &in->counter)) {
    case SEAL_GOOD: break;
    case SEAL_MISSING:
        add(&in->stats.unsealed, 1);
        log_sender(&unsealed, "ignored", in->message, *n, "it is not sealed, but this server has a key");
        return false;
    case SEAL_FORGED:
        add(&in->stats.forged, 1);
        log_sender(&forged, "ignored", in->message, *n, "it is sealed with another key, or damaged");
        return false;
    }
    *bytes += SEAL_HEAD;
    *n -= SEAL_BYTES;
    return true;
}

/* The kernel joins datagrams of one sender and one size, the last may be shorter (udp(7), UDP_GRO): that size. */
static size_t joined_size(struct msghdr *m, size_t n)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO) continue;
        int size;
        memcpy(&size, CMSG_DATA(c), sizeof size);
        if (size > 0 && (size_t)size < n) return (size_t)size;
    }
    return n;
}

static void take_datagram(ingest *in, uint8_t *bytes, size_t n)
{
    in->datagram = bytes;
    in->length = n;
    add(&in->stats.datagrams, 1);
    add(&in->stats.bytes, n);
    if (!is_within(in, runs_take_bytes(in->runs, &in->from, n, in->now), bytes, n)) return;
    if (!unseal(in, &bytes, &n)) return;
    decode_result result = decode_datagram(bytes, n, take_record, in);
    if (result) refuse_datagram(in, bytes, n, result);
}

static void set_sender(ingest *in)
{
    const struct msghdr *m = in->message;
    in->from.size = m->msg_namelen <= sizeof in->from.bytes ? m->msg_namelen : 0;
    memcpy(in->from.bytes, m->msg_name, in->from.size);
    address_source(m->msg_name, m->msg_namelen, in->from.source);
}

static void take_message(ingest *in, struct mmsghdr *m)
{
    uint8_t *bytes = m->msg_hdr.msg_iov->iov_base;
    size_t left = m->msg_len, size = joined_size(&m->msg_hdr, left);
    in->now = clock_wall();
    in->message = &m->msg_hdr;
    set_sender(in);
    for (; left > size; left -= size, bytes += size) take_datagram(in, bytes, size);
    take_datagram(in, bytes, left);
}

/* Returns how many messages there were, at most SLOTS. */
static int receive(ingest *in)
{
    for (int i = 0; i < SLOTS; i++) {
        in->messages[i].msg_hdr.msg_namelen = sizeof in->senders[i];
        in->messages[i].msg_hdr.msg_controllen = sizeof in->controls[i];
    }
    int count = recvmmsg(in->socket, in->messages, SLOTS, MSG_DONTWAIT, NULL);
    if (count < 0) {
        if (errno != EAGAIN && errno != EINTR) log_limited(LOG_ERROR, "receiving: %s", strerror(errno));
        return 0;
    }
    in->records = 0;
    for (int i = 0; i < count; i++) take_message(in, &in->messages[i]);
    add(&in->stats.records, in->records);
    return count;
}

static void take_answers(ingest *in)
{
    uint64_t wakes;
    (void)!read(in->wake, &wakes, sizeof wakes); /* non-blocking; what matters is the list */
    pthread_mutex_lock(&in->lock);
    answer *first = in->answers;
    in->answers = NULL;
    in->answers_end = &in->answers;
    receipt *receipts = in->receipts;
    size_t count = in->receipt_count;
    in->receipts = NULL;
    in->receipt_count = in->receipt_room = 0;
    pthread_mutex_unlock(&in->lock);
    for (size_t i = 0; i < count; i++) runs_durable(in->runs, &receipts[i]);
    free(receipts);
    for (answer *next; first; first = next) {
        next = first->next;
        runs_answer(in->runs, &first->id, first->stored, clock_wall());
        free(first);
    }
}

/* ---- what goes back ---- */

/* A lost acknowledgement does no harm: the client asks again. */
static void send_acks(ingest *in)
{
    uint8_t bytes[RUNS_ACK_BYTES], sealed[RUNS_ACK_BYTES + SEAL_BYTES];
    peer to;
    for (size_t n; (n = runs_next_ack(in->runs, bytes, &to)) > 0;) {
        if (in->desc.keys) n = seal_close(in->desc.keys, bytes, n, sealed);
        sendto(in->socket, in->desc.keys ? sealed : bytes, n, MSG_DONTWAIT, (const void *)to.bytes, to.size);
    }
}

/* ---- what goes on ---- */

/* The kernel's own counter: unlike SO_RXQ_OVFL it tells of drops that no datagram has followed yet. */
static void count_drops(ingest *in)
{
    uint32_t info[SK_MEMINFO_VARS];
    socklen_t n = sizeof info;
    if (getsockopt(in->socket, SOL_SOCKET, SO_MEMINFO, info, &n) != 0 || n <= SK_MEMINFO_DROPS * sizeof *info) return;
    uint32_t more = info[SK_MEMINFO_DROPS] - in->drops;
    in->drops += more;
    add(&in->stats.overflows, more);
    if (more) log_limited(LOG_WARN, "%u datagrams lost: they came faster than they could be taken", more);
}

static void flush(ingest *in, bool final)
{
    batch *b = runs_flush(in->runs, clock_wall(), final);
    if (b) in->desc.batch(in->desc.ctx, b);
    runs_set_behind(in->runs, in->desc.behind && in->desc.behind(in->desc.ctx));
    atomic_store_explicit(&in->stats.runs, runs_count(in->runs), memory_order_relaxed);
    count_drops(in);
}

/* Not while the socket may hold what a silent program has said. */
static void find_crashed(ingest *in)
{
    suspect suspects[SUSPECTS];
    if (clock_mono() - in->looked < LOOK_SECONDS * NS_PER_SECOND) return;
    in->looked = clock_mono();
    size_t count = runs_suspects(in->runs, in->place, suspects, SUSPECTS);
    for (size_t i = 0; i < count; i++)
        if (process_is_gone(suspects[i].pid, suspects[i].born)) runs_crashed(in->runs, &suspects[i].id);
}

/* ---- the thread ---- */

/* Sleeps until something comes, at the latest until `due`. */
static void wait_until(ingest *in, int64_t due)
{
    struct pollfd fds[] = {{.fd = in->socket, .events = POLLIN}, {.fd = in->wake, .events = POLLIN}};
    int64_t left = due - clock_mono();
    if (runs_owes(in->runs) && left > ACK_PAUSE_MS * NS_PER_MS) left = ACK_PAUSE_MS * NS_PER_MS;
    poll(fds, ARRAY_LEN(fds), left > 0 ? (int)((left + NS_PER_MS - 1) / NS_PER_MS) : 0);
    if (fds[1].revents) take_answers(in);
}

/* To be woken for each datagram costs the sender and this thread more than to take it; the socket holds those of a
   moment, so that many come at once. */
static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
}

static void finish(ingest *in)
{
    int64_t until = clock_mono() + STOP_SECONDS * NS_PER_SECOND;
    while (receive(in) && clock_mono() < until)
        if (runs_full(in->runs)) flush(in, false);
    while (runs_asked(in->runs) && clock_mono() < until) {
        struct pollfd answers = {.fd = in->wake, .events = POLLIN};
        poll(&answers, 1, 10);
        take_answers(in);
    }
    flush(in, true);
}

static void *run_thread(void *arg)
{
    ingest *in = arg;
    int64_t due = clock_mono() + FLUSH_MS * NS_PER_MS;
    while (!atomic_load(&in->stopping)) {
        wait_until(in, due);
        int count = receive(in);
        send_acks(in);
        if (count > 0 && count < SLOTS) nap();
        if (count < SLOTS) find_crashed(in);
        if (!runs_full(in->runs) && clock_mono() < due) continue;
        flush(in, false);
        due = clock_mono() + FLUSH_MS * NS_PER_MS;
    }
    finish(in);
    return NULL;
}

/* ---- from other threads ---- */

static void wake(ingest *in)
{
    const uint64_t one = 1;
    (void)!write(in->wake, &one, sizeof one);
}

void ingest_answer(ingest *in, const uuid *id, run_info *stored)
{
    answer *a = mem_alloc(sizeof *a);
    *a = (answer){.id = *id, .stored = stored};
    pthread_mutex_lock(&in->lock);
    *in->answers_end = a;
    in->answers_end = &a->next;
    pthread_mutex_unlock(&in->lock);
    wake(in);
}

void ingest_durable(ingest *in, const batch *b)
{
    pthread_mutex_lock(&in->lock);
    for (size_t i = 0; i < b->count; i++) {
        const run_info *info = b->parts[i].info;
        if (!info->acked) continue;
        if (in->receipt_count == in->receipt_room) {
            in->receipt_room = in->receipt_room ? 2 * in->receipt_room : 64;
            in->receipts = mem_resize(in->receipts, in->receipt_room, sizeof *in->receipts);
        }
        in->receipts[in->receipt_count++] = (receipt){.id = info->id,
                                                      .rows = info->next_seq,
                                                      .marks = info->next_mark,
                                                      .columns = (uint32_t)info->column_count,
                                                      .ended = info->state != RUN_LIVE};
    }
    pthread_mutex_unlock(&in->lock);
    wake(in);
}

/* A big buffer bridges the moments in which the thread does something else; root may exceed the system's limit. */
static void set_receive_buffer(int fd, int wanted)
{
    int got = 0;
    socklen_t n = sizeof got;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
    if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &n) != 0) return;
    got /= 2; /* the kernel doubles it, for its own book-keeping (socket(7)) */
    if (got < wanted)
        log_line(LOG_INFO, "the receive buffer is %d bytes, not %d: raise net.core.rmem_max if bursts get lost", got,
                 wanted);
}

static void prepare_slots(ingest *in)
{
    in->bytes = mem_alloc((size_t)SLOTS * SLOT_BYTES);
    for (int i = 0; i < SLOTS; i++) {
        in->parts[i] = (struct iovec){in->bytes + (size_t)i * SLOT_BYTES, SLOT_BYTES};
        in->messages[i].msg_hdr = (struct msghdr){
            .msg_name = &in->senders[i], .msg_iov = &in->parts[i], .msg_iovlen = 1, .msg_control = in->controls[i]};
    }
}

ingest *ingest_open(const ingest_desc *desc, buf *bound, buf *why)
{
    int fd = address_bind(desc->address, SOCK_DGRAM, bound, why);
    if (fd < 0) {
        buf_text(why, " (where datagrams are received is set by --udp HOST:PORT or unix:PATH)");
        return NULL;
    }
    int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0) {
        buf_printf(why, "eventfd: %s", strerror(errno));
        close(fd);
        return NULL;
    }
    setsockopt(fd, IPPROTO_UDP, UDP_GRO, &(int){1}, sizeof(int)); /* a kernel without it joins none */
    set_receive_buffer(fd, desc->receive_buffer ? desc->receive_buffer : RECEIVE_BUFFER);
    ingest *in = mem_calloc(1, sizeof *in);
    in->desc = *desc;
    in->socket = fd;
    if (address_unix_path(desc->address)) in->path = mem_strdup(address_unix_path(desc->address));
    in->wake = event;
    if (desc->keys) {
        in->desc.limits.ack_seal = SEAL_BYTES;
        in->desc.limits.sources.off = true; /* whoever has the key is trusted */
    }
    in->runs = runs_new(&in->desc.limits, desc->want, desc->ctx);
    in->answers_end = &in->answers;
    pthread_mutex_init(&in->lock, NULL);
    prepare_slots(in);
    process_place(in->place);
    return in;
}

void ingest_start(ingest *in)
{
    int error = pthread_create(&in->thread, NULL, run_thread, in);
    if (error) {
        log_line(LOG_ERROR, "no thread can be started: %s", strerror(error));
        exit(EXIT_FAILURE);
    }
    pthread_setname_np(in->thread, "ingest");
    in->started = true;
}

void ingest_stop(ingest *in)
{
    if (!in->started) return;
    atomic_store(&in->stopping, true);
    wake(in);
    pthread_join(in->thread, NULL);
    in->started = false;
}

void ingest_free(ingest *in)
{
    if (!in) return;
    for (answer *a = in->answers, *next; a; a = next) {
        next = a->next;
        run_info_free(a->stored);
        free(a);
    }
    free(in->receipts);
    runs_free(in->runs);
    if (in->path) unlink(in->path);
    free(in->path);
    pthread_mutex_destroy(&in->lock);
    close(in->socket);
    close(in->wake);
    free(in->bytes);
    free(in);
}

const ingest_stats *ingest_counters(const ingest *in)
{
    return &in->stats;
}

const runs_counters *ingest_runs_counters(const ingest *in)
{
    return runs_stats(in->runs);
}
