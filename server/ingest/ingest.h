/* SPDX-License-Identifier: MIT OR Unlicense
   ingest: the thread of the UDP socket. Receives in batches, decodes, feeds the run registry (which it owns), and
   every FLUSH_MS, or earlier if much came, hands what is new to a sink. */
#ifndef INGEST_H
#define INGEST_H

#include "ingest/decode.h"
#include "ingest/seal.h"
#include "runs/runs.h"

typedef struct ingest ingest;

typedef struct {
    const char *address;                                     /* "127.0.0.1:12013", "[::1]:0", "unix:/run/mnemic" */
    int receive_buffer;                                      /* SO_RCVBUF in bytes (0: 32 MiB)          */
    runs_limits limits;
    const seal_keys *keys;                                   /* nothing is taken or answered that is not sealed with
                                                                them (NULL: nothing is sealed)          */
    void (*batch)(void *ctx, batch *b);                      /* takes ownership; on the ingest thread   */
    void (*want)(void *ctx, const uuid *run);                /* ask the store; answer by ingest_answer() */
    bool (*behind)(void *ctx);                               /* the store is: rows had better wait at their clients;
                                                                may be NULL                             */
    void *ctx;
} ingest_desc;

/* What ingest counts; any thread may read. `refused` is by decode_result. */
typedef struct {
    _Atomic uint64_t datagrams, bytes, records;
    _Atomic uint64_t refused[DECODE_RESULTS];
    _Atomic uint64_t unsealed, forged;                       /* ignored since there is a key: not sealed; not with it */
    _Atomic uint64_t refusals;                               /* of these, told to the client            */
    _Atomic uint64_t overflows;                              /* datagrams the kernel dropped: the socket's buffer was full */
    _Atomic uint64_t runs;                                   /* in the registry now                     */
} ingest_stats;

/* Binds; `bound` gets the address as chosen ("127.0.0.1:12013"). NULL on failure, with one sentence in `why`. */
ingest *ingest_open(const ingest_desc *desc, buf *bound, buf *why);
void ingest_start(ingest *in);                               /* the thread */
void ingest_answer(ingest *in, const uuid *id, run_info *stored); /* any thread; takes ownership */
/* All of the batch is durable now: any thread; the batch stays the caller's. */
void ingest_durable(ingest *in, const batch *b);
/* Takes what the socket still holds, waits a moment for answers that are due, hands on the last batch, ends the thread.
   Then, when nobody can call ingest_answer() any more, ingest_free(). */
void ingest_stop(ingest *in);
void ingest_free(ingest *in);
const ingest_stats *ingest_counters(const ingest *in);
const runs_counters *ingest_runs_counters(const ingest *in);

#endif
