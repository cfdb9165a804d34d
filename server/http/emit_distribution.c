/* SPDX-License-Identifier: MIT OR Unlicense
   emit_distribution: histograms over time as JSON. Neighbouring buckets are put together into bins of equal ratio, as few as a
   heat map can show; percentiles are of the buckets themselves. */
#include "http/emit_distribution.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* The bins of a column: bin i has the buckets [(first + i) << shift, (first + i + 1) << shift). */
typedef struct {
    uint32_t first, count;
    unsigned shift;
} binning;

static binning binning_of(const histogram *parts, size_t count)
{
    uint32_t least = UINT32_MAX, greatest = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].count == 0) continue;
        uint32_t low = parts[i].bins[0].bucket, high = parts[i].bins[parts[i].count - 1].bucket;
        if (low < least) least = low;
        if (high > greatest) greatest = high;
    }
    if (least > greatest) return (binning){0, 0, 0};
    unsigned shift = 0;
    while ((greatest >> shift) - (least >> shift) >= DISTRIBUTION_BINS) shift++;
    return (binning){least >> shift, (greatest >> shift) - (least >> shift) + 1, shift};
}

static void put_edges(buf *out, const binning *b)
{
    buf_text(out, ",\"edges\":[");
    for (uint32_t i = 0; b->count && i <= b->count; i++) {
        buf_text(out, i ? "," : "");
        buf_double(out, histogram_least((b->first + i) << b->shift));
    }
    buf_text(out, "]");
}

/* [bin, count, …] of one part. */
static void put_cells(buf *out, const histogram *h, const binning *b)
{
    buf_text(out, "[");
    for (size_t i = 0; i < h->count;) {
        uint32_t bin = h->bins[i].bucket >> b->shift;
        uint64_t count = 0;
        buf_text(out, i ? "," : "");
        for (; i < h->count && h->bins[i].bucket >> b->shift == bin; i++) count += h->bins[i].count;
        buf_printf(out, "%" PRIu32 ",%" PRIu64, bin - b->first, count);
    }
    buf_text(out, "]");
}

/* ---- what a list has for each part ---- */

typedef struct {
    const distribution *d;
    const bool *shown; /* [parts] */
} parts;

static void put_all_cells(buf *out, const parts *p, const histogram *of, const binning *b)
{
    buf_text(out, ",\"cells\":[");
    for (size_t i = 0, n = 0; i < p->d->grid.parts; i++) {
        if (!p->shown[i]) continue;
        buf_text(out, n++ ? ",\n" : "");
        put_cells(out, &of[i], b);
    }
    buf_text(out, "]");
}

static void put_counts(buf *out, const parts *p, const histogram *of)
{
    buf_text(out, ",\"count\":[");
    for (size_t i = 0, n = 0; i < p->d->grid.parts; i++)
        if (p->shown[i]) buf_printf(out, "%s%" PRIu64, n++ ? "," : "", histogram_total(&of[i]));
    buf_text(out, "]");
}

/* By nearest rank; `share` NAN: the mean. More than four digits would be made up. */
static void put_figure(buf *out, const histogram *h, double share)
{
    double v = isnan(share) ? histogram_mean(h) : histogram_rank(h, share);
    buf_printf(out, isfinite(v) ? "%.4g" : "null", v); /* a stranger's may be infinite */
}

static void put_figures(buf *out, const parts *p, const histogram *of, const char *name, double share)
{
    buf_printf(out, ",\"%s\":[", name);
    for (size_t i = 0, n = 0; i < p->d->grid.parts; i++) {
        if (!p->shown[i]) continue;
        buf_text(out, n++ ? "," : "");
        put_figure(out, &of[i], share);
    }
    buf_text(out, "]");
}

static void put_total(buf *out, const histogram *of, size_t count)
{
    static const struct {
        const char *name;
        double share;
    } figures[] = {{"mean", NAN}, {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"min", 0}, {"max", 1}};
    histogram all = {0};
    for (size_t i = 0; i < count; i++) histogram_add(&all, &of[i]);
    buf_printf(out, ",\"total\":{\"count\":%" PRIu64, histogram_total(&all));
    for (size_t i = 0; i < ARRAY_LEN(figures); i++) {
        buf_printf(out, ",\"%s\":", figures[i].name);
        put_figure(out, &all, figures[i].share);
    }
    buf_text(out, "}");
    histogram_free(&all);
}

static void put_column(buf *out, const run_column *c, const histogram *of, const parts *p)
{
    binning b = binning_of(of, p->d->grid.parts);
    emit_string(out, c->name);
    buf_text(out, ":{\"unit\":");
    emit_string(out, c->unit);
    put_edges(out, &b);
    put_all_cells(out, p, of, &b);
    put_counts(out, p, of);
    put_figures(out, p, of, "mean", NAN);
    put_figures(out, p, of, "p50", 0.5);
    put_figures(out, p, of, "p90", 0.9);
    put_figures(out, p, of, "p99", 0.99);
    put_figures(out, p, of, "max", 1);
    put_total(out, of, p->d->grid.parts);
    buf_text(out, "}");
}

/* ---- the whole ---- */

static void put_times(buf *out, const grid *g, const bool *shown)
{
    buf_text(out, ",\"time\":[");
    for (size_t i = 0, n = 0; i < g->parts; i++) {
        if (!shown[i]) continue;
        buf_text(out, n++ ? "," : "");
        emit_ms(out, grid_start(g, i));
    }
    buf_text(out, "]");
}

void emit_distribution(buf *out, const run_info *r, const uint32_t *columns, const distribution *d)
{
    bool *shown = mem_calloc(d->grid.parts, sizeof *shown);
    for (size_t i = 0; i < d->column_count; i++)
        for (size_t part = 0; part < d->grid.parts; part++) shown[part] |= d->of[i][part].count > 0;
    buf_text(out, "{\"from\":");
    emit_ms(out, d->grid.from);
    buf_text(out, ",\"to\":");
    emit_ms(out, d->grid.to);
    buf_text(out, ",\"width\":");
    emit_ms(out, grid_width(&d->grid));
    put_times(out, &d->grid, shown);
    buf_text(out, ",\"columns\":{");
    for (size_t i = 0; i < d->column_count; i++) {
        buf_text(out, i ? ",\n" : "");
        put_column(out, &r->columns[columns[i]], d->of[i], &(parts){d, shown});
    }
    buf_text(out, "}}\n");
    free(shown);
}
