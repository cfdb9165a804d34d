/* SPDX-License-Identifier: MIT OR Unlicense
   bench_dolon: what the client costs: a scope beside two raw clock reads, a counter, a tick. Kinds of loop take turns
   in short rounds, so that the machine's other work falls on all alike; each figure is the least of the medians of
   several groups of rounds. */
#define DOLON_IMPLEMENTATION
#define DOLON_TRACK_MALLOC
#define DOLON_MAX_THREADS 32
#include "../../dolon.h"

#ifdef __has_include
#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#endif
#endif

#define LOOPS  20000 /* a round: well under a time slice */
#define ROUNDS 31    /* a group                          */
#define GROUPS 15

#define NOINLINE __attribute__((noinline))

#if defined(DOLON__HAS_TSC)
#define RAW_CLOCK() __builtin_ia32_rdtsc()
#else
#define RAW_CLOCK() ((uint64_t)dolon__os_mono())
#endif

static volatile uint64_t sink;

NOINLINE static void empty_loop(void)
{
    for (int i = 0; i < LOOPS; i++) __asm__ volatile("" ::: "memory");
}

NOINLINE static void two_raw_reads(void)
{
    for (int i = 0; i < LOOPS; i++) {
        uint64_t start = RAW_CLOCK();
        __asm__ volatile("" ::: "memory");
        sink = RAW_CLOCK() - start;
    }
}

NOINLINE static void scopes(void)
{
    for (int i = 0; i < LOOPS; i++) {
        DOLON_SCOPE("bench");
        __asm__ volatile("" ::: "memory");
    }
}

NOINLINE static void scopes_off(void)
{
    dolon_measure_scopes(0);
    scopes();
    dolon_measure_scopes(1);
}

NOINLINE static void counters(void)
{
    for (int i = 0; i < LOOPS; i++) {
        DOLON_COUNT("bench_count", 1);
        __asm__ volatile("" ::: "memory");
    }
}

NOINLINE static void gauges(void)
{
    for (int i = 0; i < LOOPS; i++) DOLON_GAUGE("bench_gauge", i);
}

NOINLINE static void raw_blocks(void)
{
    for (int i = 0; i < LOOPS; i++) {
        void *volatile p = malloc(64);
        free(p);
    }
}

NOINLINE static void counted_blocks(void)
{
    for (int i = 0; i < LOOPS; i++) {
        void *volatile p = dolon_malloc(64);
        dolon_free(p);
    }
}

/* SystemTap's markers at both ends of a region, which nobody records: what a region costs that is not measured. */
NOINLINE static void markers(void)
{
#ifdef DTRACE_PROBE
    for (int i = 0; i < LOOPS; i++) {
        DTRACE_PROBE(dolon, bench_begin);
        __asm__ volatile("" ::: "memory");
        DTRACE_PROBE(dolon, bench_end);
    }
#endif
}

typedef struct {
    void (*run)(void);
    double rounds[ROUNDS];
    double ns; /* of one turn of the loop */
} kind;

enum { EMPTY, RAW, SCOPE, SCOPE_OFF, COUNT, GAUGE, BLOCK, COUNTED_BLOCK, MARKERS, KINDS };

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, by_value);
    return values[n / 2];
}

static void run_group(kind *kinds)
{
    for (int round = 0; round < ROUNDS; round++) {
        for (int k = 0; k < KINDS; k++) {
            int64_t start = dolon__os_mono();
            kinds[k].run();
            kinds[k].rounds[round] = (double)(dolon__os_mono() - start) / LOOPS;
        }
    }
    for (int k = 0; k < KINDS; k++) {
        double m = median(kinds[k].rounds, ROUNDS);
        if (kinds[k].ns == 0 || m < kinds[k].ns) kinds[k].ns = m;
    }
}

/* ---- many threads: CPU time, for there are fewer CPUs than threads ---- */

enum { THREADS = 16 };

typedef struct {
    pthread_t id;
    pthread_barrier_t *begin;
    double ns;
} runner;

static void *run_scopes(void *arg)
{
    runner *r = arg;
    scopes(); /* its first scope makes its record */
    pthread_barrier_wait(r->begin);
    int64_t cpu = dolon__os_clock(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < 100; i++) scopes();
    r->ns = (double)(dolon__os_clock(CLOCK_THREAD_CPUTIME_ID) - cpu) / (100.0 * LOOPS);
    return NULL;
}

/* CPU ns a scope: the median of the threads'; the least of several tries. */
static double bench_threads(int count)
{
    runner runners[THREADS];
    double best = 0;
    for (int round = 0; round < 5; round++) {
        double each[THREADS];
        pthread_barrier_t begin;
        pthread_barrier_init(&begin, NULL, (unsigned)count);
        for (int i = 0; i < count; i++) {
            runners[i].begin = &begin;
            if (pthread_create(&runners[i].id, NULL, run_scopes, &runners[i]) != 0) exit(1);
        }
        for (int i = 0; i < count; i++) {
            pthread_join(runners[i].id, NULL);
            each[i] = runners[i].ns;
        }
        pthread_barrier_destroy(&begin);
        double m = median(each, (size_t)count);
        if (best == 0 || m < best) best = m;
    }
    return best;
}

/* ---- ticks: their CPU time, in a tracer whose timer thread is this one ---- */

static double answer(void *user)
{
    return *(double *)user;
}

static double tick_microseconds(dolon_tracer *t)
{
    enum { TICKS = 200 };
    double best = 0;
    for (int group = 0; group < 15; group++) {
        int64_t cpu = dolon__os_clock(CLOCK_THREAD_CPUTIME_ID);
        for (int i = 0; i < TICKS; i++) {
            int64_t now = dolon__os_mono();
            dolon__tick(t, now, now, 0);
        }
        double us = (double)(dolon__os_clock(CLOCK_THREAD_CPUTIME_ID) - cpu) / 1e3 / TICKS;
        if (best == 0 || us < best) best = us;
    }
    return best;
}

/* A socket that takes datagrams and is never read: what it has no room for, the kernel drops. */
static int deaf_socket(int *port)
{
    struct sockaddr_in at;
    socklen_t bytes = sizeof at;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0) return -1;
    getsockname(fd, (struct sockaddr *)&at, &bytes);
    *port = ntohs(at.sin_port);
    return fd;
}

/* The tracer's own thread has stopped; this one makes its ticks. */
static double bench_tick(const dolon_probe *probes, size_t count)
{
    static dolon_tracer tracer;
    dolon_tracer *t = &tracer;
    static const dolon_alloc alloc = {dolon__malloc, dolon__malloc_free, NULL};
    dolon_desc desc;
    int port = 0, fd = deaf_socket(&port);
    double us;
    if (fd < 0) return 0;
    memset(&desc, 0, sizeof desc);
    desc.no_environment = 1;
    desc.port = port;
    memcpy(desc.probes, probes, count * sizeof *probes);
    if (!dolon__setup(t, &desc, &alloc)) return 0;
    us = tick_microseconds(t);
    dolon__link_close(t);
    dolon__system_close(&t->system);
    free(t->session.ring.bytes);
    close(fd);
    return us;
}

/* ---- 50 scopes in a row, of which each has been left in 30 buckets since the one before ---- */

enum { TOLD = 50 };

static void leave_told_scopes(void)
{
    static dolon_site sites[TOLD];
    static char names[TOLD][16];
    for (int i = 0; i < TOLD; i++) {
        dolon__histogram *h;
        if (!sites[i].name) {
            snprintf(names[i], sizeof names[i], "told %d", i);
            sites[i].name = names[i], sites[i].owner = &dolon__owner, sites[i].kind = DOLON__SCOPE_SITE;
            dolon__join(&sites[i]);
        }
        h = &dolon__histogram_table[sites[i].cell - DOLON__FIRST_CELL];
        for (uint32_t b = 500; b < 530; b++) h->counts[b] += b - 480;
        h->used |= UINT64_C(3) << 500 / DOLON__OCTAVE_BUCKETS;
    }
}

/* Microseconds that a row of them takes to be made; `tells`: with their histograms. */
static double bench_scopes(int tells, uint32_t *words)
{
    static dolon_tracer tracer;
    dolon_tracer *t = &tracer;
    double best = 0;
    int64_t due = 0;
    leave_told_scopes();
    memset(t, 0, sizeof *t);
    dolon__os_lock_init(&t->lock);
    t->past = (dolon__past *)calloc(2 * DOLON_MAX_SITES, sizeof *t->past);
    if (!t->past) exit(1);
    if (tells) t->told = t->past + DOLON_MAX_SITES;
    t->session.ring.size = 256 << 10;
    dolon__append_new_series(t);
    for (int i = 0; i < 1000; i++) {
        dolon__row row;
        leave_told_scopes();
        int64_t cpu = dolon__os_clock(CLOCK_THREAD_CPUTIME_ID);
        dolon__tell_begin(t, t->column_count, due += DOLON__SECOND, 0);
        dolon__sample(t, t->column_count, due);
        dolon__tell_end(t, &row);
        double us = (double)(dolon__os_clock(CLOCK_THREAD_CPUTIME_ID) - cpu) / 1e3;
        if (best == 0 || us < best) best = us;
        *words = row.word_count;
    }
    free(t->past);
    return best;
}

/* The least a tick can cost: a read of a clock, and a datagram of the same size sent. */
static double bench_send(void)
{
    static char bytes[350];
    dolon__address to;
    int port = 0, fd = deaf_socket(&port), from;
    double best = 0;
    if (fd < 0 || !dolon__os_numeric("127.0.0.1", port, &to) || (from = dolon__os_open(&to)) < 0) return 0;
    for (int group = 0; group < 15; group++) {
        int64_t cpu = dolon__os_clock(CLOCK_THREAD_CPUTIME_ID);
        for (int i = 0; i < 200; i++) dolon__os_send(from, bytes, sizeof bytes, sizeof bytes);
        double us = (double)(dolon__os_clock(CLOCK_THREAD_CPUTIME_ID) - cpu) / 1e3 / 200;
        if (best == 0 || us < best) best = us;
    }
    close(from);
    close(fd);
    return best;
}

int main(void)
{
    static kind kinds[KINDS] = {{.run = empty_loop}, {.run = two_raw_reads},  {.run = scopes},
                                {.run = scopes_off}, {.run = counters},       {.run = gauges},
                                {.run = raw_blocks}, {.run = counted_blocks}, {.run = markers}};
    double value = 1.25;
    dolon_probe own[10];
    const dolon_probe builtin[] = {DOLON_DEFAULT_PROBES, DOLON_PAGE_FAULTS, DOLON_CONTEXT_SWITCHES,
                                   DOLON_IO_READ_BYTES};
    for (int i = 0; i < 10; i++) own[i] = (dolon_probe){"answer", answer, &value, NULL};
    for (int k = 0; k < KINDS; k++) kinds[k].run();
    for (int group = 0; group < GROUPS; group++) run_group(kinds);

    double loop = kinds[EMPTY].ns, raw = kinds[RAW].ns - loop, scope = kinds[SCOPE].ns - loop;
    double count = kinds[COUNT].ns - loop, gauge = kinds[GAUGE].ns - loop;
    printf("client: an empty scope\t%.2f\tns\ttwo raw clock reads: %.2f ns, ratio %.2f\t<= 1.25\n", scope, raw,
           scope / raw);
    printf("client: an empty scope, switched off\t%.2f\tns\t-\t<= 2\n", kinds[SCOPE_OFF].ns - loop);
    printf("client: a counter\t%.2f\tns\t-\t<= 3\n", count);
    printf("client: a gauge\t%.2f\tns\t-\t-\n", gauge);

    double block = kinds[BLOCK].ns - loop, counted = kinds[COUNTED_BLOCK].ns - loop;
    printf("client: an allocation or free, counted\t%.2f\tns more\tmalloc() and free() of 64 bytes alone: %.2f "
           "ns\t<= 10\n",
           (counted - block) / 2, block);
#ifdef DTRACE_PROBE
    printf("peer: two SystemTap markers that nobody records\t%.2f\tns\t-\t-\n", kinds[MARKERS].ns - loop);
#endif
    double one = bench_threads(1), many = bench_threads(THREADS);
    printf("client: an empty scope, %d threads at once\t%.2f\tns CPU\tone thread: %.2f ns, ratio %.2f\t<= 1.1\n",
           THREADS, many, one, many / one);

    double send = bench_send(), ten = bench_tick(own, 10), ten_builtin = bench_tick(builtin, 10);
    printf("client: a tick, 10 probes of the program\t%.1f\tus CPU\tsending as many bytes: %.1f us, ratio %.1f\t-\n",
           ten, send, ten / send);
    printf("client: a tick, 10 built-in probes\t%.1f\tus CPU\tsending as many bytes: %.1f us, ratio %.1f\t-\n",
           ten_builtin, send, ten_builtin / send);
    uint32_t words = 0;
    double kept = bench_scopes(0, &words), told = bench_scopes(1, &words);
    printf("client: a row of %d scopes, each left in 30 buckets\t%.1f\tus CPU\t-\t-\n", TOLD, kept);
    printf("client: the same once a second, with their histograms\t%.1f\tus CPU\twithout: %.1f us; %u bytes\t-\n",
           told, kept, 8 * words);
    return 0;
}
