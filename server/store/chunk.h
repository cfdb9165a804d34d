/* SPDX-License-Identifier: MIT OR Unlicense
   chunk: some rows of one run, column by column, with a summary of each column; and their bytes. Pure. */
#ifndef CHUNK_H
#define CHUNK_H

#include "runs/run.h"

#define CHUNK_ROWS       1024            /* a full chunk                                              */
#define CHUNK_MAX_ROWS   65536           /* what can be encoded, and what decoding believes, so that  */
#define CHUNK_MAX_VALUES (UINT32_C(1) << 24) /* damaged bytes cannot ask for more than 128 MiB        */

/* Of the values there are (NaN is none). With count 0 the rest is NaN. */
typedef struct {
    uint64_t count;
    double min, max, sum, first, last;
} summary;

void summary_clear(summary *s);
void summary_add(summary *s, double value);                  /* NaN adds nothing                 */
void summary_merge(summary *s, const summary *later);        /* `later` comes after `s` in time  */

/* What says where a chunk, or a summary of chunks, lies; its key in the store is (run, level, first_time, first_seq). */
typedef struct {
    int64_t first_time, last_time;                           /* the least and the greatest, ns */
    uint64_t first_seq, last_seq;
    uint64_t rows;
    uint32_t level;                                          /* 0: rows; k: summarises entries of level k-1 */
} chunk_key;

typedef struct {
    chunk_key key;
    size_t rows, columns;
    int64_t *time;                                           /* [rows]                          */
    uint64_t *seq;                                           /* [rows]                          */
    double **values;                                         /* [columns][rows]; a column not read is NULL */
    summary *summaries;                                      /* [columns]                       */
    row_histograms histograms;                               /* of the rows                     */
    buf sums;                                                /* all of them added up, as bytes of base/histogram.h; of a
                                                                summary of chunks: of all that it stands for */
} chunk;

#define CHUNK_HISTOGRAMS UINT32_MAX                          /* as one of the columns to be read: the rows' histograms */

chunk *chunk_new(size_t rows, size_t columns);               /* room for them; not yet filled; 0 rows: `time` NULL */
void chunk_free(chunk *c);
/* Rows [from, from + rows) of a batch's part, put in order of (time, seq), with key and summaries made. */
chunk *chunk_from_part(const batch_part *p, size_t from, size_t rows);
/* The rows of all, by (time, seq); a row that two of them hold (same seq) once; columns as of the widest, NULL if none
   of them has read it; with key and summaries made. */
chunk *chunk_merge(chunk *const *parts, size_t count);
/* Leaves only the rows that `keep` says; key, summaries and sums stay as they were. */
void chunk_keep_rows(chunk *c, bool (*keep)(const void *ctx, const chunk *c, size_t row), const void *ctx);
chunk_key chunk_key_of(const chunk *c);                      /* from the rows; level 0          */
void chunk_summarise(chunk *c);                              /* makes key, summaries and sums anew from the rows */

/* The bytes, as SQLite holds them; layout in chunk_bytes.c. Appends to `out`. 1 … CHUNK_MAX_ROWS rows. */
void chunk_encode(const chunk *c, buf *out);
/* Only the columns listed (all, and the histograms, if `columns` is NULL); one that joined the run after this chunk is left out, so look
   at `columns` of the chunk before asking it for one. NULL: the bytes are damaged. The key is made from the rows, the
   summaries are not filled. */
chunk *chunk_decode(span bytes, const uint32_t *columns, size_t count);

/* The rows' histograms alone, as one block of the chunk's bytes. false: damaged. */
#define CHUNK_MAX_HISTOGRAMS (UINT32_C(1) << 27)             /* bytes that decoding believes */
void chunk_put_histograms(const chunk *c, buf *out);
bool chunk_get_histograms(chunk *c, span bytes);

void summaries_encode(const summary *s, size_t columns, buf *out);
/* At most `max` into `out`; returns how many there are, or -1: damaged. */
int summaries_decode(span bytes, summary *out, size_t max);

#endif
