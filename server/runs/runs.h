/* SPDX-License-Identifier: MIT OR Unlicense
   runs: the registry of the runs that are heard of now. It gives each row its place (sequence number, time), drops
   what it has seen, notices what is missing, and gathers what is new into batches. Pure: `now` is an argument.

   A run that is new to the registry is asked for by `want`: the store may hold it, if the server was restarted or the run
   forgotten. Until the store has answered and the run is announced (by itself or by that answer), at most
   PENDING_SECONDS, its rows wait within bounds. An announced run then goes on without the answer; another's rows are
   orphans.

   Where several servers write one store, another may know more of a run: its client was moved there for a while. What it
   wrote is in the store, which is asked again when the client says of rows that are missing here that they will not come.

   Rows leave at the next flush, also while one before them is missing, so that they become durable in time: a late row
   comes in a later batch than its followers, with its own, lower number. Readers sort by (time, seq). */
#ifndef RUNS_H
#define RUNS_H

#include "ingest/sources.h"
#include "runs/run.h"

typedef struct {
    size_t runs;           /* heard of at once                    (0: 65,536); the longest silent makes room      */
    size_t info_bytes;     /* what is known of them, all together (0: 256 MiB); ditto                             */
    size_t pending_rows;   /* of unknown runs, all together       (0: 65,536); the longest unknown loses its      */
    size_t early_bytes;    /* for rows of the binary wire that wait for earlier ones, all together (0: 256 MiB)   */
    size_t batch_bytes;    /* after so much new, runs_full()      (0: 8 MiB)                                      */
    size_t ack_seal;       /* bytes that sealing adds to an acknowledgement (0: they are not sealed)              */
    source_limits sources; /* of those whose datagrams come by runs_take_from()                                 */
    bool shared;           /* other servers write the same store: they may have what is missing here              */
    int64_t reorder;       /* ns a missing row may be late before it is a gap    (0: 2 s)                         */
} runs_limits;

#define PENDING_SECONDS 10
#define PENDING_BYTES   (32u << 20)
#define FORGET_SECONDS  600 /* a run that is silent for so long is asked for again when it speaks    */
#define ASK_AT_ONCE     64  /* answers that may be due: strangers' runs must not keep the store busy */
#define MARKS_PER_ROW   512
#define ACK_PAUSE_MS    20  /* between two acknowledgements of a run that no commit has caused       */
#define GOODBYE_SECONDS 10  /* so long after a goodbye, what has not come by then is lost            */
#define CRASH_SECONDS   1   /* the same if the program crashed: nobody is left to send it again      */
#define SUSPECT_SECONDS 6   /* a live program of the binary wire says something every 5 s            */
#define FLUSH_MS        250 /* what is newer may be missing after a SIGKILL */

/* What the registry counts; only its own thread writes, any may read. */
#define RUNS_COUNTERS(X)                                                                                             \
    X(rows, "rows taken")                                                                                            \
    X(duplicates, "rows that had come before, or were given up as lost before they came")                            \
    X(orphans, "rows whose run was never announced")                                                                 \
    X(short_rows, "rows with fewer values than columns: the rest have no value")                                     \
    X(long_rows, "rows with more values than columns: the surplus is ignored")                                       \
    X(dropped_marks, "marks beyond MARKS_PER_ROW of one row")                                                        \
    X(ignored, "optional parts of datagrams that were ill-formed and left out")                                      \
    X(conflicts, "announcements that contradict an earlier one of the same run: refused")                            \
    X(clipped_names, "names and texts that were too long or held control characters")                                \
    X(renamed_columns, "columns whose name the run had already: a number is added")                                  \
    X(asked_again, "questions to the store for rows that another server may have")                                    \
    X(held_off, "rows left with their clients: the store was behind, or earlier rows were missing")                  \
    X(acks, "acknowledgements sent")                                                                                 \
    X(over_bytes, "datagrams ignored: their source sends too many bytes a second")                                   \
    X(over_new_runs, "records ignored: their source begins too many runs a minute")                                  \
    X(over_live_runs, "records ignored: their source has too many runs at once")                                     \
    X(replayed, "sealed datagrams that had come before, or cannot be told from such: ignored")                       \
    X(crashed, "runs whose process was found gone without a goodbye")                                                \
    X(evicted, "runs forgotten, to make room in memory; what is stored stays")

typedef struct {
#define X(name, text) _Atomic uint64_t name;
    RUNS_COUNTERS(X)
#undef X
} runs_counters;

typedef struct runs runs;

/* Where a datagram came from: an address as the system has it, opaque here. */
typedef struct {
    uint8_t bytes[128];
    uint32_t size;
    uint8_t source[SOURCE_BYTES]; /* whose limits count */
} peer;

/* What of a run is durable: as its info was when the store took it. */
typedef struct {
    uuid id;
    uint64_t rows; /* every row below is stored, or counted as lost */
    uint32_t marks, columns;
    bool ended;
} receipt;

/* A run whose process may have died. */
typedef struct {
    uuid id;
    int64_t pid;
    uint64_t born;
} suspect;

#define RUNS_ACK_BYTES 244 /* the longest acknowledgement */

/* `want` asks the store for a run; the answer comes by runs_answer(), later: not from within. It is asked once while the
   registry remembers the run. `limits` may be NULL. */
runs *runs_new(const runs_limits *limits, void (*want)(void *ctx, const uuid *run), void *ctx);
void runs_free(runs *r);

void runs_take(runs *r, const record *rec, int64_t now);
/* `from` and `bytes`: where the datagram came from that held the record, and its length. Acknowledgements go there, and
   are never more bytes than came. Returns the limit that the source is over, if the record was ignored for that. */
source_limit runs_take_from(runs *r, const record *rec, const peer *from, size_t bytes, int64_t now);
/* Before a datagram is looked at: whether its source may send it. */
source_limit runs_take_bytes(runs *r, const peer *from, size_t bytes, int64_t now);
/* What a batch held is durable now: runs of the binary wire are acknowledged. */
void runs_durable(runs *r, const receipt *done);
/* The next acknowledgement that is due: its length, in `out`, and where to send it; 0: none. */
size_t runs_next_ack(runs *r, uint8_t out[RUNS_ACK_BYTES], peer *to);
bool runs_owes(const runs *r); /* an acknowledgement, now or within ACK_PAUSE_MS */
/* While the store is behind, rows that can wait at their clients are not taken. */
void runs_set_behind(runs *r, bool behind);
/* Live runs whose process runs at `place` (FACTS) and that have been silent for SUSPECT_SECONDS: how many, at most `max`.
   The caller asks the system; a process that is gone has crashed, for it said no goodbye. */
size_t runs_suspects(const runs *r, const char *place, suspect *out, size_t max);
void runs_crashed(runs *r, const uuid *id);
/* The store's answer: what it holds of the run, or NULL if nothing. Takes ownership of `stored`. */
void runs_answer(runs *r, const uuid *id, run_info *stored, int64_t now);
/* Everything new since the last call, or NULL. The caller owns it. Also lets go of what waited too long.
   `final`: no more will come, so what is missing now is a gap. */
batch *runs_flush(runs *r, int64_t now, bool final);
bool runs_full(const runs *r); /* flush before the interval is over */
size_t runs_count(const runs *r);
size_t runs_asked(const runs *r);               /* answers that are due */
const runs_counters *runs_stats(const runs *r); /* valid as long as `r` */

#endif
