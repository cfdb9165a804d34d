/* SPDX-License-Identifier: MIT OR Unlicense
   rows: such as programs send, for the benches of the store. */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include "server/store/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define COLUMNS 8
#define START   INT64_C(1769860800000000000)
#define TICK    (NS_PER_SECOND / 10)

static inline uint64_t random_u64(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 2685821657736338717u;
}

/* About normal, mean 0, deviation 1. */
static inline double random_normal(void)
{
    double sum = 0;
    for (int i = 0; i < 4; i++) sum += (double)(random_u64() >> 40) * 0x1p-24;
    return (sum - 2) * 1.7320508;
}

typedef struct {
    double pages, heap, requests, errors, total, calls;
} program;

static inline void sample(program *p, double *v)
{
    p->pages += floor(random_normal() * 2);
    p->heap += floor(random_normal() * 300) * 16;
    p->requests += floor(200 + 20 * random_normal());
    p->errors += random_u64() % 50 == 0;
    p->calls += 200;
    p->total += 200 * 1e-4 * exp(0.1 * random_normal());
    double ticks = 198 + (double)(random_u64() % 5), busy = floor(30 + 8 * random_normal());
    v[0] = (200000 + p->pages) * 4096 / 0x1p30; /* memory_use: GiB                      */
    v[1] = (1e8 + p->heap) / 1e6;               /* mem_allocation: MB                   */
    v[2] = round(1000 * busy / ticks) / 10;     /* cpu_percent: a decimal, as psutil's  */
    v[3] = 12;                                  /* active_tasks                         */
    v[4] = p->requests;                         /* a counter                            */
    v[5] = p->errors;                           /* a counter that seldom grows          */
    v[6] = (double)(random_u64() % 40);         /* a queue's depth                      */
    v[7] = p->total / p->calls;                 /* NAME_average_time: seconds           */
}

static inline run_info *run_make(void)
{
    static char text[] = "", app[] = "bench";
    static char names[COLUMNS][24] = {"memory_use", "mem_allocation", "cpu_percent", "active_tasks",
                                      "requests",   "errors",         "queue",       "handle_average_time"};
    run_column columns[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++) columns[i] = (run_column){names[i], text, COLUMN_GAUGE};
    run_info r = {.app = app, .host = text, .build = text, .args = text, .place = text, .note = text, .user_tags = text, .started = START};
    r.columns = columns;
    r.column_count = COLUMNS;
    for (size_t i = 0; i < sizeof r.id.b; i++) r.id.b[i] = (uint8_t)random_u64();
    return run_info_copy(&r);
}

/* Rows first … first + rows - 1 of a run; bench_part_free() it. */
static inline batch_part bench_part(program *p, uint64_t first, size_t rows)
{
    batch_part part = {.rows = rows, .columns = COLUMNS};
    part.time = mem_alloc(rows * sizeof *part.time);
    part.seq = mem_alloc(rows * sizeof *part.seq);
    part.values = mem_alloc(rows * COLUMNS * sizeof *part.values);
    for (size_t i = 0; i < rows; i++) {
        part.seq[i] = first + i;
        part.time[i] = START + (int64_t)(first + i) * TICK + (int64_t)(random_u64() % 60000); /* a timer's jitter */
        sample(p, part.values + i * COLUMNS);
    }
    return part;
}

static inline void bench_part_free(batch_part *p)
{
    free(p->time);
    free(p->seq);
    free(p->values);
}

/* The next `rows` of a run, in full chunks, one transaction. */
static inline store_status bench_write(store *s, run_info *run, program *p, size_t rows)
{
    batch_part part = bench_part(p, run->next_seq, rows);
    size_t count = rows / CHUNK_ROWS;
    chunk **put = mem_alloc(count * sizeof *put);
    for (size_t i = 0; i < count; i++) put[i] = chunk_from_part(&part, i * CHUNK_ROWS, CHUNK_ROWS);
    run->last = part.time[rows - 1];
    run->next_seq += rows;
    store_change change = {.info = run, .put = put, .put_count = count};
    store_status status = store_write(s, &change, 1);
    for (size_t i = 0; i < count; i++) chunk_free(put[i]);
    free(put);
    bench_part_free(&part);
    return status;
}

#endif
