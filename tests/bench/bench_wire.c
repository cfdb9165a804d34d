/* SPDX-License-Identifier: MIT OR Unlicense
   bench_wire: rows/s over the binary wire until they are durable in a SQLite file, and what a row costs at either end.
   The client is dolon.h's own session, ring and socket, whose sampling is paced; the server is the real program. Beside
   them the same client and a sink that only receives: the limit. Then what a ring holds. */
#define DOLON_IMPLEMENTATION
#define DOLON_STATIC
#include "../../dolon.h"

#include "rows.h"
#include "server/store/store.h"

#include <libgen.h>
#include <netinet/udp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define TABLE         65536 /* different rows: row n has the values of row n % TABLE                          */
#define RING_BYTES    (256u << 20)
#define TRIAL_SECONDS 2
#define PATIENCE      (3 * NS_PER_SECOND) /* for the last acknowledgement                           */
#define BURST_NS      500000              /* the client looks so often whether rows are due                 */
#define FIRST_RATE    1.2e6
#define RATE_STEP     1.35
#define ATTEMPTS      2 /* at one rate: another process on the machine may have had its turn */

static double table[TABLE][COLUMNS];

static void must(bool good, const char *what)
{
    if (good) return;
    fprintf(stderr, "bench_wire: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void sleep_until(int64_t mono)
{
    struct timespec t = {mono / DOLON__SECOND, mono % DOLON__SECOND};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* ---- what receives: a process of its own ---- */

typedef struct {
    pid_t pid;
    int port, from; /* `from`: its standard output */
} receiver;

/* Ends it; returns its CPU time, user and system, in seconds. */
static double receiver_end(receiver *r)
{
    struct rusage used;
    int status;
    kill(r->pid, SIGTERM);
    must(wait4(r->pid, &status, 0, &used) == r->pid, "wait4");
    must(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the receiver failed");
    return seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
}

/* Runs `run` in a child, whose standard output begins with "udp 127.0.0.1:PORT". */
static receiver receiver_start(void (*run)(const char *arg), const char *arg)
{
    int from[2];
    char line[64] = "";
    must(pipe(from) == 0, "pipe");
    receiver r = {.pid = fork(), .from = from[0]};
    must(r.pid >= 0, "fork");
    if (r.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(from[1], STDOUT_FILENO);
        close(from[0]);
        close(from[1]);
        run(arg);
        _exit(1);
    }
    close(from[1]);
    must(read(r.from, line, sizeof line - 1) > 0, "the receiver did not start");
    must(sscanf(line, "udp 127.0.0.1:%d", &r.port) == 1, line);
    return r;
}

static char server_program[4096];

static void run_server(const char *url)
{
    execl(server_program, server_program, "--udp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--store", url,
          "--log-level", "error", (char *)NULL);
    perror(server_program);
}

static volatile sig_atomic_t sink_ends;

static void on_end(int number)
{
    (void)number;
    sink_ends = 1;
}

/* The least that any server has to do: the same calls on the same buffers as the server's, and nothing with what
   comes. Writes at the end how many bytes came. */
static void run_sink(const char *unused)
{
    enum { SLOTS = 128, SLOT_BYTES = 65536, NAP_NS = 300000 };
    static char bytes[SLOTS][SLOT_BYTES];
    static struct mmsghdr messages[SLOTS];
    static struct iovec parts[SLOTS];
    (void)unused;
    for (int i = 0; i < SLOTS; i++) {
        parts[i] = (struct iovec){bytes[i], SLOT_BYTES};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    struct sigaction end = {.sa_handler = on_end};
    struct timeval tick = {.tv_usec = 20000};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 32 << 20;
    must(fd >= 0 && bind(fd, (struct sockaddr *)&at, n) == 0, "socket");
    must(getsockname(fd, (struct sockaddr *)&at, &n) == 0, "getsockname");
    sigaction(SIGTERM, &end, NULL);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    setsockopt(fd, IPPROTO_UDP, UDP_GRO, &(int){1}, sizeof(int));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof tick);
    printf("udp 127.0.0.1:%d\n", ntohs(at.sin_port));
    fflush(stdout);
    uint64_t came = 0;
    for (int got = 1; got > 0 || !sink_ends;) {
        got = recvmmsg(fd, messages, SLOTS, MSG_WAITFORONE, NULL);
        for (int i = 0; i < got; i++) came += messages[i].msg_len;
        if (got < SLOTS) sleep_until(dolon__os_mono() + NAP_NS); /* as the server: many at once */
    }
    must(write(STDOUT_FILENO, &came, sizeof came) == sizeof came, "write");
    _exit(0);
}

/* ---- the client ---- */

static uint8_t *ring; /* shared, so that no child's start makes its pages be copied */

typedef struct {
    dolon__session session;
    int fd;
    bool alone;    /* nobody answers: it acknowledges to itself what it has sent */
    uint64_t sent; /* bytes                                                      */
    uint8_t facts[64], scratch[12 + 8 * COLUMNS];
    char bytes[DOLON_DATAGRAM_BYTES]; /* datagrams on their way */
} client;

static size_t column_entry(void *ctx, uint32_t i, uint8_t *out)
{
    static const uint8_t head[] = {0, 0, 7}; /* a gauge, without a unit, its name has 7 bytes */
    (void)ctx;
    uint8_t *p = dolon__put_bytes(out, head, sizeof head);
    return (size_t)(dolon__put(dolon__put_bytes(p, "column", 6), 'a' + i, 1) - out);
}

static void client_start(client *c, int port, size_t datagram, bool alone)
{
    static dolon__passport passport = {.app = "bench"};
    dolon__session *s = &c->session;
    dolon__address to;
    must(dolon__os_numeric("127.0.0.1", port, &to) && (c->fd = dolon__os_open(&to)) >= 0, "socket");
    passport.time = dolon__os_clock(CLOCK_REALTIME);
    c->alone = alone;
    dolon__os_random(s->run, sizeof s->run);
    s->datagram = datagram;
    s->facts = c->facts;
    s->facts_bytes = dolon__link_facts(&passport, c->facts, sizeof c->facts);
    s->column = column_entry;
    s->columns = COLUMNS;
    s->linger = 100 * DOLON__MS;
    s->ring.bytes = ring;
    s->ring.size = RING_BYTES;
    dolon__session_start(s, dolon__os_mono());
}

/* As from a server that has made durable what was sent. */
static void acknowledge_to_itself(client *c, int64_t now)
{
    uint8_t ack[DOLON__ACK_HEAD], *p = dolon__session_header(&c->session, DOLON__ACK, ack);
    p = dolon__put(p, 3, 2); /* known, the goodbye durable; no holes */
    p = dolon__put(p, COLUMNS, 2);
    p = dolon__put(p, 0, 4);
    for (int i = 0; i < 3; i++) p = dolon__put(p, c->session.sent.row.seq, 8);
    dolon__session_take(&c->session, now, ack, sizeof ack);
}

/* Datagrams of `each` bytes, the last one perhaps shorter, as dolon.h sends them: in one call. */
static void send_joined(client *c, size_t n, size_t each)
{
    if (n == 0) return;
    dolon__os_send(c->fd, c->bytes, n, each); /* what does not go is lost, and sent again */
    c->sent += n;
}

/* Sends all that is due, datagrams of the same size together. */
static void send_due(client *c, int64_t now)
{
    size_t n = 0, each = 0;
    for (size_t last; (last = dolon__session_next(&c->session, now, (uint8_t *)c->bytes + n)) > 0;) {
        if (last > each) {
            send_joined(c, n, each);
            memmove(c->bytes, c->bytes + n, last);
            n = 0;
            each = last;
        }
        n += last;
        if (last == each && n + c->session.datagram <= sizeof c->bytes && n < DOLON__JOINED_MOST * each) continue;
        send_joined(c, n, each);
        n = each = 0;
    }
    send_joined(c, n, each);
}

static void exchange(client *c, int64_t now)
{
    uint8_t ack[DOLON__ACK_HEAD + 12 * DOLON__HOLES];
    int error;
    for (size_t n; (n = dolon__os_receive(c->fd, ack, sizeof ack, &error)) > 0;)
        dolon__session_take(&c->session, now, ack, n);
    send_due(c, now);
    if (c->alone) acknowledge_to_itself(c, now);
}

static void sample_row(client *c, int64_t now)
{
    const double *values = table[c->session.ring.next.seq % TABLE];
    dolon__session_row(&c->session, now, dolon__os_clock(CLOCK_REALTIME), values, (dolon__cells){COLUMNS, 0}, NULL,
                       c->scratch);
}

/* Samples `total` rows, `rate` a second. */
static void sample_rows(client *c, double rate, uint64_t total)
{
    const dolon__ring *r = &c->session.ring;
    int64_t start = dolon__os_mono(), now = start;
    while (r->next.seq < total) {
        double due = (double)(now - start) / 1e9 * rate;
        while (r->next.seq < total && (double)r->next.seq < due) sample_row(c, now);
        exchange(c, now);
        sleep_until(now + BURST_NS);
        now = dolon__os_mono();
    }
}

static bool is_known(const client *c)
{
    return c->session.known && c->session.columns_durable == COLUMNS;
}

static bool is_durable(const client *c)
{
    return c->session.ring.oldest.seq == c->session.ring.next.seq;
}

static bool is_done(const client *c)
{
    return dolon__session_done(&c->session);
}

static bool exchange_until(client *c, bool (*reached)(const client *))
{
    int64_t until = dolon__os_mono() + PATIENCE, now;
    while ((now = dolon__os_mono()) < until && !reached(c)) {
        exchange(c, now);
        sleep_until(now + DOLON__MS);
    }
    return reached(c);
}

/* ---- does the store hold every row? ---- */

typedef struct {
    store *s;
    uuid id;
    uint64_t next; /* rows below were found, each with its values */
} inspection;

static bool inspect_chunk(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    inspection *i = ctx;
    chunk *c;
    (void)columns, (void)count;
    must(store_chunk(i->s, &i->id, key, NULL, 0, &c) == STORE_OK, store_error(i->s));
    for (size_t row = 0; row < c->rows; row++, i->next++) {
        bool same = c->columns == COLUMNS && c->seq[row] == i->next;
        for (size_t k = 0; same && k < COLUMNS; k++) same = c->values[k][row] == table[i->next % TABLE][k];
        must(same, "the store holds other rows than those sent");
    }
    chunk_free(c);
    return true;
}

static void inspect(const char *url, const client *c)
{
    buf why = {0};
    inspection i = {.s = store_open(url, STORE_READ, &why)};
    must(i.s, why.p);
    memcpy(i.id.b, c->session.run, sizeof i.id.b);
    must(store_entries(i.s, &i.id, 0, INT64_MIN, INT64_MAX, inspect_chunk, &i) == STORE_OK, store_error(i.s));
    must(i.next == c->session.ring.next.seq - c->session.ring.dropped, "the store lacks rows");
    store_close(i.s);
}

/* ---- a trial, and the highest rate ---- */

typedef struct {
    double rate;           /* rows/s, from the first sample to the last acknowledgement */
    double client, server; /* µs of CPU a row */
    bool complete;         /* no datagram was lost, no row sent twice */
} trial;

typedef trial trial_fn(double rate, size_t datagram);

static double cpu_now(void)
{
    return (double)dolon__os_clock(CLOCK_PROCESS_CPUTIME_ID) / 1e9;
}

static trial run_client(client *c, double rate)
{
    uint64_t rows = (uint64_t)(rate * TRIAL_SECONDS);
    must(c->alone || exchange_until(c, is_known), "the server does not take the run");
    int64_t start = dolon__os_mono();
    double cpu = cpu_now();
    sample_rows(c, rate, rows);
    cpu = cpu_now() - cpu;
    c->session.linger = 0;
    bool done = exchange_until(c, is_durable);
    double seconds = (double)(dolon__os_mono() - start) / 1e9;
    dolon__session_bye(&c->session, dolon__os_mono(), dolon__os_clock(CLOCK_REALTIME), 0);
    done = done && exchange_until(c, is_done);
    return (trial){.rate = (double)rows / seconds,
                   .client = cpu * 1e6 / (double)rows,
                   .complete = done && !c->session.ring.dropped && !c->session.resent};
}

static char work_folder[4096];

static trial try_server(double rate, size_t datagram)
{
    static client c;
    char folder[4120], url[4200];
    snprintf(folder, sizeof folder, "%s/wire.XXXXXX", work_folder);
    must(mkdtemp(folder), folder);
    snprintf(url, sizeof url, "sqlite:%s/b.db", folder);
    receiver r = receiver_start(run_server, url);
    memset(&c, 0, sizeof c);
    client_start(&c, r.port, datagram, false);
    trial t = run_client(&c, rate);
    close(c.fd);
    t.server = receiver_end(&r) * 1e6 / (double)c.session.ring.next.seq;
    close(r.from);
    if (t.complete) inspect(url, &c);
    static const char *const names[] = {"b.db", "b.db-wal", "b.db-shm", "b.db-lock"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char file[4200];
        snprintf(file, sizeof file, "%s/%s", folder, names[i]);
        unlink(file);
    }
    rmdir(folder);
    return t;
}

static trial try_sink(double rate, size_t datagram)
{
    static client c;
    uint64_t came = 0;
    receiver r = receiver_start(run_sink, NULL);
    memset(&c, 0, sizeof c);
    client_start(&c, r.port, datagram, true);
    trial t = run_client(&c, rate);
    close(c.fd);
    t.server = receiver_end(&r) * 1e6 / (double)c.session.ring.next.seq;
    must(read(r.from, &came, sizeof came) == sizeof came, "the sink's report");
    close(r.from);
    t.complete &= came == c.sent;
    return t;
}

/* Steps the rate up until something is lost, or is acknowledged too slowly. */
static trial highest(trial_fn *try_rate, size_t datagram)
{
    trial best = {0};
    for (double rate = FIRST_RATE;; rate *= RATE_STEP) {
        trial t = {0};
        for (int i = 0; i < ATTEMPTS && !t.complete; i++) t = try_rate(rate, datagram);
        if (!t.complete || t.rate < best.rate * 1.02) return best;
        best = t;
    }
}

/* ---- figures ---- */

static uint64_t rows_in_ring(size_t bytes)
{
    static uint8_t scratch[12 + 8 * COLUMNS];
    dolon__ring r = {.bytes = mem_alloc(bytes), .size = bytes};
    while (!r.dropped) dolon__ring_add(&r, 0, table[0], (dolon__cells){COLUMNS, 0}, NULL, scratch);
    free(r.bytes);
    return r.next.seq - r.oldest.seq;
}

static void measure_ends(size_t datagram, bool goals)
{
    trial sink = highest(try_sink, datagram), server = highest(try_server, datagram);
    printf("binary wire, datagrams of %zu bytes: rows x %d columns until durable in SQLite, without loss\t%.2f\t"
           "M rows/s\ta bare recvmmsg sink: %.2f (%.2f of it)\t%s\n",
           datagram, COLUMNS, server.rate / 1e6, sink.rate / 1e6, server.rate / sink.rate, goals ? ">= 2" : "-");
    printf("CPU of the server, at that rate\t%.3f\tus/row\ta bare recvmmsg sink: %.3f (%.1f times)\t%s\n",
           server.server, sink.server, server.server / sink.server, goals ? "<= 0.5" : "-");
    printf("CPU of the client, at that rate\t%.0f\tns/row\t-\t-\n", server.client * 1e3);
    fflush(stdout);
}

/* CPU seconds that send() takes for one datagram. */
static double send_cost(client *c)
{
    enum { SENDS = 10000 };
    double cpu = cpu_now();
    for (int i = 0; i < SENDS; i++) dolon__os_send(c->fd, c->bytes, c->session.datagram, c->session.datagram);
    return (cpu_now() - cpu) / SENDS;
}

/* The client as dolon.h sends; the least of several, what else the machine does apart. */
static void measure_client(size_t datagram)
{
    static client c;
    double best = INFINITY, best_send = INFINITY;
    for (int i = 0; i < 5; i++) {
        receiver r = receiver_start(run_sink, NULL);
        memset(&c, 0, sizeof c);
        client_start(&c, r.port, datagram, true);
        best = fmin(best, run_client(&c, FIRST_RATE).client * 1e3);
        best_send = fmin(best_send,
                         send_cost(&c) * 1e9 / (double)((datagram - DOLON__ROWS_HEAD) / dolon__row_bytes(COLUMNS)));
        close(c.fd);
        receiver_end(&r);
        close(r.from);
    }
    printf("CPU of the client, nobody answering: clock, ring, datagrams, send\t%.0f\tns/row\t"
           "a send() for each datagram alone: %.0f (%.1f times)\t<= 200\n",
           best, best_send, best / best_send);
}

int main(int argc, char **argv)
{
    (void)argc;
    snprintf(work_folder, sizeof work_folder, "%s", dirname(argv[0])); /* a disk, which /tmp need not be */
    snprintf(server_program, sizeof server_program, "%.4000s/../mnemic", work_folder);
    ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    must(ring != MAP_FAILED, "mmap");
    program p = {0};
    for (size_t i = 0; i < TABLE; i++) sample(&p, table[i]);
    measure_ends(1200, true);
    measure_ends(8900, false);
    measure_client(1200);
    printf("a ring of 256 KiB holds\t%llu\trows x %d columns\t-\t>= 3000\n",
           (unsigned long long)rows_in_ring(256 << 10), COLUMNS);
    return 0;
}
