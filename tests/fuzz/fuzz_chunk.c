/* SPDX-License-Identifier: MIT OR Unlicense
   fuzz_chunk: any bytes as a chunk's and as summaries'. What is believed must come back from bytes of our own. */
#include "server/store/chunk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

static bool same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void try_chunk(span bytes)
{
    chunk *c = chunk_decode(bytes, NULL, 0);
    if (!c) return;
    buf again = {0};
    chunk_encode(c, &again);
    chunk *back = chunk_decode((span){again.p, again.n}, NULL, 0);
    must(back && back->rows == c->rows && back->columns == c->columns);
    must(memcmp(back->time, c->time, c->rows * sizeof *c->time) == 0);
    must(memcmp(back->seq, c->seq, c->rows * sizeof *c->seq) == 0);
    for (size_t i = 0; i < c->columns; i++)
        must(memcmp(back->values[i], c->values[i], c->rows * sizeof(double)) == 0);

    const uint32_t some[] = {2, 0, 2, 4095};
    chunk *part = chunk_decode((span){again.p, again.n}, some, ARRAY_LEN(some));
    must(part != NULL);
    for (size_t i = 0; i < part->columns; i++) must((part->values[i] != NULL) == (i == 0 || i == 2 || i == 4095));

    chunk *merged = chunk_merge((chunk *const[]){c, back}, 2);
    must(merged->rows <= c->rows && merged->columns == c->columns);
    chunk_free(merged);
    chunk_free(part);
    chunk_free(back);
    chunk_free(c);
    buf_free(&again);
}

static void try_summaries(span bytes)
{
    static summary first[MAX_COLUMNS], second[MAX_COLUMNS];
    int count = summaries_decode(bytes, first, MAX_COLUMNS);
    if (count < 0) return;
    buf again = {0};
    summaries_encode(first, (size_t)count, &again);
    must(summaries_decode((span){again.p, again.n}, second, MAX_COLUMNS) == count);
    for (int i = 0; i < count; i++) {
        must(first[i].count == second[i].count && same(first[i].min, second[i].min));
        must(same(first[i].max, second[i].max) && same(first[i].sum, second[i].sum));
        must(same(first[i].first, second[i].first) && same(first[i].last, second[i].last));
    }
    buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    span bytes = {(const char *)data, size};
    try_chunk(bytes);
    try_summaries(bytes);
    return 0;
}
