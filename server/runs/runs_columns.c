/* SPDX-License-Identifier: MIT OR Unlicense
   runs_columns: the columns of an announcement, made presentable. */
#include "runs/runs_columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the names so far: a hash set, so that 4096 equal names cost no more than different ones ---- */

typedef struct {
    const run_column *columns;
    uint32_t *slots;  /* index + 1 of a column; 0: free */
    uint32_t *copies; /* [column]: how many were asked to have its name */
    size_t mask;
    hash_key key;
} names;

static names names_new(const run_column *columns, size_t count, hash_key key)
{
    size_t size = 16;
    while (size < 2 * count) size *= 2;
    return (names){columns, mem_calloc(size, sizeof(uint32_t)), mem_calloc(count, sizeof(uint32_t)), size - 1, key};
}

static void names_free(names *n)
{
    free(n->slots);
    free(n->copies);
}

/* The slot that holds the name, or the free one where it belongs. */
static uint32_t *names_find(const names *n, const char *name)
{
    size_t at = (size_t)hash_bytes(n->key, name, strlen(name)) & n->mask;
    while (n->slots[at] && strcmp(n->columns[n->slots[at] - 1].name, name) != 0) at = (at + 1) & n->mask;
    return &n->slots[at];
}

/* Numbers a name until it is free. `first` is the column that had it first: it remembers the last number given, so
   no number is tried twice. */
static char *numbered(names *n, const char *name, uint32_t first)
{
    for (;;) {
        char suffix[16];
        int suffix_bytes = snprintf(suffix, sizeof suffix, " (%u)", ++n->copies[first] + 1);
        char *short_name = span_clean(span_of(name), MAX_NAME_BYTES - (size_t)suffix_bytes, NULL);
        buf text = {0};
        buf_printf(&text, "%s%s", short_name, suffix);
        free(short_name);
        if (!*names_find(n, text.p)) return text.p;
        buf_free(&text);
    }
}

run_column *columns_make(const record_column *in, size_t count, size_t from, hash_key key, columns_changes *changes)
{
    run_column *out = mem_alloc(count * sizeof *out);
    names seen = names_new(out, count, key);
    *changes = (columns_changes){0};
    for (size_t i = 0; i < count; i++) {
        bool name_clipped, unit_clipped;
        out[i].name = span_clean(in[i].name, MAX_NAME_BYTES, &name_clipped);
        out[i].unit = span_clean(in[i].unit, MAX_NAME_BYTES, &unit_clipped);
        out[i].kind = in[i].kind;
        if (i >= from) changes->clipped += (size_t)name_clipped + unit_clipped;
        uint32_t *slot = names_find(&seen, out[i].name);
        if (*slot) {
            char *name = numbered(&seen, out[i].name, *slot - 1);
            free(out[i].name);
            out[i].name = name;
            slot = names_find(&seen, name);
            changes->renamed += i >= from;
        }
        *slot = (uint32_t)i + 1;
    }
    names_free(&seen);
    return out;
}

void columns_free(run_column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(columns[i].name);
        free(columns[i].unit);
    }
    free(columns);
}

bool columns_agree(const run_column *a, size_t a_count, const run_column *b, size_t b_count)
{
    for (size_t i = 0; i < a_count && i < b_count; i++)
        if (strcmp(a[i].name, b[i].name) != 0) return false;
    return true;
}

bool columns_named(const run_column *known, size_t known_count, const record_column *in, size_t count)
{
    if (count > known_count) return false;
    for (size_t i = 0; i < count; i++)
        if (!span_eq(span_of(known[i].name), in[i].name)) return false;
    return true;
}
