/* SPDX-License-Identifier: MIT OR Unlicense
   bench_ingest: datagrams/s that nothing is lost of, and what a row costs, from the socket to a durable SQLite file. The
   server's parts run in a process of their own, a paced sender in another; beside them a sink that only receives. */
#include "server/ingest/decode.h"
#include "server/ingest/ingest.h"
#include "server/store/writer.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COLUMNS       8
#define RUNS          8
#define TEXTS         256 /* different rows; the sequence number is written anew each time    */
#define BURST         64  /* datagrams a system call, at most, as an application server sends */
#define TRIAL_SECONDS 2
#define FIRST_RATE    30000
#define RATE_STEP     1.2
#define ATTEMPTS      3 /* at one rate: another process on the machine may have had its turn */

static void must(bool good, const char *what)
{
    if (good) return;
    fprintf(stderr, "bench_ingest: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- datagrams, as dolon.h's JSON wire has them ---- */

static uint64_t random_u64(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 2685821657736338717u;
}

static void run_text(unsigned run, char out[UUID_TEXT])
{
    uuid id = {.b = {0xbe, 0x6c, [15] = (uint8_t)run}};
    uuid_format(&id, out);
}

static buf announcement(unsigned run)
{
    char id[UUID_TEXT];
    buf b = {0};
    run_text(run, id);
    buf_printf(&b, "{\"msg_type\": \"create_trace_run\", \"app_name\": \"bench\", \"column_names\": [");
    for (int i = 0; i < COLUMNS; i++) buf_printf(&b, "%s\"column_%d\"", i ? ", " : "", i);
    buf_printf(&b, "], \"uuid\": \"%s\"}", id);
    return b;
}

/* All of a row but its number and the closing brace. */
static buf row_text(unsigned run)
{
    char id[UUID_TEXT];
    buf b = {0};
    run_text(run, id);
    buf_text(&b, "{\"msg_type\": \"row\", \"row_data\": [");
    for (int i = 0; i < COLUMNS; i++) {
        double whole = (double)(random_u64() % 100000);
        buf_text(&b, i ? ", " : "");
        buf_double(&b, i < 2 ? whole : i < 6 ? whole / 1000 : whole / 0x1p30 * 4096); /* counts, decimals, GiB */
    }
    buf_printf(&b, "], \"uuid\": \"%s\", \"time\": %lld, \"seq\": ", id, (long long)clock_wall());
    return b;
}

/* ---- what receives, in a process of its own ---- */

typedef struct {
    uint64_t rows; /* durable; for the sink: received */
    double cpu;    /* seconds, user and system        */
    int port;
} report;

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

typedef struct {
    ingest *in;
    writer *w;
} server;

static void on_batch(void *ctx, batch *b)
{
    writer_put(((server *)ctx)->w, b);
}

static void on_want(void *ctx, const uuid *id)
{
    writer_want(((server *)ctx)->w, id);
}

static void on_found(void *ctx, const uuid *id, run_info *stored)
{
    ingest_answer(((server *)ctx)->in, id, stored);
}

static void wait_for_end(int from_parent)
{
    char c;
    while (read(from_parent, &c, 1) < 0 && errno == EINTR) {
    }
}

static void serve(int from_parent, int to_parent)
{
    char folder[] = "/tmp/bench_ingest.XXXXXX", url[64], file[64];
    must(mkdtemp(folder), "mkdtemp");
    snprintf(url, sizeof url, "sqlite:%s/b.db", folder);
    server s = {0};
    buf bound = {0}, why = {0};
    ingest_desc receiving = {.address = "127.0.0.1:0", .batch = on_batch, .want = on_want, .ctx = &s};
    writer_desc writing = {.store_url = url, .found = on_found, .ctx = &s};
    must((s.in = ingest_open(&receiving, &bound, &why)), "ingest");
    must((s.w = writer_start(&writing, &why)), "writer");
    ingest_start(s.in);
    report r = {.port = atoi(strchr(bound.p, ':') + 1)};
    must(write(to_parent, &r, sizeof r) == sizeof r, "pipe");
    double before = cpu_seconds();
    wait_for_end(from_parent);
    ingest_stop(s.in);
    writer_stop(s.w, 60);
    r.rows = ingest_runs_counters(s.in)->rows; /* all stored, or the writer would have counted some as dropped */
    r.cpu = cpu_seconds() - before;
    ingest_free(s.in);
    static const char *const names[] = {"b.db", "b.db-wal", "b.db-shm", "b.db-lock"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(file, sizeof file, "%s/%s", folder, names[i]);
        unlink(file);
    }
    rmdir(folder);
    must(write(to_parent, &r, sizeof r) == sizeof r, "pipe");
}

/* The least that any server has to do: the same calls on the same buffers, and nothing with what comes. */
static void sink(int from_parent, int to_parent)
{
    enum { slots = 128, slot_bytes = 65536 };
    static char bytes[slots][slot_bytes];
    static struct mmsghdr messages[slots];
    static struct iovec parts[slots];
    for (int i = 0; i < slots; i++) {
        parts[i] = (struct iovec){bytes[i], slot_bytes};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 32 << 20;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    struct timeval tick = {.tv_usec = 50000};
    must(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0, "socket");
    must(getsockname(fd, (struct sockaddr *)&a, &n) == 0, "getsockname");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof tick);
    report r = {.port = ntohs(a.sin_port)};
    must(write(to_parent, &r, sizeof r) == sizeof r, "pipe");
    double before = cpu_seconds();
    for (bool more = true; more;) {
        int got = recvmmsg(fd, messages, slots, MSG_WAITFORONE, NULL);
        if (got > 0) {
            r.rows += (uint64_t)got;
            continue;
        }
        struct timeval now = {0};
        fd_set set;
        FD_ZERO(&set);
        FD_SET(from_parent, &set);
        more = select(from_parent + 1, &set, NULL, NULL, &now) == 0;
    }
    r.rows -= RUNS; /* the announcements */
    r.cpu = cpu_seconds() - before;
    must(write(to_parent, &r, sizeof r) == sizeof r, "pipe");
}

/* ---- the sender ---- */

static void sleep_until(int64_t mono)
{
    struct timespec t = {mono / NS_PER_SECOND, mono % NS_PER_SECOND};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void send_announcements(int fd)
{
    for (unsigned run = 0; run < RUNS; run++) {
        buf b = announcement(run);
        must(send(fd, b.p, b.n, 0) == (ssize_t)b.n, "send");
        buf_free(&b);
    }
}

/* Returns how many rows it has sent. */
static uint64_t send_rows(int fd, double rate)
{
    static buf texts[TEXTS];
    static char numbers[BURST][24];
    static struct mmsghdr messages[BURST];
    static struct iovec parts[BURST][2];
    if (!texts[0].p)
        for (unsigned i = 0; i < TEXTS; i++) texts[i] = row_text(i % RUNS);
    int64_t start = clock_mono();
    uint64_t sent = 0, total = (uint64_t)(rate * TRIAL_SECONDS);
    while (sent < total) {
        int64_t now = clock_mono();
        uint64_t due = (uint64_t)((double)(now - start) / (double)NS_PER_SECOND * rate);
        if (due <= sent) {
            sleep_until(start + (int64_t)((double)(sent + BURST / 4) / rate * (double)NS_PER_SECOND));
            continue;
        }
        unsigned n = due - sent < BURST ? (unsigned)(due - sent) : BURST;
        for (unsigned i = 0; i < n; i++) {
            const buf *text = &texts[(sent + i) % TEXTS];
            int digits = snprintf(numbers[i], sizeof numbers[i], "%llu}", (unsigned long long)((sent + i) / RUNS));
            parts[i][0] = (struct iovec){text->p, text->n};
            parts[i][1] = (struct iovec){numbers[i], (size_t)digits};
            messages[i].msg_hdr = (struct msghdr){.msg_iov = parts[i], .msg_iovlen = 2};
        }
        int got = sendmmsg(fd, messages, n, 0);
        must(got > 0, "sendmmsg");
        sent += (uint64_t)got;
    }
    return sent;
}

/* ---- a trial, and the highest rate ---- */

typedef struct {
    double rate; /* as it really was */
    double cpu;  /* µs a row          */
    bool complete;
} trial;

static trial try_rate(void (*receiver)(int, int), double rate)
{
    int down[2], up[2];
    must(pipe(down) == 0 && pipe(up) == 0, "pipe");
    pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(down[1]);
        close(up[0]);
        receiver(down[0], up[1]);
        _exit(0);
    }
    close(down[0]);
    close(up[1]);
    report r;
    must(read(up[0], &r, sizeof r) == sizeof r, "the receiver did not start");
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)r.port)};
    must(fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0, "connect");
    send_announcements(fd);
    int64_t start = clock_mono();
    uint64_t sent = send_rows(fd, rate);
    double seconds = (double)(clock_mono() - start) / (double)NS_PER_SECOND;
    close(down[1]);
    must(read(up[0], &r, sizeof r) == sizeof r, "the receiver did not end");
    waitpid(child, NULL, 0);
    close(fd);
    close(up[0]);
    return (trial){.rate = (double)sent / seconds, .cpu = r.cpu * 1e6 / (double)sent, .complete = r.rows == sent};
}

/* Steps the rate up until something is lost, or the sender cannot go faster. */
static trial highest(void (*receiver)(int, int))
{
    trial best = {0};
    for (double rate = FIRST_RATE;; rate *= RATE_STEP) {
        trial t = {0};
        for (int i = 0; i < ATTEMPTS && !t.complete; i++) t = try_rate(receiver, rate);
        if (!t.complete || t.rate < best.rate * 1.02) return best;
        best = t;
    }
}

/* ---- the decoder alone ---- */

static void nothing(void *ctx, const record *r)
{
    *(uint64_t *)ctx += r->row.count;
}

static double decode_cost(void)
{
    enum { rounds = 2000 };
    buf texts[TEXTS];
    for (unsigned i = 0; i < TEXTS; i++) {
        texts[i] = row_text(i);
        buf_text(&texts[i], "123456}");
    }
    uint64_t values = 0;
    double start = cpu_seconds();
    for (int round = 0; round < rounds; round++)
        for (unsigned i = 0; i < TEXTS; i++) decode_datagram(texts[i].p, texts[i].n, nothing, &values);
    double cost = (cpu_seconds() - start) * 1e6 / (rounds * TEXTS);
    must(values == (uint64_t)rounds * TEXTS * COLUMNS, "the decoder refused its rows");
    for (unsigned i = 0; i < TEXTS; i++) buf_free(&texts[i]);
    return cost;
}

int main(void)
{
    log_set_level(LOG_ERROR);
    signal(SIGPIPE, SIG_IGN);
    trial least = highest(sink), whole = highest(serve);
    printf("JSON rows of 8 values to a durable SQLite file, one a datagram, without loss\t%.0f\tdatagrams/s\t"
           "a bare recvmmsg sink: %.0f (%.2f of it)\t-\n",
           whole.rate, least.rate, whole.rate / least.rate);
    printf("CPU of the receiving process, at that rate\t%.2f\tµs/row\ta bare recvmmsg sink: %.2f (%.1f times)\t-\n",
           whole.cpu, least.cpu, whole.cpu / least.cpu);
    double decode = decode_cost();
    printf("of that, decoding the JSON\t%.2f\tµs/row\tthe whole: %.2f (%.2f of it)\t-\n", decode, whole.cpu,
           decode / whole.cpu);
    return 0;
}
