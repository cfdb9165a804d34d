/* SPDX-License-Identifier: MIT OR Unlicense
   archive: the portable file of `mnemic export`: runs with all that is known of them, as blocks with checksums. EXPORT.md
   has the bytes. Knows no store; a file is a stdio stream. What is read is not trusted: it may be cut off, damaged or
   made up. */
#ifndef ARCHIVE_H
#define ARCHIVE_H

#include "store/chunk.h"

#include <stdio.h>

#define ARCHIVE_VERSION   1
#define ARCHIVE_CHECK     16
#define ARCHIVE_MAX_BLOCK (UINT32_C(1) << 28) /* bytes; what reading believes            */
#define ARCHIVE_MAX_TEXT  (UINT32_C(1) << 20) /* bytes of a name, a note, a mark's label */

typedef enum { ARCHIVE_RUN = 1, ARCHIVE_CHUNK, ARCHIVE_EVENTS, ARCHIVE_RUN_END, ARCHIVE_END } archive_kind;

/* ---- writing ---- */

typedef struct {
    FILE *file;
    uint8_t check[ARCHIVE_CHECK]; /* of the block before                       */
    buf block;                    /* being made                                */
    uint64_t runs, rows, events;  /* written; rows and events of this run only */
    bool failed;                  /* the stream took something no more; errno of then: */
    int error;
} archive_writer;

/* In this order: begin; for each run: run, any number of chunks and events, run_end; end. What fails is noted in
   `failed`, and what follows does nothing. */
void archive_begin(archive_writer *w, FILE *file);
void archive_put_run(archive_writer *w, const run_info *r); /* without `deleted`, `rows` … what the rows tell */
void archive_put_chunk(archive_writer *w, const chunk *c);  /* of level 0                   */
void archive_put_event(archive_writer *w, const run_event *e);
void archive_put_run_end(archive_writer *w);
void archive_end(archive_writer *w); /* frees all but the stream, and flushes that */

/* ---- reading ---- */

/* What a file holds next. */
typedef struct {
    archive_kind kind;
    run_info *run;     /* RUN: with what its rows and events tell 0 */
    chunk *chunk;      /* CHUNK: with its summaries                 */
    run_event *events; /* EVENTS                                    */
    size_t event_count;
} archive_item;

void archive_item_free(archive_item *item);

typedef struct {
    FILE *file;
    uint8_t check[ARCHIVE_CHECK];
    buf block;
    uint64_t offset;             /* of the next byte in the file               */
    uint64_t runs, rows, events; /* read; rows and events of this run only     */
    bool inside;                 /* a run                                      */
    size_t columns;              /* of that run                                */
} archive_reader;

/* Reads the head. false: `why` gets "is …", what is wrong with the file. */
bool archive_open(archive_reader *r, FILE *file, buf *why);
/* The next item, which the caller frees. A run is whole when its RUN_END has come, the file when its END has. false: as
   above, and nothing follows. */
bool archive_next(archive_reader *r, archive_item *item, buf *why);
void archive_close(archive_reader *r); /* frees all but the stream */

#endif
