/* SPDX-License-Identifier: MIT OR Unlicense
   dolon.h: see what a program does over hours and days. One header, no dependency but libc, threads and sockets.

   QUICK START

   In exactly one C or C++ file of the program define DOLON_IMPLEMENTATION before the include; other files just include:

       #define DOLON_IMPLEMENTATION
       #include "dolon.h"
       #include <unistd.h>

       int main(void)
       {
           dolon_tracer *t = dolon_start(NULL);
           for (int i = 0; i < 600; i++) {
               DOLON_SCOPE("work");
               DOLON_COUNT("rounds", 1);
               usleep(100000);
           }
           dolon_stop(t);
       }

       cc -o first first.c -pthread                   (the only thing to link)

   Then, in another terminal, start the server `mnemic` (`build/mnemic` in dolon's folder) and run ./first. The page is
   at http://127.0.0.1:12111/ : pick "first" on the left, then its newest run; the charts move while it runs. It does
   not matter which of the two starts first, and without a server the program runs just the same.

   With everything said explicitly:

       dolon_tracer *t = dolon_start(&(dolon_desc){   (C++: dolon_desc d = {}; d.app_name = …; dolon_start(&d))
           .app_name = "hello-world", .host = "localhost", .port = 12013, .interval = 1.0,
           .probes = { DOLON_MEMORY_USE, DOLON_CPU_PERCENT, { "queue_depth", queue_depth, &queue, "requests" } },
           .tags = { { "branch", "main" } },
           .log = { print_line, stderr },
       });

   THE IDEA

   A tracer has a timer thread. Once an interval it samples every column (probe, counter, gauge, three per scope) into
   a row. Rows travel in datagrams, and are kept until the server has said that they are stored. Each dolon_start()
   begins a new run; the server keeps all runs of one app_name side by side. Nothing the program calls ever waits for the
   network, but dolon_stop(), a second at most.

   PROBES

   A probe is { name, fn, user, unit }: the timer thread calls `double fn(void *user)` once a tick and the result is
   the column `name`. A NaN means "no value now". The function should return quickly: while it runs its row waits (the
   schedule does not shift: ticks it ran over are skipped and counted). It may use DOLON_… macros and dolon_mark(); it
   must not call dolon_stop() for its own tracer, or end its thread. `unit` is what the axis shows ("s", "B", "%"),
   NULL if it counts things. The first entry of desc.probes without a name ends the list; dolon_add_probe() adds more
   while the tracer runs, and their columns begin then. Names and units are copied.

   BUILT-IN PROBES

   A probe without `fn` is one of dolon's own, by its name; the macros below write it for you. In C they initialise
   (`.probes = { DOLON_CPU_PERCENT }`, `dolon_add_probe(t, &(dolon_probe)DOLON_CPU_PERCENT)`), in C++ also assign.

       macro                          column                    unit  what, and from where on Linux
       DOLON_MEM_ALLOCATION           mem_allocation            MB    heap in use, MB of 10^6 bytes: mallinfo2(), so glibc's
                                                                      malloc only; no value elsewhere (musl, jemalloc …)
       DOLON_ACTIVE_TASKS             active_tasks                    threads: /proc/self/stat, num_threads
       DOLON_CPU_PERCENT              cpu_percent               %     the whole machine's CPUs, 0 … 100, as psutil counts
                                                                      them: /proc/stat, over at least 0.1 s
       DOLON_VIRTUAL_MEMORY_PERCENT   virtual_memory_percent    %     of the machine's memory, used: /proc/meminfo,
                                                                      (MemTotal - MemAvailable) / MemTotal
       DOLON_MEMORY_USE               memory_use                GiB   resident, GiB of 2^30 bytes: /proc/self/stat, rss
       DOLON_PROCESS_CPU_PERCENT      process_cpu_percent       %     this program; 100 is one CPU fully used:
                                                                      CLOCK_PROCESS_CPUTIME_ID
       DOLON_PAGE_FAULTS              page_faults                     counter: getrusage(), minor and major
       DOLON_MAJOR_PAGE_FAULTS        major_page_faults               counter: those that had to read from storage
       DOLON_CONTEXT_SWITCHES         context_switches                counter: getrusage(), voluntary and not
       DOLON_INVOLUNTARY_SWITCHES     involuntary_switches            counter: those where the CPU was taken away
       DOLON_OPEN_DESCRIPTORS         open_descriptors                entries of /proc/self/fd, dolon's few included
       DOLON_IO_READ_BYTES            io_read_bytes             B     counter: /proc/self/io, rchar: read() and the like
       DOLON_IO_WRITE_BYTES           io_write_bytes            B     counter: wchar
       DOLON_DISK_READ_BYTES          disk_read_bytes           B     counter: read_bytes, what storage really delivered
       DOLON_DISK_WRITE_BYTES         disk_write_bytes          B     counter: write_bytes

   No probes in the desc means DOLON_DEFAULT_PROBES: mem_allocation, active_tasks, cpu_percent, virtual_memory_percent,
   memory_use, process_cpu_percent, open_descriptors. `.probes = { DOLON_DEFAULT_PROBES, { "mine", … } }` adds to them.
   Files of /proc stay open; each is read at most once a tick. mallinfo2() walks the free lists under malloc's locks: if
   that takes long it is asked more rarely, so that it costs a thousandth of the time at most.

   SCOPES

   DOLON_SCOPE("name") measures from where it stands to the end of its block, DOLON_FUNCTION() does so under the name
   of the function (C++: without class and namespace; say DOLON_SCOPE("Class::f") to tell two apart). Each name becomes
   eight columns. Three since the program started: NAME_hits (times entered), NAME_active_instances (how many are inside
   now, over all threads) and NAME_average_time (seconds, the mean of all that have left; no value before the first). And
   five of those that left since the row before, in seconds (no value if none did): NAME_mean, NAME_p50, NAME_p90,
   NAME_p99 (nearest rank: as many per cent took no longer) and NAME_max, each within 1.6 % of what was measured. Each
   thread counts them in log-linear buckets of its own, which the timer thread adds up; what an ended thread counted stays.
   With the binary wire that, too, goes to the server, once a second and with the last row: so it has the percentiles of any
   time, an hour or the whole run, of all that was measured then, within 2 % (1.6 % here, 0.4 % there).
   desc.brief_scopes leaves the five out, and tells nothing of this.
   dolon_measure_scopes(0) switches all scopes off: one that begins then is not counted, and costs a nanosecond.
   Scopes of the same name add up. The time of a recursive scope includes that of the inner calls.

   With gcc and clang on ELF systems a scope, counter or gauge is a column from the start, even if it is never
   reached (in C++: if its function is instantiated); elsewhere, and in shared libraries other than the one that holds
   the implementation when they are written in C, it becomes one when it is first reached.

   Where the compiler has no cleanup attribute (C only), or the region is no block, use the pair
   DOLON_BEGIN(id, "name"); … DOLON_END(id); which must stand in one block. A scope left by longjmp(), or in C by
   pthread_exit() without -fexceptions, stays active as long as its thread lives. Scopes measure each thread by itself,
   without a lock or a shared cache line: threads up to DOLON_MAX_THREADS at once; those beyond it share one record,
   which is slower, but exact too. The clock is the CPU's time stamp counter where it is invariant and the kernel
   trusts it, CLOCK_MONOTONIC elsewhere.

   COUNTERS AND GAUGES

   DOLON_COUNT("requests", n) adds n, an integer >= 0, to a total that only grows (exact: 64 bits; a floating-point n
   does not compile; the page shows totals as rates if asked). DOLON_GAUGE("temperature", v) keeps the last value set
   by any thread; before the first the column has no value. Neither needs a tracer. The name is a string literal.

   MARKS

   dolon_mark(t, "cache flushed") puts a labelled line on every chart of the run. Marks travel with the next row; of
   more than DOLON_MAX_MARKS between two rows the rest is dropped, and a mark says how many. While the server is silent
   the last DOLON_MAX_MARKS wait for it.

   ALLOCATIONS

   With DOLON_TRACK_MALLOC defined there are dolon_malloc(), dolon_calloc(), dolon_realloc() and dolon_free(), which do what
   their namesakes do, and count it, each thread for itself. Blocks are the ordinary ones: what one pair allocates the other may
   free, but it is counted then only once. A file whose allocations are to count says so behind its includes:

       #define malloc  dolon_malloc
       #define calloc  dolon_calloc
       #define realloc dolon_realloc
       #define free    dolon_free

   "allocations" and "frees" become columns by themselves (counters; a realloc is one of each). Three probes tell what is left:
   { "live_bytes", dolon_live_bytes, NULL, "B" }, of blocks as the system has them, which are a little larger than was asked
   for; { "live_blocks", dolon_live_blocks, NULL, NULL }; { "peak_bytes", dolon_peak_bytes, NULL, "B" }, the most that a row
   of any tracer with this probe has seen.

   POSTGRESQL

   With DOLON_POSTGRES defined (and libpq) four probes tell of a database, as the original's PostgresDiagnostics do:

       dolon_postgres *db = dolon_postgres_open("postgresql://localhost/shop", 0);
       ….probes = { DOLON_DEFAULT_PROBES, { "live_msgs", dolon_live_msgs, db, NULL } }, …
       dolon_stop(t);
       dolon_postgres_close(db);

   live_msgs and dead_msgs are the rows of all tables that are alive, and dead but not vacuumed yet (n_live_tup and
   n_dead_tup of pg_stat_user_tables, which PostgreSQL estimates), idle the sessions that wait for a command
   (pg_stat_activity), count_db_connections all sessions (numbackends of pg_stat_database). A thread of its own asks for all
   four in one statement, in a session of its own that is connected again whenever it was lost: no row waits for the
   database. While there is no fresh answer they have no value.

   RABBITMQ

   With DOLON_RABBITMQ defined (nothing more to link) four probes tell of a message broker, by its management API:

       dolon_rabbitmq *mq = dolon_rabbitmq_open("http://monitor:secret@broker:15672", 0);
       ….probes = { DOLON_DEFAULT_PROBES, { "rabbitmq_queues", dolon_rabbitmq_queues, mq, NULL } }, …
       dolon_stop(t);
       dolon_rabbitmq_close(mq);

   rabbitmq_connections, rabbitmq_channels and rabbitmq_queues are the object_totals of /api/overview, rabbitmq_bindings the
   length of /api/bindings: of all virtual hosts that the user may see. "" as address means the variable RMQ_SERVER, and what
   an address leaves out is guest:guest@localhost:15672. It is plain HTTP: over a network put TLS in between (stunnel, say),
   and a user that may only look (RabbitMQ's tag "monitoring"). A thread of its own asks, and gives up after 5 seconds; while
   there is no fresh answer there are no values.

   SPEEDOMETER

   The rate of a growing value, for use within a probe: zero-initialise a dolon_speedometer, then
   dolon_speed(&s, total) returns units per second, updated when at least s.time_interval seconds (0: 2) have passed.

   ENVIRONMENT

       DOLON_HOST  DOLON_PORT  DOLON_INTERVAL (seconds)  DOLON_APP_NAME  DOLON_KEY_FILE
                        the desc's fields of these names
       RMQ_SERVER       the broker of dolon_rabbitmq_open(""), see RABBITMQ
       DOLON_DISABLED   set to anything but "" or "0": dolon_start() starts nothing and returns NULL; scopes are off

   The environment wins over the desc, and the desc over the default, so that whoever operates a built program can
   point it elsewhere. It is ignored in set-user-ID programs, and where desc.no_environment is set (for a second
   tracer with a name of its own, say). A value that makes no sense is ignored and told to the log.

   LOG

   dolon prints nothing. desc.log.fn is called, from the timer thread or from within dolon_start()/dolon_add_probe()/
   dolon_stop(), once for each change of state (the server went away, it is back), not for each tick. The codes are in
   DOLON_ERRORS. dolon_get_stats() has the figures.

   MEMORY

   dolon_start() allocates three blocks, through desc.alloc, and dolon_stop() frees them: about 160 bytes a column
   (DOLON_MAX_COLUMNS), 64 KiB for a datagram, 28 KiB for what scopes took and 30 KiB for marks and texts; and the ring of
   rows that are not acknowledged yet (none with DOLON_WIRE_JSON). A row takes 12 bytes there and 8 a column, and once a second
   what tells how long scopes took: 3 bytes or so for each bucket in which there was something, but not more than an eighth of
   the ring, or 16 KiB; what finds no room goes a second later. desc.ring_bytes says how large the ring is; else it is 256 KiB,
   3,400 rows of 8 columns, or what two seconds' rows take if that is more, but at most 16 MiB. And twice 5.4 KiB for each
   possible scope (once with DOLON_WIRE_JSON, none with desc.brief_scopes). The rest are static tables: 32 bytes for each of
   DOLON_MAX_THREADS x DOLON_MAX_SITES, and 5.4 KiB for each of DOLON_MAX_SITES + DOLON_MAX_HISTOGRAMS, 7.3 MiB in all. The
   system backs what is touched; a scope touches two or three pages in each thread that runs it. Nothing else is allocated,
   except that looking up a host's name (neither numeric nor "localhost") takes place in a thread of its own, by getaddrinfo(),
   which uses malloc(). What does not fit is left out, counted, and told to the log.

   THREADS

   dolon_start, dolon_stop, dolon_add_probe, dolon_mark, dolon_get_stats and all macros: from any thread, at any time, also
   before main() (constructors) and while the program exits, any number of times; but not from signal handlers.
   dolon_measure_scopes: from those, too. dolon_stop: once, and no other call for that tracer after it began. A
   dolon_speedometer belongs to one thread. Every function takes a NULL tracer, and does nothing then.

   The timer thread is named "dolon", has a stack of DOLON_STACK_BYTES, of which dolon takes 16 KiB at most and leaves the rest
   to the program's probes and log, blocks all signals but those for its own faults,
   and wakes at absolute times: start + n x interval, 0.1 ms … 11 days, without drift. A row sampled less than a quarter of the
   interval (at most 10 ms) late carries its scheduled time, one later than that its real time, and is counted as late.
   Times within a run never go back: they are the wall clock's at start plus what has passed since.

   dolon_stop() takes a last row, says goodbye, and waits until the server has stored both, for desc.goodbye seconds at
   most (1; not at all if no server was heard of yet). If a probe hangs it returns a second later still: then the timer
   thread is left behind, and frees what is left when the probe returns. A program that ends by exit() or by returning
   from main() without dolon_stop() says goodbye by itself, in the same time, from whichever thread; after _exit(),
   quick_exit() or a signal the server finds out: on its own machine that the process is gone, else that it is silent.

   fork(): the child has no timer thread; its copy of the tracer is silent for ever, and dolon_stop() there frees it.
   The child may dolon_start() a run of its own. Descriptors are close-on-exec. Several tracers can run at once; scopes,
   counters and gauges are the process's, and appear in each. A shared library that holds the implementation may be
   unloaded: its tracers are stopped as at exit. But its tracers should have a host that is numeric, "localhost" or
   "unix:…" then: a look-up can't be ended, and its thread runs in the library.

   WIRE

   By default, rows are numbered, and the server acknowledges them once they are durable in its store. Until then they
   stay in the ring, and are sent again when no acknowledgement comes: loss on the way, a server that starts late or is
   restarted, or a full disk cost nothing but time, and no row is stored twice. While the server is silent only a
   heartbeat asks for it, after 1, 2, 4, then each 5 seconds, and its name is looked up again after 10 and then each 30
   seconds. What is lost: when the ring is full the oldest row goes for each new one; the server learns how many these
   were, stores that, and shows the gap (stats.lost here). And what is in the ring of a run that ends when the time for
   its goodbye is over.
   Give a program that is to bridge longer outages a larger desc.ring_bytes.

   Rows a tenth of a second or more apart leave at once, those that come faster gather for 100 ms or until a datagram is
   full: desc.datagram_bytes, 1200 by default, which passes everywhere; a wider row travels in slices. A row that tells how long
   scopes took goes alone, once a second. Columns can join
   at any time. server/WIRE.md has every byte.

   `.wire = DOLON_WIRE_JSON` sends what the original mnemic takes, one JSON object a datagram. A row must fit one datagram
   (65,507 bytes; DOLON_DATAGRAM_BYTES): good for a thousand columns. Nothing is acknowledged; rows that are sent while
   no server listens are lost, and counted.

   desc.host is a name, an IPv4 or IPv6 address, or "unix:/path" of the server's datagram socket on this machine.

   SECRECY

   With DOLON_SODIUM defined (and -lsodium), and a key, every datagram is encrypted and authenticated, in both directions
   (XChaCha20-Poly1305); answers that are not sealed with the key are ignored. desc.key_file or DOLON_KEY_FILE name a
   file that holds the key, 32 random bytes as 64 hexadecimal digits, which the server has, too (--key-file):

       (umask 077; od -An -vtx1 -N32 /dev/urandom | tr -d ' \n' >key)

   If there is to be a key but it can't be used (no such file, not compiled with DOLON_SODIUM, the JSON wire) the log is
   told, and nothing is sent at all. Where the server has no key, a sealing client is refused, and told so.

   CRASHES

   With desc.crash_handler, SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT send a goodbye that was prepared with the last
   row, so that the run is known as crashed, from any machine; then what was there before goes on: the program's own
   handler, or the end. Rows that were not sent yet are lost, and counted. Only signals that are not ignored are taken,
   when the first such tracer is started (at most 8 at once have it), and given back with the last. It is for
   programs to which these signals are the end: one that goes on after them is shown as crashed until its next row.
   Handlers that are installed later must call what they replace. With the binary wire only.

   MACROS, to be defined before the include

       DOLON_IMPLEMENTATION    in one file: the code itself. With -std=c99 and the like, include dolon.h before any
                               system header there, or define _DEFAULT_SOURCE
       DOLON_STATIC            with it: everything static, private to this file (several such files may be linked)
       DOLON_API               before each declaration, e.g. __attribute__((visibility("default")))
       DOLON_DISABLE           all macros stay and cost nothing, all functions are empty; in every file of the program
       DOLON_SODIUM            with it: datagrams can be sealed; link with -lsodium
       DOLON_TRACK_MALLOC      in each file that uses them: the functions of ALLOCATIONS
       DOLON_POSTGRES          in each file that uses them: the probes of POSTGRESQL; link with -lpq
       DOLON_RABBITMQ          in each file that uses them: the probes of RABBITMQ
       DOLON_ASSERT(x)         checks of dolon's own invariants (default: none; dolon must not end its host)
       DOLON_MAX_PROBES        in the desc (64); DOLON_MAX_TAGS (16): the same in all files of the program
       DOLON_MAX_COLUMNS       of a tracer (1024; 4096 at most); DOLON_MAX_SITES names of scopes, counters, gauges (256);
       DOLON_MAX_HISTOGRAMS    of scopes in running threads (1024); beyond, threads share one a scope, which is slower
       DOLON_MAX_THREADS       measured without sharing (64); DOLON_MAX_MARKS between two rows (32); DOLON_NAME_BYTES of a
                               name, with its NUL (96); DOLON_STACK_BYTES (256 KiB); DOLON_DATAGRAM_BYTES (65507)

   PLATFORMS

   What is particular to a system stands under >>os, and nowhere else. Compilers: gcc, clang, tcc; C99 and later, C++11
   and later.

   Linux, glibc and musl: 32 and 64 bits, either byte order. All tests are run there.

   Windows 10 and later, by MinGW-w64 (gcc or clang); the programs in the tests run under Wine. Not Visual C++.

       x86_64-w64-mingw32-gcc -o first.exe first.c -lws2_32         (-static: needs nothing else at run time)

   In the file with the implementation include dolon.h before <windows.h>, or define WIN32_LEAN_AND_MEAN. Columns come from
   GetSystemTimes() (cpu_percent), GetProcessTimes() (process_cpu_percent), GlobalMemoryStatusEx()
   (virtual_memory_percent), GetProcessMemoryInfo() (memory_use: WorkingSetSize; page_faults; mem_allocation:
   PrivateUsage, all that is private to the process, for Windows does not tell what of its heaps is in use),
   CreateToolhelp32Snapshot() (active_tasks, asked so rarely that it costs a thousandth of the time), GetProcessHandleCount()
   (open_descriptors), GetProcessIoCounters() (io_…_bytes); major_page_faults, the switches and disk_…_bytes have no value.
   Scopes, counters and gauges of C code become columns when they are first reached. There are no "unix:" sockets. A crash,
   for desc.crash_handler, is an exception that nobody handles, or abort(). The end by ExitProcess() says no goodbye; nor does
   a DLL's, where no thread can be waited for: call dolon_stop() before it is unloaded or the program returns from main().
   A DLL whose tracer runs stays loaded. Each DLL needs an implementation of its own (DOLON_STATIC, say).

   macOS, FreeBSD, OpenBSD and NetBSD: written to their manuals, and NOT TESTED, but that it compiles for macOS. There are
   no "unix:" sockets, no arguments, and a build id on macOS only; the io_…_bytes have no value, nor has mem_allocation on the
   BSDs. OpenBSD and NetBSD have only the columns from getrusage() and process_cpu_percent.

   The licence is at the end of this file. */

#if defined(DOLON_IMPLEMENTATION) && !defined(_DEFAULT_SOURCE) && !defined(_GNU_SOURCE)
#define _DEFAULT_SOURCE 1 /* clock_gettime() and the like under -std=c99 */
#endif

#ifndef DOLON_H
#define DOLON_H

#define DOLON_VERSION "0.1.0"

#include <stddef.h>
#include <stdint.h>

/* clang-format off */
/* ---- >>config ---- */

#ifndef DOLON_MAX_PROBES
#define DOLON_MAX_PROBES 64
#endif
#ifndef DOLON_MAX_TAGS
#define DOLON_MAX_TAGS 16
#endif

#if defined(__GNUC__) || defined(__clang__) || defined(__TINYC__)
#define DOLON__ATTR(x) __attribute__(x)
#else
#define DOLON__ATTR(x)
#endif

#ifndef DOLON_API
#ifdef DOLON_STATIC
#define DOLON_API static DOLON__ATTR((unused))
#else
#define DOLON_API extern
#endif
#endif

#ifdef __cplusplus
#define DOLON__NULL        nullptr
#define DOLON__CAST(T, x)  static_cast<T>(x)
extern "C" {
#else
#define DOLON__NULL        NULL
#define DOLON__CAST(T, x)  ((T)(x))
#endif

/* ---- >>types ---- */

/* code, value, text. What goes to the log, and what functions return; DOLON_OK is 0. */
#define DOLON_ERRORS(X)                                                                                            \
    X(DOLON_OK, 0, "all is well again")                                                                            \
    X(DOLON_NO_MEMORY, -1, "out of memory: nothing is traced")                                                     \
    X(DOLON_NO_THREAD, -2, "the timer thread could not be started: nothing is traced")                             \
    X(DOLON_BAD_VALUE, -3, "a setting makes no sense and was ignored")                                             \
    X(DOLON_BAD_PROBE, -4, "a probe has no name, or no function and none of the built-in names")                   \
    X(DOLON_TOO_MANY, -5, "more columns, scopes or counters than there is room for: some were left out")           \
    X(DOLON_TOO_BIG, -6, "the columns do not fit one datagram: some were left out")                                \
    X(DOLON_UNRESOLVED, -7, "the host's name can't be resolved: rows wait in the ring (JSON: are lost)")                \
    X(DOLON_UNREACHABLE, -8, "the server can't be reached: rows wait in the ring (JSON: are lost)")                        \
    X(DOLON_STUCK, -9, "a probe did not return in time: dolon_stop() left its thread behind")                      \
    X(DOLON_REFUSED, -10, "the server refuses what it is sent: see server/WIRE.md")                                \
    X(DOLON_UNANSWERED, -11, "the server does not answer: rows wait in the ring")                          \
    X(DOLON_BAD_KEY, -12, "what was to be sealed can't be: nothing is sent")

typedef enum dolon_error {
#define DOLON__X(id, value, text) id = value,
    DOLON_ERRORS(DOLON__X)
#undef DOLON__X
    DOLON__ERROR_MIN = -100 /* keeps the type signed for codes to come */
} dolon_error;

typedef struct dolon_tracer dolon_tracer;
typedef struct dolon_postgres dolon_postgres;
typedef struct dolon_rabbitmq dolon_rabbitmq;

/* Called by the timer thread, once a tick. NaN: no value this tick. See PROBES for what it may do. */
typedef double (*dolon_probe_fn)(void *user);

typedef struct dolon_probe {
    const char *name;  /* of the column                                         */
    dolon_probe_fn fn; /* NULL: the built-in probe of that name                 */
    void *user;        /* given to fn; must live until the tracer is stopped    */
    const char *unit;  /* "s", "B", "%" …; NULL: it counts things               */
} dolon_probe;

typedef struct dolon_tag {
    const char *name, *value;
} dolon_tag;

/* Both functions or neither. `free` may be called after dolon_stop() if a probe hung (DOLON_STUCK). */
typedef struct dolon_alloc {
    void *(*alloc)(void *user, size_t bytes);
    void (*free)(void *user, void *p);
    void *user;
} dolon_alloc;

/* `message` is one line without a newline, and lives only during the call. Do not call dolon_stop() in it. */
typedef struct dolon_log {
    void (*fn)(void *user, dolon_error code, const char *message);
    void *user;
} dolon_log;

typedef enum dolon_wire {
    DOLON_WIRE_BINARY, /* acknowledged: what is lost on the way is sent again     */
    DOLON_WIRE_JSON    /* one JSON object a datagram, as the original takes it    */
} dolon_wire;

/* Zero means default, for each field. Everything is copied, except what `user` pointers point to. */
typedef struct dolon_desc {
    const char *app_name;                 /* groups the runs of one program     (the program's own name)        */
    const char *host;                     /* of the server: name, address or "unix:/path" ("localhost")         */
    int port;                             /* of the server, UDP                 (12013)                         */
    double interval;                      /* seconds between two rows           (1.0; at least 0.0001)          */
    dolon_probe probes[DOLON_MAX_PROBES]; /* ended by one without a name        (DOLON_DEFAULT_PROBES)          */
    dolon_tag tags[DOLON_MAX_TAGS];       /* anything one may search by         (none)                          */
    dolon_wire wire;                      /* see WIRE                           (DOLON_WIRE_BINARY)             */
    int ring_bytes;                       /* for rows that are not acknowledged (see MEMORY; at least 4096)     */
    int datagram_bytes;                   /* of the longest, with that wire     (1200; 512 to 65507)            */
    double goodbye;                       /* seconds for its acknowledgement    (1.0; negative: none; to 3600)  */
    const char *key_file;                 /* seals all that is sent; see SECRECY (none: nothing is sealed)      */
    int crash_handler;                    /* 1: a crash says goodbye; see CRASHES (0: no signal is touched)     */
    dolon_alloc alloc;                    /* where memory comes from            (malloc, free)                  */
    dolon_log log;                        /* who is told what went wrong        (nobody)                        */
    int no_environment;                   /* 1: ignore the environment          (0: it overrides)               */
    int brief_scopes;                     /* 1: three columns a scope, as in the original; see SCOPES (0: all)  */
    int hide_args;                        /* 1: don't tell the server the command line (0: it shows it)         */
} dolon_desc;

/* What a tracer did so far. */
typedef struct dolon_stats {
    uint64_t rows;             /* sampled                                                              */
    uint64_t late;             /* of these: sampled too late to carry their scheduled time             */
    uint64_t skipped;          /* ticks that never were, because a row took longer than an interval    */
    uint64_t sent;             /* datagrams handed to the system                                       */
    uint64_t acked;            /* rows that the server has stored; rows - acked - lost wait in the ring */
    uint64_t lost;             /* rows that left a full ring without that (JSON: could not be sent)    */
    uint64_t resent;           /* datagrams with rows that were sent before                            */
    uint64_t marks_lost;       /* for which there was no room                                          */
    uint64_t columns;          /* now                                                                  */
    uint64_t columns_left_out; /* that did not fit                                                     */
    uint64_t sites_left_out;   /* scopes, counters and gauges beyond DOLON_MAX_SITES, in the process   */
} dolon_stats;

/* Zero-initialise; set time_interval if 2 seconds are not what you want. */
typedef struct dolon_speedometer {
    double time_interval; /* yours: seconds (0: 2)   */
    double speed;         /* ours, as what follows   */
    double last_value;
    int64_t last_time;
    int started;
} dolon_speedometer;

#define DOLON_MEM_ALLOCATION         { "mem_allocation", DOLON__NULL, DOLON__NULL, "MB" }
#define DOLON_ACTIVE_TASKS           { "active_tasks", DOLON__NULL, DOLON__NULL, DOLON__NULL }
#define DOLON_CPU_PERCENT            { "cpu_percent", DOLON__NULL, DOLON__NULL, "%" }
#define DOLON_VIRTUAL_MEMORY_PERCENT { "virtual_memory_percent", DOLON__NULL, DOLON__NULL, "%" }
#define DOLON_MEMORY_USE             { "memory_use", DOLON__NULL, DOLON__NULL, "GiB" }
#define DOLON_PROCESS_CPU_PERCENT    { "process_cpu_percent", DOLON__NULL, DOLON__NULL, "%" }
#define DOLON_PAGE_FAULTS            { "page_faults", DOLON__NULL, DOLON__NULL, DOLON__NULL }
#define DOLON_MAJOR_PAGE_FAULTS      { "major_page_faults", DOLON__NULL, DOLON__NULL, DOLON__NULL }
#define DOLON_CONTEXT_SWITCHES       { "context_switches", DOLON__NULL, DOLON__NULL, DOLON__NULL }
#define DOLON_INVOLUNTARY_SWITCHES   { "involuntary_switches", DOLON__NULL, DOLON__NULL, DOLON__NULL }
#define DOLON_OPEN_DESCRIPTORS       { "open_descriptors", DOLON__NULL, DOLON__NULL, DOLON__NULL }
#define DOLON_IO_READ_BYTES          { "io_read_bytes", DOLON__NULL, DOLON__NULL, "B" }
#define DOLON_IO_WRITE_BYTES         { "io_write_bytes", DOLON__NULL, DOLON__NULL, "B" }
#define DOLON_DISK_READ_BYTES        { "disk_read_bytes", DOLON__NULL, DOLON__NULL, "B" }
#define DOLON_DISK_WRITE_BYTES       { "disk_write_bytes", DOLON__NULL, DOLON__NULL, "B" }

#define DOLON_DEFAULT_PROBES                                                                           \
    DOLON_MEM_ALLOCATION, DOLON_ACTIVE_TASKS, DOLON_CPU_PERCENT, DOLON_VIRTUAL_MEMORY_PERCENT,         \
        DOLON_MEMORY_USE, DOLON_PROCESS_CPU_PERCENT, DOLON_OPEN_DESCRIPTORS

/* ---- >>api ---- */

#ifndef DOLON_DISABLE

/* Starts tracing; returns at once, whatever the network does. `desc` may be NULL: all defaults. Returns NULL, which
   every function takes, if DOLON_DISABLED says so, or if there was no memory or no thread (the log is told). */
DOLON_API dolon_tracer *dolon_start(const dolon_desc *desc);

/* Takes a last row, says goodbye, waits for its acknowledgement (desc.goodbye, a second), frees. */
DOLON_API void dolon_stop(dolon_tracer *t);

/* Adds a column to a running tracer. DOLON_OK, DOLON_BAD_PROBE, DOLON_TOO_MANY or DOLON_TOO_BIG. */
DOLON_API dolon_error dolon_add_probe(dolon_tracer *t, const dolon_probe *probe);

/* Marks this moment on the run's charts. `label` is copied, up to 199 bytes. */
DOLON_API void dolon_mark(dolon_tracer *t, const char *label);

/* All zero for a NULL tracer. */
DOLON_API void dolon_get_stats(dolon_tracer *t, dolon_stats *out);

/* `value` per second; 0 at the first call. See SPEEDOMETER. */
DOLON_API double dolon_speed(dolon_speedometer *s, double value);

/* Whether scopes measure (1, as at the start) or not (0), in all the process. See SCOPES. */
DOLON_API void dolon_measure_scopes(int on);

/* One sentence; never NULL. */
DOLON_API const char *dolon_error_text(dolon_error code);

#ifdef DOLON_TRACK_MALLOC
/* As their namesakes of the C library, but that dolon_realloc(p, 0) always frees p and returns NULL. From any thread. */
DOLON_API void *dolon_malloc(size_t bytes);
DOLON_API void *dolon_calloc(size_t count, size_t bytes);
DOLON_API void *dolon_realloc(void *p, size_t bytes);
DOLON_API void dolon_free(void *p);

/* Probes; they need no `user`. */
DOLON_API double dolon_live_bytes(void *user);
DOLON_API double dolon_live_blocks(void *user);
DOLON_API double dolon_peak_bytes(void *user);
#endif

#ifdef DOLON_POSTGRES
/* Begins to ask a database every `interval` seconds (0: 1). `conninfo` is what libpq takes as URL or connection string,
   "" for the PG… environment alone; it is copied. Returns at once; NULL if there was no memory or no thread. */
DOLON_API dolon_postgres *dolon_postgres_open(const char *conninfo, double interval);

/* After the tracers that have its probes were stopped. May wait some seconds for a database that does not answer. */
DOLON_API void dolon_postgres_close(dolon_postgres *db);

/* Probes; `db` is a dolon_postgres. */
DOLON_API double dolon_live_msgs(void *db);
DOLON_API double dolon_dead_msgs(void *db);
DOLON_API double dolon_idle(void *db);
DOLON_API double dolon_count_db_connections(void *db);
#endif

#ifdef DOLON_RABBITMQ
/* Begins to ask a broker every `interval` seconds (0: 5, as often as it counts). `server` is
   "[http://][user[:password]@]host[:port][/prefix]", "" for what RMQ_SERVER says; it is copied. Returns at once; NULL if the
   address makes no sense, or there was no memory or no thread. */
DOLON_API dolon_rabbitmq *dolon_rabbitmq_open(const char *server, double interval);

/* After the tracers that have its probes were stopped. Does not wait for the broker, but for a look-up of its name. */
DOLON_API void dolon_rabbitmq_close(dolon_rabbitmq *mq);

/* Probes; `mq` is a dolon_rabbitmq. */
DOLON_API double dolon_rabbitmq_connections(void *mq);
DOLON_API double dolon_rabbitmq_channels(void *mq);
DOLON_API double dolon_rabbitmq_queues(void *mq);
DOLON_API double dolon_rabbitmq_bindings(void *mq);
#endif

/* ---- >>hot: what a scope and a counter cost, inlined into the program ---- */

#if defined(_MSC_VER) && !defined(__clang__) && !defined(__GNUC__)
#error "dolon.h: on Windows use MinGW-w64's gcc or clang, or define DOLON_DISABLE"
#endif

/* Compilers without atomics and thread-local variables (tcc) get single aligned accesses and a call instead. */
#ifdef __TINYC__
#define DOLON__NO_ATOMICS
#define DOLON__LOAD(p)             (*(volatile __typeof__(*(p)) *)(p))
#define DOLON__STORE(p, v)         (*(volatile __typeof__(*(p)) *)(p) = (v))
#define DOLON__LOAD_ACQUIRE(p)     DOLON__LOAD(p)
#define DOLON__STORE_RELEASE(p, v) DOLON__STORE(p, v)
#define DOLON__LIKELY(x)           (x)
#else
#define DOLON__LOAD(p)             __atomic_load_n((p), __ATOMIC_RELAXED)
#define DOLON__STORE(p, v)         __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define DOLON__LOAD_ACQUIRE(p)     __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define DOLON__STORE_RELEASE(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define DOLON__LIKELY(x)           __builtin_expect(!!(x), 1)
#ifndef _WIN32 /* whose compilers may call a function for it, too, and free it before we hear that a thread ends */
#define DOLON__TLS __thread
#endif
#endif

#if (defined(__x86_64__) || defined(__i386__)) && !defined(__TINYC__)
#define DOLON__HAS_TSC
#endif

/* One access instead of a call, where the program loader allows it: glibc keeps room for such small variables even in
   libraries that are loaded late; others only in the program itself. */
#if !defined(DOLON__TLS)
#define DOLON__TLS_MODEL
#elif defined(__ELF__) && (defined(__GLIBC__) || !defined(__PIC__) || defined(__PIE__))
#define DOLON__TLS_MODEL DOLON__ATTR((tls_model("initial-exec")))
#else
#define DOLON__TLS_MODEL
#endif

typedef enum dolon__site_kind { DOLON__SCOPE_SITE, DOLON__COUNT_SITE, DOLON__GAUGE_SITE } dolon__site_kind;

/* A place in the program; static, one a macro. `cell` is 0 until it has joined, then its name's place in each
   thread's block. `owner` tells the copies of a DOLON_STATIC implementation apart. */
typedef struct dolon_site {
    const char *name;
    const void *owner;
    dolon__site_kind kind;
    uint32_t cell;
} dolon_site;

/* How long scopes took, in ticks. Log-linear buckets, as in HdrHistogram (http://hdrhistogram.org): below 64 ticks one a
   tick, above 32 to each doubling. A bucket is at most 1/32 of its least value wide, so its middle is at most 1/64, 1.6 %,
   off. The last one takes all from 2^47 ticks (13 hours at 3 GHz) on. */
#define DOLON__OCTAVE_BUCKETS 32u
#define DOLON__OCTAVES        43u
#define DOLON__BUCKETS        (DOLON__OCTAVES * DOLON__OCTAVE_BUCKETS)
#define DOLON__MOST_TICKS     ((UINT64_C(1) << 47) - 1)
#define DOLON__PENDING        16u
typedef struct DOLON__ATTR((aligned(64))) dolon__histogram {
    uint64_t pending[DOLON__PENDING]; /* of the leave before which there were `leaves`, at leaves % 16 */
    uint64_t binned;                  /* of the leaves before this one nothing is pending            */
    uint64_t turn;                    /* odd: being binned                                           */
    uint64_t used;                    /* bit i: something is in the i-th 32 buckets; so a reader may skip the rest */
    struct dolon__histogram *next;    /* in the list of free ones                                    */
    uint32_t counts[DOLON__BUCKETS];  /* modulo 2^32: only differences count                         */
} dolon__histogram;

/* One name in one thread, written by that thread only; it never straddles two cache lines. */
typedef struct DOLON__ATTR((aligned(32))) dolon__cell {
    uint64_t enters; /* a counter's total, too */
    uint64_t leaves;
    uint64_t ticks;              /* between the two, all together                              */
    dolon__histogram *histogram; /* NULL: not yet, or no more were left, or other threads write here, too */
} dolon__cell;

typedef struct dolon_span {
    dolon__cell *cell;
    uint64_t start;
} dolon_span;

#ifdef DOLON_STATIC
static char dolon__owner;
static int dolon__tsc;
static int dolon__scopes_off;
#ifdef DOLON__TLS
static DOLON__TLS dolon__cell *dolon__self DOLON__TLS_MODEL;
#endif
#else
extern char dolon__owner;       /* its address is what counts */
extern int dolon__tsc;          /* the time stamp counter is fit for use; set before the first thread has a block */
extern int dolon__scopes_off;
#ifdef DOLON__TLS
extern DOLON__TLS dolon__cell *dolon__self DOLON__TLS_MODEL; /* this thread's block, NULL at first */
#endif
#endif

DOLON_API int dolon__join(dolon_site *site);
DOLON_API dolon__cell *dolon__enter_slowly(dolon_site *site);
DOLON_API void dolon__leave_slowly(dolon__cell *cell, uint64_t ticks);
DOLON_API void dolon__bin(dolon__cell *cell);
DOLON_API void dolon__count_slowly(dolon_site *site, uint64_t n);
DOLON_API void dolon__gauge(dolon_site *site, double value);
DOLON_API uint64_t dolon__clock(void);
#ifdef DOLON__TLS
#define DOLON__SELF() dolon__self
#else
DOLON_API dolon__cell *dolon__self_get(void);
#define DOLON__SELF() dolon__self_get()
#endif

#ifndef __TINYC__ /* the program may have globals with the names of our locals */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif

static inline uint64_t dolon__now(void)
{
#ifdef DOLON__HAS_TSC
    if (DOLON__LIKELY(dolon__tsc)) return __builtin_ia32_rdtsc();
#endif
    return dolon__clock();
}

/* What DOLON_SCOPE does at its two ends. Only this thread writes the cell, so adding needs no locked instruction. */
static inline dolon_span dolon_enter(dolon_site *site)
{
    dolon__cell *self = DOLON__SELF();
    uint32_t at = DOLON__LOAD(&site->cell);
    dolon_span span;
    span.cell = DOLON__NULL;
    span.start = 0;
    if (!DOLON__LIKELY(!DOLON__LOAD(&dolon__scopes_off))) return span;
    if (DOLON__LIKELY(self && at)) {
        span.cell = self + at;
        DOLON__STORE(&span.cell->enters, DOLON__LOAD(&span.cell->enters) + 1);
    } else {
        span.cell = dolon__enter_slowly(site);
    }
    span.start = dolon__now();
    return span;
}

static inline void dolon_leave(dolon_span *span)
{
    dolon__cell *cell = span->cell;
    dolon__histogram *histogram;
    uint64_t now, ticks, leaves;
    if (!DOLON__LIKELY(cell != DOLON__NULL)) return; /* scopes were off */
    now = dolon__now();
    ticks = now > span->start ? now - span->start : 0; /* the counter restarts in a suspend to RAM */
    histogram = cell->histogram;
    leaves = DOLON__LOAD(&cell->leaves);
    if (!DOLON__LIKELY(histogram != DOLON__NULL)) {
        dolon__leave_slowly(cell, ticks);
        return;
    }
    DOLON__STORE(&histogram->pending[leaves % DOLON__PENDING], ticks);
    DOLON__STORE(&cell->ticks, DOLON__LOAD(&cell->ticks) + ticks);
    DOLON__STORE_RELEASE(&cell->leaves, leaves + 1); /* after enters, ticks, pending */
    if (!DOLON__LIKELY((leaves + 1) % DOLON__PENDING)) dolon__bin(cell);
}

static inline void dolon_count(dolon_site *site, uint64_t n)
{
    dolon__cell *self = DOLON__SELF();
    uint32_t at = DOLON__LOAD(&site->cell);
    if (!DOLON__LIKELY(self && at)) {
        dolon__count_slowly(site, n);
        return;
    }
    DOLON__STORE(&self[at].enters, DOLON__LOAD(&self[at].enters) + n);
}

#ifndef __TINYC__
#pragma GCC diagnostic pop
#endif

#endif /* DOLON_DISABLE */

#ifdef __cplusplus
} /* extern "C" */
#endif

/* ---- >>macros ---- */

#define DOLON__CAT_(a, b) a##b
#define DOLON__CAT(a, b)  DOLON__CAT_(a, b)
#define DOLON__ID         DOLON__CAT(dolon__at_, __COUNTER__) /* __LINE__ would collide for two on one line */

/* An integer; the branch not taken is there so that a floating-point number does not compile. */
#define DOLON__INTEGER(n) (1 ? DOLON__CAST(uint64_t, n) : DOLON__CAST(uint64_t, (n) % 2))

#ifdef DOLON_DISABLE

#define DOLON_SCOPE(name)     ((void)0)
#define DOLON_FUNCTION()      ((void)0)
#define DOLON_BEGIN(id, name) ((void)0)
#define DOLON_END(id)         ((void)0)
#define DOLON_COUNT(name, n)  ((void)sizeof(DOLON__INTEGER(n)))
#define DOLON_GAUGE(name, v)  ((void)sizeof(v))

static inline dolon_tracer *dolon_start(const dolon_desc *desc) { (void)desc; return DOLON__NULL; }
static inline void dolon_stop(dolon_tracer *t) { (void)t; }
static inline void dolon_mark(dolon_tracer *t, const char *label) { (void)t; (void)label; }
static inline double dolon_speed(dolon_speedometer *s, double value) { (void)s; (void)value; return 0; }
static inline void dolon_measure_scopes(int on) { (void)on; }
static inline const char *dolon_error_text(dolon_error code) { (void)code; return ""; }
static inline dolon_error dolon_add_probe(dolon_tracer *t, const dolon_probe *probe)
{
    (void)t;
    (void)probe;
    return DOLON_OK;
}
#ifdef DOLON_TRACK_MALLOC
#include <stdlib.h>
#define dolon_malloc  malloc
#define dolon_calloc  calloc
#define dolon_realloc realloc
#define dolon_free    free
static inline double dolon_live_bytes(void *user) { (void)user; return 0; }
static inline double dolon_live_blocks(void *user) { (void)user; return 0; }
static inline double dolon_peak_bytes(void *user) { (void)user; return 0; }
#endif
static inline dolon_postgres *dolon_postgres_open(const char *conninfo, double interval)
{
    (void)conninfo;
    (void)interval;
    return DOLON__NULL;
}
static inline void dolon_postgres_close(dolon_postgres *db) { (void)db; }
static inline double dolon_live_msgs(void *db) { (void)db; return 0; }
static inline double dolon_dead_msgs(void *db) { (void)db; return 0; }
static inline double dolon_idle(void *db) { (void)db; return 0; }
static inline double dolon_count_db_connections(void *db) { (void)db; return 0; }
static inline dolon_rabbitmq *dolon_rabbitmq_open(const char *server, double interval)
{
    (void)server;
    (void)interval;
    return DOLON__NULL;
}
static inline void dolon_rabbitmq_close(dolon_rabbitmq *mq) { (void)mq; }
static inline double dolon_rabbitmq_connections(void *mq) { (void)mq; return 0; }
static inline double dolon_rabbitmq_channels(void *mq) { (void)mq; return 0; }
static inline double dolon_rabbitmq_queues(void *mq) { (void)mq; return 0; }
static inline double dolon_rabbitmq_bindings(void *mq) { (void)mq; return 0; }
static inline void dolon_get_stats(dolon_tracer *t, dolon_stats *out)
{
    static const dolon_stats none = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
    (void)t;
    *out = none;
}

#else

/* A site that is known before it is reached. In C a pointer to it goes into an ELF section of its own, whose ends the
   linker names. gcc refuses that in C++ for inline functions and templates; there, a static member of a template over
   a local type is initialised at program start, and so lets the site join. */
#if defined(__ELF__) && !defined(__TINYC__)
#define DOLON__HAS_SECTION
#endif
#if defined(__cplusplus)
template <class Local> struct dolon__known {
    static const int joined;
};
template <class Local> const int dolon__known<Local>::joined = dolon__join(Local::site());
#define DOLON__SITE(id, name, kind)                              \
    static dolon_site id = { name, &dolon__owner, kind, 0 };     \
    struct DOLON__CAT(id, _local) {                              \
        static dolon_site *site()                                \
        {                                                        \
            return &id;                                          \
        }                                                        \
    };                                                           \
    (void)&dolon__known<DOLON__CAT(id, _local)>::joined
#elif defined(DOLON__HAS_SECTION)
#if defined(__has_attribute)
#if __has_attribute(retain)
#define DOLON__IN_SECTION DOLON__ATTR((section("dolon_sites"), used, retain))
#endif
#endif
#ifndef DOLON__IN_SECTION
#define DOLON__IN_SECTION DOLON__ATTR((section("dolon_sites"), used))
#endif
#define DOLON__SITE(id, name, kind)                              \
    static dolon_site id = { name, &dolon__owner, kind, 0 };     \
    static dolon_site *DOLON__CAT(id, _known) DOLON__IN_SECTION = &id
#else
#define DOLON__SITE(id, name, kind) static dolon_site id = { name, &dolon__owner, kind, 0 }
#endif

#if defined(__cplusplus)
struct dolon__scope {
    dolon_span span;
    explicit dolon__scope(dolon_site *site) : span(dolon_enter(site)) {}
    ~dolon__scope() { dolon_leave(&span); }
    dolon__scope(const dolon__scope &) = delete;
    dolon__scope &operator=(const dolon__scope &) = delete;
};
#define DOLON__SCOPE(name, id)                                   \
    DOLON__SITE(DOLON__CAT(id, _site), name, DOLON__SCOPE_SITE); \
    dolon__scope id(&DOLON__CAT(id, _site))
#else
#define DOLON__SCOPE(name, id)                                   \
    DOLON__SITE(DOLON__CAT(id, _site), name, DOLON__SCOPE_SITE); \
    DOLON__ATTR((cleanup(dolon_leave), unused)) dolon_span id = dolon_enter(&DOLON__CAT(id, _site))
#endif

#if defined(__cplusplus) || defined(__GNUC__) || defined(__clang__) || defined(__TINYC__)
#define DOLON_SCOPE(name) DOLON__SCOPE("" name, DOLON__ID)
#define DOLON_FUNCTION()  DOLON__SCOPE(__func__, DOLON__ID)
#endif

#define DOLON_BEGIN(id, name)                                            \
    DOLON__SITE(DOLON__CAT(id, _site), "" name, DOLON__SCOPE_SITE);      \
    dolon_span id = dolon_enter(&DOLON__CAT(id, _site))
#define DOLON_END(id) dolon_leave(&id)

#define DOLON_COUNT(name, n)                                    \
    do {                                                        \
        DOLON__SITE(dolon__here, "" name, DOLON__COUNT_SITE);   \
        dolon_count(&dolon__here, DOLON__INTEGER(n));           \
    } while (0)
#define DOLON_GAUGE(name, v)                                    \
    do {                                                        \
        DOLON__SITE(dolon__here, "" name, DOLON__GAUGE_SITE);   \
        dolon__gauge(&dolon__here, (v));                        \
    } while (0)

#endif /* DOLON_DISABLE */

#endif /* DOLON_H */
/* clang-format on */

#if defined(DOLON_IMPLEMENTATION) && !defined(DOLON_DISABLE) && !defined(DOLON__IMPLEMENTED)
#define DOLON__IMPLEMENTED

#ifndef DOLON_MAX_COLUMNS
#define DOLON_MAX_COLUMNS 1024
#elif DOLON_MAX_COLUMNS > 4096
#error "dolon.h: the server takes no more than 4096 columns"
#endif
#ifndef DOLON_MAX_SITES
#define DOLON_MAX_SITES 256
#endif
#ifndef DOLON_MAX_THREADS
#define DOLON_MAX_THREADS 64
#endif
#ifndef DOLON_MAX_HISTOGRAMS
#define DOLON_MAX_HISTOGRAMS 1024
#endif
#ifndef DOLON_MAX_MARKS
#define DOLON_MAX_MARKS 32
#endif
#ifndef DOLON_NAME_BYTES
#define DOLON_NAME_BYTES 96
#endif
#ifndef DOLON_STACK_BYTES
#define DOLON_STACK_BYTES (256 * 1024)
#endif
#ifndef DOLON_DATAGRAM_BYTES
#define DOLON_DATAGRAM_BYTES 65507 /* the most that IPv4 carries */
#endif
#ifndef DOLON_ASSERT
#define DOLON_ASSERT(x) ((void)0)
#endif

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(_WIN32)
#if defined(_WINSOCKAPI_) && !defined(_WINSOCK2API_)
#error "dolon.h: include it before <windows.h> in the file with DOLON_IMPLEMENTATION, or define WIN32_LEAN_AND_MEAN"
#endif
#include <winsock2.h>
#include <ws2tcpip.h>
#include <afunix.h>
#include <ntsecapi.h>
#include <process.h>
#include <psapi.h>
#include <signal.h>
#include <tlhelp32.h>
#else
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#if defined(__linux__)
#include <dirent.h>
#include <elf.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#else
#include <sys/event.h>
#include <sys/sysctl.h>
#endif
#if defined(__APPLE__)
#include <libproc.h>
#include <mach-o/dyld.h>
#include <mach-o/loader.h>
#include <mach/mach.h>
#include <malloc/malloc.h>
#elif defined(__FreeBSD__)
#include <pthread_np.h>
#include <sys/user.h>
#include <sys/vmmeter.h>
#elif defined(__OpenBSD__)
#include <pthread_np.h>
#endif
#endif
#if defined(__linux__) || defined(_WIN32)
#include <malloc.h>
#elif defined(__FreeBSD__)
#include <malloc_np.h>
#endif
#ifdef __GLIBC__
#ifndef __USE_MISC
#error "dolon.h: include it before any system header in the file with DOLON_IMPLEMENTATION, or define _DEFAULT_SOURCE"
#endif
#endif
#if defined(DOLON__HAS_TSC)
#include <cpuid.h>
#endif
#ifdef DOLON_SODIUM
#include <sodium.h>
#endif
#ifdef DOLON_POSTGRES
#include <libpq-fe.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#ifndef __TINYC__ /* the program may have globals with the names of our locals */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif

/* What is called from several places and is not on a program's way. A copy for each of them would take the compiler longer
   than the functions themselves: without these it needs a quarter more time at -O2. */
#ifdef __TINYC__
#define DOLON__APART
#else
#define DOLON__APART DOLON__ATTR((noinline))
#endif

#define DOLON__SECOND INT64_C(1000000000)
#define DOLON__MS     INT64_C(1000000)
#define DOLON__NEVER  INT64_MAX

/* ---- >>text ---- */

/* Copies what fits, cut at a character's edge; a NULL is the empty text. */
DOLON__APART static void dolon__copy(char *to, size_t cap, const char *from)
{
    size_t n = from ? strlen(from) : 0;
    if (n >= cap) {
        n = cap - 1;
        while (n > 0 && ((unsigned char)from[n] & 0xC0) == 0x80) n--;
    }
    if (n > 0) memcpy(to, from, n);
    to[n] = 0;
}

/* A decimal number such as "0.25", the same in all locales. Returns 0 if the text is anything else. */
DOLON__APART static int dolon__parse_number(const char *s, double *out)
{
    double value = 0, digit = 1;
    int digits = 0, fraction = 0;
    for (; *s; s++) {
        if (*s == '.' && !fraction) {
            fraction = 1;
        } else if (*s >= '0' && *s <= '9') {
            value = value * 10 + (*s - '0');
            if (fraction) digit *= 10;
            digits++;
        } else {
            return 0;
        }
    }
    *out = value / digit;
    return digits > 0 && digits < 18;
}

/* The number of bytes of the UTF-8 character at s, at most 4; 0 if there is none (RFC 3629 §4). s ends with a NUL. */
static int dolon__utf8(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    int n = s[0] < 0x80 ? 1 : s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : s[0] < 0xF5 ? 4 : 0;
    for (int i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    if (s[0] == 0xE0 && s[1] < 0xA0) return 0; /* longer than need be */
    if (s[0] == 0xED && s[1] > 0x9F) return 0; /* a surrogate         */
    if (s[0] == 0xF0 && s[1] < 0x90) return 0; /* longer than need be */
    if (s[0] == 0xF4 && s[1] > 0x8F) return 0; /* beyond U+10FFFF     */
    return n;
}

/* Copies what fits in whole characters; what is no UTF-8 becomes U+FFFD. Returns the bytes written. */
DOLON__APART static size_t dolon__copy_valid(uint8_t *to, size_t cap, const char *from)
{
    size_t n = 0;
    while (*from) {
        int bytes = dolon__utf8(from);
        const char *c = bytes > 0 ? from : "\xEF\xBF\xBD";
        size_t length = bytes > 0 ? (size_t)bytes : 3;
        if (length > cap - n) break;
        memcpy(to + n, c, length);
        n += length;
        from += bytes > 0 ? bytes : 1;
    }
    return n;
}

/* By its bits, for programs built with -ffast-math. */
static double dolon__nan(void)
{
    const uint64_t bits = UINT64_C(0x7FF8000000000000);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static int dolon__is_finite(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return (bits >> 52 & 0x7FF) != 0x7FF;
}

/* ---- >>os: what is particular to a system; nothing behind this section is ----

   Each system has the same types and functions:

       dolon__lock  dolon__cond  dolon__once  dolon__key  dolon__thread    what pthread.h calls so
       dolon__handle    a socket, -1: none            DOLON__E_…       the errors of sockets that we tell apart
       dolon__sleeper   what the timer thread sleeps on, and what wakes it
       dolon__system    what the built-in probes of one tracer remember, and dolon__builtins, a table of these

   >>posix is what Linux, macOS and the BSDs share, in front of >>linux and >>bsd, what they don't, and behind them;
   >>windows is all of it. What not every one of them needs is marked as unused. */

/* A built-in probe; one that a system does not have is dolon__no_value there. */
typedef struct dolon__system dolon__system;
typedef struct dolon__builtin {
    const char *name;
    double (*fn)(dolon__system *s);
    int counter;
} dolon__builtin;

DOLON__ATTR((unused)) static double dolon__no_value(dolon__system *s)
{
    (void)s;
    return dolon__nan();
}

/* An address of the server. */
typedef struct dolon__address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
    } u;
    socklen_t bytes;
} dolon__address;

static int dolon__is_local(const char *host)
{
    return strncmp(host, "unix:", 5) == 0;
}

/* "unix:/path" of a datagram socket, numeric addresses, and "localhost" (RFC 6761: always this machine) need no resolver.
   Returns 0 for other names. */
DOLON__APART static int dolon__os_numeric(const char *host, int port, dolon__address *out)
{
    memset(out, 0, sizeof *out);
    if (dolon__is_local(host) && host[5] && strlen(host + 5) < sizeof out->u.local.sun_path) {
        out->u.local.sun_family = AF_UNIX;
        memcpy(out->u.local.sun_path, host + 5, strlen(host + 5));
        out->bytes = sizeof out->u.local;
    } else if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &out->u.v4.sin_addr) == 1) {
        out->u.v4.sin_family = AF_INET;
        out->u.v4.sin_port = htons((uint16_t)port);
        out->bytes = sizeof out->u.v4;
    } else if (inet_pton(AF_INET6, host, &out->u.v6.sin6_addr) == 1) {
        out->u.v6.sin6_family = AF_INET6;
        out->u.v6.sin6_port = htons((uint16_t)port);
        out->bytes = sizeof out->u.v6;
    }
    return out->bytes != 0;
}

/* May take as long as the network likes. Returns how many addresses there are. */
static int dolon__os_lookup(const char *host, int port, dolon__address *out, int max)
{
    struct addrinfo hints, *list = NULL;
    char service[16];
    int n = 0;
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    snprintf(service, sizeof service, "%d", port);
    if (getaddrinfo(host, service, &hints, &list) != 0) return 0;
    for (const struct addrinfo *a = list; a && n < max; a = a->ai_next) {
        if (a->ai_addrlen > sizeof out->u) continue;
        memcpy(&out[n].u, a->ai_addr, a->ai_addrlen);
        out[n++].bytes = (socklen_t)a->ai_addrlen;
    }
    freeaddrinfo(list);
    return n;
}

/* splitmix64, for systems that give no random bytes: no secret, only unlike any other. */
DOLON__ATTR((unused)) static void dolon__mix(uint64_t seed, unsigned char *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t z = seed += UINT64_C(0x9E3779B97F4A7C15);
        z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
        out[i] = (unsigned char)(z >> 56);
    }
}

/* Whether the CPU says that its time stamp counter runs at one rate, whatever it does (Intel SDM vol. 3, 18.17.1). */
DOLON__ATTR((unused)) static int dolon__tsc_is_invariant(void)
{
#ifdef DOLON__HAS_TSC
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(0x80000007u, &a, &b, &c, &d) && (d & 1u << 8);
#else
    return 0;
#endif
}

/* What the CPU figures of a tick are made from. */
typedef struct dolon__rates {
    double cpu_percent;
    uint64_t cpu_busy, cpu_total;
    int64_t cpu_time;
    int64_t own_cpu, own_time;
} dolon__rates;

/* Of all CPUs, over at least 0.1 s: shorter than the system counts. */
static int dolon__rates_are_due(const dolon__rates *r, int64_t now)
{
    return !r->cpu_time || now - r->cpu_time >= DOLON__SECOND / 10;
}

static double dolon__rates_cpu(dolon__rates *r, int64_t now, uint64_t busy, uint64_t total)
{
    r->cpu_percent = dolon__nan();
    if (r->cpu_time && total > r->cpu_total && busy >= r->cpu_busy) /* iowait may fall, says proc(5) */
        r->cpu_percent = 100.0 * (double)(busy - r->cpu_busy) / (double)(total - r->cpu_total);
    if (r->cpu_percent > 100) r->cpu_percent = 100;
    r->cpu_time = now;
    r->cpu_busy = busy;
    r->cpu_total = total;
    return r->cpu_percent;
}

/* `cpu`: ns that this process has used until `now`. */
static double dolon__rates_own_cpu(dolon__rates *r, int64_t now, int64_t cpu)
{
    double percent = dolon__nan();
    if (r->own_time && now > r->own_time) percent = 100.0 * (double)(cpu - r->own_cpu) / (double)(now - r->own_time);
    r->own_cpu = cpu;
    r->own_time = now;
    return percent;
}

/* A figure that takes long to get is asked for more rarely, so that it costs a thousandth of the time at most. */
typedef struct dolon__costly {
    double value;
    int64_t next;
} dolon__costly;

#if !defined(_WIN32)

/* -- >>posix -- */

#define DOLON__CALLBACK
#define DOLON__LOCK_INIT PTHREAD_MUTEX_INITIALIZER
#define DOLON__ONCE_INIT PTHREAD_ONCE_INIT

typedef pthread_mutex_t dolon__lock;
typedef pthread_cond_t dolon__cond;
typedef pthread_once_t dolon__once_flag;
typedef pthread_key_t dolon__key;
typedef int dolon__handle;
typedef int dolon__sleeper;

enum {
    DOLON__E_FULL = EAGAIN,
    DOLON__E_NO_BUFFERS = ENOBUFS,
    DOLON__E_REFUSED = ECONNREFUSED, /* nobody listened to the datagram before this one */
    DOLON__E_TOO_LONG = EMSGSIZE,
    DOLON__E_FORBIDDEN = EPERM,
    DOLON__E_INVALID = EINVAL,
    DOLON__E_NO_HARDWARE = EIO,
    DOLON__E_UNSUPPORTED = EOPNOTSUPP
};

#ifdef DOLON_TRACK_MALLOC
/* What malloc() has really set aside. */
static uint64_t dolon__os_block_bytes(void *p)
{
#ifdef __APPLE__
    return malloc_size(p);
#else
    return malloc_usable_size(p);
#endif
}
#endif

static int64_t dolon__os_clock(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * DOLON__SECOND + t.tv_nsec;
}

DOLON__APART static int64_t dolon__os_mono(void)
{
    return dolon__os_clock(CLOCK_MONOTONIC);
}

DOLON__APART static int64_t dolon__os_wall(void)
{
    return dolon__os_clock(CLOCK_REALTIME);
}

/* Up to cap - 1 bytes of a small file; 0 if it can't be read. */
DOLON__ATTR((unused)) static size_t dolon__os_read_file(const char *path, char *out, size_t cap)
{
    size_t n = 0;
    ssize_t got = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && n < cap - 1 && got > 0) {
        got = read(fd, out + n, cap - 1 - n);
        if (got > 0) n += (size_t)got;
    }
    if (fd >= 0) close(fd);
    out[n] = 0;
    return n;
}

static void dolon__os_host_name(char *out, size_t cap)
{
    if (gethostname(out, cap - 1) != 0) out[0] = 0;
    out[cap - 1] = 0;
}

static int dolon__os_pid(void)
{
    return (int)getpid();
}

static void dolon__os_lock(dolon__lock *lock)
{
    pthread_mutex_lock(lock);
}

static void dolon__os_unlock(dolon__lock *lock)
{
    pthread_mutex_unlock(lock);
}

static void dolon__os_lock_init(dolon__lock *lock)
{
    pthread_mutex_init(lock, NULL);
}

static void dolon__os_lock_end(dolon__lock *lock)
{
    pthread_mutex_destroy(lock);
}

static void dolon__os_cond_signal(dolon__cond *cond)
{
    pthread_cond_signal(cond);
}

static void dolon__os_cond_end(dolon__cond *cond)
{
    pthread_cond_destroy(cond);
}

static void dolon__os_call_once(dolon__once_flag *once, void (*fn)(void))
{
    pthread_once(once, fn);
}

/* A value a thread, NULL at first; `ended` is called with one that is not NULL when its thread ends. */
static int dolon__os_key_open(dolon__key *key, void (*ended)(void *))
{
    return pthread_key_create(key, ended) == 0;
}

static void dolon__os_key_close(dolon__key key)
{
    pthread_key_delete(key);
}

static int dolon__os_key_set(dolon__key key, void *value)
{
    return pthread_setspecific(key, value) == 0;
}

#ifndef DOLON__TLS
static void *dolon__os_key_get(dolon__key key)
{
    return pthread_getspecific(key);
}
#endif

static void dolon__os_at_fork(void (*before)(void), void (*in_parent)(void), void (*in_child)(void))
{
    pthread_atfork(before, in_parent, in_child);
}

/* Whether a thread may be waited for while this code is unloaded, or the program exits. */
static int dolon__os_may_wait_at_end(void)
{
    return 1;
}

typedef struct dolon__thread {
    pthread_t id;
    void (*run)(void *);
    void *arg;
} dolon__thread;

static void *dolon__os_thread_main(void *thread)
{
    const dolon__thread *t = (const dolon__thread *)thread;
    t->run(t->arg);
    return NULL;
}

/* Starts a thread of a bounded stack that takes no signal of the program's, only those for faults of its own, so that the
   program's crash handler sees them. `thread` must live as long as `run` runs. Returns whether it started. */
static int dolon__os_thread(dolon__thread *thread, int detached, void (*run)(void *), void *arg)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    pthread_attr_t attr;
    sigset_t all, before;
    int error;
    thread->run = run;
    thread->arg = arg;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) sigdelset(&all, own[i]);
    if (pthread_attr_init(&attr) != 0) return 0;
    pthread_attr_setstacksize(&attr, DOLON_STACK_BYTES);
    if (detached) pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread->id, &attr, dolon__os_thread_main, thread);
    if (error == EINVAL) { /* thread-local variables bigger than the stack: take the default */
        pthread_attr_destroy(&attr);
        pthread_attr_init(&attr);
        if (detached) pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        error = pthread_create(&thread->id, &attr, dolon__os_thread_main, thread);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return error == 0;
}

static void dolon__os_thread_join(dolon__thread *thread)
{
    pthread_join(thread->id, NULL);
}

static void dolon__os_thread_detach(dolon__thread *thread)
{
    pthread_detach(thread->id);
}

static int dolon__os_thread_is_this(const dolon__thread *thread)
{
    return pthread_equal(pthread_self(), thread->id) != 0;
}

static void dolon__os_close(dolon__handle fd)
{
    close(fd);
}

/* What the last failed call of this thread failed of. */
static int dolon__os_error(void)
{
    return errno;
}

static void dolon__os_error_text(int error, char *out, size_t cap)
{
    dolon__copy(out, cap, strerror(error));
}

/* What has come, at most `room` bytes; 0: nothing. Also takes from the socket what ICMP has reported. */
static size_t dolon__os_receive(dolon__handle fd, void *bytes, size_t room, int *error)
{
    ssize_t n = recv(fd, bytes, room, MSG_DONTWAIT);
    *error = n < 0 && errno != EAGAIN && errno != EINTR ? errno : 0;
    return n > 0 ? (size_t)n : 0;
}

#ifdef DOLON_RABBITMQ
/* A socket that is being connected to `to`, and on which nothing waits; or -1. */
static dolon__handle dolon__os_connect(const dolon__address *to)
{
    int fd, one = 1;
#if defined(SOCK_CLOEXEC) && defined(SOCK_NONBLOCK)
    fd = socket(to->u.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
#else
    fd = socket(to->u.any.sa_family, SOCK_STREAM, 0);
    if (fd >= 0) fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (fd >= 0) fcntl(fd, F_SETFL, O_NONBLOCK);
#endif
    if (fd < 0) return -1;
#ifdef SO_NOSIGPIPE
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &one, sizeof one);
#else
    (void)one;
#endif
    if (connect(fd, &to->u.any, to->bytes) == 0 || errno == EINPROGRESS) return fd;
    close(fd);
    return -1;
}

/* Whether within `ms` there is room to write, or something to read; or the connection has failed, as the next call says. */
static int dolon__os_await(dolon__handle fd, int writing, int ms)
{
    struct pollfd p;
    p.fd = fd;
    p.events = writing ? POLLOUT : POLLIN;
    p.revents = 0;
    return poll(&p, 1, ms) > 0;
}
#endif

/* The signals of a crash. */
static const int dolon__crash_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
static struct sigaction dolon__crash_before[5];
static unsigned char dolon__crash_taken[5];
static void (*dolon__crash_say)(void);

/* Then the signal comes again, to whom it would have come without us: by itself if the CPU raised it, as the handler
   returns to the instruction at fault; else it is sent again. */
static void dolon__crash_on(int number, siginfo_t *info, void *context)
{
    int error = errno;
    (void)context;
    dolon__crash_say();
    for (size_t i = 0; i < sizeof dolon__crash_signals / sizeof dolon__crash_signals[0]; i++)
        if (dolon__crash_signals[i] == number) sigaction(number, &dolon__crash_before[i], NULL);
    if (info->si_code <= 0) raise(number); /* SI_USER, SI_TKILL …: it comes when the handler returns */
    errno = error;
}

/* From now on a crash calls `say`, and then goes on. */
static void dolon__os_crash_watch(void (*say)(void))
{
    struct sigaction ours;
    memset(&ours, 0, sizeof ours);
    ours.sa_sigaction = dolon__crash_on;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&ours.sa_mask);
    dolon__crash_say = say;
    for (size_t i = 0; i < sizeof dolon__crash_signals / sizeof dolon__crash_signals[0]; i++) {
        struct sigaction *before = &dolon__crash_before[i];
        int ignored;
        sigaction(dolon__crash_signals[i], NULL, before);
        ignored = !(before->sa_flags & SA_SIGINFO) && before->sa_handler == SIG_IGN;
        dolon__crash_taken[i] = (unsigned char)!ignored;
        if (!ignored) sigaction(dolon__crash_signals[i], &ours, NULL);
    }
}

/* What somebody else has installed since stays. */
static void dolon__os_crash_unwatch(void)
{
    for (size_t i = 0; i < sizeof dolon__crash_signals / sizeof dolon__crash_signals[0]; i++) {
        struct sigaction now;
        if (!dolon__crash_taken[i]) continue;
        sigaction(dolon__crash_signals[i], NULL, &now);
        if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == dolon__crash_on)
            sigaction(dolon__crash_signals[i], &dolon__crash_before[i], NULL);
    }
}

#if defined(__linux__)

/* -- >>linux -- */

/* How long the machine slept since it was started: the monotonic clock leaves that out. */
static int64_t dolon__os_slept(void)
{
    return dolon__os_clock(CLOCK_BOOTTIME) - dolon__os_mono();
}

/* Whether the time stamp counter is fit for use: the kernel, which watches it, has not fallen back to a slow clock. */
static int dolon__os_tsc_is_steady(void)
{
    static const char source[] = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    char now[32];
    if (!dolon__tsc_is_invariant()) return 0;
    dolon__os_read_file(source, now, sizeof now);
    return !strstr(now, "hpet") && !strstr(now, "acpi_pm") && !strstr(now, "jiffies");
}

static void dolon__os_random(unsigned char *out, size_t n)
{
#ifdef SYS_getrandom
    if (syscall(SYS_getrandom, out, n, 1 /* GRND_NONBLOCK */) == (long)n) return;
#endif
    dolon__mix((uint64_t)dolon__os_wall() ^ (uint64_t)getpid() << 40 ^ (uint64_t)(uintptr_t)out, out, n);
}

/* NULL if it isn't set, is empty, or must not be trusted. */
DOLON__APART static const char *dolon__os_env(const char *name)
{
    const char *s = getauxval(AT_SECURE) ? NULL : getenv(name);
    return s && *s ? s : NULL;
}

static void dolon__os_program_name(char *out, size_t cap)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    const char *slash;
    path[n > 0 ? n : 0] = 0;
    slash = strrchr(path, '/');
    dolon__copy(out, cap, slash ? slash + 1 : "program");
}

/* Two processes of the same place see the same process ids: the boot's id and the pid namespace. */
static void dolon__os_place(char *out, size_t cap)
{
    char boot[40], space[40];
    size_t n = dolon__os_read_file("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    ssize_t m = readlink("/proc/self/ns/pid", space, sizeof space - 1);
    while (n > 0 && boot[n - 1] == '\n') n--;
    out[0] = 0;
    if (n > 0 && m > 0) snprintf(out, cap, "%.*s %.*s", (int)n, boot, (int)m, space);
}

/* When this process was started, in clock ticks since boot: field 22 of /proc/self/stat (proc(5)); 0: not known. The
   name before it may hold anything, so fields count from the last parenthesis. */
static uint64_t dolon__os_born(void)
{
    char text[1024];
    const char *p;
    dolon__os_read_file("/proc/self/stat", text, sizeof text);
    p = strrchr(text, ')');
    for (int field = 2; p && field < 22; field++) p = strchr(p + 1, ' ');
    return p ? strtoull(p + 1, NULL, 10) : 0;
}

static void dolon__os_arguments(char *out, size_t cap)
{
    size_t n = dolon__os_read_file("/proc/self/cmdline", out, cap);
    while (n > 0 && out[n - 1] == 0) n--;
    for (size_t i = 0; i < n; i++)
        if (out[i] == 0) out[i] = ' ';
}

#if UINTPTR_MAX > 0xFFFFFFFFu
typedef Elf64_Phdr dolon__phdr;
typedef Elf64_Ehdr dolon__ehdr;
typedef Elf64_Nhdr dolon__nhdr;
#else
typedef Elf32_Phdr dolon__phdr;
typedef Elf32_Ehdr dolon__ehdr;
typedef Elf32_Nhdr dolon__nhdr;
#endif

/* Where the program lies in memory minus where its file says: from PT_PHDR; a static program has none, but its file's
   first bytes lie just before its program headers. */
static uintptr_t dolon__os_program_bias(const dolon__phdr *ph, size_t count)
{
    uintptr_t at = (uintptr_t)ph;
    for (size_t i = 0; i < count; i++)
        if (ph[i].p_type == PT_PHDR) return at - (uintptr_t)ph[i].p_vaddr;
    for (size_t i = 0; i < count; i++)
        if (ph[i].p_type == PT_LOAD && ph[i].p_offset == 0)
            return at - sizeof(dolon__ehdr) - (uintptr_t)ph[i].p_vaddr;
    return 0;
}

/* The GNU build id of the program as hex, from its notes in memory; "" if the linker wrote none. */
static void dolon__os_build_id(char *out, size_t cap)
{
    uintptr_t at = getauxval(AT_PHDR);
    const dolon__phdr *ph = (const dolon__phdr *)at;
    size_t count = ph ? getauxval(AT_PHNUM) : 0, n = 0;
    uintptr_t bias = dolon__os_program_bias(ph, count);
    for (size_t i = 0; i < count; i++) {
        const char *p = (const char *)(bias + (uintptr_t)ph[i].p_vaddr);
        const char *end = p + ph[i].p_memsz;
        dolon__nhdr note;
        if (ph[i].p_type != PT_NOTE) continue;
        for (; (size_t)(end - p) >= sizeof note; p += (note.n_descsz + 3u) & ~3u) {
            const char *name = p + sizeof note;
            memcpy(&note, p, sizeof note);
            p = name + ((note.n_namesz + 3u) & ~3u);
            if (p > end || note.n_descsz > (size_t)(end - p)) break;
            if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4 || memcmp(name, "GNU", 4) != 0) continue;
            for (size_t k = 0; k < note.n_descsz && n + 3 <= cap; k++) {
                out[n++] = "0123456789abcdef"[(unsigned char)p[k] >> 4];
                out[n++] = "0123456789abcdef"[(unsigned char)p[k] & 15];
            }
            out[n] = 0;
            return;
        }
    }
    out[0] = 0;
}

/* For the calling thread: its name, and wake-ups as exact as the kernel can (its default is 50 µs late). */
static void dolon__os_become_timer(void)
{
    prctl(PR_SET_NAME, "dolon", 0, 0, 0);
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
}

static void dolon__os_cond_init(dolon__cond *cond)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

static void dolon__os_cond_wait(dolon__cond *cond, dolon__lock *lock, int64_t until)
{
    struct timespec t;
    t.tv_sec = (time_t)(until / DOLON__SECOND);
    t.tv_nsec = (long)(until % DOLON__SECOND);
    pthread_cond_timedwait(cond, lock, &t);
}

/* A socket whose datagrams go to `to` and which hears if nobody listens there; or -1. A local one needs a name for answers
   to reach it: the kernel picks an abstract one (unix(7), autobind). */
static dolon__handle dolon__os_open(const dolon__address *to)
{
    struct sockaddr any = to->u.any;
    int fd = socket(any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int unnamed = fd >= 0 && any.sa_family == AF_UNIX && bind(fd, &any, sizeof any.sa_family) != 0;
    if (fd >= 0 && (unnamed || connect(fd, &to->u.any, to->bytes) != 0)) {
        int error = errno;
        close(fd);
        errno = error;
        fd = -1;
    }
    return fd;
}

/* -1: there is none to be had. */
static dolon__sleeper dolon__os_sleeper(void)
{
    return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
}

static void dolon__os_sleeper_close(const dolon__sleeper *sleeper)
{
    if (*sleeper >= 0) close(*sleeper);
}

/* Lets the sleeper wake at `until` by the monotonic clock; 0: now, also from another thread. */
DOLON__APART static void dolon__os_wake_at(const dolon__sleeper *sleeper, int64_t until)
{
    struct itimerspec at;
    memset(&at, 0, sizeof at);
    at.it_value.tv_sec = (time_t)(until / DOLON__SECOND);
    at.it_value.tv_nsec = (long)(until % DOLON__SECOND);
    if (until <= 0) at.it_value.tv_nsec = 1;
    timerfd_settime(*sleeper, TFD_TIMER_ABSTIME, &at, NULL);
}

/* Sleeps until then, or until `fd`, if it isn't -1, has something to read. Without a timer it looks up soon. */
static void dolon__os_sleep(const dolon__sleeper *sleeper, dolon__handle fd)
{
    struct pollfd fds[2];
    memset(fds, 0, sizeof fds);
    fds[0].fd = *sleeper;
    fds[1].fd = fd;
    fds[0].events = fds[1].events = POLLIN;
    poll(fds, 2, *sleeper >= 0 ? -1 : 10);
}

/* Never waits, raises no signal. Datagrams that lie one behind the other, each of `each` bytes but for the last, which may
   be shorter. Several go in one call, which the system cuts apart (UDP_SEGMENT, udp(7), Linux 4.18): not over local
   sockets. Returns 0 or an error. */
DOLON__APART static int dolon__os_send(dolon__handle fd, const char *bytes, size_t n, size_t each)
{
    enum { udp_segment = 103 }; /* from linux/udp.h, which not every C library has */
    const uint16_t size = (uint16_t)each;
    union {
        char room[CMSG_SPACE(sizeof(uint16_t))];
        struct cmsghdr first;
    } control;
    struct iovec part;
    struct msghdr message;
    if (n <= each) return send(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
    memset(&control, 0, sizeof control);
    memset(&message, 0, sizeof message);
    part.iov_base = (void *)(uintptr_t)bytes; /* which it only reads */
    part.iov_len = n;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = &control;
    message.msg_controllen = sizeof control.room;
    control.first.cmsg_level = IPPROTO_UDP;
    control.first.cmsg_type = udp_segment;
    control.first.cmsg_len = CMSG_LEN(sizeof size);
    memcpy(CMSG_DATA(&control.first), &size, sizeof size);
    return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
}

enum { DOLON__STAT, DOLON__MEMINFO, DOLON__SELF_STAT, DOLON__SELF_IO, DOLON__FILES };

/* What the built-in probes of one tracer remember. Texts and usage are of the tick `stamp`. */
struct dolon__system {
    uint64_t tick;
    int64_t now; /* monotonic */
    struct {
        int fd; /* 0: not opened yet, -1: can't be */
        uint64_t stamp;
        char text[512];
    } files[DOLON__FILES];
    struct rusage usage;
    uint64_t usage_stamp;
    DIR *descriptors;
    dolon__rates rates;
    dolon__costly heap;
};

/* The text of a file of /proc, read at most once a tick. */
DOLON__APART static const char *dolon__file(dolon__system *s, int which)
{
    static const char *const paths[DOLON__FILES] = {"/proc/stat", "/proc/meminfo", "/proc/self/stat",
                                                    "/proc/self/io"};
    ssize_t n;
    if (s->files[which].stamp == s->tick) return s->files[which].text;
    if (s->files[which].fd == 0) s->files[which].fd = open(paths[which], O_RDONLY | O_CLOEXEC);
    n = s->files[which].fd > 0 ? pread(s->files[which].fd, s->files[which].text, sizeof s->files[which].text - 1, 0)
                               : 0;
    s->files[which].text[n > 0 ? n : 0] = 0;
    s->files[which].stamp = s->tick;
    return s->files[which].text;
}

static uint64_t dolon__integer(const char *text)
{
    return strtoull(text, NULL, 10);
}

/* The number after `key` in a file of lines "key   number". */
DOLON__APART static double dolon__field(const char *text, const char *key)
{
    const char *p = strstr(text, key);
    uint64_t v = p ? dolon__integer(p + strlen(key)) : 0;
    return p ? (double)v : dolon__nan();
}

/* The nth field of /proc/self/stat as proc(5) counts them; the second, a name, may hold blanks and parentheses. */
static double dolon__stat_field(dolon__system *s, int nth)
{
    const char *p = strrchr(dolon__file(s, DOLON__SELF_STAT), ')');
    uint64_t v;
    for (int field = 2; p && field < nth; field++) {
        p = strchr(p, ' ');
        if (p) p++;
    }
    v = p ? dolon__integer(p) : 0;
    return p ? (double)v : dolon__nan();
}

static double dolon__mem_allocation(dolon__system *s)
{
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
    struct mallinfo2 heap;
    int64_t start = dolon__os_mono();
    if (start < s->heap.next) return s->heap.value;
    heap = mallinfo2();
    s->heap.value = (double)(heap.uordblks + heap.hblkhd) / 1e6;
    s->heap.next = start + 1000 * (dolon__os_mono() - start);
#else
    s->heap.value = dolon__nan();
#endif
    return s->heap.value;
}

static double dolon__active_tasks(dolon__system *s)
{
    return dolon__stat_field(s, 20);
}

/* user nice system idle iowait irq softirq steal; guest times are within user and nice. Idle and iowait are not busy. */
static double dolon__cpu_percent(dolon__system *s)
{
    uint64_t busy = 0, total = 0;
    const char *p = dolon__file(s, DOLON__STAT);
    if (strncmp(p, "cpu ", 4) != 0) return dolon__nan();
    if (!dolon__rates_are_due(&s->rates, s->now)) return s->rates.cpu_percent;
    p += 4;
    for (int i = 0; i < 8; i++) {
        char *end;
        uint64_t v = strtoull(p, &end, 10);
        p = end;
        total += v;
        if (i != 3 && i != 4) busy += v;
    }
    return dolon__rates_cpu(&s->rates, s->now, busy, total);
}

static double dolon__virtual_memory_percent(dolon__system *s)
{
    const char *text = dolon__file(s, DOLON__MEMINFO);
    double total = dolon__field(text, "MemTotal:");
    return 100.0 * (total - dolon__field(text, "MemAvailable:")) / total;
}

static double dolon__memory_use(dolon__system *s)
{
    long page = sysconf(_SC_PAGESIZE);
    return dolon__stat_field(s, 24) * (double)page / (1024.0 * 1024.0 * 1024.0);
}

/* Since Linux 6.2 the folder's size is the number; before, count. */
static double dolon__open_descriptors(dolon__system *s)
{
    struct stat info;
    double n = -2; /* for "." and ".." */
    if (!s->descriptors) s->descriptors = opendir("/proc/self/fd");
    if (!s->descriptors) return dolon__nan();
    if (fstat(dirfd(s->descriptors), &info) == 0 && info.st_size > 0) return (double)info.st_size;
    rewinddir(s->descriptors);
    while (readdir(s->descriptors)) n++;
    return n;
}

static double dolon__io_read_bytes(dolon__system *s)
{
    return dolon__field(dolon__file(s, DOLON__SELF_IO), "rchar:");
}

static double dolon__io_write_bytes(dolon__system *s)
{
    return dolon__field(dolon__file(s, DOLON__SELF_IO), "wchar:");
}

static double dolon__disk_read_bytes(dolon__system *s)
{
    return dolon__field(dolon__file(s, DOLON__SELF_IO), "\nread_bytes:");
}

static double dolon__disk_write_bytes(dolon__system *s)
{
    return dolon__field(dolon__file(s, DOLON__SELF_IO), "\nwrite_bytes:");
}

static void dolon__system_close(dolon__system *s)
{
    for (int i = 0; i < DOLON__FILES; i++)
        if (s->files[i].fd > 0) close(s->files[i].fd);
    if (s->descriptors) closedir(s->descriptors);
}

#else

/* -- >>bsd: macOS and the BSDs, written to their manuals, not run by us -- */

/* Their monotonic clocks go on while the machine sleeps. */
static int64_t dolon__os_slept(void)
{
    return 0;
}

static int dolon__os_tsc_is_steady(void)
{
    return 0; /* nobody tells; their clock_gettime() makes no system call */
}

static void dolon__os_random(unsigned char *out, size_t n)
{
    arc4random_buf(out, n);
}

DOLON__APART static const char *dolon__os_env(const char *name)
{
    const char *s = issetugid() ? NULL : getenv(name);
    return s && *s ? s : NULL;
}

static void dolon__os_program_name(char *out, size_t cap)
{
    dolon__copy(out, cap, getprogname());
}

/* The server looks after a process of its own place, by /proc. */
static void dolon__os_place(char *out, size_t cap)
{
    (void)cap;
    out[0] = 0;
}

static uint64_t dolon__os_born(void)
{
    return 0;
}

static void dolon__os_arguments(char *out, size_t cap)
{
    (void)cap;
    out[0] = 0;
}

/* The UUID of a Mach-O program (LC_UUID); of others nothing. */
static void dolon__os_build_id(char *out, size_t cap)
{
    out[0] = 0;
#if defined(__APPLE__) && UINTPTR_MAX > 0xFFFFFFFFu
    const struct mach_header_64 *header = (const struct mach_header_64 *)_dyld_get_image_header(0);
    const char *at = (const char *)(header + 1);
    for (uint32_t i = 0; i < header->ncmds && cap > 32; i++) {
        struct load_command command;
        memcpy(&command, at, sizeof command);
        for (size_t k = 0; k < 16 && command.cmd == LC_UUID; k++)
            snprintf(out + 2 * k, 3, "%02x", ((const struct uuid_command *)(const void *)at)->uuid[k]);
        at += command.cmdsize;
    }
#else
    (void)cap;
#endif
}

static void dolon__os_become_timer(void)
{
#if defined(__APPLE__)
    pthread_setname_np("dolon");
#elif defined(__NetBSD__)
    pthread_setname_np(pthread_self(), "%s", (void *)(uintptr_t) "dolon");
#else
    pthread_set_name_np(pthread_self(), "dolon");
#endif
}

static void dolon__os_cond_init(dolon__cond *cond)
{
#if defined(__APPLE__)
    pthread_cond_init(cond, NULL);
#else
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
#endif
}

static void dolon__os_cond_wait(dolon__cond *cond, dolon__lock *lock, int64_t until)
{
    struct timespec t;
#if defined(__APPLE__) /* it has no condition variables of the monotonic clock */
    until -= dolon__os_mono();
    if (until < 0) until = 0;
#endif
    t.tv_sec = (time_t)(until / DOLON__SECOND);
    t.tv_nsec = (long)(until % DOLON__SECOND);
#if defined(__APPLE__)
    pthread_cond_timedwait_relative_np(cond, lock, &t);
#else
    pthread_cond_timedwait(cond, lock, &t);
#endif
}

/* A local socket, which would need a name of its own for answers to reach it, is refused by bind(). */
static dolon__handle dolon__os_open(const dolon__address *to)
{
    struct sockaddr any = to->u.any;
    int fd = socket(any.sa_family, SOCK_DGRAM, 0), one = 1;
    int unnamed = fd >= 0 && any.sa_family == AF_UNIX && bind(fd, &any, sizeof any.sa_family) != 0;
    if (fd < 0) return -1;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
#ifdef SO_NOSIGPIPE
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &one, sizeof one);
#else
    (void)one;
#endif
    if (unnamed || connect(fd, &to->u.any, to->bytes) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* A queue of the kernel's with one timer in it: kqueue(2). */
static dolon__sleeper dolon__os_sleeper(void)
{
    int queue = kqueue();
    if (queue >= 0) fcntl(queue, F_SETFD, FD_CLOEXEC);
    return queue;
}

static void dolon__os_sleeper_close(const dolon__sleeper *sleeper)
{
    if (*sleeper >= 0) close(*sleeper);
}

DOLON__APART static void dolon__os_wake_at(const dolon__sleeper *sleeper, int64_t until)
{
    struct kevent change;
    int64_t ns = until > 0 ? until - dolon__os_mono() : 0;
    if (ns < 1) ns = 1;
#ifdef NOTE_NSECONDS
    EV_SET(&change, 1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, NOTE_NSECONDS, ns, 0);
#else
    EV_SET(&change, 1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, (ns + DOLON__MS - 1) / DOLON__MS, 0);
#endif
    kevent(*sleeper, &change, 1, NULL, 0, NULL);
}

static void dolon__os_sleep(const dolon__sleeper *sleeper, dolon__handle fd)
{
    struct kevent change, happened[2];
    const struct timespec soon = {0, 10000000};
    if (*sleeper < 0) {
        nanosleep(&soon, NULL);
        return;
    }
    EV_SET(&change, (uintptr_t)fd, EVFILT_READ, EV_ADD | EV_ONESHOT, 0, 0, 0);
    kevent(*sleeper, &change, fd >= 0 ? 1 : 0, happened, 2, NULL);
}

DOLON__APART static int dolon__os_send(dolon__handle fd, const char *bytes, size_t n, size_t each)
{
#ifdef MSG_NOSIGNAL
    const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
#else
    const int flags = MSG_DONTWAIT;
#endif
    if (n > each) return DOLON__E_UNSUPPORTED;
    return send(fd, bytes, n, flags) < 0 ? errno : 0;
}

struct dolon__system {
    uint64_t tick;
    int64_t now; /* monotonic */
    dolon__rates rates;
    struct rusage usage;
    uint64_t usage_stamp;
};

#define dolon__io_read_bytes  dolon__no_value
#define dolon__io_write_bytes dolon__no_value

#if defined(__APPLE__)

static double dolon__mem_allocation(dolon__system *s)
{
    malloc_statistics_t heap;
    (void)s;
    malloc_zone_statistics(NULL, &heap);
    return (double)heap.size_in_use / 1e6;
}

static double dolon__active_tasks(dolon__system *s)
{
    struct proc_taskinfo info;
    (void)s;
    if (proc_pidinfo(getpid(), PROC_PIDTASKINFO, 0, &info, sizeof info) != (int)sizeof info) return dolon__nan();
    return (double)info.pti_threadnum;
}

static double dolon__memory_use(dolon__system *s)
{
    struct proc_taskinfo info;
    (void)s;
    if (proc_pidinfo(getpid(), PROC_PIDTASKINFO, 0, &info, sizeof info) != (int)sizeof info) return dolon__nan();
    return (double)info.pti_resident_size / (1024.0 * 1024.0 * 1024.0);
}

static double dolon__cpu_percent(dolon__system *s)
{
    host_cpu_load_info_data_t load;
    mach_msg_type_number_t count = HOST_CPU_LOAD_INFO_COUNT;
    uint64_t busy = 0, total = 0;
    if (!dolon__rates_are_due(&s->rates, s->now)) return s->rates.cpu_percent;
    if (host_statistics(mach_host_self(), HOST_CPU_LOAD_INFO, (host_info_t)&load, &count) != KERN_SUCCESS)
        return dolon__nan();
    for (int i = 0; i < CPU_STATE_MAX; i++) {
        total += load.cpu_ticks[i];
        if (i != CPU_STATE_IDLE) busy += load.cpu_ticks[i];
    }
    return dolon__rates_cpu(&s->rates, s->now, busy, total);
}

/* What is neither free nor only kept in case it is needed again. */
static double dolon__virtual_memory_percent(dolon__system *s)
{
    vm_statistics64_data_t vm;
    mach_msg_type_number_t count = HOST_VM_INFO64_COUNT;
    uint64_t total = 0;
    size_t bytes = sizeof total;
    double available;
    (void)s;
    if (host_statistics64(mach_host_self(), HOST_VM_INFO64, (host_info64_t)&vm, &count) != KERN_SUCCESS ||
        sysctlbyname("hw.memsize", &total, &bytes, NULL, 0) != 0 || total == 0)
        return dolon__nan();
    available = ((double)vm.free_count + (double)vm.inactive_count) * (double)sysconf(_SC_PAGESIZE);
    return 100.0 * ((double)total - available) / (double)total;
}

static double dolon__open_descriptors(dolon__system *s)
{
    struct proc_fdinfo list[1024];
    int n = proc_pidinfo(getpid(), PROC_PIDLISTFDS, 0, list, sizeof list);
    (void)s;
    return n > 0 && n < (int)sizeof list ? n / (double)sizeof list[0] : dolon__nan();
}

static double dolon__disk(int wanted)
{
    struct rusage_info_v2 info;
    if (proc_pid_rusage(getpid(), RUSAGE_INFO_V2, (rusage_info_t *)&info) != 0) return dolon__nan();
    return (double)(wanted ? info.ri_diskio_byteswritten : info.ri_diskio_bytesread);
}

static double dolon__disk_read_bytes(dolon__system *s)
{
    (void)s;
    return dolon__disk(0);
}

static double dolon__disk_write_bytes(dolon__system *s)
{
    (void)s;
    return dolon__disk(1);
}

#elif defined(__FreeBSD__)

#define dolon__mem_allocation   dolon__no_value
#define dolon__disk_read_bytes  dolon__no_value
#define dolon__disk_write_bytes dolon__no_value

/* This process, as ps(1) has it. */
static int dolon__process(struct kinfo_proc *out)
{
    int mib[4] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, (int)getpid()};
    size_t bytes = sizeof *out;
    return sysctl(mib, 4, out, &bytes, NULL, 0) == 0 && bytes == sizeof *out;
}

static double dolon__active_tasks(dolon__system *s)
{
    struct kinfo_proc p;
    (void)s;
    return dolon__process(&p) ? (double)p.ki_numthreads : dolon__nan();
}

static double dolon__memory_use(dolon__system *s)
{
    struct kinfo_proc p;
    (void)s;
    if (!dolon__process(&p)) return dolon__nan();
    return (double)p.ki_rssize * (double)getpagesize() / (1024.0 * 1024.0 * 1024.0);
}

static double dolon__cpu_percent(dolon__system *s)
{
    long times[CPUSTATES];
    size_t bytes = sizeof times;
    uint64_t busy = 0, total = 0;
    if (!dolon__rates_are_due(&s->rates, s->now)) return s->rates.cpu_percent;
    if (sysctlbyname("kern.cp_time", times, &bytes, NULL, 0) != 0) return dolon__nan();
    for (int i = 0; i < CPUSTATES; i++) {
        total += (uint64_t)times[i];
        if (i != CP_IDLE) busy += (uint64_t)times[i];
    }
    return dolon__rates_cpu(&s->rates, s->now, busy, total);
}

static double dolon__pages(const char *name)
{
    unsigned pages = 0;
    size_t bytes = sizeof pages;
    return sysctlbyname(name, &pages, &bytes, NULL, 0) == 0 ? (double)pages : dolon__nan();
}

static double dolon__virtual_memory_percent(dolon__system *s)
{
    double total = dolon__pages("vm.stats.vm.v_page_count");
    double available = dolon__pages("vm.stats.vm.v_free_count") + dolon__pages("vm.stats.vm.v_inactive_count");
    (void)s;
    return 100.0 * (total - available) / total;
}

static double dolon__open_descriptors(dolon__system *s)
{
    int mib[4] = {CTL_KERN, KERN_PROC, KERN_PROC_NFDS, 0}, n = 0;
    size_t bytes = sizeof n;
    (void)s;
    return sysctl(mib, 4, &n, &bytes, NULL, 0) == 0 ? (double)n : dolon__nan();
}

#else

#define dolon__mem_allocation         dolon__no_value
#define dolon__active_tasks           dolon__no_value
#define dolon__memory_use             dolon__no_value
#define dolon__cpu_percent            dolon__no_value
#define dolon__virtual_memory_percent dolon__no_value
#define dolon__open_descriptors       dolon__no_value
#define dolon__disk_read_bytes        dolon__no_value
#define dolon__disk_write_bytes       dolon__no_value

#endif

static void dolon__system_close(dolon__system *s)
{
    (void)s;
}

#endif

/* -- >>posix again: the probes that these systems share, and all of them -- */

DOLON__APART static const struct rusage *dolon__usage(dolon__system *s)
{
    if (s->usage_stamp != s->tick) getrusage(RUSAGE_SELF, &s->usage);
    s->usage_stamp = s->tick;
    return &s->usage;
}

static double dolon__process_cpu_percent(dolon__system *s)
{
    int64_t cpu = dolon__os_clock(CLOCK_PROCESS_CPUTIME_ID);
    return dolon__rates_own_cpu(&s->rates, dolon__os_mono(), cpu);
}

static double dolon__page_faults(dolon__system *s)
{
    return (double)dolon__usage(s)->ru_minflt + (double)dolon__usage(s)->ru_majflt;
}

static double dolon__major_page_faults(dolon__system *s)
{
    return (double)dolon__usage(s)->ru_majflt;
}

static double dolon__context_switches(dolon__system *s)
{
    return (double)dolon__usage(s)->ru_nvcsw + (double)dolon__usage(s)->ru_nivcsw;
}

static double dolon__involuntary_switches(dolon__system *s)
{
    return (double)dolon__usage(s)->ru_nivcsw;
}

static const dolon__builtin dolon__builtins[] = {
    {"mem_allocation", dolon__mem_allocation, 0},
    {"active_tasks", dolon__active_tasks, 0},
    {"cpu_percent", dolon__cpu_percent, 0},
    {"virtual_memory_percent", dolon__virtual_memory_percent, 0},
    {"memory_use", dolon__memory_use, 0},
    {"process_cpu_percent", dolon__process_cpu_percent, 0},
    {"page_faults", dolon__page_faults, 1},
    {"major_page_faults", dolon__major_page_faults, 1},
    {"context_switches", dolon__context_switches, 1},
    {"involuntary_switches", dolon__involuntary_switches, 1},
    {"open_descriptors", dolon__open_descriptors, 0},
    {"io_read_bytes", dolon__io_read_bytes, 1},
    {"io_write_bytes", dolon__io_write_bytes, 1},
    {"disk_read_bytes", dolon__disk_read_bytes, 1},
    {"disk_write_bytes", dolon__disk_write_bytes, 1},
};

#else

/* -- >>windows: 10 and later, by MinGW-w64 -- */

#define DOLON__CALLBACK  WINAPI
#define DOLON__LOCK_INIT SRWLOCK_INIT
#define DOLON__ONCE_INIT INIT_ONCE_STATIC_INIT

typedef SRWLOCK dolon__lock;
typedef CONDITION_VARIABLE dolon__cond;
typedef INIT_ONCE dolon__once_flag;
typedef DWORD dolon__key;
typedef intptr_t dolon__handle; /* a SOCKET: INVALID_SOCKET is -1 then, too */

enum {
    DOLON__E_FULL = WSAEWOULDBLOCK,
    DOLON__E_NO_BUFFERS = WSAENOBUFS,
    DOLON__E_REFUSED = WSAECONNRESET, /* so it names what ICMP says of the datagram before */
    DOLON__E_TOO_LONG = WSAEMSGSIZE,
    DOLON__E_FORBIDDEN = WSAEACCES,
    DOLON__E_INVALID = WSAEINVAL,
    DOLON__E_NO_HARDWARE = WSAENETDOWN,
    DOLON__E_UNSUPPORTED = WSAEOPNOTSUPP
};

#ifdef DOLON_TRACK_MALLOC
static uint64_t dolon__os_block_bytes(void *p)
{
    return _msize(p);
}
#endif

static uint64_t dolon__os_100ns(FILETIME t)
{
    return (uint64_t)t.dwHighDateTime << 32 | t.dwLowDateTime;
}

/* The performance counter goes on while the machine sleeps. */
DOLON__APART static int64_t dolon__os_mono(void)
{
    LARGE_INTEGER ticks, second;
    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&second);
    return ticks.QuadPart / second.QuadPart * DOLON__SECOND +
           ticks.QuadPart % second.QuadPart * DOLON__SECOND / second.QuadPart;
}

DOLON__APART static int64_t dolon__os_wall(void)
{
    const int64_t epoch = INT64_C(116444736000000000); /* 1970 in units of 100 ns since 1601 */
    FILETIME now;
    GetSystemTimePreciseAsFileTime(&now);
    return ((int64_t)dolon__os_100ns(now) - epoch) * 100;
}

static int64_t dolon__os_slept(void)
{
    return 0;
}

/* Windows, too, watches the counter; where it does not trust it, its own clock ticks as HPET or the ACPI timer does. */
static int dolon__os_tsc_is_steady(void)
{
    LARGE_INTEGER second;
    QueryPerformanceFrequency(&second);
    return dolon__tsc_is_invariant() && second.QuadPart != 14318180 && second.QuadPart != 3579545;
}

static void dolon__os_random(unsigned char *out, size_t n)
{
    if (!RtlGenRandom(out, (ULONG)n))
        dolon__mix((uint64_t)dolon__os_mono() ^ (uint64_t)GetCurrentProcessId() << 40, out, n);
}

/* Cuts at a character's edge; what can't be told in UTF-8 becomes U+FFFD. */
static void dolon__os_utf8(const WCHAR *from, char *out, size_t cap)
{
    char text[4096];
    WCHAR part[1024];
    size_t n = 0;
    while (from[n] && n < sizeof part / sizeof part[0] - 1) n++;
    memcpy(part, from, n * sizeof part[0]);
    part[n] = 0;
    if (WideCharToMultiByte(CP_UTF8, 0, part, -1, text, (int)sizeof text, NULL, NULL) == 0) text[0] = 0;
    dolon__copy(out, cap, text);
}

/* Up to cap - 1 bytes of a small file, whose path is UTF-8; 0 if it can't be read. */
DOLON__ATTR((unused)) static size_t dolon__os_read_file(const char *path, char *out, size_t cap)
{
    WCHAR wide[MAX_PATH];
    DWORD n = 0;
    HANDLE file = INVALID_HANDLE_VALUE;
    if (MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, MAX_PATH) > 0)
        file = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (file != INVALID_HANDLE_VALUE) {
        if (!ReadFile(file, out, (DWORD)(cap - 1), &n, NULL)) n = 0;
        CloseHandle(file);
    }
    out[n] = 0;
    return n;
}

DOLON__APART static const char *dolon__os_env(const char *name)
{
    const char *s = getenv(name);
    return s && *s ? s : NULL;
}

static void dolon__os_host_name(char *out, size_t cap)
{
    WCHAR name[256];
    DWORD n = sizeof name / sizeof name[0];
    if (!GetComputerNameExW(ComputerNameDnsHostname, name, &n)) name[0] = 0;
    dolon__os_utf8(name, out, cap);
}

/* Without the ".exe": the same program of another system has none. */
static void dolon__os_program_name(char *out, size_t cap)
{
    WCHAR path[MAX_PATH + 1], *name = path;
    size_t n;
    path[GetModuleFileNameW(NULL, path, MAX_PATH)] = 0;
    for (WCHAR *p = path; *p; p++)
        if (*p == L'\\' || *p == L'/') name = p + 1;
    dolon__os_utf8(name, out, cap);
    n = strlen(out);
    if (n > 4 && (strcmp(out + n - 4, ".exe") == 0 || strcmp(out + n - 4, ".EXE") == 0)) out[n - 4] = 0;
}

/* The server looks after a process of its own place; it does not run here. */
static void dolon__os_place(char *out, size_t cap)
{
    (void)cap;
    out[0] = 0;
}

static uint64_t dolon__os_born(void)
{
    return 0;
}

static int dolon__os_pid(void)
{
    return (int)GetCurrentProcessId();
}

static void dolon__os_arguments(char *out, size_t cap)
{
    dolon__os_utf8(GetCommandLineW(), out, cap);
}

/* The time stamp and the size in the program's PE header: the key by which symbol servers know it. */
static void dolon__os_build_id(char *out, size_t cap)
{
    const char *base = (const char *)GetModuleHandleW(NULL);
    IMAGE_DOS_HEADER dos;
    IMAGE_NT_HEADERS nt;
    memcpy(&dos, base, sizeof dos);
    memcpy(&nt, base + dos.e_lfanew, sizeof nt);
    snprintf(out, cap, "%08lx%lx", (unsigned long)nt.FileHeader.TimeDateStamp,
             (unsigned long)nt.OptionalHeader.SizeOfImage);
}

static void dolon__os_lock(dolon__lock *lock)
{
    AcquireSRWLockExclusive(lock);
}

static void dolon__os_unlock(dolon__lock *lock)
{
    ReleaseSRWLockExclusive(lock);
}

static void dolon__os_lock_init(dolon__lock *lock)
{
    InitializeSRWLock(lock);
}

static void dolon__os_lock_end(dolon__lock *lock)
{
    (void)lock;
}

static void dolon__os_cond_init(dolon__cond *cond)
{
    InitializeConditionVariable(cond);
}

static void dolon__os_cond_wait(dolon__cond *cond, dolon__lock *lock, int64_t until)
{
    int64_t ms = (until - dolon__os_mono() + DOLON__MS - 1) / DOLON__MS;
    SleepConditionVariableSRW(cond, lock, ms > 0 ? (DWORD)ms : 0, 0);
}

static void dolon__os_cond_signal(dolon__cond *cond)
{
    WakeConditionVariable(cond);
}

static void dolon__os_cond_end(dolon__cond *cond)
{
    (void)cond;
}

/* Sockets need a start here; their end is the process's. */
static void dolon__os_call_once(dolon__once_flag *once, void (*fn)(void))
{
    BOOL pending = FALSE;
    WSADATA ignored;
    if (!InitOnceBeginInitialize(once, 0, &pending, NULL) || !pending) return;
    WSAStartup(MAKEWORD(2, 2), &ignored);
    fn();
    InitOnceComplete(once, 0, NULL);
}

static int dolon__os_key_open(dolon__key *key, void(WINAPI *ended)(void *))
{
    *key = FlsAlloc(ended);
    return *key != FLS_OUT_OF_INDEXES;
}

static void dolon__os_key_close(dolon__key key)
{
    FlsFree(key);
}

static int dolon__os_key_set(dolon__key key, void *value)
{
    return FlsSetValue(key, value) != 0;
}

static void *dolon__os_key_get(dolon__key key)
{
    return FlsGetValue(key);
}

static void dolon__os_at_fork(void (*before)(void), void (*in_parent)(void), void (*in_child)(void))
{
    (void)before;
    (void)in_parent;
    (void)in_child;
}

/* The DLL that this code is in, with one more reference; NULL: it is in the program itself. */
static HMODULE dolon__os_hold_library(DWORD flags)
{
    HMODULE module = NULL;
    flags |= GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
    if (!GetModuleHandleExW(flags, (LPCWSTR)(const void *)&dolon__owner, &module)) return NULL;
    return module == GetModuleHandleW(NULL) ? NULL : module;
}

/* While a DLL is unloaded no thread can end, and when the program exits they have been killed. */
static int dolon__os_may_wait_at_end(void)
{
    return dolon__os_hold_library(GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT) == NULL;
}

typedef struct dolon__thread {
    HANDLE handle;
    DWORD id;
    HMODULE library;
    void (*run)(void *);
    void *arg;
} dolon__thread;

/* Holds its library, so that it isn't unloaded under it. */
static unsigned __stdcall dolon__os_thread_main(void *thread)
{
    dolon__thread *t = (dolon__thread *)thread;
    HMODULE library = t->library;
    t->id = GetCurrentThreadId();
    t->run(t->arg);
    if (library) FreeLibraryAndExitThread(library, 0);
    return 0;
}

/* `thread` must live as long as `run` runs. Returns whether it started. */
static int dolon__os_thread(dolon__thread *thread, int detached, void (*run)(void *), void *arg)
{
    uintptr_t handle;
    HMODULE library = dolon__os_hold_library(0);
    thread->run = run;
    thread->arg = arg;
    thread->library = library;
    handle = _beginthreadex(NULL, DOLON_STACK_BYTES, dolon__os_thread_main, thread, STACK_SIZE_PARAM_IS_A_RESERVATION,
                            NULL);
    if (!handle && library) FreeLibrary(library);
    if (handle && detached)
        CloseHandle((HANDLE)handle);
    else
        thread->handle = (HANDLE)handle;
    return handle != 0;
}

static void dolon__os_thread_join(dolon__thread *thread)
{
    WaitForSingleObject(thread->handle, INFINITE);
    CloseHandle(thread->handle);
}

static void dolon__os_thread_detach(dolon__thread *thread)
{
    CloseHandle(thread->handle);
}

static int dolon__os_thread_is_this(const dolon__thread *thread)
{
    return thread->id == GetCurrentThreadId();
}

/* The name is for debuggers: SetThreadDescription(), since Windows 10 1607. */
static void dolon__os_become_timer(void)
{
    typedef HRESULT(WINAPI * describe)(HANDLE, PCWSTR);
    FARPROC found = GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "SetThreadDescription");
    describe name_it;
    if (!found) return;
    memcpy(&name_it, &found, sizeof name_it);
    name_it(GetCurrentThread(), L"dolon");
}

static int dolon__os_error(void)
{
    return WSAGetLastError();
}

static void dolon__os_error_text(int error, char *out, size_t cap)
{
    WCHAR text[200];
    DWORD flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK;
    DWORD n = FormatMessageW(flags, NULL, (DWORD)error, 0, text, sizeof text / sizeof text[0], NULL);
    while (n > 0 && (text[n - 1] == L' ' || text[n - 1] == L'.')) n--;
    text[n] = 0;
    if (n > 0)
        dolon__os_utf8(text, out, cap);
    else
        snprintf(out, cap, "error %d", error);
}

static void dolon__os_close(dolon__handle fd)
{
    closesocket((SOCKET)fd);
}

/* A socket whose datagrams go to `to` and which hears if nobody listens there; or -1. */
static dolon__handle dolon__os_open(const dolon__address *to)
{
    SOCKET s =
        WSASocketW(to->u.any.sa_family, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_NO_HANDLE_INHERIT | WSA_FLAG_OVERLAPPED);
    u_long yes = 1;
    if (s == INVALID_SOCKET) return -1;
    ioctlsocket(s, (long)FIONBIO, &yes);
    if (connect(s, &to->u.any, to->bytes) != 0) {
        int error = WSAGetLastError();
        closesocket(s);
        WSASetLastError(error);
        return -1;
    }
    return (dolon__handle)s;
}

static size_t dolon__os_receive(dolon__handle fd, void *bytes, size_t room, int *error)
{
    int n = recv((SOCKET)fd, (char *)bytes, (int)room, 0);
    *error = n < 0 && WSAGetLastError() != WSAEWOULDBLOCK ? WSAGetLastError() : 0;
    return n > 0 ? (size_t)n : 0;
}

DOLON__APART static int dolon__os_send(dolon__handle fd, const char *bytes, size_t n, size_t each)
{
    if (n > each) return DOLON__E_UNSUPPORTED;
    return send((SOCKET)fd, bytes, (int)n, 0) < 0 ? WSAGetLastError() : 0;
}

#ifdef DOLON_RABBITMQ
static dolon__handle dolon__os_connect(const dolon__address *to)
{
    SOCKET s =
        WSASocketW(to->u.any.sa_family, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_NO_HANDLE_INHERIT | WSA_FLAG_OVERLAPPED);
    u_long yes = 1;
    if (s == INVALID_SOCKET) return -1;
    ioctlsocket(s, (long)FIONBIO, &yes);
    if (connect(s, &to->u.any, to->bytes) == 0 || WSAGetLastError() == WSAEWOULDBLOCK) return (dolon__handle)s;
    closesocket(s);
    return -1;
}

static int dolon__os_await(dolon__handle fd, int writing, int ms)
{
    struct timeval time;
    fd_set wanted, failed;
    FD_ZERO(&wanted);
    FD_ZERO(&failed);
    FD_SET((SOCKET)fd, &wanted);
    FD_SET((SOCKET)fd, &failed);
    time.tv_sec = ms / 1000;
    time.tv_usec = ms % 1000 * 1000;
    return select(0, writing ? NULL : &wanted, writing ? &wanted : NULL, &failed, &time) > 0;
}
#endif

/* A timer, of high resolution where there are such (Windows 10 1803), and what a socket signals. */
typedef struct dolon__sleeper {
    HANDLE timer, readable;
} dolon__sleeper;

static dolon__sleeper dolon__os_sleeper(void)
{
    enum { manual_reset = 1, high_resolution = 2 };
    dolon__sleeper sleeper;
    sleeper.timer = CreateWaitableTimerExW(NULL, NULL, manual_reset | high_resolution, TIMER_ALL_ACCESS);
    if (!sleeper.timer) sleeper.timer = CreateWaitableTimerExW(NULL, NULL, manual_reset, TIMER_ALL_ACCESS);
    sleeper.readable = CreateEventW(NULL, FALSE, FALSE, NULL);
    return sleeper;
}

static void dolon__os_sleeper_close(const dolon__sleeper *sleeper)
{
    if (sleeper->timer) CloseHandle(sleeper->timer);
    if (sleeper->readable) CloseHandle(sleeper->readable);
}

DOLON__APART static void dolon__os_wake_at(const dolon__sleeper *sleeper, int64_t until)
{
    int64_t ns = until > 0 ? until - dolon__os_mono() : 0;
    LARGE_INTEGER due;
    due.QuadPart = ns > 100 ? -((ns + 99) / 100) : -1; /* negative: from now on */
    if (sleeper->timer) SetWaitableTimer(sleeper->timer, &due, 0, NULL, NULL, FALSE);
}

static void dolon__os_sleep(const dolon__sleeper *sleeper, dolon__handle fd)
{
    HANDLE both[2];
    if (!sleeper->timer || !sleeper->readable) {
        Sleep(10);
        return;
    }
    both[0] = sleeper->timer;
    both[1] = sleeper->readable;
    ResetEvent(sleeper->readable);
    if (fd != -1) WSAEventSelect((SOCKET)fd, sleeper->readable, FD_READ); /* at once, if there is something already */
    WaitForMultipleObjects(fd != -1 ? 2 : 1, both, FALSE, INFINITE);
}

/* A crash is an exception that nobody handles, or abort(). */
static void (*dolon__crash_say)(void);
static LPTOP_LEVEL_EXCEPTION_FILTER dolon__crash_before;
static void (*dolon__abort_before)(int);

static LONG WINAPI dolon__crash_on(EXCEPTION_POINTERS *what)
{
    dolon__crash_say();
    return dolon__crash_before ? dolon__crash_before(what) : EXCEPTION_CONTINUE_SEARCH;
}

static void dolon__abort_on(int number)
{
    dolon__crash_say();
    signal(SIGABRT, dolon__abort_before);
    if (dolon__abort_before != SIG_DFL && dolon__abort_before != SIG_IGN) dolon__abort_before(number);
}

static void dolon__os_crash_watch(void (*say)(void))
{
    dolon__crash_say = say;
    dolon__crash_before = SetUnhandledExceptionFilter(dolon__crash_on);
    dolon__abort_before = signal(SIGABRT, dolon__abort_on);
}

static void dolon__os_crash_unwatch(void)
{
    LPTOP_LEVEL_EXCEPTION_FILTER now = SetUnhandledExceptionFilter(dolon__crash_before);
    void (*abort_now)(int) = signal(SIGABRT, dolon__abort_before);
    if (now != dolon__crash_on) SetUnhandledExceptionFilter(now);
    if (abort_now != dolon__abort_on) signal(SIGABRT, abort_now);
}

struct dolon__system {
    uint64_t tick;
    int64_t now; /* monotonic */
    dolon__rates rates;
    dolon__costly tasks;
    PROCESS_MEMORY_COUNTERS_EX memory;
    uint64_t memory_stamp;
    uint64_t faults; /* as 64 bits; the system's 32 turn over */
};

static const PROCESS_MEMORY_COUNTERS_EX *dolon__memory(dolon__system *s)
{
    DWORD before = s->memory.PageFaultCount;
    if (s->memory_stamp == s->tick) return &s->memory;
    K32GetProcessMemoryInfo(GetCurrentProcess(), (PROCESS_MEMORY_COUNTERS *)&s->memory, sizeof s->memory);
    s->faults += (DWORD)(s->memory.PageFaultCount - before);
    s->memory_stamp = s->tick;
    return &s->memory;
}

/* The system does not tell how much of the heaps is in use; this is all that is private to the process. */
static double dolon__mem_allocation(dolon__system *s)
{
    return (double)dolon__memory(s)->PrivateUsage / 1e6;
}

static double dolon__memory_use(dolon__system *s)
{
    return (double)dolon__memory(s)->WorkingSetSize / (1024.0 * 1024.0 * 1024.0);
}

static double dolon__page_faults(dolon__system *s)
{
    dolon__memory(s);
    return (double)s->faults;
}

/* Threads as the list of all processes has them. */
static double dolon__count_tasks(void)
{
    PROCESSENTRY32W p;
    double count = dolon__nan();
    HANDLE list = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    if (list == INVALID_HANDLE_VALUE) return count;
    p.dwSize = sizeof p;
    for (BOOL more = Process32FirstW(list, &p); more; more = Process32NextW(list, &p))
        if (p.th32ProcessID == GetCurrentProcessId()) count = (double)p.cntThreads;
    CloseHandle(list);
    return count;
}

static double dolon__active_tasks(dolon__system *s)
{
    int64_t start = dolon__os_mono();
    if (start < s->tasks.next) return s->tasks.value;
    s->tasks.value = dolon__count_tasks();
    s->tasks.next = start + 1000 * (dolon__os_mono() - start);
    return s->tasks.value;
}

static double dolon__cpu_percent(dolon__system *s)
{
    FILETIME idle, kernel, user; /* the kernel's includes the idle time */
    uint64_t total;
    if (!dolon__rates_are_due(&s->rates, s->now)) return s->rates.cpu_percent;
    if (!GetSystemTimes(&idle, &kernel, &user)) return dolon__nan();
    total = dolon__os_100ns(kernel) + dolon__os_100ns(user);
    return dolon__rates_cpu(&s->rates, s->now, total - dolon__os_100ns(idle), total);
}

static double dolon__process_cpu_percent(dolon__system *s)
{
    FILETIME begun, ended, kernel, user;
    if (!GetProcessTimes(GetCurrentProcess(), &begun, &ended, &kernel, &user)) return dolon__nan();
    return dolon__rates_own_cpu(&s->rates, dolon__os_mono(),
                                (int64_t)(dolon__os_100ns(kernel) + dolon__os_100ns(user)) * 100);
}

static double dolon__virtual_memory_percent(dolon__system *s)
{
    MEMORYSTATUSEX m;
    (void)s;
    m.dwLength = sizeof m;
    if (!GlobalMemoryStatusEx(&m) || m.ullTotalPhys == 0) return dolon__nan();
    return 100.0 * (double)(m.ullTotalPhys - m.ullAvailPhys) / (double)m.ullTotalPhys;
}

static double dolon__open_descriptors(dolon__system *s)
{
    DWORD n = 0;
    (void)s;
    return GetProcessHandleCount(GetCurrentProcess(), &n) ? (double)n : dolon__nan();
}

static double dolon__io_read_bytes(dolon__system *s)
{
    IO_COUNTERS io;
    (void)s;
    return GetProcessIoCounters(GetCurrentProcess(), &io) ? (double)io.ReadTransferCount : dolon__nan();
}

static double dolon__io_write_bytes(dolon__system *s)
{
    IO_COUNTERS io;
    (void)s;
    return GetProcessIoCounters(GetCurrentProcess(), &io) ? (double)io.WriteTransferCount : dolon__nan();
}

static const dolon__builtin dolon__builtins[] = {
    {"mem_allocation", dolon__mem_allocation, 0},
    {"active_tasks", dolon__active_tasks, 0},
    {"cpu_percent", dolon__cpu_percent, 0},
    {"virtual_memory_percent", dolon__virtual_memory_percent, 0},
    {"memory_use", dolon__memory_use, 0},
    {"process_cpu_percent", dolon__process_cpu_percent, 0},
    {"page_faults", dolon__page_faults, 1},
    {"major_page_faults", dolon__no_value, 1},
    {"context_switches", dolon__no_value, 1},
    {"involuntary_switches", dolon__no_value, 1},
    {"open_descriptors", dolon__open_descriptors, 0},
    {"io_read_bytes", dolon__io_read_bytes, 1},
    {"io_write_bytes", dolon__io_write_bytes, 1},
    {"disk_read_bytes", dolon__no_value, 1},
    {"disk_write_bytes", dolon__no_value, 1},
};

static void dolon__system_close(dolon__system *s)
{
    (void)s;
}

#endif

/* ---- >>sites: scopes, counters and gauges of the whole process ---- */

/* A name of one kind; all sites that have it share it. Names are copied: a library with sites may be unloaded. */
typedef struct dolon__series {
    char name[DOLON_NAME_BYTES];
    dolon__site_kind kind;
    dolon__cell ended; /* what threads that are no more have left behind */
    uint64_t gauge;    /* the bits of its double                         */
} dolon__series;

/* cells[0] belongs to nobody, so that 0 can mean "not joined"; cells[1] takes what found no room. */
#define DOLON__FIRST_CELL 2
typedef struct DOLON__ATTR((aligned(64))) dolon__block {
    dolon__cell cells[DOLON_MAX_SITES + DOLON__FIRST_CELL];
} dolon__block;

/* clang-format off */
/* `lock` guards all that follows. Held for microseconds, when a site or thread appears or ends, and once a tick. It
   and a tracer's lock are never held together, but around fork(), this one first. */
static struct {
    dolon__lock lock;
    dolon__key key;                           /* tells us that a thread ends                  */
    int key_valid;
    uint32_t series_count;
    uint64_t left_out;                        /* sites that found no room                     */
    uint32_t blocks_used;                     /* none above were ever used                    */
    unsigned char taken[DOLON_MAX_THREADS];
    int64_t clock_start, clock_seen;          /* calibration of dolon__now(): at a moment …   */
    uint64_t ticks_start, ticks_seen;         /* … both clocks were read                      */
    dolon__histogram *free_histograms;
    uint32_t histograms_used;                 /* none above were ever used                    */
    dolon_tracer *tracers;
} dolon__all = { DOLON__LOCK_INIT, 0, 0, 0, 0, 0, { 0 }, 0, 0, 0, 0, NULL, 0, NULL };
/* clang-format on */

static dolon__series dolon__series_table[DOLON_MAX_SITES];
static dolon__histogram dolon__histogram_table[DOLON_MAX_SITES]; /* of ended threads, and of those that got none */
static dolon__histogram dolon__histograms[DOLON_MAX_HISTOGRAMS]; /* of live threads' cells                       */
static dolon__block dolon__blocks[DOLON_MAX_THREADS];
static dolon__block dolon__shared_block; /* of the threads beyond */
static dolon__once_flag dolon__once = DOLON__ONCE_INIT;

#ifndef DOLON_STATIC
char dolon__owner;
int dolon__tsc;
int dolon__scopes_off;
#ifdef DOLON__TLS
DOLON__TLS dolon__cell *dolon__self DOLON__TLS_MODEL;
#endif
#endif

static void dolon__init(void);
static void DOLON__CALLBACK dolon__thread_ended(void *block);

#ifdef DOLON__TLS
static void dolon__self_set(dolon__cell *block)
{
    dolon__self = block;
}
#else
dolon__cell *dolon__self_get(void)
{
    return dolon__all.key_valid ? (dolon__cell *)dolon__os_key_get(dolon__all.key) : NULL;
}
static void dolon__self_set(dolon__cell *block)
{
    (void)block; /* dolon__os_key_set() has done it */
}
#endif

/* What several threads write, the shared block and the series' histograms, is added to between these two, or under the
   lock. Where there are no atomics they are the lock. */
#ifdef DOLON__NO_ATOMICS
#define DOLON__ADD(p, n) (*(p) += (n))
#define DOLON__OR(p, n)  (*(p) |= (n))
static void dolon__share_begin(void)
{
    dolon__os_lock(&dolon__all.lock);
}
static void dolon__share_end(void)
{
    dolon__os_unlock(&dolon__all.lock);
}
#else
#define DOLON__ADD(p, n) ((void)__atomic_fetch_add((p), (n), __ATOMIC_RELEASE))
#define DOLON__OR(p, n)  ((void)__atomic_fetch_or((p), (n), __ATOMIC_RELEASE))
static void dolon__share_begin(void)
{
}
static void dolon__share_end(void)
{
}
#endif

uint64_t dolon__clock(void)
{
    return (uint64_t)dolon__os_mono();
}

/* Under the lock. The cell of a name, made if it is new. */
static uint32_t dolon__cell_of(const char *name, dolon__site_kind kind)
{
    char copy[DOLON_NAME_BYTES - sizeof "_active_instances"];
    uint32_t n = dolon__all.series_count;
    dolon__copy(copy, sizeof copy, name);
    for (uint32_t i = 0; i < n; i++)
        if (dolon__series_table[i].kind == kind && strcmp(dolon__series_table[i].name, copy) == 0)
            return i + DOLON__FIRST_CELL;
    if (n == DOLON_MAX_SITES) {
        dolon__all.left_out++;
        return 1;
    }
    dolon__copy(dolon__series_table[n].name, sizeof dolon__series_table[n].name, copy);
    dolon__series_table[n].kind = kind;
    dolon__series_table[n].gauge = UINT64_C(0x7FF8000000000000); /* NaN: not set yet */
    dolon__all.series_count = n + 1;
    return n + DOLON__FIRST_CELL;
}

int dolon__join(dolon_site *site)
{
    dolon__os_lock(&dolon__all.lock);
    if (site->owner == &dolon__owner && !site->cell)
        DOLON__STORE(&site->cell, dolon__cell_of(site->name, site->kind));
    dolon__os_unlock(&dolon__all.lock);
    return 1;
}

#ifdef DOLON__HAS_SECTION
extern dolon_site *__start_dolon_sites[] DOLON__ATTR((weak));
extern dolon_site *__stop_dolon_sites[] DOLON__ATTR((weak));

static void dolon__join_known(void)
{
    for (dolon_site **p = __start_dolon_sites; p && p < __stop_dolon_sites; p++) dolon__join(*p);
}
#else
static void dolon__join_known(void)
{
}
#endif

/* Under the lock. A block for this thread, or NULL: all are taken. */
static dolon__cell *dolon__take_block(void)
{
    for (uint32_t i = 0; i < DOLON_MAX_THREADS; i++) {
        dolon__cell *block = dolon__blocks[i].cells;
        if (dolon__all.taken[i] || !dolon__all.key_valid) continue;
        if (!dolon__os_key_set(dolon__all.key, block)) return NULL;
        dolon__all.taken[i] = 1;
        if (dolon__all.blocks_used <= i) dolon__all.blocks_used = i + 1;
        return block;
    }
    return NULL;
}

static uint32_t dolon__bucket(uint64_t ticks)
{
    uint32_t shift;
    if (ticks > DOLON__MOST_TICKS) ticks = DOLON__MOST_TICKS;
#ifdef __TINYC__
    for (shift = 0; ticks >> shift > 63; shift++) continue;
#else
    shift = 58u - (uint32_t)__builtin_clzll(ticks | 32); /* leaves the six highest digits */
#endif
    return DOLON__OCTAVE_BUCKETS * shift + (uint32_t)(ticks >> shift);
}

static void dolon__count_ticks(dolon__histogram *h, uint64_t ticks)
{
    uint32_t bucket = dolon__bucket(ticks);
    DOLON__STORE_RELEASE(&h->counts[bucket], DOLON__LOAD(&h->counts[bucket]) + 1);
    DOLON__STORE(&h->used, DOLON__LOAD(&h->used) | UINT64_C(1) << (bucket / DOLON__OCTAVE_BUCKETS));
}

/* Counts what is pending. By the cell's own thread; a reader sees from `turn` that it came in between. Done for 16 at a
   time: finding a bucket takes some 6 ns if the next clock read has to wait for it, else 1. */
void dolon__bin(dolon__cell *cell)
{
    dolon__histogram *h = cell->histogram;
    uint64_t leaves = DOLON__LOAD(&cell->leaves);
    DOLON__STORE(&h->turn, DOLON__LOAD(&h->turn) + 1);
    for (uint64_t i = DOLON__LOAD(&h->binned); i < leaves; i++) {
        dolon__count_ticks(h, DOLON__LOAD(&h->pending[i % DOLON__PENDING]));
        DOLON__STORE_RELEASE(&h->binned, i + 1);
    }
    DOLON__STORE_RELEASE(&h->turn, DOLON__LOAD(&h->turn) + 1);
}

static int dolon__is_shared(const dolon__cell *cell)
{
    return cell >= dolon__shared_block.cells &&
           cell < dolon__shared_block.cells + DOLON_MAX_SITES + DOLON__FIRST_CELL;
}

/* Gives a cell of this thread a histogram; NULL: all are taken. */
static dolon__histogram *dolon__take_histogram(dolon__cell *cell)
{
    dolon__histogram *h;
    dolon__os_lock(&dolon__all.lock);
    h = dolon__all.free_histograms;
    if (h)
        dolon__all.free_histograms = h->next;
    else if (dolon__all.histograms_used < DOLON_MAX_HISTOGRAMS)
        h = &dolon__histograms[dolon__all.histograms_used++];
    if (h) h->binned = cell->leaves + 1; /* the one that is leaving now is counted at once */
    DOLON__STORE(&cell->histogram, h);
    dolon__os_unlock(&dolon__all.lock);
    return h;
}

/* Under the lock. Its counts go to those of ended threads; and it is free for others. */
DOLON__APART static void dolon__give_histogram(dolon__cell *cell, dolon__histogram *to)
{
    dolon__histogram *h = cell->histogram;
    if (!h) return;
    dolon__bin(cell);
    h->turn = 0; /* a fork() may have caught its thread in between */
    for (uint32_t i = 0; i < DOLON__BUCKETS; i++) {
        if (h->counts[i] == 0) continue;
        DOLON__ADD(&to->counts[i], h->counts[i]);
        DOLON__STORE(&h->counts[i], 0);
    }
    DOLON__OR(&to->used, h->used);
    DOLON__STORE(&h->used, 0);
    DOLON__STORE(&cell->histogram, NULL);
    h->next = dolon__all.free_histograms;
    dolon__all.free_histograms = h;
}

/* Under the lock. What ended threads counted stays; what they were inside of when they ended is no longer active. */
static void dolon__retire(dolon__block *block)
{
    for (uint32_t i = 0; i < dolon__all.series_count; i++) {
        dolon__cell *from = &block->cells[i + DOLON__FIRST_CELL];
        dolon__cell *to = &dolon__series_table[i].ended;
        dolon__give_histogram(from, &dolon__histogram_table[i]);
        to->enters += from->enters;
        to->leaves += from->leaves;
        to->ticks += from->ticks;
        DOLON__STORE(&from->enters, 0);
        DOLON__STORE(&from->leaves, 0);
        DOLON__STORE(&from->ticks, 0);
    }
}

static void DOLON__CALLBACK dolon__thread_ended(void *block)
{
    dolon__os_lock(&dolon__all.lock);
    for (uint32_t i = 0; i < dolon__all.blocks_used; i++) {
        if (block != dolon__blocks[i].cells) continue;
        dolon__retire(&dolon__blocks[i]);
        dolon__all.taken[i] = 0;
    }
    dolon__os_unlock(&dolon__all.lock);
    dolon__self_set(NULL);
}

/* Gives this thread a block and the site a cell, where they have none. Returns the cell. */
static dolon__cell *dolon__settle(dolon_site *site)
{
    dolon__cell *self = DOLON__SELF();
    dolon__os_call_once(&dolon__once, dolon__init);
    if (!DOLON__LOAD(&site->cell)) dolon__join(site);
    if (!self) {
        dolon__os_lock(&dolon__all.lock);
        self = dolon__take_block();
        dolon__os_unlock(&dolon__all.lock);
        if (self) dolon__self_set(self);
    }
    return (self ? self : dolon__shared_block.cells) + DOLON__LOAD(&site->cell);
}

static dolon__cell *dolon__settle_and_add(dolon_site *site, uint64_t n)
{
    dolon__cell *cell = dolon__settle(site);
    dolon__share_begin();
    if (dolon__is_shared(cell))
        DOLON__ADD(&cell->enters, n);
    else
        DOLON__STORE(&cell->enters, DOLON__LOAD(&cell->enters) + n);
    dolon__share_end();
    return cell;
}

void dolon__count_slowly(dolon_site *site, uint64_t n)
{
    dolon__settle_and_add(site, n);
}

dolon__cell *dolon__enter_slowly(dolon_site *site)
{
    return dolon__settle_and_add(site, 1);
}

/* The series of a cell; DOLON_MAX_SITES: it is one of those that belong to none. */
static uint32_t dolon__series_of(const dolon__cell *cell)
{
    const dolon__cell *first = dolon__is_shared(cell) ? dolon__shared_block.cells : dolon__blocks[0].cells;
    size_t at = (size_t)(cell - first) % (sizeof dolon__blocks[0] / sizeof *cell);
    return at < DOLON__FIRST_CELL ? DOLON_MAX_SITES : (uint32_t)(at - DOLON__FIRST_CELL);
}

/* A cell without a histogram: it gets one, or its series' common one is used. */
void dolon__leave_slowly(dolon__cell *cell, uint64_t ticks)
{
    uint32_t series = dolon__series_of(cell), bucket = dolon__bucket(ticks);
    dolon__histogram *h = dolon__is_shared(cell) ? NULL : dolon__take_histogram(cell);
    if (!h && series < DOLON_MAX_SITES) h = &dolon__histogram_table[series];
    dolon__share_begin();
    if (h) DOLON__ADD(&h->counts[bucket], 1u);
    if (h) DOLON__OR(&h->used, UINT64_C(1) << (bucket / DOLON__OCTAVE_BUCKETS));
    DOLON__ADD(&cell->ticks, ticks);
    DOLON__ADD(&cell->leaves, UINT64_C(1));
    dolon__share_end();
}

void dolon__gauge(dolon_site *site, double value)
{
    uint32_t at;
    uint64_t bits;
    if (!DOLON__LOAD(&site->cell)) dolon__join(site);
    at = DOLON__LOAD(&site->cell);
    memcpy(&bits, &value, sizeof bits);
    if (at >= DOLON__FIRST_CELL) DOLON__STORE(&dolon__series_table[at - DOLON__FIRST_CELL].gauge, bits);
}

/* Under the lock. All threads' cells of one series. `active` never goes below 0: a cell's leaves are read before its
   enters, and were written after them. */
typedef struct dolon__totals {
    uint64_t hits, done, ticks, active;
} dolon__totals;

DOLON__APART static void dolon__total(uint32_t series, dolon__totals *sum)
{
    const dolon__cell *ended = &dolon__series_table[series].ended;
    sum->hits = ended->enters;
    sum->done = ended->leaves;
    sum->ticks = ended->ticks;
    sum->active = 0;
    for (uint32_t i = 0; i <= dolon__all.blocks_used; i++) {
        dolon__block *block = i < dolon__all.blocks_used ? &dolon__blocks[i] : &dolon__shared_block;
        dolon__cell *cell = &block->cells[series + DOLON__FIRST_CELL];
        uint64_t leaves = DOLON__LOAD_ACQUIRE(&cell->leaves);
        uint64_t enters;
        sum->ticks += DOLON__LOAD(&cell->ticks);
        enters = DOLON__LOAD(&cell->enters);
        sum->hits += enters;
        sum->done += leaves;
        sum->active += enters - leaves;
    }
}

/* ---- what a scope took within one interval ---- */

/* What had been counted when a tracer last looked. */
typedef struct dolon__past {
    uint32_t counts[DOLON__BUCKETS];
} dolon__past;

/* Seconds; no value if nothing ended. Each within 1.6 % of what was measured. */
typedef struct dolon__latency {
    double mean, p50, p90, p99, max;
} dolon__latency;

/* Counts of some octaves; those not `used` are 0, whatever stands there: most scopes need but a few. */
typedef struct dolon__counts {
    uint64_t used;
    uint32_t of[DOLON__BUCKETS];
} dolon__counts;

/* The buckets of an octave, which is used from now on. */
static uint32_t *dolon__use_octave(dolon__counts *c, uint32_t octave)
{
    uint32_t *buckets = &c->of[octave * DOLON__OCTAVE_BUCKETS];
    if (!(c->used >> octave & 1)) memset(buckets, 0, DOLON__OCTAVE_BUCKETS * sizeof *buckets);
    c->used |= UINT64_C(1) << octave;
    return buckets;
}

static void dolon__add_octave(dolon__counts *sums, uint32_t octave, const uint32_t *from)
{
    uint32_t *to = dolon__use_octave(sums, octave);
    for (uint32_t i = 0; i < DOLON__OCTAVE_BUCKETS; i++) to[i] += DOLON__LOAD_ACQUIRE(&from[i]);
}

/* Under the lock. Adds what a histogram has counted. */
static void dolon__add_histogram(dolon__counts *sums, const dolon__histogram *h)
{
    uint64_t used = DOLON__LOAD_ACQUIRE(&h->used);
    for (uint32_t octave = 0; octave < DOLON__OCTAVES; octave++)
        if (used >> octave & 1) dolon__add_octave(sums, octave, &h->counts[octave * DOLON__OCTAVE_BUCKETS]);
}

/* Under the lock. Adds what is pending: a slow scope fills it in minutes. */
static void dolon__add_pending(dolon__counts *sums, const dolon__cell *cell, const dolon__histogram *h)
{
    uint64_t leaves = DOLON__LOAD_ACQUIRE(&cell->leaves);
    for (uint64_t i = DOLON__LOAD_ACQUIRE(&h->binned); i < leaves; i++) {
        uint32_t bucket = dolon__bucket(DOLON__LOAD_ACQUIRE(&h->pending[i % DOLON__PENDING]));
        dolon__use_octave(sums, bucket / DOLON__OCTAVE_BUCKETS)[bucket % DOLON__OCTAVE_BUCKETS]++;
    }
}

/* Under the lock. Adds what has left a cell of another thread, which goes on meanwhile. Returns 0 if that thread was
   binning again and again. */
static int dolon__add_cell(dolon__counts *sums, const dolon__cell *cell)
{
    const dolon__histogram *h = DOLON__LOAD(&cell->histogram);
    dolon__counts seen;
    if (!h) return 1;
    for (int tries = 0; tries < 1000; tries++) {
        uint64_t turn = DOLON__LOAD_ACQUIRE(&h->turn);
        if (turn % 2 != 0) continue;
        seen.used = 0;
        dolon__add_pending(&seen, cell, h);
        dolon__add_histogram(&seen, h);
        if (DOLON__LOAD_ACQUIRE(&h->turn) != turn) continue;
        for (uint32_t octave = 0; octave < DOLON__OCTAVES; octave++)
            if (seen.used >> octave & 1) dolon__add_octave(sums, octave, &seen.of[octave * DOLON__OCTAVE_BUCKETS]);
        return 1;
    }
    return 0;
}

/* Under the lock. All that has left a series. Returns 0 if that could not be read just now. */
static int dolon__sum_series(uint32_t series, dolon__counts *sums)
{
    sums->used = 0;
    dolon__add_histogram(sums, &dolon__histogram_table[series]);
    for (uint32_t i = 0; i < dolon__all.blocks_used; i++)
        if (!dolon__add_cell(sums, &dolon__blocks[i].cells[series + DOLON__FIRST_CELL])) return 0;
    return 1;
}

/* The first bucket from `b` on whose octave is used; DOLON__BUCKETS: there is none. */
static uint32_t dolon__next_used(const dolon__counts *c, uint32_t b)
{
    while (b < DOLON__BUCKETS && !(c->used >> b / DOLON__OCTAVE_BUCKETS & 1))
        b = (b / DOLON__OCTAVE_BUCKETS + 1) * DOLON__OCTAVE_BUCKETS;
    return b;
}

/* What has come to `sums` since `past`, into `news`. Returns how many there are. */
static uint64_t dolon__news(const dolon__counts *sums, const dolon__past *past, dolon__counts *news)
{
    uint64_t n = 0;
    news->used = sums->used;
    for (uint32_t b = dolon__next_used(sums, 0); b < DOLON__BUCKETS; b = dolon__next_used(sums, b + 1))
        n += news->of[b] = sums->of[b] - past->counts[b];
    return n;
}

/* The buckets first … end - 1 of `sums` become past. */
static void dolon__keep(dolon__past *past, const dolon__counts *sums, uint32_t first, uint32_t end)
{
    for (uint32_t b = dolon__next_used(sums, first); b < end; b = dolon__next_used(sums, b + 1))
        past->counts[b] = sums->of[b];
}

/* The middle of a bucket, in ticks. */
DOLON__APART static double dolon__bucket_middle(uint32_t bucket)
{
    uint32_t shift = bucket < 2 * DOLON__OCTAVE_BUCKETS ? 0 : bucket / DOLON__OCTAVE_BUCKETS - 1;
    uint64_t width = UINT64_C(1) << shift;
    return (double)((uint64_t)(bucket - DOLON__OCTAVE_BUCKETS * shift) * width) + (double)(width - 1) / 2;
}

/* By nearest rank: the least value that at least the share p of all does not exceed. */
static dolon__latency dolon__latency_of(const dolon__counts *news, uint64_t n, double seconds_per_tick)
{
    static const double shares[] = {0.5, 0.9, 0.99, 1};
    double ranked[4], sum = 0;
    uint64_t below = 0;
    uint32_t next = 0;
    dolon__latency l;
    for (uint32_t i = 0; i < 4; i++) ranked[i] = dolon__nan();
    for (uint32_t b = dolon__next_used(news, 0); b < DOLON__BUCKETS && below < n; b = dolon__next_used(news, b + 1)) {
        double middle;
        if (news->of[b] == 0) continue;
        middle = dolon__bucket_middle(b) * seconds_per_tick;
        below += news->of[b];
        sum += middle * news->of[b];
        while (next < 4 && (double)below >= shares[next] * (double)n) ranked[next++] = middle;
    }
    l.mean = n > 0 ? sum / (double)n : dolon__nan();
    l.p50 = ranked[0];
    l.p90 = ranked[1];
    l.p99 = ranked[2];
    l.max = ranked[3];
    return l;
}

/* -- as bytes: server/WIRE.md, Histograms -- */

static size_t dolon__put_varint(uint8_t *p, uint64_t v)
{
    size_t n = 0;
    for (; v > 127; v >>= 7) p[n++] = (uint8_t)(v | 128);
    p[n++] = (uint8_t)v;
    return n;
}

/* One of ours as the wire's list of buckets has it, behind one that ended at `*next`: of the seconds that its middle stands
   for, what the first bits of a double say; and its count. Returns its bytes, DOLON__BIN_BYTES at most. */
#define DOLON__BIN_BYTES 8
static size_t dolon__put_bin(uint8_t *p, double seconds, uint32_t count, uint64_t *next)
{
    uint64_t bits, bucket;
    size_t n;
    memcpy(&bits, &seconds, sizeof bits);
    bucket = bits >> 45;
    n = dolon__put_varint(p, bucket - *next); /* they rise: ours are wider than the wire's */
    *next = bucket + 1;
    return n + dolon__put_varint(p + n, count);
}

/* Writes what `news` counts from the bucket `*at` on, as far as there is room; `*at` then is the one to go on with,
   DOLON__BUCKETS if none is left. Returns the bytes; 0: nothing is written. */
static size_t dolon__write_histogram(const dolon__counts *news, double seconds_per_tick, uint32_t *at, uint8_t *out,
                                     size_t room)
{
    size_t n = 2, head; /* room for how many there are, which is known at the end */
    uint64_t next = 0;
    uint32_t bins = 0, b = dolon__next_used(news, *at);
    for (; b < DOLON__BUCKETS && n + DOLON__BIN_BYTES <= room; b = dolon__next_used(news, b + 1)) {
        if (news->of[b] == 0) continue;
        n += dolon__put_bin(out + n, dolon__bucket_middle(b) * seconds_per_tick, news->of[b], &next);
        bins++;
    }
    *at = b;
    if (bins == 0) return 0;
    head = dolon__put_varint(out, bins);
    memmove(out + head, out + 2, n - 2);
    return head + n - 2;
}

/* Under the lock. Compares the two clocks since the start of the process, for ten seconds, then knows well enough. */
static double dolon__seconds_per_tick(void)
{
    uint64_t ticks;
    int64_t elapsed;
    if (!dolon__tsc) return 1e-9;
    elapsed = dolon__all.clock_seen - dolon__all.clock_start;
    if (elapsed < 10 * DOLON__SECOND) {
        dolon__all.clock_seen = dolon__os_mono();
        dolon__all.ticks_seen = dolon__now();
        elapsed = dolon__all.clock_seen - dolon__all.clock_start;
    }
    ticks = dolon__all.ticks_seen - dolon__all.ticks_start;
    return elapsed > 0 && ticks > 0 ? (double)elapsed * 1e-9 / (double)ticks : dolon__nan();
}

static const dolon__builtin *dolon__builtin_find(const char *name)
{
    for (size_t i = 0; i < sizeof dolon__builtins / sizeof dolon__builtins[0]; i++)
        if (strcmp(dolon__builtins[i].name, name) == 0) return &dolon__builtins[i];
    return NULL;
}

/* ---- >>bytes: little-endian, explicitly; a reader that went past its end gives zeros and stays `bad` ---- */

typedef struct dolon__in {
    const uint8_t *p, *end;
    int bad;
} dolon__in;

DOLON__APART static uint8_t *dolon__put(uint8_t *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++) p[i] = (uint8_t)(v >> (8 * i));
    return p + bytes;
}

/* One by one: compilers make a single store of it. */
static uint8_t *dolon__put_64(uint8_t *p, uint64_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
    p[4] = (uint8_t)(v >> 32);
    p[5] = (uint8_t)(v >> 40);
    p[6] = (uint8_t)(v >> 48);
    p[7] = (uint8_t)(v >> 56);
    return p + 8;
}

static uint8_t *dolon__put_double(uint8_t *p, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return dolon__put_64(p, bits);
}

static uint8_t *dolon__put_bytes(uint8_t *p, const void *bytes, size_t n)
{
    if (n) memcpy(p, bytes, n);
    return p + n;
}

DOLON__APART static uint64_t dolon__get(dolon__in *in, int bytes)
{
    uint64_t v = 0;
    if (in->end - in->p < bytes) in->bad = 1;
    if (in->bad) return 0;
    for (int i = 0; i < bytes; i++) v |= (uint64_t)*in->p++ << (8 * i);
    return v;
}

/* ---- >>ring: rows that are not acknowledged yet; when it is full the oldest go ---- */

/* An entry is a u16, the row's columns, a u16, the words of its histograms, and then the row's bytes as the wire has them: i64
   time, f64 × columns, 8 bytes × words. Positions only rise; the byte of position p is bytes[p % size]. */
typedef struct dolon__cursor {
    uint64_t seq, at; /* a row's number, and its entry's position */
} dolon__cursor;

typedef struct dolon__ring {
    uint8_t *bytes;
    size_t size;
    dolon__cursor oldest, next; /* the same while it is empty */
    uint64_t dropped;           /* rows that went before they were acknowledged */
} dolon__ring;

static void dolon__ring_write(dolon__ring *r, uint64_t at, const uint8_t *from, size_t n)
{
    size_t begin = (size_t)(at % r->size), first = r->size - begin;
    if (first > n) first = n;
    memcpy(r->bytes + begin, from, first);
    if (n > first) memcpy(r->bytes, from + first, n - first);
}

static void dolon__ring_read(const dolon__ring *r, uint64_t at, uint8_t *to, size_t n)
{
    size_t begin = (size_t)(at % r->size), first = r->size - begin;
    if (first > n) first = n;
    memcpy(to, r->bytes + begin, first);
    if (n > first) memcpy(to + first, r->bytes, n - first);
}

/* What a row is made of, 8 bytes each: its columns, and the words of its histograms. */
typedef struct dolon__cells {
    uint32_t columns, words;
} dolon__cells;

/* With its time. */
static size_t dolon__row_bytes(uint32_t cells)
{
    return 8 + 8 * (size_t)cells;
}

static dolon__cells dolon__ring_cells(const dolon__ring *r, dolon__cursor c)
{
    uint8_t bytes[4];
    dolon__in in = {bytes, bytes + 4, 0};
    dolon__cells cells;
    dolon__ring_read(r, c.at, bytes, 4);
    cells.columns = (uint32_t)dolon__get(&in, 2);
    cells.words = (uint32_t)dolon__get(&in, 2);
    return cells;
}

static dolon__cursor dolon__ring_after(const dolon__ring *r, dolon__cursor c)
{
    dolon__cells cells = dolon__ring_cells(r, c);
    c.at += 4 + dolon__row_bytes(cells.columns + cells.words);
    c.seq++;
    return c;
}

/* The entry of row `seq`, which must be in [oldest, next]; walks from `from` if that lies before it. */
static dolon__cursor dolon__ring_find(const dolon__ring *r, dolon__cursor from, uint64_t seq)
{
    dolon__cursor c = from.seq >= r->oldest.seq && from.seq <= seq ? from : r->oldest;
    while (c.seq < seq) c = dolon__ring_after(r, c);
    return c;
}

static void dolon__ring_forget(dolon__ring *r, uint64_t seq)
{
    while (r->oldest.seq < seq && r->oldest.seq < r->next.seq) r->oldest = dolon__ring_after(r, r->oldest);
}

/* `scratch` has room for the row without its words. A row that is larger than the whole ring is dropped as if it had been the
   oldest. */
static void dolon__ring_add(dolon__ring *r, int64_t time, const double *values, dolon__cells cells,
                            const uint8_t *words, uint8_t *scratch)
{
    size_t need = 4 + dolon__row_bytes(cells.columns + cells.words);
    uint8_t *p = scratch;
    while (r->oldest.seq < r->next.seq && r->next.at + need - r->oldest.at > r->size) {
        r->oldest = dolon__ring_after(r, r->oldest);
        r->dropped++;
    }
    if (need > r->size) {
        r->dropped++;
        r->next.seq++;
        r->oldest = r->next;
        return;
    }
    p = dolon__put(p, cells.columns, 2);
    p = dolon__put(p, cells.words, 2);
    p = dolon__put(p, (uint64_t)time, 8);
    for (uint32_t i = 0; i < cells.columns; i++) p = dolon__put_double(p, values[i]);
    dolon__ring_write(r, r->next.at, scratch, (size_t)(p - scratch));
    if (cells.words) dolon__ring_write(r, r->next.at + (uint64_t)(p - scratch), words, 8 * (size_t)cells.words);
    r->next.at += need;
    r->next.seq++;
}

/* ---- >>session: the client of the binary wire, as server/WIRE.md has it; pure: bytes, structs and `now` ---- */

enum {
    DOLON__FACTS = 1,
    DOLON__COLUMNS,
    DOLON__ROWS,
    DOLON__MARKS,
    DOLON__GOODBYE,
    DOLON__ROW, /* one, with histograms */
    DOLON__ACK = 0x81,
    DOLON__REFUSED
};
enum {
    DOLON__HEADER = 20,
    DOLON__ROWS_HEAD = 60,
    DOLON__GOODBYE_BYTES = 60,
    DOLON__ACK_HEAD = 52,
    DOLON__HOLES = 16,
    DOLON__SEAL_HEAD = 28, /* before the message in SEALED …        */
    DOLON__SEAL_BYTES = 44 /* … and with the tag that stands behind */
};

#define DOLON__LABEL_BYTES 200
typedef struct dolon__mark {
    int64_t time; /* ns since the epoch */
    char label[DOLON__LABEL_BYTES];
} dolon__mark;

/* Datagrams that go again, or after an outage, in 20 ms: at least; and at most, so that the rows which one lost datagram
   makes early find room at the server. */
enum { DOLON__BURST_LEAST = 32, DOLON__BURST_MOST = 256 };

/* What FACTS may take: the least datagram there is must hold it. */
#define DOLON__DATAGRAM_LEAST 512

#define DOLON__GATHER      (5 * DOLON__MS)
#define DOLON__GATHER_MOST 16 /* datagrams that are full: no more is waited for        */
#define DOLON__JOINED_MOST 48 /* datagrams in a call; the kernel takes 64, or 64 KiB   */

typedef struct dolon__range {
    uint64_t seq, end; /* seq … end − 1 */
} dolon__range;

/* What is sent of the rows, and how far: a row wider than a datagram goes in slices. */
typedef struct dolon__progress {
    dolon__cursor row;
    uint32_t first; /* the next slice's first cell */
} dolon__progress;

typedef struct dolon__session {
    /* given */
    uint8_t run[16];
    size_t datagram;      /* bytes of the longest one                            */
    const uint8_t *facts; /* what follows the header in FACTS                    */
    size_t facts_bytes;
    size_t (*column)(void *ctx, uint32_t i, uint8_t *out); /* writes a COLUMNS entry of at most 3 + 2 × 255 bytes */
    void *ctx;
    int64_t linger; /* a row waits at most so long for others to fill a datagram      */
    /* what there is to say */
    dolon__ring ring;
    uint32_t columns;
    int64_t offset;                     /* wall clock minus the rows' clock                    */
    int64_t waiting;                    /* since when a row is there that was never sent       */
    dolon__mark marks[DOLON_MAX_MARKS]; /* number i is at i % DOLON_MAX_MARKS                  */
    uint32_t marks_next;
    int bye; /* 0 not yet; 1 + reason                               */
    int64_t bye_time;
    /* what the server has said */
    int known, bye_durable, refused; /* refused: the reason in the last REFUSED, 0 none     */
    uint32_t columns_durable, marks_durable;
    uint64_t seen; /* rows below are received                             */
    dolon__range holes[DOLON__HOLES];
    uint32_t hole_count;
    int64_t heard; /* when it last said something                         */
    int64_t asked; /* when the first was sent that it has not answered    */
    /* what was sent, and when to send again */
    dolon__progress sent; /* rows, up to here                                    */
    dolon__progress mend; /* of the first hole                                   */
    uint64_t sent_top;    /* rows below were sent at least once                  */
    uint64_t catch_up;    /* rows below have waited for the server's return      */
    uint32_t columns_sent, marks_sent;
    int64_t identity_due, identity_sent; /* FACTS and COLUMNS                                   */
    int64_t marks_due, bye_due, beat_due, stall_due, mend_due;
    int identity_tries, asks, bye_sent;
    int64_t pace_from; /* the 20 ms in which …                                */
    int pace;          /* … so many datagrams were sent again                 */
    int burst;         /* … of at most so many                                    */
    uint64_t resent;   /* datagrams                                           */
} dolon__session;

DOLON__APART static uint8_t *dolon__session_header(const dolon__session *s, int kind, uint8_t *p)
{
    p = dolon__put_bytes(p, "\xD0\x10\x01", 3);
    p = dolon__put(p, (uint64_t)kind, 1);
    return dolon__put_bytes(p, s->run, 16);
}

static void dolon__session_start(dolon__session *s, int64_t now)
{
    s->heard = now;
    s->asked = DOLON__NEVER;
    s->identity_due = s->beat_due = now;
    s->identity_sent = now - 100 * DOLON__MS;
    s->burst = DOLON__BURST_LEAST;
    s->stall_due = now + 1000 * DOLON__MS;
}

/* Whether the server answers: one that was asked nothing may say nothing. */
static int dolon__session_awake(const dolon__session *s, int64_t now)
{
    return s->asked == DOLON__NEVER || now - s->asked < 3000 * DOLON__MS;
}

/* How long to say nothing: shorter while there is something to be answered or acknowledged. */
DOLON__APART static int64_t dolon__session_quiet(const dolon__session *s)
{
    return (s->asked != DOLON__NEVER || s->ring.oldest.seq < s->ring.next.seq ? 1000 : 5000) * DOLON__MS;
}

/* Everything told is durable: nothing is left to be waited for. */
static int dolon__session_done(const dolon__session *s)
{
    return s->bye_durable && s->known;
}

static void dolon__session_row(dolon__session *s, int64_t now, int64_t time, const double *values, dolon__cells cells,
                               const uint8_t *words, uint8_t *scratch)
{
    if (s->sent.row.seq == s->ring.next.seq) s->waiting = now;
    if (s->sent_top == s->seen) s->stall_due = now + 1000 * DOLON__MS;
    dolon__ring_add(&s->ring, time, values, cells, words, scratch);
    if (s->sent.row.seq < s->ring.oldest.seq) {
        s->sent.row = s->ring.oldest;
        s->sent.first = 0;
    }
}

/* The oldest mark goes if there is no room; the server sees that in `kept`. */
static uint32_t dolon__session_marks_kept(const dolon__session *s)
{
    uint32_t room = s->marks_next > DOLON_MAX_MARKS ? s->marks_next - DOLON_MAX_MARKS : 0;
    return s->marks_durable > room ? s->marks_durable : room;
}

static int dolon__session_marks_are_full(const dolon__session *s)
{
    return s->marks_next - dolon__session_marks_kept(s) == DOLON_MAX_MARKS;
}

static void dolon__session_mark(dolon__session *s, int64_t now, const dolon__mark *mark)
{
    dolon__mark *to = &s->marks[s->marks_next++ % DOLON_MAX_MARKS];
    size_t n = dolon__copy_valid((uint8_t *)to->label, sizeof to->label - 1, mark->label);
    to->label[n] = 0;
    to->time = mark->time;
    s->marks_due = now;
}

DOLON__APART static void dolon__session_bye(dolon__session *s, int64_t now, int64_t time, int reason)
{
    s->bye = 1 + reason;
    s->bye_time = time;
    s->bye_due = now;
    s->linger = 0;
    if (!dolon__session_awake(s, now)) s->asked = now - 2000 * DOLON__MS; /* one more second of trying */
}

/* -- what the server says -- */

/* The server lost what it had not stored (it was restarted), or rows on the way: send from there again. */
DOLON__APART static void dolon__session_go_back(dolon__session *s, int64_t now)
{
    uint64_t from = s->seen > s->ring.oldest.seq ? s->seen : s->ring.oldest.seq;
    if (from < s->sent.row.seq) {
        s->sent.row = dolon__ring_find(&s->ring, s->ring.oldest, from);
        s->sent.first = 0;
        s->waiting = now - s->linger;
    }
    s->burst = DOLON__BURST_LEAST;
    s->stall_due = now + 1000 * DOLON__MS;
}

/* Whether the next row goes at a measured pace: it was sent before, or many have gathered. */
static int dolon__session_is_paced(const dolon__session *s)
{
    return s->sent.row.seq < s->sent_top || s->sent.row.seq < s->catch_up;
}

/* What goes at a measured pace goes the faster the more of it arrives, and slower when some is lost. */
static void dolon__session_set_burst(dolon__session *s, int progress, int loss)
{
    if (!dolon__session_is_paced(s))
        s->burst = DOLON__BURST_LEAST;
    else if (loss && s->burst > DOLON__BURST_LEAST)
        s->burst /= 2;
    else if (progress && !loss && s->burst < DOLON__BURST_MOST)
        s->burst *= 2;
}

static void dolon__session_ack(dolon__session *s, int64_t now, dolon__in *in)
{
    uint64_t flags = dolon__get(in, 1), holes = dolon__get(in, 1), columns = dolon__get(in, 2);
    uint64_t marks = dolon__get(in, 4), rows = dolon__get(in, 8), seen = dolon__get(in, 8), top = dolon__get(in, 8);
    int was_awake = dolon__session_awake(s, now);
    uint64_t i;
    if (in->bad || (uint64_t)(in->end - in->p) != 12 * holes || holes > DOLON__HOLES) return;
    if (rows > s->ring.next.seq || seen > s->ring.next.seq || rows > seen || columns > s->columns ||
        marks > s->marks_next || (rows > 0 && !(flags & 1)))
        return;
    s->heard = now;
    s->asked = DOLON__NEVER;
    s->asks = 0;
    s->refused = 0;
    s->known = (flags & 1) != 0;
    s->columns_durable = s->known ? (uint32_t)columns : 0;
    if (!s->known || s->columns_durable < s->columns) {
        s->identity_tries = 0;
        s->identity_due = now > s->identity_sent + 100 * DOLON__MS ? now : s->identity_sent + 100 * DOLON__MS;
    }
    if (s->known && marks > s->marks_durable) s->marks_durable = (uint32_t)marks;
    if (s->known && (flags & 2) && s->bye) s->bye_durable = 1;
    if (seen > s->seen || rows > s->ring.oldest.seq) s->stall_due = now + 1000 * DOLON__MS;
    dolon__session_set_burst(s, seen > s->seen, holes > 0);
    dolon__ring_forget(&s->ring, rows);
    s->beat_due = now + dolon__session_quiet(s);
    if (s->sent.row.seq < s->ring.oldest.seq) {
        s->sent.row = s->ring.oldest;
        s->sent.first = 0;
    }
    if (!was_awake) s->catch_up = s->ring.next.seq;
    if (seen < s->seen || !was_awake) {
        s->seen = seen;
        dolon__session_go_back(s, now);
    }
    s->seen = seen;
    if (s->sent.row.seq < seen) {
        s->sent.row = dolon__ring_find(&s->ring, s->sent.row, seen);
        s->sent.first = 0;
    }
    if (now < s->mend_due) return;
    s->hole_count = 0;
    for (i = 0; i < holes; i++) {
        dolon__range hole;
        hole.seq = dolon__get(in, 8);
        hole.end = hole.seq + dolon__get(in, 4);
        if (hole.seq < s->ring.oldest.seq) hole.seq = s->ring.oldest.seq;
        if (hole.end > top) hole.end = top;
        if (hole.end > s->sent.row.seq) hole.end = s->sent.row.seq; /* the rest is on its way anyhow */
        if (hole.seq < hole.end) s->holes[s->hole_count++] = hole;
    }
    s->mend.first = 0;
    if (s->hole_count) s->mend_due = now + 100 * DOLON__MS;
}

/* A datagram from the server; whatever is wrong with it is ignored. */
DOLON__APART static void dolon__session_take(dolon__session *s, int64_t now, const uint8_t *bytes, size_t n)
{
    dolon__in in = {bytes, bytes + n, 0};
    if (n < DOLON__HEADER || memcmp(bytes, "\xD0\x10", 2) != 0 || memcmp(bytes + 4, s->run, 16) != 0) return;
    in.p += DOLON__HEADER;
    if (bytes[3] == DOLON__REFUSED && n == DOLON__HEADER + 1) s->refused = bytes[DOLON__HEADER];
    if (bytes[3] == DOLON__ACK && bytes[2] == 1) dolon__session_ack(s, now, &in);
}

/* -- what to send: each writes one datagram and returns its length, or 0 -- */

static size_t dolon__session_facts(dolon__session *s, uint8_t *out)
{
    uint8_t *p = dolon__session_header(s, DOLON__FACTS, out);
    return (size_t)(dolon__put_bytes(p, s->facts, s->facts_bytes) - out);
}

static size_t dolon__session_columns(dolon__session *s, uint8_t *out)
{
    uint8_t entry[3 + 2 * 255], *end = out + s->datagram;
    uint8_t *count_at, *p = dolon__session_header(s, DOLON__COLUMNS, out);
    uint32_t first = s->columns_sent, i;
    p = dolon__put(p, first, 2);
    count_at = p;
    p += 2;
    for (i = first; i < s->columns; i++) {
        size_t n = s->column(s->ctx, i, entry);
        if ((size_t)(end - p) < n) break;
        p = dolon__put_bytes(p, entry, n);
    }
    dolon__put(count_at, i - first, 2);
    s->columns_sent = i;
    return (size_t)(p - out);
}

/* The head of ROWS, before the rows that stand behind it already; of ROW if there are words, which stand for `count`. */
static void dolon__session_rows_head(const dolon__session *s, dolon__cells cells, uint32_t first, uint32_t slice,
                                     uint32_t count, uint64_t seq, uint8_t *out)
{
    uint8_t *p = dolon__session_header(s, cells.words ? DOLON__ROW : DOLON__ROWS, out);
    p = dolon__put(p, s->ring.oldest.seq, 8);
    p = dolon__put(p, s->ring.next.seq, 8);
    p = dolon__put(p, (uint64_t)s->offset, 8);
    p = dolon__put(p, cells.columns, 2);
    p = dolon__put(p, first, 2);
    p = dolon__put(p, slice, 2);
    p = dolon__put(p, cells.words ? cells.words : count, 2);
    dolon__put(p, seq, 8);
}

static size_t dolon__session_heartbeat(const dolon__session *s, uint8_t *out)
{
    dolon__cells cells = {0, 0};
    cells.columns = s->columns;
    dolon__session_rows_head(s, cells, 0, s->columns, 0, s->ring.next.seq, out);
    return DOLON__ROWS_HEAD;
}

/* One row, if it has histograms; or a part of one that is too wide for a datagram. */
static size_t dolon__session_slice(const dolon__session *s, dolon__progress *at, dolon__cells cells, uint32_t most,
                                   uint8_t *out)
{
    uint32_t first = at->first, left = cells.columns + cells.words - first, slice = left < most ? left : most;
    uint64_t seq = at->row.seq;
    uint8_t *p = out + DOLON__ROWS_HEAD;
    dolon__ring_read(&s->ring, at->row.at + 4, p, 8);
    dolon__ring_read(&s->ring, at->row.at + 4 + dolon__row_bytes(first), p + 8, 8 * (size_t)slice);
    dolon__session_rows_head(s, cells, first, slice, 1, seq, out);
    at->first += slice;
    if (slice == left) {
        at->row = dolon__ring_after(&s->ring, at->row);
        at->first = 0;
    }
    return DOLON__ROWS_HEAD + dolon__row_bytes(slice);
}

/* Rows from `at` to before `end` (there is one), as many as fit and have the same columns. */
static size_t dolon__session_rows(const dolon__session *s, dolon__progress *at, uint64_t end, uint8_t *out)
{
    dolon__cells cells = dolon__ring_cells(&s->ring, at->row), next = cells;
    uint32_t count = 0, most = (uint32_t)((s->datagram - DOLON__ROWS_HEAD - 8) / 8);
    uint64_t seq = at->row.seq;
    size_t bytes = dolon__row_bytes(cells.columns), n = DOLON__ROWS_HEAD;
    if (cells.words || cells.columns > most) return dolon__session_slice(s, at, cells, most, out);
    while (next.columns == cells.columns && !next.words && n + bytes <= s->datagram) {
        dolon__ring_read(&s->ring, at->row.at + 4, out + n, bytes);
        n += bytes;
        at->row.seq++;
        at->row.at += 4 + bytes;
        count++;
        if (at->row.seq == end) break;
        next = dolon__ring_cells(&s->ring, at->row);
    }
    dolon__session_rows_head(s, cells, 0, cells.columns, count, seq, out);
    return n;
}

static size_t dolon__session_marks(dolon__session *s, uint8_t *out)
{
    uint32_t kept = dolon__session_marks_kept(s), first = s->marks_sent > kept ? s->marks_sent : kept, i;
    uint8_t *end = out + s->datagram, *count_at, *p = dolon__session_header(s, DOLON__MARKS, out);
    p = dolon__put(p, kept, 4);
    p = dolon__put(p, first, 4);
    count_at = p;
    p += 2;
    for (i = first; i != s->marks_next; i++) {
        const dolon__mark *m = &s->marks[i % DOLON_MAX_MARKS];
        size_t bytes = strlen(m->label);
        if ((size_t)(end - p) < 10 + bytes) break;
        p = dolon__put(p, (uint64_t)m->time, 8);
        p = dolon__put(p, bytes, 2);
        p = dolon__put_bytes(p, m->label, bytes);
    }
    dolon__put(count_at, i - first, 2);
    s->marks_sent = i;
    return (size_t)(p - out);
}

static size_t dolon__session_goodbye(const dolon__session *s, int reason, int64_t time, uint8_t *out)
{
    uint8_t *p = dolon__session_header(s, DOLON__GOODBYE, out);
    p = dolon__put(p, (uint64_t)reason, 1);
    p = dolon__put(p, (uint64_t)time, 8);
    p = dolon__put(p, s->ring.oldest.seq, 8);
    p = dolon__put(p, s->ring.next.seq, 8);
    p = dolon__put(p, s->marks_next, 4);
    memset(p, 0, 11);
    return DOLON__GOODBYE_BYTES;
}

/* -- when to send what -- */

/* The first hole's next datagram. */
static size_t dolon__session_mend(dolon__session *s, uint8_t *out)
{
    size_t n;
    while (s->hole_count) {
        dolon__range *hole = &s->holes[0];
        if (hole->seq < s->ring.oldest.seq) hole->seq = s->ring.oldest.seq;
        if (hole->seq < hole->end) {
            if (s->mend.row.seq != hole->seq) {
                s->mend.row = dolon__ring_find(&s->ring, s->mend.row, hole->seq);
                s->mend.first = 0;
            }
            n = dolon__session_rows(s, &s->mend, hole->end, out);
            hole->seq = s->mend.row.seq;
            return n;
        }
        memmove(s->holes, s->holes + 1, --s->hole_count * sizeof s->holes[0]);
    }
    return 0;
}

/* What is sent again is bounded, so that a server that comes back is not flooded. */
static int dolon__session_may_repeat(dolon__session *s, int64_t now)
{
    if (now - s->pace_from >= 20 * DOLON__MS) {
        s->pace_from = now;
        s->pace = 0;
    }
    return s->pace < s->burst;
}

static size_t dolon__session_next_identity(dolon__session *s, int64_t now, int awake, uint8_t *out)
{
    static const int wait[] = {250, 500, 1000, 2000, 5000}; /* ms */
    if ((!s->known || s->columns_durable < s->columns) && now >= s->identity_due) {
        s->identity_sent = now;
        s->identity_due = now + wait[s->identity_tries] * DOLON__MS;
        if (s->identity_tries < 4) s->identity_tries++;
        s->columns_sent = s->columns_durable;
        if (!s->known) return dolon__session_facts(s, out);
    }
    return awake && s->columns_sent < s->columns ? dolon__session_columns(s, out) : 0;
}

static size_t dolon__session_next_marks(dolon__session *s, int64_t now, uint8_t *out)
{
    size_t n;
    if (dolon__session_marks_kept(s) == s->marks_next || now < s->marks_due) return 0;
    n = dolon__session_marks(s, out);
    if (s->marks_sent == s->marks_next) {
        s->marks_sent = 0;
        s->marks_due = now + 1000 * DOLON__MS;
    }
    return n;
}

/* Rows go when they fill a datagram, and up to 5 ms later: if that fills more of them, one call sends them all. Rows that
   fill none wait for `linger`. */
static int dolon__session_is_ripe(dolon__session *s, int64_t now)
{
    uint64_t gathered = s->ring.next.at - s->sent.row.at;
    if (gathered >= DOLON__GATHER_MOST * s->datagram && now - s->waiting < DOLON__GATHER)
        s->waiting = now - DOLON__GATHER;
    return now - s->waiting >= (gathered >= s->datagram && DOLON__GATHER < s->linger ? DOLON__GATHER : s->linger);
}

/* Whether the next row did not go with a datagram of n bytes because that was full, and so is younger; but not if it has
   histograms, or that had: those go alone. */
static int dolon__session_was_full(const dolon__session *s, size_t n)
{
    dolon__cells next;
    if (s->sent.row.seq == s->ring.next.seq) return 1;
    next = dolon__ring_cells(&s->ring, s->sent.row);
    return next.words == 0 && n + dolon__row_bytes(next.columns) > s->datagram;
}

static size_t dolon__session_next_rows(dolon__session *s, int64_t now, uint8_t *out)
{
    int again, paced;
    size_t n;
    if (s->sent_top > s->seen && now >= s->stall_due) dolon__session_go_back(s, now);
    if (s->hole_count && dolon__session_may_repeat(s, now) && (n = dolon__session_mend(s, out)) > 0) {
        s->pace++;
        s->resent++;
        return n;
    }
    if (s->sent.row.seq == s->ring.next.seq) return 0;
    again = s->sent.row.seq < s->sent_top;
    paced = dolon__session_is_paced(s);
    if (paced && !dolon__session_may_repeat(s, now)) return 0;
    if (!paced && !dolon__session_is_ripe(s, now)) return 0;
    n = dolon__session_rows(s, &s->sent, s->ring.next.seq, out);
    if (s->sent.row.seq > s->sent_top) s->sent_top = s->sent.row.seq;
    if (s->ring.next.at - s->sent.row.at < s->datagram && dolon__session_was_full(s, n)) s->waiting = now;
    s->pace += paced;
    if (paced && s->ring.next.at - s->sent.row.at >= s->datagram) s->catch_up = s->ring.next.seq; /* more meanwhile */
    s->resent += (uint64_t)again;
    return n;
}

static size_t dolon__session_next_goodbye(dolon__session *s, int64_t now, uint8_t *out)
{
    if (!s->bye || s->bye_durable || now < s->bye_due) return 0;
    s->bye_due = now + 100 * DOLON__MS;
    if (s->bye_sent++ && s->seen < s->sent_top) dolon__session_go_back(s, now);
    return dolon__session_goodbye(s, s->bye - 1, s->bye_time, out);
}

static size_t dolon__session_next_heartbeat(dolon__session *s, int64_t now, int awake, uint8_t *out)
{
    static const int wait[] = {1000, 2000, 4000, 5000}; /* ms */
    if (now < s->beat_due) return 0;
    if (!awake) {
        s->beat_due = now + wait[s->asks] * DOLON__MS;
        if (s->asks < 3) s->asks++;
    }
    return dolon__session_heartbeat(s, out);
}

/* The next datagram to send into `out` (`datagram` bytes of room), or 0: none now. */
DOLON__APART static size_t dolon__session_next(dolon__session *s, int64_t now, uint8_t *out)
{
    int awake = dolon__session_awake(s, now);
    size_t n = dolon__session_next_identity(s, now, awake, out);
    if (!n && awake) n = dolon__session_next_marks(s, now, out);
    if (!n && awake) n = dolon__session_next_rows(s, now, out);
    if (!n && awake) n = dolon__session_next_goodbye(s, now, out);
    if (!n) n = dolon__session_next_heartbeat(s, now, awake, out);
    if (!n) return 0;
    if (s->asked == DOLON__NEVER) s->asked = now;
    if (awake) s->beat_due = now + dolon__session_quiet(s);
    return n;
}

static int64_t dolon__earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When dolon__session_next() may have something, if nothing happens before. */
static int64_t dolon__session_due(const dolon__session *s, int64_t now)
{
    int64_t due = s->beat_due;
    if (!s->known || s->columns_durable < s->columns) due = dolon__earlier(due, s->identity_due);
    if (!dolon__session_awake(s, now)) return due;
    if (dolon__session_marks_kept(s) != s->marks_next) due = dolon__earlier(due, s->marks_due);
    if (s->sent_top > s->seen) due = dolon__earlier(due, s->stall_due);
    if (s->hole_count || dolon__session_is_paced(s))
        due = dolon__earlier(due, s->pace_from + 20 * DOLON__MS);
    else if (s->sent.row.seq < s->ring.next.seq)
        due = dolon__earlier(due, s->waiting + (s->ring.next.at - s->sent.row.at < s->datagram
                                                    ? s->linger
                                                    : dolon__earlier(s->linger, DOLON__GATHER)));
    if (s->bye && !s->bye_durable) due = dolon__earlier(due, s->bye_due);
    return due;
}

/* ---- >>seal: datagrams encrypted and authenticated, as server/WIRE.md has it (SEALED); with a key only ---- */

#define DOLON__KEY_BYTES 32

typedef struct dolon__seal {
    int on;
    uint64_t counter; /* of the datagram before; none is used twice */
    uint8_t to_server[DOLON__KEY_BYTES], to_client[DOLON__KEY_BYTES];
} dolon__seal;

#ifdef DOLON_SODIUM

/* The key in a file: 64 hexadecimal digits, and perhaps an end of line. Returns 0 if it is anything else. */
static int dolon__seal_read(const char *path, uint8_t key[DOLON__KEY_BYTES])
{
    char text[2 * DOLON__KEY_BYTES + 4];
    size_t n = dolon__os_read_file(path, text, sizeof text);
    int good;
    memset(key, 0, DOLON__KEY_BYTES);
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r')) n--;
    good = n == 2 * DOLON__KEY_BYTES;
    for (size_t i = 0; i < n && good; i++) {
        const char *digits = "0123456789abcdef0123456789ABCDEF", *at = strchr(digits, text[i]);
        good = at != NULL && *at;
        if (good) key[i / 2] = (uint8_t)(key[i / 2] << 4 | ((at - digits) & 15));
    }
    memset(text, 0, sizeof text);
    return good;
}

/* Returns what is wrong, NULL if nothing is. */
static const char *dolon__seal_setup(dolon__seal *seal, const char *path)
{
    uint8_t key[DOLON__KEY_BYTES];
    int good = dolon__seal_read(path, key);
    if (!good) return "the key file can't be read, or does not hold 64 hexadecimal digits";
    if (sodium_init() < 0) return "libsodium does not start";
    crypto_kdf_derive_from_key(seal->to_server, sizeof seal->to_server, 1, "dolonwir", key);
    crypto_kdf_derive_from_key(seal->to_client, sizeof seal->to_client, 2, "dolonwir", key);
    sodium_memzero(key, sizeof key);
    seal->on = 1;
    return NULL;
}

/* Seals, in place, the message of n bytes that stands DOLON__SEAL_HEAD behind `out`. Returns its length then. */
static size_t dolon__seal_close(dolon__seal *seal, uint8_t *out, size_t n)
{
    uint8_t *message = out + DOLON__SEAL_HEAD, *p = dolon__put_bytes(out, "\xD0\x10\x01\x7E", 4);
    p = dolon__put_bytes(p, message + 4, 16); /* the run */
    dolon__put(p, ++seal->counter, 8);
    crypto_aead_xchacha20poly1305_ietf_encrypt(message, NULL, message, n, out, 4, NULL, out + 4, seal->to_server);
    return n + DOLON__SEAL_BYTES;
}

/* Opens an answer in place; its message then stands DOLON__SEAL_HEAD behind `bytes`. Returns the length of that; 0: it is
   not sealed by who has the key. */
static size_t dolon__seal_open(const dolon__seal *seal, uint8_t *bytes, size_t n)
{
    uint8_t *message = bytes + DOLON__SEAL_HEAD;
    unsigned long long opened = 0;
    if (n < DOLON__SEAL_BYTES || memcmp(bytes, "\xD0\x10\x01\x7E", 4) != 0) return 0;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(message, &opened, NULL, message, n - DOLON__SEAL_HEAD, bytes, 4,
                                                   bytes + 4, seal->to_client) != 0)
        return 0;
    return (size_t)opened;
}

#else

static const char *dolon__seal_setup(dolon__seal *seal, const char *path)
{
    (void)seal;
    (void)path;
    return "there is to be a key, but this program was compiled without DOLON_SODIUM";
}

static size_t dolon__seal_close(dolon__seal *seal, uint8_t *out, size_t n)
{
    (void)seal;
    (void)out;
    return n;
}

static size_t dolon__seal_open(const dolon__seal *seal, uint8_t *bytes, size_t n)
{
    (void)seal;
    (void)bytes;
    return n;
}

#endif

/* ---- >>crash: the goodbye of a program that gets a fatal signal; prepared before, for its handler may do little ---- */

#define DOLON__CRASH_TRACERS 8
#define DOLON__CRASH_BYTES   (DOLON__SEAL_BYTES + DOLON__GOODBYE_BYTES)

/* One tracer's; static, for the handler may run while the tracer is freed. One goodbye is being written while the other can
   be sent. */
typedef struct dolon__last_words {
    int used;         /* guarded by dolon__all.lock          */
    dolon__handle fd; /* the link's; -1: not open            */
    int pid;          /* of the process that the run is of   */
    int which;        /* can be sent; -1: none yet           */
    size_t n[2];
    uint8_t bytes[2][DOLON__CRASH_BYTES];
} dolon__last_words;

static dolon__last_words dolon__crash_words[DOLON__CRASH_TRACERS];
static int dolon__crash_users; /* guarded by dolon__all.lock                  */
static int dolon__crashing;    /* the handler reads: the words are left alone */

/* In the handler of a crash, on whichever thread. */
static void dolon__crash_send(void)
{
    int pid = dolon__os_pid();
    DOLON__STORE(&dolon__crashing, 1);
    for (int i = 0; i < DOLON__CRASH_TRACERS; i++) {
        dolon__last_words *w = &dolon__crash_words[i];
        int which = DOLON__LOAD_ACQUIRE(&w->which);
        dolon__handle fd = DOLON__LOAD(&w->fd);
        if (DOLON__LOAD(&w->pid) == pid && fd != -1 && which >= 0)
            dolon__os_send(fd, (const char *)w->bytes[which], w->n[which], w->n[which]);
    }
    DOLON__STORE_RELEASE(&dolon__crashing, 0);
}

/* NULL: there is no room for one more. */
static dolon__last_words *dolon__crash_join(void)
{
    dolon__last_words *w = NULL;
    dolon__os_lock(&dolon__all.lock);
    for (int i = 0; i < DOLON__CRASH_TRACERS && !w; i++)
        if (!dolon__crash_words[i].used) w = &dolon__crash_words[i];
    if (w) {
        w->used = 1;
        DOLON__STORE(&w->fd, -1);
        DOLON__STORE(&w->which, -1);
        DOLON__STORE(&w->pid, dolon__os_pid());
        if (dolon__crash_users++ == 0) dolon__os_crash_watch(dolon__crash_send);
    }
    dolon__os_unlock(&dolon__all.lock);
    return w;
}

static void dolon__crash_leave(dolon__last_words *w)
{
    if (!w) return;
    dolon__os_lock(&dolon__all.lock);
    DOLON__STORE(&w->pid, 0);
    if (dolon__crash_users > 0 && --dolon__crash_users == 0) dolon__os_crash_unwatch();
    w->used = 0;
    dolon__os_unlock(&dolon__all.lock);
}

/* By the timer thread: what would have to be said if the program crashed from now on. */
static void dolon__crash_prepare(dolon__last_words *w, const dolon__session *s, dolon__seal *seal, int64_t time)
{
    int to = DOLON__LOAD(&w->which) == 0;
    uint8_t *out = w->bytes[to];
    if (DOLON__LOAD_ACQUIRE(&dolon__crashing)) return;
    w->n[to] = dolon__session_goodbye(s, 1, time, out + (seal->on ? DOLON__SEAL_HEAD : 0));
    if (seal->on) w->n[to] = dolon__seal_close(seal, out, w->n[to]);
    DOLON__STORE_RELEASE(&w->which, to);
}

/* ---- >>tracer ---- */

typedef enum dolon__source {
    DOLON__FROM_PROBE,
    DOLON__FROM_BUILTIN,
    DOLON__FROM_HITS,
    DOLON__FROM_ACTIVE,
    DOLON__FROM_AVERAGE,
    DOLON__FROM_MEAN, /* of the last interval, as all that follow */
    DOLON__FROM_P50,
    DOLON__FROM_P90,
    DOLON__FROM_P99,
    DOLON__FROM_MAX,
    DOLON__FROM_COUNT,
    DOLON__FROM_GAUGE
} dolon__source;

typedef struct dolon__column {
    char name[DOLON_NAME_BYTES];
    char unit[16];
    dolon__source source;
    uint32_t series;
    const dolon__builtin *builtin;
    dolon_probe_fn fn;
    void *user;
} dolon__column;

typedef struct dolon__marks {
    dolon__mark list[DOLON_MAX_MARKS];
    uint32_t count;
    uint64_t lost;
} dolon__marks;

/* One sample of everything, on its way from the tick to the wire. */
typedef struct dolon__row {
    uint64_t seq;
    int64_t time; /* ns since the epoch */
    const double *values;
    uint32_t count;
    const uint8_t *words; /* of histograms … */
    uint32_t word_count;
    const dolon__marks *marks;
    int last; /* goodbye */
} dolon__row;

/* What the server is told of the run, beside its columns. */
typedef struct dolon__passport {
    char uuid[37], app[201], host[256], place[96], build[129], args[1001];
    char tag_names[DOLON_MAX_TAGS][64], tag_values[DOLON_MAX_TAGS][200];
    int tag_count;
    int pid;
    uint64_t born; /* when the process was started, clock ticks since boot; 0: not known */
    int64_t time;  /* the start, ns since the epoch */
    int64_t interval;
} dolon__passport;

typedef enum dolon__lookup { DOLON__RESOLVING, DOLON__RESOLVED, DOLON__ORPHAN } dolon__lookup;

/* A look-up under way. It uses malloc, as getaddrinfo does, and may outlive the tracer. Guarded by dolon__all.lock. */
typedef struct dolon__resolver {
    char host[256];
    int port;
    dolon__lookup state;
    dolon__address found[4];
    int count;
    dolon__thread thread;
} dolon__resolver;

/* The way to the server. With the binary wire the session says what goes over it. */
typedef struct dolon__link {
    char host[256];
    int port;
    int mute;                  /* there is no key to seal with: it never opens                 */
    dolon__handle fd;          /* -1: not open                                                 */
    unsigned turn;             /* which of the server's addresses is to be tried next          */
    int choices;               /* how many it has                                              */
    int refused;               /* what is sent this way reaches nobody: there may be another       */
    int64_t announce;          /* when to announce the run (JSON) or to see to the link next; monotonic */
    int64_t delay;             /* until the time after that                                    */
    uint32_t announced;        /* JSON: columns the server was told of last                    */
    int joins;                 /* several datagrams may be sent in one call                    */
    size_t at, end;            /* of `datagram`: what is still to be sent …                    */
    size_t each;               /* … so many bytes each, the last perhaps fewer …               */
    size_t longer;             /* … and behind them one that is longer; 0: none                */
    int64_t retry;             /* when the system may have room for it                         */
    dolon_error trouble;       /* as told to the log                                           */
    dolon__resolver *resolver; /* NULL: nothing is being looked up                             */
} dolon__link;

#define DOLON__WORDS 2048 /* of 8 bytes, that a row's histograms take at most */

/* Histograms on their way into a row, once a second at most. */
typedef struct dolon__telling {
    int64_t due;       /* when they go next; monotonic                                  */
    int open;          /* they go with the row at hand, and all have found room so far  */
    uint32_t from, at; /* the first that found none, column and bucket: in turn next    */
    uint32_t next;     /* what the next column is told relative to                      */
    size_t bytes, room;
    uint8_t words[8 * DOLON__WORDS];
} dolon__telling;

/* `lock` guards stop, marks, stats, and appending to columns; the rest is the timer thread's. Columns below
   column_count never change. */
struct dolon_tracer {
    dolon__lock lock;
    dolon__cond ended;
    dolon__sleeper sleeper; /* what the timer thread sleeps on; dolon_stop() wakes it at once */
    dolon__thread thread;
    int stop, done, abandoned, joined;
    int leaving; /* the program is exiting; guarded by dolon__all.lock */
    int forked;  /* this is a child's copy */
    dolon_tracer *next;
    dolon_alloc alloc;
    dolon_log log;
    dolon__passport passport;
    int binary;             /* the wire, else JSON                                   */
    dolon__session session; /* the binary wire's                                     */
    dolon__seal seal;
    dolon__last_words *last_words; /* NULL: a crash says nothing */
    int64_t goodbye;               /* ns that stopping may wait for the last acknowledgement */
    dolon__link link;
    dolon__system system;
    int64_t start, slept; /* monotonic; how long the machine had slept until then, or until lately */
    int64_t slept_before;
    int64_t last_time;
    uint64_t seq;
    dolon_stats stats;
    dolon__marks marks[2]; /* one is filled by dolon_mark(), the other is being sent */
    int marks_open;
    uint32_t series_seen;
    uint64_t left_out_told;
    size_t announce_bytes;
    uint32_t column_count;
    int brief_scopes;
    dolon__past *past; /* [DOLON_MAX_SITES], each set when its series gets columns: what the last row knew … */
    dolon__past *told; /* … and what the histograms that went with rows knew; NULL: none go        */
    dolon__counts sums, news; /* of the series at hand; here since a stack is small         */
    dolon__telling telling;
    dolon__column columns[DOLON_MAX_COLUMNS];
    double values[DOLON_MAX_COLUMNS];
    uint8_t facts[1200];
    uint8_t scratch[12 + 8 * DOLON_MAX_COLUMNS]; /* a row on its way into the ring */
    char datagram[DOLON_DATAGRAM_BYTES];
};

const char *dolon_error_text(dolon_error code)
{
    switch ((int)code) {
#define DOLON__X(id, value, text)                                                                                    \
    case value: return text;
        DOLON_ERRORS(DOLON__X)
#undef DOLON__X
    default: return "unknown error";
    }
}

/* To the log: the code's text and, if there is one, the detail. Not under a lock; not after dolon_stop() gave up. */
static void dolon__say(const dolon_log *log, dolon_error code, const char *detail)
{
    char line[512];
    if (!log->fn) return;
    snprintf(line, sizeof line, "dolon: %s%s%s", dolon_error_text(code), detail && *detail ? ": " : "",
             detail ? detail : "");
    log->fn(log->user, code, line);
}

DOLON__APART static void dolon__tell(dolon_tracer *t, dolon_error code, const char *detail)
{
    if (!DOLON__LOAD(&t->abandoned)) dolon__say(&t->log, code, detail);
}

DOLON__APART static void dolon__count_stat(dolon_tracer *t, uint64_t *stat, uint64_t n)
{
    if (n == 0) return;
    dolon__os_lock(&t->lock);
    *stat += n;
    dolon__os_unlock(&t->lock);
}

/* ns since the epoch: the wall clock's at the start, plus what has passed since, sleep included. */
DOLON__APART static int64_t dolon__wall(const dolon_tracer *t, int64_t mono)
{
    return t->passport.time + (mono - t->start) + (DOLON__LOAD(&t->slept) - t->slept_before);
}

/* ---- >>json: structs to the original's datagrams; pure ---- */

/* Counts all, stores what fits. */
typedef struct dolon__out {
    char *p;
    size_t n, cap;
} dolon__out;

DOLON__APART static void dolon__out_byte(dolon__out *o, char c)
{
    if (o->n < o->cap) o->p[o->n] = c;
    o->n++;
}

DOLON__APART static void dolon__out_bytes(dolon__out *o, const char *s, size_t n)
{
    if (n > 0 && n <= o->cap && o->n <= o->cap - n) memcpy(o->p + o->n, s, n);
    o->n += n;
}

DOLON__APART static void dolon__out_text(dolon__out *o, const char *s)
{
    dolon__out_bytes(o, s, strlen(s));
}

DOLON__APART static void dolon__out_unsigned(dolon__out *o, uint64_t v)
{
    char digits[20];
    size_t n = sizeof digits;
    do digits[--n] = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    dolon__out_bytes(o, digits + n, sizeof digits - n);
}

DOLON__APART static void dolon__out_signed(dolon__out *o, int64_t v)
{
    if (v < 0) dolon__out_byte(o, '-');
    dolon__out_unsigned(o, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* `whole` / 10^digits, without trailing zeros to begin with. */
static void dolon__out_decimal(dolon__out *o, uint64_t whole, int digits)
{
    uint64_t unit = 1;
    for (int i = 0; i < digits; i++) unit *= 10;
    dolon__out_unsigned(o, whole / unit);
    if (digits > 0) dolon__out_byte(o, '.');
    for (whole %= unit; digits-- > 0; whole %= unit) {
        unit /= 10;
        dolon__out_byte(o, (char)('0' + whole / unit));
    }
}

/* What printf wrote, but for the locale's decimal point, of whatever bytes, which becomes a plain one. */
static void dolon__out_printed(dolon__out *o, const char *text)
{
    int pointed = 0;
    for (const char *p = text; *p; p++) {
        if ((*p >= '0' && *p <= '9') || *p == '-' || *p == '+' || *p == 'e')
            dolon__out_byte(o, *p);
        else if (!pointed++)
            dolon__out_byte(o, '.');
    }
}

/* A JSON number that reads back as the same double; null if there is none. Most values are integers or have few
   decimals: if v is the quotient, correctly rounded, of an integer and a power of ten that are both exact doubles, then
   those digits name v, and the fewest that do are found first. */
static void dolon__out_number(dolon__out *o, double v)
{
    double power = 1, size = v < 0 ? -v : v;
    char text[40];
    if (!dolon__is_finite(v)) {
        dolon__out_text(o, "null");
        return;
    }
    for (int digits = 0; digits <= 6 && size * power < 1e15; digits++, power *= 10) {
        uint64_t whole = (uint64_t)(size * power + 0.5);
        if ((double)whole / power != size) continue;
        if (v < 0) dolon__out_byte(o, '-');
        dolon__out_decimal(o, whole, digits);
        return;
    }
    snprintf(text, sizeof text, "%.17g", v); /* 17 significant digits always read back as the same */
    dolon__out_printed(o, text);
}

/* A JSON string (RFC 8259 §7): always valid, whatever the bytes are. What is no UTF-8 becomes U+FFFD. */
DOLON__APART static void dolon__out_string(dolon__out *o, const char *s)
{
    dolon__out_byte(o, '"');
    while (*s) {
        int n = dolon__utf8(s);
        if (n == 0) {
            dolon__out_text(o, "\xEF\xBF\xBD");
            n = 1;
        } else if ((unsigned char)*s < 0x20) {
            dolon__out_text(o, (unsigned char)*s < 0x10 ? "\\u000" : "\\u001");
            dolon__out_byte(o, "0123456789abcdef"[(unsigned char)*s & 15]);
        } else {
            if (*s == '"' || *s == '\\') dolon__out_byte(o, '\\');
            dolon__out_bytes(o, s, (size_t)n);
        }
        s += n;
    }
    dolon__out_byte(o, '"');
}

DOLON__APART static void dolon__out_member(dolon__out *o, const char *key, const char *value)
{
    if (!*value) return;
    dolon__out_text(o, key);
    dolon__out_string(o, value);
}

static int dolon__is_counter(const dolon__column *c)
{
    return c->source == DOLON__FROM_HITS || c->source == DOLON__FROM_COUNT ||
           (c->source == DOLON__FROM_BUILTIN && c->builtin->counter);
}

static void dolon__json_tags(dolon__out *o, const dolon__passport *p)
{
    if (p->tag_count == 0) return;
    dolon__out_text(o, ", \"tags\": {");
    for (int i = 0; i < p->tag_count; i++) {
        if (i > 0) dolon__out_text(o, ", ");
        dolon__out_string(o, p->tag_names[i]);
        dolon__out_text(o, ": ");
        dolon__out_string(o, p->tag_values[i]);
    }
    dolon__out_byte(o, '}');
}

/* Up to "uuid" as the original client writes it, then what the original server does not look at. */
static size_t dolon__json_announce(char *out, size_t cap, const dolon_tracer *t, uint32_t columns)
{
    const dolon__passport *p = &t->passport;
    dolon__out o = {out, 0, cap};
    dolon__out_text(&o, "{\"msg_type\": \"create_trace_run\", \"app_name\": ");
    dolon__out_string(&o, p->app);
    dolon__out_text(&o, ", \"column_names\": [");
    for (uint32_t i = 0; i < columns; i++) {
        if (i > 0) dolon__out_text(&o, ", ");
        dolon__out_string(&o, t->columns[i].name);
    }
    dolon__out_text(&o, "]");
    dolon__out_member(&o, ", \"uuid\": ", p->uuid);
    dolon__out_text(&o, ", \"time\": ");
    dolon__out_signed(&o, p->time);
    dolon__out_text(&o, ", \"interval\": ");
    dolon__out_number(&o, (double)p->interval / 1e9);
    dolon__out_member(&o, ", \"host\": ", p->host);
    dolon__out_text(&o, ", \"pid\": ");
    dolon__out_signed(&o, p->pid);
    dolon__out_member(&o, ", \"args\": ", p->args);
    dolon__out_member(&o, ", \"build\": ", p->build);
    dolon__out_text(&o, ", \"units\": [");
    for (uint32_t i = 0; i < columns; i++) {
        if (i > 0) dolon__out_text(&o, ", ");
        dolon__out_string(&o, t->columns[i].unit);
    }
    dolon__out_text(&o, "], \"kinds\": [");
    for (uint32_t i = 0; i < columns; i++) {
        if (i > 0) dolon__out_text(&o, ", ");
        dolon__out_text(&o, dolon__is_counter(&t->columns[i]) ? "\"counter\"" : "\"gauge\"");
    }
    dolon__out_text(&o, "]");
    dolon__json_tags(&o, p);
    dolon__out_byte(&o, '}');
    return o.n <= cap ? o.n : 0;
}

static size_t dolon__json_column_cost(const dolon__column *c)
{
    dolon__out o = {NULL, 0, 0};
    dolon__out_string(&o, c->name);
    dolon__out_string(&o, c->unit);
    dolon__out_text(&o, dolon__is_counter(c) ? "\"counter\", , , " : "\"gauge\", , , ");
    return o.n;
}

static void dolon__json_mark(dolon__out *o, int64_t time, const char *label)
{
    dolon__out_byte(o, '[');
    dolon__out_signed(o, time);
    dolon__out_text(o, ", ");
    dolon__out_string(o, label);
    dolon__out_byte(o, ']');
}

/* As many marks as fit, with room for what must follow them. */
static void dolon__json_marks(dolon__out *o, const dolon__marks *marks, uint64_t *lost)
{
    const size_t reserve = 128;
    char label[64];
    uint32_t i = 0;
    *lost = marks->lost;
    if (marks->count == 0 || o->n + reserve > o->cap) {
        *lost += marks->count;
        return;
    }
    dolon__out_text(o, ", \"marks\": [");
    for (; i < marks->count; i++) {
        dolon__out one = {NULL, 0, 0};
        dolon__json_mark(&one, marks->list[i].time, marks->list[i].label);
        if (o->n + one.n + reserve > o->cap) break;
        if (i > 0) dolon__out_text(o, ", ");
        dolon__json_mark(o, marks->list[i].time, marks->list[i].label);
    }
    *lost += marks->count - i;
    if (*lost > 0) {
        snprintf(label, sizeof label, "(%llu more marks were dropped)", (unsigned long long)*lost);
        if (i > 0) dolon__out_text(o, ", ");
        dolon__json_mark(o, marks->list[marks->count - 1].time, label);
    }
    dolon__out_byte(o, ']');
}

static size_t dolon__json_row(char *out, size_t cap, const dolon_tracer *t, const dolon__row *row,
                              uint64_t *marks_lost)
{
    dolon__out o = {out, 0, cap};
    dolon__out_text(&o, "{\"msg_type\": \"row\", \"row_data\": [");
    for (uint32_t i = 0; i < row->count; i++) {
        if (i > 0) dolon__out_text(&o, ", ");
        dolon__out_number(&o, row->values[i]);
    }
    dolon__out_text(&o, "]");
    dolon__out_member(&o, ", \"uuid\": ", t->passport.uuid);
    dolon__out_text(&o, ", \"time\": ");
    dolon__out_signed(&o, row->time);
    dolon__out_text(&o, ", \"seq\": ");
    dolon__out_unsigned(&o, row->seq);
    dolon__json_marks(&o, row->marks, marks_lost);
    if (row->last) dolon__out_text(&o, ", \"end\": \"stopped\"");
    dolon__out_byte(&o, '}');
    DOLON_ASSERT(o.n <= cap);
    return o.n <= cap ? o.n : 0;
}

/* What a row takes at most: a number up to 24 bytes ("-1.7976931348623157e+308") and ", ". */
#define DOLON__JSON_ROW_BASE  256
#define DOLON__JSON_ROW_VALUE 26

/* ---- >>link: what goes to the server, and when ---- */

#define DOLON__DELAY_MAX         (60 * DOLON__SECOND)
#define DOLON__DELAY_MAX_TROUBLE (10 * DOLON__SECOND)
#define DOLON__LOOK_UP_AGAIN     (30 * DOLON__SECOND)

/* Told once a change. */
DOLON__APART static void dolon__link_state(dolon_tracer *t, dolon_error trouble, const char *detail)
{
    char line[400];
    if (t->link.trouble == trouble) return;
    t->link.trouble = trouble;
    if (dolon__is_local(t->link.host))
        snprintf(line, sizeof line, "%s%s%s", t->link.host, *detail ? ", " : "", detail);
    else
        snprintf(line, sizeof line, "%s:%d%s%s", t->link.host, t->link.port, *detail ? ", " : "", detail);
    dolon__tell(t, trouble, line);
}

DOLON__APART static void dolon__link_state_error(dolon_tracer *t, int error)
{
    char text[200];
    dolon__os_error_text(error, text, sizeof text);
    dolon__link_state(t, DOLON_UNREACHABLE, text);
}

static void dolon__resolver_run(void *arg)
{
    dolon__resolver *r = (dolon__resolver *)arg;
    int orphan, count = dolon__os_lookup(r->host, r->port, r->found, 4);
    dolon__os_lock(&dolon__all.lock);
    r->count = count;
    orphan = r->state == DOLON__ORPHAN;
    r->state = DOLON__RESOLVED;
    dolon__os_unlock(&dolon__all.lock);
    if (orphan) free(r);
}

static void dolon__resolver_start(dolon_tracer *t)
{
    dolon__resolver *r = (dolon__resolver *)calloc(1, sizeof *r);
    if (!r) return;
    dolon__copy(r->host, sizeof r->host, t->link.host);
    r->port = t->link.port;
    if (dolon__os_thread(&r->thread, 1, dolon__resolver_run, r))
        t->link.resolver = r;
    else
        free(r);
}

/* Forgets the look-up; its thread, if it still runs, frees it. */
static void dolon__resolver_drop(dolon_tracer *t)
{
    dolon__resolver *r = t->link.resolver;
    int running;
    if (!r) return;
    dolon__os_lock(&dolon__all.lock);
    running = r->state == DOLON__RESOLVING && !t->forked;
    if (running) r->state = DOLON__ORPHAN;
    dolon__os_unlock(&dolon__all.lock);
    t->link.resolver = NULL; /* first, in case the program forks just now: the child frees what it finds here */
    if (!running) free(r);
}

/* The server's addresses. Returns how many, 0 if there are none, -1 if it isn't known yet. */
static int dolon__link_resolve(dolon_tracer *t, dolon__address found[4])
{
    dolon__resolver *r = t->link.resolver;
    int resolved, count = 0;
    if (dolon__os_numeric(t->link.host, t->link.port, &found[0])) return 1;
    if (!r) {
        dolon__resolver_start(t);
        return t->link.resolver ? -1 : 0;
    }
    dolon__os_lock(&dolon__all.lock);
    resolved = r->state == DOLON__RESOLVED;
    if (resolved) {
        count = r->count;
        memcpy(found, r->found, sizeof r->found);
    }
    dolon__os_unlock(&dolon__all.lock);
    if (!resolved) return -1;
    dolon__resolver_drop(t);
    return count;
}

DOLON__APART static void dolon__link_close(dolon_tracer *t)
{
    dolon__handle fd = t->link.fd;
    if (t->last_words) DOLON__STORE(&t->last_words->fd, -1);
    t->link.fd = -1; /* first, in case the program forks just now: the child closes what it finds here */
    if (fd != -1) dolon__os_close(fd);
}

/* Opens the next of the server's addresses, in place of what is open. */
DOLON__APART static void dolon__link_open(dolon_tracer *t)
{
    dolon__address found[4];
    int count = t->link.mute ? -1 : dolon__link_resolve(t, found);
    dolon__handle fd = -1;
    if (count == 0 && t->link.fd == -1) dolon__link_state(t, DOLON_UNRESOLVED, "");
    if (count <= 0) return;
    for (int i = 0; i < count && fd == -1; i++) fd = dolon__os_open(&found[t->link.turn++ % (unsigned)count]);
    t->link.choices = count;
    if (fd == -1) {
        dolon__link_state_error(t, dolon__os_error());
        return;
    }
    dolon__link_close(t);
    t->link.fd = fd;
    t->link.refused = 0;
    if (t->last_words) DOLON__STORE(&t->last_words->fd, fd);
}

/* Returns whether the system took it. "Refused" tells of the datagram before this one: nobody listened. This one is
   worth a try then; and once sending goes well again, the server is announced to anew, as it may have restarted. */
static int dolon__link_send(dolon_tracer *t, size_t n)
{
    int error = dolon__os_send(t->link.fd, t->datagram, n, n);
    if (error == 0 && t->link.trouble != DOLON_OK) {
        t->link.announced = 0;
        dolon__link_state(t, DOLON_OK, "");
    }
    if (error == DOLON__E_REFUSED) {
        dolon__link_state_error(t, error);
        error = dolon__os_send(t->link.fd, t->datagram, n, n);
    }
    if (error == 0) dolon__count_stat(t, &t->stats.sent, 1);
    if (error == 0 || error == DOLON__E_FULL || error == DOLON__E_REFUSED || error == DOLON__E_NO_BUFFERS)
        return error == 0;
    dolon__link_state_error(t, error);
    if (error != DOLON__E_FORBIDDEN && error != DOLON__E_TOO_LONG)
        dolon__link_close(t); /* a new socket may find another way */
    return 0;
}

/* Opens the link if it is not, and tells the server of the run if it is time to: at once, after 1, 2, 4 … s in case
   that got lost, each minute in case the server changed, and when there are new columns. */
static void dolon__json_tend(dolon_tracer *t, int64_t now, uint32_t columns)
{
    int64_t most = t->link.trouble == DOLON_OK ? DOLON__DELAY_MAX : DOLON__DELAY_MAX_TROUBLE;
    size_t n;
    if (columns > t->link.announced && t->link.fd != -1) {
        t->link.announce = now;
        t->link.delay = DOLON__SECOND;
    }
    if (now < t->link.announce && !(t->link.fd == -1 && t->link.resolver)) return;
    if (t->link.fd == -1) dolon__link_open(t);
    if (now >= t->link.announce) {
        t->link.announce = now + (t->link.delay < most ? t->link.delay : most);
        t->link.delay = 2 * t->link.delay < most ? 2 * t->link.delay : most;
    }
    if (t->link.fd == -1 || columns == 0) return;
    n = dolon__json_announce(t->datagram, sizeof t->datagram, t, columns);
    DOLON_ASSERT(n > 0);
    t->link.announced = columns; /* before sending, which may find that it must be done again */
    if (n > 0) dolon__link_send(t, n);
}

static void dolon__json_send_row(dolon_tracer *t, const dolon__row *row)
{
    uint64_t marks_lost = row->marks->count + row->marks->lost;
    size_t n = row->count > 0 ? dolon__json_row(t->datagram, sizeof t->datagram, t, row, &marks_lost) : 0;
    int sent = n > 0 && t->link.fd != -1 && dolon__link_send(t, n);
    dolon__count_stat(t, &t->stats.lost, !sent);
    dolon__count_stat(t, &t->stats.marks_lost, marks_lost);
}

/* -- the binary wire: the session decides, the link carries -- */

/* FACTS, as server/WIRE.md has them: texts as they fit, the arguments and tags last. */
static size_t dolon__link_facts(const dolon__passport *p, uint8_t *out, size_t room)
{
    const char *const texts[] = {p->app, p->host, p->place, p->build, p->args};
    uint8_t *q = out, *count_at, *end = out + room;
    int tags = 0;
    q = dolon__put(q, (uint64_t)p->time, 8);
    q = dolon__put(q, (uint64_t)p->interval, 8);
    q = dolon__put(q, (uint64_t)p->pid, 4);
    q = dolon__put(q, p->born, 8);
    for (int i = 0; i < 5; i++) {
        size_t rest = (size_t)(end - q) - 2 * (size_t)(5 - i) - 2; /* lengths to come, and the number of tags */
        size_t n = dolon__copy_valid(q + 2, i == 4 ? rest / 2 : rest, texts[i]);
        dolon__put(q, n, 2);
        q += 2 + n;
    }
    count_at = q;
    q += 2;
    for (; tags < p->tag_count; tags++) {
        const char *const pair[] = {p->tag_names[tags], p->tag_values[tags]};
        uint8_t *before = q;
        for (int i = 0; i < 2 && q; i++) {
            if ((size_t)(end - q) < 2 + 3 * strlen(pair[i])) { /* at worst each byte becomes three */
                q = NULL;
            } else {
                size_t n = dolon__copy_valid(q + 2, (size_t)(end - q) - 2, pair[i]);
                dolon__put(q, n, 2);
                q += 2 + n;
            }
        }
        if (!q) {
            q = before;
            break;
        }
    }
    dolon__put(count_at, (uint64_t)tags, 2);
    return (size_t)(q - out);
}

static size_t dolon__link_column(void *ctx, uint32_t i, uint8_t *out)
{
    const dolon__column *c = &((const dolon_tracer *)ctx)->columns[i];
    size_t unit = dolon__copy_valid(out + 3, 255, c->unit);
    size_t name = dolon__copy_valid(out + 3 + unit, 255, c->name);
    out[0] = dolon__is_counter(c) ? 1 : 0;
    if (c->source == DOLON__FROM_MEAN) out[0] = 2; /* the rows may bring histograms of it */
    out[1] = (uint8_t)unit;
    out[2] = (uint8_t)name;
    return 3 + unit + name;
}

/* Opens the link if it is closed. If the server has been silent for 10 s, and then each 30 s, its name is looked up again,
   for it may have moved; what is open stays open until that is done. Where nobody listens, and there are other addresses
   or the path may come to lead to a new socket, that happens after a second already, and ever more rarely. */
static void dolon__link_keep_open(dolon_tracer *t, int64_t now)
{
    int64_t silent = now - t->session.heard;
    if (now < t->link.announce && !t->link.resolver) return;
    if (t->link.fd != -1 && !t->link.resolver && !t->link.refused && silent < 10 * DOLON__SECOND) {
        t->link.announce = t->session.heard + 10 * DOLON__SECOND;
        t->link.delay = DOLON__SECOND;
        return;
    }
    if (now >= t->link.announce) {
        t->link.announce = now + (t->link.fd != -1 && !t->link.refused ? DOLON__LOOK_UP_AGAIN : t->link.delay);
        t->link.delay = dolon__earlier(2 * t->link.delay, DOLON__LOOK_UP_AGAIN);
    }
    dolon__link_open(t);
}

/* What the system says of a datagram, or of one before it: nobody gets it. */
static void dolon__link_failed(dolon_tracer *t, int64_t now, int error)
{
    dolon__link_state_error(t, error);
    if (t->link.choices < 2 && !dolon__is_local(t->link.host)) return;
    t->link.refused = 1;
    t->link.announce = dolon__earlier(t->link.announce, now + t->link.delay);
}

static void dolon__link_told_refused(dolon_tracer *t)
{
    static const char *const why[] = {"for a reason of its own", "it does not speak version 1",
                                      "what it gets is sealed, and it has no key", "this run is over a limit of it"};
    int reason = t->session.refused;
    dolon__link_state(t, DOLON_REFUSED, why[reason < 4 ? reason : 0]);
}

/* If there is a key, only what is sealed with it counts; but a server without one can't seal that it has none. */
static void dolon__link_take(dolon_tracer *t, int64_t now, uint8_t *bytes, size_t n)
{
    dolon__session *s = &t->session;
    if (!t->seal.on) {
        dolon__session_take(s, now, bytes, n);
    } else if (n == DOLON__HEADER + 1 && bytes[3] == DOLON__REFUSED) {
        dolon__session_take(s, now, bytes, n);
    } else if ((n = dolon__seal_open(&t->seal, bytes, n)) > 0) {
        dolon__session_take(s, now, bytes + DOLON__SEAL_HEAD, n);
    }
}

/* The next datagram, at `at` of `datagram`; 0: none now. */
DOLON__APART static size_t dolon__link_next(dolon_tracer *t, int64_t now, size_t at)
{
    uint8_t *out = (uint8_t *)t->datagram + at;
    size_t n = dolon__session_next(&t->session, now, t->seal.on ? out + DOLON__SEAL_HEAD : out);
    return n > 0 && t->seal.on ? dolon__seal_close(&t->seal, out, n) : n;
}

/* Takes what has come, but not for ever: someone may flood us. */
static void dolon__link_receive(dolon_tracer *t, int64_t now)
{
    uint8_t bytes[DOLON__SEAL_BYTES + DOLON__ACK_HEAD + 12 * DOLON__HOLES + 1];
    int error = 0, refused = t->session.refused;
    int64_t heard = t->session.heard;
    size_t n = 1;
    for (int i = 0; i < 64 && t->link.fd != -1 && n > 0; i++) {
        n = dolon__os_receive(t->link.fd, bytes, sizeof bytes, &error);
        dolon__link_take(t, now, bytes, n);
    }
    if (error != 0) dolon__link_failed(t, now, error);
    if (t->session.refused != refused && t->session.refused) dolon__link_told_refused(t);
    if (t->session.heard == heard) return;
    t->link.refused = 0;
    dolon__link_state(t, DOLON_OK, "");
}

/* Puts into `datagram` what is due: one datagram, or as many of its length as one call may send. */
static void dolon__link_gather(dolon_tracer *t, int64_t now)
{
    dolon__link *k = &t->link;
    size_t n, longest = t->session.datagram + DOLON__SEAL_BYTES;
    k->at = k->longer = 0;
    k->end = k->each = dolon__link_next(t, now, 0);
    for (int i = 1; k->joins && k->each > 0 && i < DOLON__JOINED_MOST; i++) {
        if (k->end + longest > sizeof t->datagram) break;
        n = dolon__link_next(t, now, k->end);
        if (n > k->each)
            k->longer = n;
        else
            k->end += n;
        if (n != k->each) break;
    }
}

/* What is to be sent next stands at `at`; 0: nothing. */
static int dolon__link_has_some(dolon_tracer *t, int64_t now)
{
    dolon__link *k = &t->link;
    if (k->at < k->end) return 1;
    if (k->longer == 0) {
        dolon__link_gather(t, now);
    } else {
        memmove(t->datagram, t->datagram + k->end, k->longer);
        k->at = 0;
        k->end = k->each = k->longer;
        k->longer = 0;
    }
    return k->at < k->end;
}

/* Sends what is due. What the system has no room for now is kept; what fails otherwise is sent again when no answer comes. */
static void dolon__link_flush(dolon_tracer *t, int64_t now)
{
    dolon__link *k = &t->link;
    while (k->fd != -1 && now >= k->retry && dolon__link_has_some(t, now)) {
        size_t left = k->end - k->at, n = k->joins || left < k->each ? left : k->each;
        int error = dolon__os_send(k->fd, t->datagram + k->at, n, k->each);
        if (error == DOLON__E_FULL || error == DOLON__E_NO_BUFFERS) {
            k->retry = now + 10 * DOLON__MS;
            return;
        }
        if (n > k->each && (error == DOLON__E_INVALID || error == DOLON__E_NO_HARDWARE ||
                            error == DOLON__E_UNSUPPORTED || error == DOLON__E_TOO_LONG)) {
            k->joins = 0; /* this system, or this way, does not cut them apart */
            continue;
        }
        k->at += n;
        if (error != 0) {
            k->at = k->end = k->longer = 0;
            dolon__link_failed(t, now, error);
            return;
        }
        dolon__count_stat(t, &t->stats.sent, (n + k->each - 1) / k->each);
    }
}

/* Takes what has come, sends what is due, and brings the figures up to date. */
static void dolon__link_exchange(dolon_tracer *t, int64_t now)
{
    dolon__session *s = &t->session;
    dolon__link_keep_open(t, now);
    dolon__link_receive(t, now);
    s->offset = dolon__os_wall() - dolon__wall(t, dolon__os_mono());
    dolon__link_flush(t, now);
    if (t->last_words) dolon__crash_prepare(t->last_words, s, &t->seal, t->last_time);
    if (!dolon__session_awake(s, now) && t->link.trouble == DOLON_OK) dolon__link_state(t, DOLON_UNANSWERED, "");
    dolon__os_lock(&t->lock);
    t->stats.acked = s->ring.oldest.seq - s->ring.dropped;
    t->stats.lost = s->ring.dropped;
    t->stats.resent = s->resent;
    dolon__os_unlock(&t->lock);
}

/* One that finds no room lets the oldest go that was not acknowledged. */
static void dolon__link_mark(dolon_tracer *t, int64_t now, const dolon__mark *mark)
{
    dolon__count_stat(t, &t->stats.marks_lost, (uint64_t)dolon__session_marks_are_full(&t->session));
    dolon__session_mark(&t->session, now, mark);
}

static void dolon__link_binary_row(dolon_tracer *t, int64_t now, const dolon__row *row)
{
    dolon__session *s = &t->session;
    dolon__cells cells;
    s->columns = row->count;
    for (uint32_t i = 0; i < row->marks->count; i++) dolon__link_mark(t, now, &row->marks->list[i]);
    if (row->marks->lost > 0) {
        dolon__mark mark;
        mark.time = row->time;
        snprintf(mark.label, sizeof mark.label, "(%llu more marks were dropped)",
                 (unsigned long long)row->marks->lost);
        dolon__link_mark(t, now, &mark);
        dolon__count_stat(t, &t->stats.marks_lost, row->marks->lost);
    }
    cells.columns = row->count;
    cells.words = row->word_count;
    dolon__session_row(s, now, row->time, row->values, cells, row->words, t->scratch);
    if (row->last) dolon__session_bye(s, now, row->time, 0);
}

/* -- either wire -- */

static void dolon__link_row(dolon_tracer *t, int64_t now, const dolon__row *row)
{
    if (t->binary) {
        dolon__link_binary_row(t, now, row);
        dolon__link_exchange(t, now);
        return;
    }
    dolon__json_tend(t, now, row->count);
    dolon__json_send_row(t, row);
    if (t->link.announced < row->count) dolon__json_tend(t, now, row->count); /* the row found a server come back */
}

/* What the link does between two rows. */
DOLON__APART static void dolon__link_tend(dolon_tracer *t, int64_t now)
{
    if (t->binary)
        dolon__link_exchange(t, now);
    else
        dolon__json_tend(t, now, t->link.announced);
}

static int64_t dolon__link_due(const dolon_tracer *t, int64_t now)
{
    int64_t due = t->link.announce;
    if (t->binary && t->link.fd != -1)
        due = dolon__earlier(due, t->link.at < t->link.end || t->link.longer ? t->link.retry
                                                                             : dolon__session_due(&t->session, now));
    return t->link.resolver ? dolon__earlier(due, now + 50 * DOLON__MS) : due;
}

/* Whether the last row and the goodbye are where they should be, or cannot be brought there. A server that is away
   now may be back in time, if there ever was one. */
static int dolon__link_is_done(const dolon_tracer *t)
{
    return !t->binary || t->goodbye <= 0 || dolon__session_done(&t->session) || t->link.fd == -1 ||
           (t->link.trouble != DOLON_OK && !t->session.known);
}

/* ---- >>tick: from the columns to a row ---- */

/* Under the tracer's lock. A column that does not fit is left out for good. */
DOLON__APART static dolon_error dolon__append(dolon_tracer *t, const dolon__column *c)
{
    size_t bytes = t->announce_bytes + dolon__json_column_cost(c);
    size_t row = DOLON__JSON_ROW_BASE + (t->column_count + 1) * DOLON__JSON_ROW_VALUE;
    int many = t->column_count == DOLON_MAX_COLUMNS;
    int big = !t->binary && (bytes > DOLON_DATAGRAM_BYTES || row > DOLON_DATAGRAM_BYTES);
    if (many || big) {
        t->stats.columns_left_out++;
        return many ? DOLON_TOO_MANY : DOLON_TOO_BIG;
    }
    t->columns[t->column_count++] = *c;
    t->stats.columns = t->column_count;
    t->announce_bytes = bytes;
    return DOLON_OK;
}

static dolon_error dolon__append_probe(dolon_tracer *t, const dolon_probe *probe)
{
    dolon__column c;
    dolon_error error;
    memset(&c, 0, sizeof c);
    if (!probe || !probe->name || !*probe->name) return DOLON_BAD_PROBE;
    dolon__copy(c.name, sizeof c.name, probe->name);
    dolon__copy(c.unit, sizeof c.unit, probe->unit);
    c.source = probe->fn ? DOLON__FROM_PROBE : DOLON__FROM_BUILTIN;
    c.builtin = probe->fn ? NULL : dolon__builtin_find(probe->name);
    c.fn = probe->fn;
    c.user = probe->user;
    if (!c.fn && !c.builtin) return DOLON_BAD_PROBE;
    dolon__os_lock(&t->lock);
    error = dolon__append(t, &c);
    dolon__os_unlock(&t->lock);
    return error;
}

static dolon_error dolon__append_column_of(dolon_tracer *t, uint32_t series, dolon__source source, const char *suffix,
                                           const char *unit)
{
    dolon__column c;
    dolon_error error;
    memset(&c, 0, sizeof c);
    snprintf(c.name, sizeof c.name, "%s%s", dolon__series_table[series].name, suffix);
    dolon__copy(c.unit, sizeof c.unit, unit);
    c.source = source;
    c.series = series;
    dolon__os_lock(&t->lock);
    error = dolon__append(t, &c);
    dolon__os_unlock(&t->lock);
    return error;
}

static dolon_error dolon__append_series(dolon_tracer *t, uint32_t series)
{
    dolon__site_kind kind = dolon__series_table[series].kind;
    /* clang-format off */
    static const struct { dolon__source source; const char *suffix, *unit; int brief; } columns[] = {
        { DOLON__FROM_HITS,    "_hits",             "",  1 },
        { DOLON__FROM_ACTIVE,  "_active_instances", "",  1 },
        { DOLON__FROM_AVERAGE, "_average_time",     "s", 1 },
        { DOLON__FROM_MEAN,    "_mean",             "s", 0 },
        { DOLON__FROM_P50,     "_p50",              "s", 0 },
        { DOLON__FROM_P90,     "_p90",              "s", 0 },
        { DOLON__FROM_P99,     "_p99",              "s", 0 },
        { DOLON__FROM_MAX,     "_max",              "s", 0 },
    };
    /* clang-format on */
    dolon_error error = DOLON_OK;
    if (kind == DOLON__COUNT_SITE) return dolon__append_column_of(t, series, DOLON__FROM_COUNT, "", "");
    if (kind == DOLON__GAUGE_SITE) return dolon__append_column_of(t, series, DOLON__FROM_GAUGE, "", "");
    if (t->past) memset(&t->past[series], 0, sizeof t->past[series]);
    if (t->told) memset(&t->told[series], 0, sizeof t->told[series]);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        dolon_error of_column;
        if (t->brief_scopes && !columns[i].brief) continue;
        of_column = dolon__append_column_of(t, series, columns[i].source, columns[i].suffix, columns[i].unit);
        if (of_column != DOLON_OK) error = of_column;
    }
    return error;
}

/* Columns for the scopes, counters and gauges that have joined since the last time. Entries of the table below
   series_count never change their name or kind. */
static void dolon__append_new_series(dolon_tracer *t)
{
    uint32_t count;
    uint64_t left_out;
    dolon_error error = DOLON_OK;
    dolon__os_lock(&dolon__all.lock);
    count = dolon__all.series_count;
    left_out = dolon__all.left_out;
    dolon__os_unlock(&dolon__all.lock);
    for (; t->series_seen < count; t->series_seen++) {
        dolon_error of_series = dolon__append_series(t, t->series_seen);
        if (of_series != DOLON_OK) error = of_series;
    }
    if (left_out > t->left_out_told) error = DOLON_TOO_MANY;
    t->left_out_told = left_out;
    if (error != DOLON_OK) dolon__tell(t, error, "scopes, counters or gauges");
}

static double dolon__sample_latency(dolon__source source, const dolon__latency *l)
{
    if (source == DOLON__FROM_P50) return l->p50;
    if (source == DOLON__FROM_P90) return l->p90;
    if (source == DOLON__FROM_P99) return l->p99;
    return source == DOLON__FROM_MAX ? l->max : l->mean;
}

static double dolon__sample_series(const dolon__column *c, const dolon__totals *sum, double seconds_per_tick)
{
    double gauge;
    uint64_t bits = DOLON__LOAD(&dolon__series_table[c->series].gauge);
    memcpy(&gauge, &bits, sizeof gauge);
    if (c->source == DOLON__FROM_GAUGE) return gauge;
    if (c->source == DOLON__FROM_ACTIVE) return (double)sum->active;
    if (c->source != DOLON__FROM_AVERAGE) return (double)sum->hits;
    return sum->done > 0 ? (double)sum->ticks / (double)sum->done * seconds_per_tick : dolon__nan();
}

/* Under dolon__all.lock. What has left a scope since this tracer's last row. What can't be read comes with the next one. */
static dolon__latency dolon__measure(dolon_tracer *t, uint32_t series, double seconds_per_tick)
{
    uint64_t n;
    if (!dolon__sum_series(series, &t->sums)) t->sums.used = 0;
    n = dolon__news(&t->sums, &t->past[series], &t->news);
    dolon__keep(&t->past[series], &t->sums, 0, DOLON__BUCKETS);
    return dolon__latency_of(&t->news, n, seconds_per_tick);
}

/* Under dolon__all.lock, after the series was measured. Its histogram goes with the row at hand, as far as there is room; the
   rest later, together with what is counted until then. */
static void dolon__tell_histogram(dolon_tracer *t, uint32_t column, uint32_t series, double seconds_per_tick)
{
    dolon__telling *tell = &t->telling;
    uint32_t first = column == tell->from ? tell->at : 0, end = first;
    uint8_t head[5], *p = tell->words + tell->bytes;
    size_t left = tell->room - tell->bytes, head_bytes, n = 0;
    if (!tell->open || column < tell->from || !(seconds_per_tick > 0)) return;
    if (dolon__news(&t->sums, &t->told[series], &t->news) == 0) return;
    head_bytes = dolon__put_varint(head, column - tell->next + 1);
    if (left > head_bytes)
        n = dolon__write_histogram(&t->news, seconds_per_tick, &end, p + head_bytes, left - head_bytes);
    if (n > 0) {
        memcpy(p, head, head_bytes);
        tell->bytes += head_bytes + n;
        tell->next = column + 1;
        dolon__keep(&t->told[series], &t->sums, first, end);
    }
    if (end == DOLON__BUCKETS) return;
    tell->open = 0;
    tell->from = column;
    tell->at = end;
}

/* What the histograms of a row may take: an eighth of the ring, so that they drive out few rows; with the last row all that is
   free. But never so much that the row would not find room. */
static size_t dolon__telling_room(const dolon_tracer *t, uint32_t columns, int last)
{
    const dolon__ring *r = &t->session.ring;
    size_t row = 4 + dolon__row_bytes(columns), used = (size_t)(r->next.at - r->oldest.at), room = r->size / 8;
    if (last && row + used < r->size && room < r->size - used - row) room = r->size - used - row;
    if (row + room > r->size) room = row < r->size ? r->size - row : 0;
    return room < 8 * DOLON__WORDS ? room / 8 * 8 : 8 * DOLON__WORDS;
}

/* Once a second; and at the end all that is left. */
static void dolon__tell_begin(dolon_tracer *t, uint32_t columns, int64_t due, int last)
{
    dolon__telling *tell = &t->telling;
    tell->open = t->told && (due >= tell->due || last);
    tell->bytes = 0;
    tell->next = 0;
    if (!tell->open) return;
    tell->due = due + DOLON__SECOND;
    tell->room = dolon__telling_room(t, columns, last);
    if (last) tell->from = tell->at = 0;
}

static void dolon__tell_end(dolon_tracer *t, dolon__row *row)
{
    dolon__telling *tell = &t->telling;
    row->words = tell->words;
    row->word_count = (uint32_t)((tell->bytes + 7) / 8);
    memset(tell->words + tell->bytes, 0, 8 * (size_t)row->word_count - tell->bytes);
    if (tell->open) tell->from = tell->at = 0;
}

/* Probes first, not under a lock: they are the program's. Then all series at once, so that they fit together. */
static void dolon__sample(dolon_tracer *t, uint32_t count, int64_t now)
{
    dolon__totals sum = {0, 0, 0, 0};
    dolon__latency latency = {0, 0, 0, 0, 0};
    uint32_t series = UINT32_MAX, measured = UINT32_MAX;
    double seconds_per_tick;
    t->system.tick++;
    t->system.now = now;
    for (uint32_t i = 0; i < count; i++) {
        const dolon__column *c = &t->columns[i];
        if (c->source == DOLON__FROM_PROBE) t->values[i] = c->fn(c->user);
        if (c->source == DOLON__FROM_BUILTIN) t->values[i] = c->builtin->fn(&t->system);
    }
    dolon__os_lock(&dolon__all.lock);
    seconds_per_tick = dolon__seconds_per_tick();
    for (uint32_t i = 0; i < count; i++) {
        const dolon__column *c = &t->columns[i];
        if (c->source == DOLON__FROM_PROBE || c->source == DOLON__FROM_BUILTIN) continue;
        if (c->source >= DOLON__FROM_MEAN && c->source <= DOLON__FROM_MAX) {
            if (c->series != measured) latency = dolon__measure(t, measured = c->series, seconds_per_tick);
            if (c->source == DOLON__FROM_MEAN) dolon__tell_histogram(t, i, c->series, seconds_per_tick);
            t->values[i] = dolon__sample_latency(c->source, &latency);
            continue;
        }
        if (c->series != series) dolon__total(series = c->series, &sum);
        t->values[i] = dolon__sample_series(c, &sum, seconds_per_tick);
    }
    dolon__os_unlock(&dolon__all.lock);
}

/* A row that is next to on time carries its scheduled time: regular times are what a reader expects, and pack well. */
static int64_t dolon__row_time(dolon_tracer *t, int64_t due, int64_t now, int *late)
{
    int64_t tolerance = t->passport.interval / 4 < 10 * DOLON__MS ? t->passport.interval / 4 : 10 * DOLON__MS;
    int64_t slept = dolon__os_slept(), time;
    if (slept - t->slept > DOLON__MS) DOLON__STORE(&t->slept, slept); /* less is between two reads of a clock */
    *late = now - due > tolerance;
    time = dolon__wall(t, *late ? now : due);
    if (time <= t->last_time) time = t->last_time + 1;
    t->last_time = time;
    return time;
}

static void dolon__tick(dolon_tracer *t, int64_t due, int64_t now, int last)
{
    dolon__row row;
    int late;
    dolon__append_new_series(t);
    row.time = dolon__row_time(t, due, now, &late);
    dolon__os_lock(&t->lock);
    row.count = t->column_count;
    dolon__os_unlock(&t->lock);
    dolon__tell_begin(t, row.count, due, last);
    dolon__sample(t, row.count, now);
    dolon__tell_end(t, &row);
    row.values = t->values;
    row.seq = t->seq++;
    row.last = last;
    dolon__os_lock(&t->lock);
    row.marks = &t->marks[t->marks_open];
    t->marks_open = !t->marks_open;
    t->marks[t->marks_open].count = 0;
    t->marks[t->marks_open].lost = 0;
    t->stats.rows++;
    t->stats.late += (uint64_t)late;
    dolon__os_unlock(&t->lock);
    dolon__link_row(t, now, &row);
}

/* ---- >>timer ---- */

static void dolon__free(dolon_tracer *t)
{
    dolon_alloc alloc = t->alloc;
    dolon__crash_leave(t->last_words);
    dolon__link_close(t);
    dolon__resolver_drop(t);
    dolon__system_close(&t->system);
    dolon__os_sleeper_close(&t->sleeper);
    /* In parentheses: the program's free() may be a macro. */
    if (t->session.ring.bytes) (alloc.free)(alloc.user, t->session.ring.bytes);
    if (t->past) (alloc.free)(alloc.user, t->past);
    (alloc.free)(alloc.user, t);
}

/* Sleeps until the monotonic clock says `until`, or an answer has come. Returns 1 at once when the tracer is to stop. */
static int dolon__wait(dolon_tracer *t, int64_t until)
{
    if (until > dolon__os_mono()) {
        dolon__os_wake_at(&t->sleeper, until);
        if (!DOLON__LOAD_ACQUIRE(&t->stop)) dolon__os_sleep(&t->sleeper, t->binary ? t->link.fd : -1);
    }
    return DOLON__LOAD_ACQUIRE(&t->stop);
}

/* Until the goodbye is acknowledged, but not longer than was agreed. */
static void dolon__linger(dolon_tracer *t, int64_t until)
{
    int64_t now;
    while (!dolon__link_is_done(t) && (now = dolon__os_mono()) < until) {
        dolon__os_wake_at(&t->sleeper, dolon__earlier(dolon__link_due(t, now), until));
        dolon__os_sleep(&t->sleeper, t->link.fd);
        dolon__link_tend(t, dolon__os_mono());
    }
}

static void dolon__farewell(dolon_tracer *t)
{
    int64_t now = dolon__os_mono();
    dolon__tick(t, now, now, 1);
    dolon__linger(t, now + t->goodbye);
}

/* For the timer thread itself, when a probe ends the program: no row more. */
static void dolon__farewell_within(dolon_tracer *t)
{
    int64_t now = dolon__os_mono();
    if (!t->binary) return;
    dolon__session_bye(&t->session, now, t->last_time, 0);
    dolon__link_tend(t, now);
    dolon__linger(t, now + t->goodbye);
}

static void dolon__timer(void *arg)
{
    dolon_tracer *t = (dolon_tracer *)arg;
    int64_t interval = t->passport.interval, due = t->start, now = t->start;
    int abandoned;
    dolon__os_become_timer();
    while (!dolon__wait(t, dolon__earlier(due, dolon__link_due(t, now)))) {
        now = dolon__os_mono();
        if (now < due) {
            dolon__link_tend(t, now);
            continue;
        }
        dolon__tick(t, due, now, 0);
        now = dolon__os_mono();
        due += interval;
        if (now >= due) {
            int64_t over = (now - due) / interval + 1;
            due += over * interval;
            dolon__count_stat(t, &t->stats.skipped, (uint64_t)over);
        }
    }
    dolon__farewell(t);
    dolon__os_lock(&t->lock);
    t->done = 1;
    abandoned = t->abandoned;
    dolon__os_cond_signal(&t->ended);
    dolon__os_unlock(&t->lock);
    if (abandoned) dolon__free(t);
}

/* ---- >>process: start of use, fork, unloading ---- */

static void dolon__before_fork(void)
{
    dolon__os_lock(&dolon__all.lock);
    for (dolon_tracer *t = dolon__all.tracers; t; t = t->next) dolon__os_lock(&t->lock);
}

static void dolon__after_fork_in_parent(void)
{
    for (dolon_tracer *t = dolon__all.tracers; t; t = t->next) dolon__os_unlock(&t->lock);
    dolon__os_unlock(&dolon__all.lock);
}

/* The other threads are not there any more: their blocks are free, and the tracers are silent. */
static void dolon__after_fork_in_child(void)
{
    const dolon__cell *self = DOLON__SELF();
    for (dolon_tracer *t = dolon__all.tracers; t; t = t->next) {
        t->forked = 1;
        t->last_words = NULL;
        dolon__os_unlock(&t->lock);
    }
    dolon__all.tracers = NULL;
    for (uint32_t i = 0; i < dolon__all.blocks_used; i++) {
        if (!dolon__all.taken[i] || dolon__blocks[i].cells == self) continue;
        dolon__retire(&dolon__blocks[i]);
        dolon__all.taken[i] = 0;
    }
    dolon__retire(&dolon__shared_block);
    for (int i = 0; i < DOLON__CRASH_TRACERS; i++) dolon__crash_words[i].used = 0;
    if (dolon__crash_users > 0) dolon__os_crash_unwatch();
    dolon__crash_users = 0;
    dolon__os_unlock(&dolon__all.lock);
}

static void dolon__init(void)
{
    dolon__os_at_fork(dolon__before_fork, dolon__after_fork_in_parent, dolon__after_fork_in_child);
    dolon__tsc = dolon__os_tsc_is_steady();
    dolon__os_lock(&dolon__all.lock);
    dolon__all.key_valid = dolon__os_key_open(&dolon__all.key, dolon__thread_ended);
    dolon__all.clock_start = dolon__os_mono();
    dolon__all.ticks_start = dolon__now();
    dolon__os_unlock(&dolon__all.lock);
}

/* Asks the timer thread to finish. */
static void dolon__ask_to_end(dolon_tracer *t)
{
    DOLON__STORE_RELEASE(&t->stop, 1);
    dolon__os_wake_at(&t->sleeper, 0);
}

/* Waits until the timer thread has finished; 0: it did not in time. */
static int dolon__await_end(dolon_tracer *t)
{
    int64_t patience = dolon__os_mono() + DOLON__SECOND + t->goodbye;
    int done;
    if (t->joined) return 1;
    dolon__os_lock(&t->lock);
    while (!t->done && dolon__os_mono() < patience) dolon__os_cond_wait(&t->ended, &t->lock, patience);
    done = t->done;
    dolon__os_unlock(&t->lock);
    if (done) dolon__os_thread_join(&t->thread);
    t->joined = done;
    return done;
}

/* At exit tracers that were not stopped say goodbye, all at once. And when a library that holds this code is unloaded, no
   thread must run in it or call into it any more. The tracers stay allocated: the program still has the pointers. */
DOLON__ATTR((destructor)) static void dolon__unload(void)
{
    dolon_tracer *t, *next;
    int key_valid;
    dolon__os_lock(&dolon__all.lock);
    t = dolon__os_may_wait_at_end() ? dolon__all.tracers : NULL;
    for (next = t; next; next = next->next) {
        next->leaving = 1;
        dolon__ask_to_end(next);
    }
    dolon__os_unlock(&dolon__all.lock);
    for (; t; t = next) {
        next = t->next;
        if (dolon__os_thread_is_this(&t->thread))
            dolon__farewell_within(t);
        else
            dolon__await_end(t);
        dolon__os_lock(&dolon__all.lock);
        t->leaving = 0;
        dolon__os_unlock(&dolon__all.lock);
    }
    dolon__os_lock(&dolon__all.lock);
    if (dolon__crash_users > 0) dolon__os_crash_unwatch();
    dolon__crash_users = 0;
    key_valid = dolon__all.key_valid;
    dolon__all.key_valid = 0;
    dolon__os_unlock(&dolon__all.lock);
    if (key_valid) dolon__os_key_close(dolon__all.key); /* not under the lock: it may call dolon__thread_ended() */
}

/* ---- >>heap: allocations, counted ---- */

#ifdef DOLON_TRACK_MALLOC

/* Their cells' `ticks` are bytes. */
static dolon_site dolon__allocations = {"allocations", &dolon__owner, DOLON__COUNT_SITE, 0};
static dolon_site dolon__frees = {"frees", &dolon__owner, DOLON__COUNT_SITE, 0};

static void dolon__heap_add(dolon_site *site, uint64_t bytes)
{
    dolon__cell *self = DOLON__SELF(), *cell;
    uint32_t at = DOLON__LOAD(&site->cell);
    if (DOLON__LIKELY(self && at)) {
        cell = self + at;
        DOLON__STORE(&cell->ticks, DOLON__LOAD(&cell->ticks) + bytes);
        DOLON__STORE_RELEASE(&cell->enters, DOLON__LOAD(&cell->enters) + 1);
        return;
    }
    cell = dolon__settle_and_add(site, 1);
    dolon__share_begin();
    if (dolon__is_shared(cell))
        DOLON__ADD(&cell->ticks, bytes);
    else
        DOLON__STORE(&cell->ticks, DOLON__LOAD(&cell->ticks) + bytes);
    dolon__share_end();
}

void *dolon_malloc(size_t bytes)
{
    void *p = malloc(bytes);
    if (p) dolon__heap_add(&dolon__allocations, dolon__os_block_bytes(p));
    return p;
}

void *dolon_calloc(size_t count, size_t bytes)
{
    void *p = calloc(count, bytes);
    if (p) dolon__heap_add(&dolon__allocations, dolon__os_block_bytes(p));
    return p;
}

void *dolon_realloc(void *p, size_t bytes)
{
    uint64_t before = p ? dolon__os_block_bytes(p) : 0;
    void *q;
    if (p && bytes == 0) {
        dolon_free(p);
        return NULL;
    }
    q = realloc(p, bytes);
    if (!q) return NULL;
    dolon__heap_add(&dolon__allocations, dolon__os_block_bytes(q));
    if (before) dolon__heap_add(&dolon__frees, before);
    return q;
}

void dolon_free(void *p)
{
    if (p) dolon__heap_add(&dolon__frees, dolon__os_block_bytes(p));
    free(p);
}

/* Under the lock. All threads' cells of a site; nothing before its first use. */
static void dolon__heap_total(const dolon_site *site, dolon__totals *sum)
{
    uint32_t at = DOLON__LOAD(&site->cell);
    memset(sum, 0, sizeof *sum);
    if (at >= DOLON__FIRST_CELL) dolon__total(at - DOLON__FIRST_CELL, sum);
}

/* What was freed is read first: that was allocated before. On processors that let others see two stores in another order
   it may still seem to be more, for a moment. */
static double dolon__heap_live(int bytes)
{
    dolon__totals freed, allocated;
    uint64_t live;
    dolon__heap_total(&dolon__frees, &freed);
    dolon__heap_total(&dolon__allocations, &allocated);
    live = bytes ? allocated.ticks - freed.ticks : allocated.hits - freed.hits;
    return live > UINT64_MAX / 2 ? 0 : (double)live;
}

double dolon_live_bytes(void *user)
{
    double live;
    (void)user;
    dolon__os_lock(&dolon__all.lock);
    live = dolon__heap_live(1);
    dolon__os_unlock(&dolon__all.lock);
    return live;
}

double dolon_live_blocks(void *user)
{
    double live;
    (void)user;
    dolon__os_lock(&dolon__all.lock);
    live = dolon__heap_live(0);
    dolon__os_unlock(&dolon__all.lock);
    return live;
}

double dolon_peak_bytes(void *user)
{
    static double peak; /* guarded by the lock */
    double live;
    (void)user;
    dolon__os_lock(&dolon__all.lock);
    live = dolon__heap_live(1);
    if (live > peak) peak = live;
    live = peak;
    dolon__os_unlock(&dolon__all.lock);
    return live;
}

#endif

/* ---- >>asker: figures that are asked for by a thread of its own, so that no row waits for them ---- */

#if defined(DOLON_POSTGRES) || defined(DOLON_RABBITMQ)

enum { DOLON__ASKED = 4 };

/* `lock` guards figures, fresh_until and stop. `ask` returns 0 if there is no answer. */
typedef struct dolon__asker {
    dolon__lock lock;
    dolon__cond stopped;
    dolon__thread thread;
    int64_t interval;
    int (*ask)(struct dolon__asker *a, double figures[DOLON__ASKED]);
    double figures[DOLON__ASKED];
    int64_t fresh_until;
    int stop;
} dolon__asker;

static void dolon__asker_keep(dolon__asker *a, const double figures[DOLON__ASKED])
{
    dolon__os_lock(&a->lock);
    memcpy(a->figures, figures, sizeof a->figures);
    a->fresh_until = dolon__os_mono() + 2 * a->interval + DOLON__SECOND;
    dolon__os_unlock(&a->lock);
}

/* Returns 1 at once when it is to stop. */
static int dolon__asker_wait(dolon__asker *a, int64_t until)
{
    int stop;
    dolon__os_lock(&a->lock);
    while (!a->stop && dolon__os_mono() < until) dolon__os_cond_wait(&a->stopped, &a->lock, until);
    stop = a->stop;
    dolon__os_unlock(&a->lock);
    return stop;
}

static void dolon__asker_run(void *arg)
{
    dolon__asker *a = (dolon__asker *)arg;
    double figures[DOLON__ASKED];
    int64_t due;
    do {
        due = dolon__os_mono() + a->interval;
        if (a->ask(a, figures))
            dolon__asker_keep(a, figures);
        else if (a->interval < DOLON__SECOND)
            due += DOLON__SECOND; /* who is asked may be starting, and is not to be flooded */
    } while (!dolon__asker_wait(a, due));
}

/* Begins to ask every `interval` seconds. 0: there is no thread. */
static int dolon__asker_start(dolon__asker *a, int (*ask)(dolon__asker *, double *), double interval, double preset)
{
    dolon__os_call_once(&dolon__once, dolon__init);
    a->ask = ask;
    a->interval = (int64_t)((interval > 0 && interval < 1e6 ? interval : preset) * 1e9);
    dolon__os_lock_init(&a->lock);
    dolon__os_cond_init(&a->stopped);
    if (dolon__os_thread(&a->thread, 0, dolon__asker_run, a)) return 1;
    dolon__os_cond_end(&a->stopped);
    dolon__os_lock_end(&a->lock);
    return 0;
}

static void dolon__asker_stop(dolon__asker *a)
{
    dolon__os_lock(&a->lock);
    a->stop = 1;
    dolon__os_cond_signal(&a->stopped);
    dolon__os_unlock(&a->lock);
    dolon__os_thread_join(&a->thread);
    dolon__os_cond_end(&a->stopped);
    dolon__os_lock_end(&a->lock);
}

static double dolon__asker_figure(dolon__asker *a, int which)
{
    double v = dolon__nan();
    if (!a) return v;
    dolon__os_lock(&a->lock);
    if (dolon__os_mono() < a->fresh_until) v = a->figures[which];
    dolon__os_unlock(&a->lock);
    return v;
}

#endif

/* ---- >>postgres: what a database tells of itself ---- */

#ifdef DOLON_POSTGRES

struct dolon_postgres {
    dolon__asker asker; /* first */
    PGconn *session;    /* NULL: none */
    char conninfo[1];   /* as long as it is */
};

/* A session that gives up rather than wait for ever; what `conninfo` says of the same settings counts. */
static PGconn *dolon__postgres_connect(const char *conninfo)
{
    static const char *const names[] = {"connect_timeout", "tcp_user_timeout", "fallback_application_name",
                                        "options",         "dbname",           NULL};
    const char *values[] = {"5", "5000", "dolon", "-c statement_timeout=5000", conninfo, NULL};
    PGconn *session = PQconnectdbParams(names, values, 1);
    if (PQstatus(session) == CONNECTION_OK) return session;
    PQfinish(session);
    return NULL;
}

static int dolon__postgres_query(PGconn *session, double figures[DOLON__ASKED])
{
    static const char query[] = "select (select coalesce(sum(n_live_tup), 0) from pg_stat_user_tables),"
                                " (select coalesce(sum(n_dead_tup), 0) from pg_stat_user_tables),"
                                " (select count(*) from pg_stat_activity where state = 'idle'),"
                                " (select coalesce(sum(numbackends), 0) from pg_stat_database)";
    PGresult *result = PQexec(session, query);
    int good = PQresultStatus(result) == PGRES_TUPLES_OK;
    for (int i = 0; i < DOLON__ASKED && good; i++)
        good = dolon__parse_number(PQgetvalue(result, 0, i), &figures[i]);
    PQclear(result);
    return good;
}

static int dolon__postgres_ask(dolon__asker *a, double figures[DOLON__ASKED])
{
    dolon_postgres *db = (dolon_postgres *)a;
    if (!db->session) db->session = dolon__postgres_connect(db->conninfo);
    if (db->session && dolon__postgres_query(db->session, figures)) return 1;
    PQfinish(db->session);
    db->session = NULL;
    return 0;
}

dolon_postgres *dolon_postgres_open(const char *conninfo, double interval)
{
    dolon_postgres *db = (dolon_postgres *)calloc(1, sizeof *db + strlen(conninfo));
    if (!db) return NULL;
    memcpy(db->conninfo, conninfo, strlen(conninfo) + 1);
    if (dolon__asker_start(&db->asker, dolon__postgres_ask, interval, 1)) return db;
    free(db);
    return NULL;
}

void dolon_postgres_close(dolon_postgres *db)
{
    if (!db) return;
    dolon__asker_stop(&db->asker);
    PQfinish(db->session);
    free(db);
}

double dolon_live_msgs(void *db)
{
    return dolon__asker_figure((dolon__asker *)db, 0);
}

double dolon_dead_msgs(void *db)
{
    return dolon__asker_figure((dolon__asker *)db, 1);
}

double dolon_idle(void *db)
{
    return dolon__asker_figure((dolon__asker *)db, 2);
}

double dolon_count_db_connections(void *db)
{
    return dolon__asker_figure((dolon__asker *)db, 3);
}

#endif

/* ---- >>rabbitmq: what a message broker's management API tells ---- */

#ifdef DOLON_RABBITMQ

enum { DOLON__OVERVIEW, DOLON__BINDINGS, DOLON__REQUESTS };
enum { DOLON__OBJECT_TOTALS = 3 /* the figures of an overview */ };

/* An answer, taken byte by byte, so that it may be long: the head of HTTP, then JSON. Of that is kept how many elements its
   outermost array has, and the numbers of "object_totals" in its outermost object. It ends where that does: so it needs
   no length, and one that was cut off is known. */
typedef struct dolon__answer {
    int bad, whole, in_body;
    char status[12]; /* "HTTP/1.1 200" */
    size_t status_bytes;
    int newlines; /* one after another; two end the head */
    int depth;
    uint64_t objects; /* bit i: what is open at that depth is an object, else an array */
    int in_text, escaped;
    char text[16]; /* the last text, or how it begins */
    size_t text_bytes;
    int in_totals; /* within "object_totals" */
    int figure;    /* whose number is expected; -1: nobody's */
    double number;
    int digits;
    double elements, figures[DOLON__OBJECT_TOTALS];
} dolon__answer;

static void dolon__answer_begin(dolon__answer *a)
{
    memset(a, 0, sizeof *a);
    a->figure = -1;
    for (int i = 0; i < DOLON__OBJECT_TOTALS; i++) a->figures[i] = dolon__nan();
}

/* Only an answer of status 200 has a body that counts. */
static void dolon__answer_head(dolon__answer *a, char c)
{
    if (a->status_bytes < sizeof a->status) {
        a->status[a->status_bytes++] = c;
        if (a->status_bytes < sizeof a->status) return;
        a->bad = memcmp(a->status, "HTTP/1.", 7) != 0 || memcmp(a->status + 8, " 200", 4) != 0;
    } else if (c == '\n') {
        a->in_body = ++a->newlines == 2;
    } else if (c != '\r') {
        a->newlines = 0;
    }
}

static void dolon__answer_text(dolon__answer *a, char c)
{
    if (c == '"' && !a->escaped) {
        a->in_text = 0;
        return;
    }
    a->escaped = c == '\\' && !a->escaped;
    if (a->text_bytes < sizeof a->text) a->text[a->text_bytes++] = c;
}

static int dolon__answer_text_is(const dolon__answer *a, const char *text)
{
    return a->text_bytes == strlen(text) && memcmp(a->text, text, a->text_bytes) == 0;
}

/* The text before this colon is a key. */
static void dolon__answer_key(dolon__answer *a)
{
    static const char *const names[DOLON__OBJECT_TOTALS] = {"connections", "channels", "queues"};
    if (a->depth == 1) a->in_totals = dolon__answer_text_is(a, "object_totals");
    for (int i = 0; i < DOLON__OBJECT_TOTALS; i++)
        if (a->depth == 2 && a->in_totals && dolon__answer_text_is(a, names[i])) a->figure = i;
    a->number = 0;
    a->digits = 0;
}

static void dolon__answer_value_ends(dolon__answer *a)
{
    if (a->figure >= 0 && a->digits > 0 && a->digits < 16) a->figures[a->figure] = a->number;
    a->figure = -1;
}

static void dolon__answer_open(dolon__answer *a, int object)
{
    uint64_t bit = UINT64_C(1) << (a->depth & 63);
    if (a->depth == 63) a->bad = 1;
    a->objects = object ? a->objects | bit : a->objects & ~bit;
    a->depth++;
    a->figure = -1;
}

static void dolon__answer_close(dolon__answer *a, int object)
{
    dolon__answer_value_ends(a);
    a->depth--;
    if ((int)(a->objects >> a->depth & 1) != object) a->bad = 1;
    a->whole = a->depth == 0;
}

static void dolon__answer_json(dolon__answer *a, char c)
{
    if (a->in_text) {
        dolon__answer_text(a, c);
        return;
    }
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        if (a->digits > 0) dolon__answer_value_ends(a);
        return;
    }
    if (a->depth == 0 && c != '{' && c != '[') a->bad = 1; /* an error's text, or lengths of chunks that we did not ask for */
    if (a->bad) return;
    if (a->depth == 1 && a->elements == 0 && c != ']') a->elements = 1;
    if (c == '{' || c == '[') {
        dolon__answer_open(a, c == '{');
    } else if (c == '}' || c == ']') {
        dolon__answer_close(a, c == '}');
    } else if (c == '"') {
        a->in_text = 1;
        a->text_bytes = 0;
        a->figure = -1;
    } else if (c == ':') {
        dolon__answer_key(a);
    } else if (c == ',') {
        dolon__answer_value_ends(a);
        if (a->depth == 1) a->elements++;
    } else if (c >= '0' && c <= '9') {
        a->number = a->number * 10 + (c - '0');
        if (a->digits < 16) a->digits++;
    } else {
        a->figure = -1; /* true, null, a fraction … */
    }
}

/* Returns whether more may come. */
static int dolon__answer_take(dolon__answer *a, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n && !a->bad && !a->whole; i++) {
        if (a->in_body)
            dolon__answer_json(a, bytes[i]);
        else
            dolon__answer_head(a, bytes[i]);
    }
    return !a->bad && !a->whole;
}

struct dolon_rabbitmq {
    dolon__asker asker; /* first */
    char host[256];
    int port;
    char requests[DOLON__REQUESTS][1536];
};

/* Copies n bytes, %-escapes decoded. 0: they don't fit. */
static int dolon__url_decode(const char *from, size_t n, char *out, size_t cap)
{
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        static const char hex[] = "0123456789abcdef0123456789ABCDEF";
        const char *high = from[i] == '%' && i + 2 < n ? strchr(hex, from[i + 1]) : NULL;
        const char *low = high ? strchr(hex, from[i + 2]) : NULL;
        char c = from[i];
        if (to + 1 >= cap) return 0;
        if (low) {
            c = (char)((high - hex) % 16 * 16 + (low - hex) % 16);
            i += 2;
        }
        out[to++] = c;
    }
    out[to] = 0;
    return 1;
}

/* RFC 4648 §4. `out` has room for 4 bytes for each 3 begun, and a NUL. */
static void dolon__base64(const char *from, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = strlen(from);
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = 0;
        for (size_t k = 0; k < 3; k++) v = v << 8 | (i + k < n ? (unsigned char)from[i + k] : 0u);
        for (int k = 0; k < 4; k++) *out++ = i + (size_t)k <= n ? digits[v >> (18 - 6 * k) & 63] : '=';
    }
    *out = 0;
}

/* What is between the user and the path: "broker", "broker:15672", "[::1]:15672". No part of it may end a line. */
static int dolon__rabbitmq_host(dolon_rabbitmq *mq, const char *at, const char *end)
{
    int bracket = at < end && *at == '[';
    const char *from = at + bracket, *to = from;
    double port = mq->port;
    char text[8];
    while (to < end && *to != (bracket ? ']' : ':')) to++;
    if (to == from || (size_t)(to - from) >= sizeof mq->host || (bracket && to == end)) return 0;
    memcpy(mq->host, from, (size_t)(to - from));
    mq->host[to - from] = 0;
    to += bracket;
    if (to < end) {
        if (*to != ':' || !dolon__url_decode(to + 1, (size_t)(end - to - 1), text, sizeof text)) return 0;
        if (!dolon__parse_number(text, &port) || port < 1 || port > 65535) return 0;
    }
    mq->port = (int)port;
    return 1;
}

/* "user:password", with the colon that HTTP wants even if there is no password. */
static int dolon__rabbitmq_user(const char *at, const char *end, char *out, size_t cap)
{
    if (!dolon__url_decode(at, (size_t)(end - at), out, cap - 1)) return 0;
    if (!strchr(out, ':')) memcpy(out + strlen(out), ":", 2);
    return 1;
}

static int dolon__rabbitmq_request(dolon_rabbitmq *mq, int which, const char *prefix, const char *user)
{
    static const char *const paths[DOLON__REQUESTS] = {"/api/overview?columns=object_totals", "/api/bindings?columns=none"};
    int v6 = strchr(mq->host, ':') != NULL, trimmed = (int)strlen(prefix), n;
    char code[345];
    while (trimmed > 0 && prefix[trimmed - 1] == '/') trimmed--;
    dolon__base64(user, code);
    n = snprintf(mq->requests[which], sizeof mq->requests[which],
                 "GET %.*s%s HTTP/1.0\r\nHost: %s%s%s:%d\r\nAuthorization: Basic %s\r\nAccept: application/json\r\n"
                 "User-Agent: dolon/" DOLON_VERSION "\r\n\r\n",
                 trimmed, prefix, paths[which], v6 ? "[" : "", mq->host, v6 ? "]" : "", mq->port, code);
    return n > 0 && (size_t)n < sizeof mq->requests[which];
}

/* From the address to what is sent. 0: it makes no sense. */
static int dolon__rabbitmq_address(dolon_rabbitmq *mq, const char *server)
{
    const char *at = strncmp(server, "http://", 7) == 0 ? server + 7 : server;
    const char *end = at + strcspn(at, "/?#"), *host = end;
    char user[256] = "guest:guest";
    for (const char *c = server; *c; c++)
        if (*c <= ' ' || *c >= 0x7F || *c == '?' || *c == '#') return 0;
    dolon__copy(mq->host, sizeof mq->host, "localhost");
    mq->port = 15672;
    while (host > at && host[-1] != '@') host--;
    if (host > at && !dolon__rabbitmq_user(at, host - 1, user, sizeof user)) return 0;
    if (host < end && !dolon__rabbitmq_host(mq, host, end)) return 0;
    return dolon__rabbitmq_request(mq, DOLON__OVERVIEW, end, user) &&
           dolon__rabbitmq_request(mq, DOLON__BINDINGS, end, user);
}

/* Until then, or until it is to stop: which it looks for ten times a second. */
static int dolon__rabbitmq_await(dolon_rabbitmq *mq, dolon__handle fd, int writing, int64_t until)
{
    while (dolon__os_mono() < until && !dolon__asker_wait(&mq->asker, 0))
        if (dolon__os_await(fd, writing, 100)) return 1;
    return 0;
}

/* Returns whether there was a whole answer. */
static int dolon__rabbitmq_get(dolon_rabbitmq *mq, const dolon__address *to, int which, int64_t until,
                               dolon__answer *answer)
{
    const char *request = mq->requests[which];
    char bytes[2048];
    size_t n = strlen(request), left = 16 * 1024 * 1024; /* five million bindings */
    int error, more;
    dolon__handle fd = dolon__os_connect(to);
    if (fd == -1) return 0;
    dolon__answer_begin(answer);
    more = dolon__rabbitmq_await(mq, fd, 1, until) && dolon__os_send(fd, request, n, n) == 0;
    while (more && dolon__rabbitmq_await(mq, fd, 0, until)) {
        n = dolon__os_receive(fd, bytes, sizeof bytes, &error);
        more = n > 0 && n <= left && dolon__answer_take(answer, bytes, n);
        left -= more ? n : 0;
    }
    dolon__os_close(fd);
    return answer->whole && !answer->bad;
}

/* A connection each, as a request of HTTP/1.0 has it: so an answer is never sent in chunks. */
static int dolon__rabbitmq_ask(dolon__asker *a, double figures[DOLON__ASKED])
{
    dolon_rabbitmq *mq = (dolon_rabbitmq *)a;
    int64_t until = dolon__os_mono() + 5 * DOLON__SECOND;
    dolon__answer overview, bindings;
    dolon__address found[4];
    int count = dolon__os_numeric(mq->host, mq->port, found) ? 1 : dolon__os_lookup(mq->host, mq->port, found, 4);
    for (int i = 0; i < count; i++) {
        if (!dolon__rabbitmq_get(mq, &found[i], DOLON__OVERVIEW, until, &overview)) continue;
        if (!dolon__rabbitmq_get(mq, &found[i], DOLON__BINDINGS, until, &bindings)) continue;
        memcpy(figures, overview.figures, sizeof overview.figures);
        figures[DOLON__OBJECT_TOTALS] = bindings.objects & 1 ? dolon__nan() : bindings.elements;
        return 1;
    }
    return 0;
}

dolon_rabbitmq *dolon_rabbitmq_open(const char *server, double interval)
{
    const char *env = server && *server ? server : dolon__os_env("RMQ_SERVER");
    dolon_rabbitmq *mq = (dolon_rabbitmq *)calloc(1, sizeof *mq);
    if (!mq) return NULL;
    if (dolon__rabbitmq_address(mq, env ? env : "") && dolon__asker_start(&mq->asker, dolon__rabbitmq_ask, interval, 5))
        return mq;
    free(mq);
    return NULL;
}

void dolon_rabbitmq_close(dolon_rabbitmq *mq)
{
    if (!mq) return;
    dolon__asker_stop(&mq->asker);
    free(mq);
}

double dolon_rabbitmq_connections(void *mq)
{
    return dolon__asker_figure((dolon__asker *)mq, 0);
}

double dolon_rabbitmq_channels(void *mq)
{
    return dolon__asker_figure((dolon__asker *)mq, 1);
}

double dolon_rabbitmq_queues(void *mq)
{
    return dolon__asker_figure((dolon__asker *)mq, 2);
}

double dolon_rabbitmq_bindings(void *mq)
{
    return dolon__asker_figure((dolon__asker *)mq, DOLON__OBJECT_TOTALS);
}

#endif

/* ---- >>public ---- */

static void *dolon__malloc(void *user, size_t bytes)
{
    (void)user;
    return malloc(bytes);
}

static void dolon__malloc_free(void *user, void *p)
{
    (void)user;
    free(p);
}

/* A setting of the environment; NULL if there is none, or it is not to count. */
DOLON__APART static const char *dolon__env(const dolon_desc *desc, const char *name)
{
    return desc->no_environment ? NULL : dolon__os_env(name);
}

static void dolon__setup_interval(dolon_tracer *t, const dolon_desc *desc)
{
    const char *env = dolon__env(desc, "DOLON_INTERVAL");
    double least = 0.0001, most = 1e6, seconds = desc->interval;
    if (env && !dolon__parse_number(env, &seconds)) {
        dolon__tell(t, DOLON_BAD_VALUE, "DOLON_INTERVAL is no number of seconds");
        seconds = desc->interval;
    }
    if (!dolon__is_finite(seconds) || seconds < 0) {
        dolon__tell(t, DOLON_BAD_VALUE, "the interval is no number of seconds");
        seconds = 0;
    }
    if (seconds > 0 && (seconds < least || seconds > most))
        dolon__tell(t, DOLON_BAD_VALUE, "the interval is taken as the nearest between 0.0001 and 1000000 seconds");
    if (seconds == 0) seconds = 1;
    seconds = seconds < least ? least : seconds > most ? most : seconds;
    t->passport.interval = (int64_t)(seconds * 1e9 + 0.5);
}

static void dolon__setup_link(dolon_tracer *t, const dolon_desc *desc)
{
    const char *host = dolon__env(desc, "DOLON_HOST"), *port = dolon__env(desc, "DOLON_PORT");
    double number = desc->port;
    if (port && !(dolon__parse_number(port, &number) && number >= 1 && number <= 65535)) {
        dolon__tell(t, DOLON_BAD_VALUE, "DOLON_PORT is no port number");
        number = desc->port;
    }
    if (number != 0 && !(number >= 1 && number <= 65535)) {
        dolon__tell(t, DOLON_BAD_VALUE, "the port is not within 1 and 65535");
        number = 0;
    }
    if (!host) host = desc->host && *desc->host ? desc->host : "localhost";
    dolon__copy(t->link.host, sizeof t->link.host, host);
    t->link.port = number != 0 ? (int)number : 12013;
    t->link.fd = -1;
    t->link.joins = !dolon__is_local(t->link.host);
    t->link.announce = t->start;
    t->link.delay = DOLON__SECOND;
    t->link.trouble = DOLON_OK;
}

static void dolon__parse_uuid(const char *text, uint8_t out[16])
{
    for (int i = 0; i < 16; text += 2, i++) {
        unsigned byte = 0;
        if (*text == '-') text++;
        for (int k = 0; k < 2; k++)
            byte = byte << 4 | (unsigned)(text[k] <= '9' ? text[k] - '0' : text[k] - 'a' + 10);
        out[i] = (uint8_t)byte;
    }
}

/* A random UUID: version 4, RFC 9562 §5.4. */
static void dolon__setup_uuid(char out[37])
{
    unsigned char b[16];
    size_t n = 0;
    dolon__os_random(b, sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0F) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3F) | 0x80);
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out[n++] = '-';
        out[n++] = "0123456789abcdef"[b[i] >> 4];
        out[n++] = "0123456789abcdef"[b[i] & 15];
    }
    out[n] = 0;
}

static void dolon__setup_passport(dolon_tracer *t, const dolon_desc *desc)
{
    dolon__passport *p = &t->passport;
    const char *app = dolon__env(desc, "DOLON_APP_NAME");
    if (!app) app = desc->app_name;
    dolon__setup_uuid(p->uuid);
    dolon__copy(p->app, sizeof p->app, app);
    if (!*p->app) dolon__os_program_name(p->app, sizeof p->app);
    dolon__os_host_name(p->host, sizeof p->host);
    if (!desc->hide_args) dolon__os_arguments(p->args, sizeof p->args);
    dolon__os_build_id(p->build, sizeof p->build);
    p->pid = dolon__os_pid();
    p->born = dolon__os_born();
    dolon__os_place(p->place, sizeof p->place);
    p->time = dolon__os_wall();
    for (int i = 0; i < DOLON_MAX_TAGS && desc->tags[i].name; i++) {
        dolon__copy(p->tag_names[i], sizeof p->tag_names[i], desc->tags[i].name);
        dolon__copy(p->tag_values[i], sizeof p->tag_values[i], desc->tags[i].value);
        p->tag_count = i + 1;
    }
}

/* A key that is wanted and can't be used must not lead to datagrams that are not sealed. */
static void dolon__setup_seal(dolon_tracer *t, const dolon_desc *desc)
{
    const char *path = dolon__env(desc, "DOLON_KEY_FILE"), *wrong;
    if (!path) path = desc->key_file;
    if (!path || !*path) return;
    wrong = desc->wire == DOLON_WIRE_JSON ? "the JSON wire can't be sealed" : dolon__seal_setup(&t->seal, path);
    if (!wrong) return;
    t->link.mute = 1;
    dolon__tell(t, DOLON_BAD_KEY, wrong);
}

/* Unless told: 256 KiB, or what two seconds' rows take if that is more, which bridges an acknowledgement or two that get
   lost, but not over 16 MiB. */
static size_t dolon__ring_bytes(const dolon_tracer *t, const dolon_desc *desc)
{
    const size_t least = 256 * 1024, most = 16 * 1024 * 1024;
    size_t row = 4 + dolon__row_bytes(t->column_count);
    size_t wanted = (size_t)(2 * DOLON__SECOND / t->passport.interval) * row;
    if (desc->ring_bytes != 0) return desc->ring_bytes < 4096 ? 4096 : (size_t)desc->ring_bytes;
    return wanted < least ? least : wanted > most ? most : wanted;
}

/* Once the columns are known. 0: there is no memory. */
static int dolon__setup_ring(dolon_tracer *t, const dolon_desc *desc)
{
    dolon__ring *ring = &t->session.ring;
    if (!t->binary) return 1;
    ring->size = dolon__ring_bytes(t, desc);
    ring->bytes = (uint8_t *)t->alloc.alloc(t->alloc.user, ring->size);
    return ring->bytes != NULL;
}

static void dolon__setup_session(dolon_tracer *t, const dolon_desc *desc)
{
    dolon__session *s = &t->session;
    int bytes = desc->datagram_bytes == 0 ? 1200 : desc->datagram_bytes;
    double goodbye = desc->goodbye != 0 && dolon__is_finite(desc->goodbye) ? desc->goodbye : 1;
    t->binary = desc->wire != DOLON_WIRE_JSON;
    t->goodbye = goodbye < 0 ? 0 : goodbye > 3600 ? 3600 * DOLON__SECOND : (int64_t)(goodbye * 1e9);
    if (!t->binary) return;
    if (bytes < DOLON__DATAGRAM_LEAST) bytes = DOLON__DATAGRAM_LEAST;
    if (bytes > DOLON_DATAGRAM_BYTES) bytes = DOLON_DATAGRAM_BYTES;
    dolon__parse_uuid(t->passport.uuid, s->run);
    s->datagram = (size_t)bytes - (t->seal.on ? DOLON__SEAL_BYTES : 0);
    s->facts = t->facts;
    s->facts_bytes =
        dolon__link_facts(&t->passport, t->facts, (s->datagram < 1200 ? s->datagram : 1200) - DOLON__HEADER);
    s->column = dolon__link_column;
    s->ctx = t;
    s->linger = t->passport.interval < 100 * DOLON__MS ? 100 * DOLON__MS : 0;
    dolon__session_start(s, t->start);
    if (desc->crash_handler) t->last_words = dolon__crash_join();
}

/* Makes room for what scopes had taken at the last row, and, with the wire that brings histograms, when they were told last;
   0: there is no memory. */
static int dolon__setup_past(dolon_tracer *t, const dolon_desc *desc)
{
    size_t bytes = DOLON_MAX_SITES * sizeof *t->past;
    t->brief_scopes = desc->brief_scopes;
    if (t->brief_scopes) return 1;
    t->past = (dolon__past *)t->alloc.alloc(t->alloc.user, t->binary ? 2 * bytes : bytes);
    if (t->past && t->binary) t->told = t->past + DOLON_MAX_SITES;
    return t->past != NULL;
}

/* What scopes took before the tracer started belongs to none of its intervals. */
static void dolon__forget_past(dolon_tracer *t)
{
    if (!t->past) return;
    dolon__os_lock(&dolon__all.lock);
    for (uint32_t i = 0; i < t->series_seen; i++) {
        if (dolon__series_table[i].kind != DOLON__SCOPE_SITE || !dolon__sum_series(i, &t->sums)) continue;
        dolon__keep(&t->past[i], &t->sums, 0, DOLON__BUCKETS);
        if (t->told) dolon__keep(&t->told[i], &t->sums, 0, DOLON__BUCKETS);
    }
    dolon__os_unlock(&dolon__all.lock);
}

static void dolon__setup_probes(dolon_tracer *t, const dolon_desc *desc)
{
    static const dolon_probe defaults[] = {DOLON_DEFAULT_PROBES};
    size_t count = DOLON_MAX_PROBES;
    const dolon_probe *probes = desc->probes;
    if (!probes[0].name) {
        probes = defaults;
        count = sizeof defaults / sizeof defaults[0];
    }
    t->announce_bytes = dolon__json_announce(t->datagram, sizeof t->datagram, t, 0);
    for (size_t i = 0; i < count && probes[i].name; i++) dolon_add_probe(t, &probes[i]);
    dolon__append_new_series(t);
    dolon__forget_past(t);
}

/* 0: there is no memory. */
static int dolon__setup(dolon_tracer *t, const dolon_desc *desc, const dolon_alloc *alloc)
{
    memset(t, 0, sizeof *t);
    dolon__os_lock_init(&t->lock);
    dolon__os_cond_init(&t->ended);
    t->sleeper = dolon__os_sleeper();
    t->alloc = *alloc;
    t->log = desc->log;
    dolon__setup_passport(t, desc);
    t->start = dolon__os_mono();
    for (int i = 0; i < 3; i++) { /* whoever is interrupted between two clocks reads too little */
        int64_t slept = dolon__os_slept();
        if (slept > t->slept) t->slept = slept;
    }
    t->slept_before = t->slept;
    dolon__setup_interval(t, desc);
    dolon__setup_link(t, desc);
    dolon__setup_seal(t, desc);
    dolon__setup_session(t, desc);
    if (!dolon__setup_past(t, desc)) return 0;
    dolon__setup_probes(t, desc);
    return dolon__setup_ring(t, desc);
}

static void dolon__enlist(dolon_tracer *t)
{
    dolon__os_lock(&dolon__all.lock);
    t->next = dolon__all.tracers;
    dolon__all.tracers = t;
    dolon__os_unlock(&dolon__all.lock);
}

/* 0: the program is exiting, in another thread that sees to this tracer. */
static int dolon__delist(dolon_tracer *t)
{
    int leaving;
    dolon__os_lock(&dolon__all.lock);
    leaving = t->leaving;
    for (dolon_tracer **p = &dolon__all.tracers; *p && !leaving; p = &(*p)->next) {
        if (*p != t) continue;
        *p = t->next;
        break;
    }
    dolon__os_unlock(&dolon__all.lock);
    return !leaving;
}

dolon_tracer *dolon_start(const dolon_desc *desc)
{
    static dolon_desc defaults; /* never written */
    dolon_alloc alloc = {dolon__malloc, dolon__malloc_free, NULL};
    const char *disabled;
    dolon_tracer *t;
    if (!desc) desc = &defaults;
    DOLON_ASSERT(!desc->alloc.alloc == !desc->alloc.free);
    if (desc->alloc.alloc && desc->alloc.free) alloc = desc->alloc;
    disabled = dolon__env(desc, "DOLON_DISABLED");
    if (disabled && strcmp(disabled, "0") != 0) {
        dolon_measure_scopes(0);
        return NULL;
    }
    dolon__os_call_once(&dolon__once, dolon__init);
    dolon__join_known();
    t = (dolon_tracer *)alloc.alloc(alloc.user, sizeof *t);
    if (!t || !dolon__setup(t, desc, &alloc)) {
        dolon__say(&desc->log, DOLON_NO_MEMORY, "");
        if (t) dolon__free(t);
        return NULL;
    }
    dolon__enlist(t);
    if (!dolon__os_thread(&t->thread, 0, dolon__timer, t)) {
        dolon__tell(t, DOLON_NO_THREAD, "");
        dolon__delist(t);
        dolon__free(t);
        return NULL;
    }
    return t;
}

void dolon_stop(dolon_tracer *t)
{
    int done;
    if (!t) return;
    if (t->forked) {
        dolon__free(t);
        return;
    }
    if (!dolon__delist(t)) return;
    dolon__ask_to_end(t);
    done = dolon__await_end(t);
    if (!done) {
        dolon__tell(t, DOLON_STUCK, "");
        dolon__os_lock(&t->lock);
        done = t->done;
        DOLON__STORE(&t->abandoned, !done);
        if (!done) dolon__os_thread_detach(&t->thread);
        dolon__os_unlock(&t->lock);
        if (done) dolon__os_thread_join(&t->thread);
    }
    if (!done) return;
    dolon__os_cond_end(&t->ended);
    dolon__os_lock_end(&t->lock);
    dolon__free(t);
}

dolon_error dolon_add_probe(dolon_tracer *t, const dolon_probe *probe)
{
    dolon_error error;
    if (!t || t->forked) return DOLON_OK;
    error = dolon__append_probe(t, probe);
    if (error != DOLON_OK) dolon__tell(t, error, probe && probe->name ? probe->name : "");
    return error;
}

void dolon_measure_scopes(int on)
{
    DOLON__STORE(&dolon__scopes_off, !on);
}

void dolon_mark(dolon_tracer *t, const char *label)
{
    dolon__marks *marks;
    if (!t || t->forked) return;
    dolon__os_lock(&t->lock);
    marks = &t->marks[t->marks_open];
    if (marks->count < DOLON_MAX_MARKS) {
        dolon__mark *mark = &marks->list[marks->count++];
        mark->time = dolon__wall(t, dolon__os_mono());
        dolon__copy(mark->label, sizeof mark->label, label);
    } else {
        marks->lost++;
    }
    dolon__os_unlock(&t->lock);
}

void dolon_get_stats(dolon_tracer *t, dolon_stats *out)
{
    memset(out, 0, sizeof *out);
    if (t) {
        dolon__os_lock(&t->lock);
        *out = t->stats;
        dolon__os_unlock(&t->lock);
    }
    dolon__os_lock(&dolon__all.lock);
    out->sites_left_out = dolon__all.left_out;
    dolon__os_unlock(&dolon__all.lock);
}

static double dolon__speed_at(dolon_speedometer *s, double value, int64_t now)
{
    double least = s->time_interval > 0 ? s->time_interval : 2, seconds = (double)(now - s->last_time) / 1e9;
    if (s->started && seconds <= least) return s->speed;
    s->speed = s->started ? (value - s->last_value) / seconds : 0;
    s->started = 1;
    s->last_value = value;
    s->last_time = now;
    return s->speed;
}

double dolon_speed(dolon_speedometer *s, double value)
{
    return dolon__speed_at(s, value, dolon__os_mono());
}

#ifndef __TINYC__
#pragma GCC diagnostic pop
#endif

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* DOLON_IMPLEMENTATION */

/* ---- >>licence ----

   At your choice, one of the two.

   ALTERNATIVE A - MIT License

   Copyright (c) 2026 the dolon authors

   Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
   documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
   rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
   persons to whom the Software is furnished to do so, subject to the following conditions:

   The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
   Software.

   THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
   WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
   COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
   OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.

   ALTERNATIVE B - Public Domain (www.unlicense.org)

   This is free and unencumbered software released into the public domain.

   Anyone is free to copy, modify, publish, use, compile, sell, or distribute this software, either in source code form
   or as a compiled binary, for any purpose, commercial or non-commercial, and by any means.

   In jurisdictions that recognize copyright laws, the author or authors of this software dedicate any and all copyright
   interest in the software to the public domain. We make this dedication for the benefit of the public at large and to
   the detriment of our heirs and successors. We intend this dedication to be an overt act of relinquishment in perpetuity
   of all present and future rights to this software under copyright law.

   THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
   WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS BE
   LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
   OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE. */
