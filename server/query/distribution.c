/* SPDX-License-Identifier: MIT OR Unlicense
   distribution: histograms of summaries where they serve, of rows where not. */
#include "query/distribution.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- gathering ---- */

typedef struct {
    const grid *grid;
    int64_t longest;
    size_t *place;               /* [MAX_COLUMNS]: 1 + where a column stands in `out`; 0: it is not wanted */
    distribution *out;
    size_t part;                 /* where what is being read counts */
    chunk_key *keys;             /* entries whose sums serve, …    */
    size_t count, room;
    chunk_key *close;            /* … and those whose rows count   */
    size_t close_count, close_room;
} gathering;

static void add_key(chunk_key **keys, size_t *count, size_t *room, const chunk_key *key)
{
    if (*count == *room) {
        *room = *room ? 2 * *room : 64;
        *keys = mem_resize(*keys, *room, sizeof **keys);
    }
    (*keys)[(*count)++] = *key;
}

static bool gather_entry(void *ctx, const chunk_key *key, const summary *columns, size_t count)
{
    (void)columns, (void)count;
    gathering *g = ctx;
    if (grid_takes_whole(g->grid, key, g->longest))
        add_key(&g->keys, &g->count, &g->room, key);
    else
        add_key(&g->close, &g->close_count, &g->close_room, key);
    return true;
}

static histogram *histogram_at(void *ctx, uint32_t column)
{
    const gathering *g = ctx;
    size_t place = column < MAX_COLUMNS ? g->place[column] : 0;
    return place ? &g->out->of[place - 1][g->part] : NULL;
}

static void add_bytes(gathering *g, size_t part, span bytes)
{
    g->part = part;
    histogram_set_pick(bytes, histogram_at, g);
}

static void add_sums(void *ctx, size_t entry, span sums)
{
    gathering *g = ctx;
    add_bytes(g, grid_part_of(g->grid, &g->keys[entry]), sums);
}

static store_status add_rows(store *s, const uuid *id, gathering *g, const chunk_key *key)
{
    static const uint32_t only[] = {CHUNK_HISTOGRAMS};
    chunk *c;
    store_status status = store_chunk(s, id, key, only, ARRAY_LEN(only), &c);
    if (status != STORE_OK) return status;
    for (size_t i = 0; i < c->histograms.count; i++) {
        size_t row = c->histograms.each[i].row;
        if (c->time[row] < g->grid->from || c->time[row] > g->grid->to) continue;
        add_bytes(g, grid_part(g->grid, c->time[row]), row_histograms_of(&c->histograms, row));
    }
    chunk_free(c);
    return STORE_OK;
}

static store_status gather(store *s, const uuid *id, gathering *g)
{
    store_status status = store_cover(s, id, g->grid->from, g->grid->to, g->longest, gather_entry, g);
    if (status == STORE_OK) status = store_sums(s, id, g->keys, g->count, add_sums, g);
    for (size_t i = 0; status == STORE_OK && i < g->close_count; i++) status = add_rows(s, id, g, &g->close[i]);
    free(g->keys);
    free(g->close);
    return status;
}

store_status distribution_of(store *s, const run_info *run, const grid *g, int64_t longest, const uint32_t *columns,
                             size_t count, distribution *out)
{
    *out = (distribution){.grid = *g, .column_count = count};
    out->of = mem_calloc(count, sizeof *out->of);
    for (size_t i = 0; i < count; i++) out->of[i] = mem_calloc(g->parts, sizeof **out->of);
    gathering all = {.grid = g, .longest = longest, .out = out, .place = mem_calloc(MAX_COLUMNS, sizeof *all.place)};
    for (size_t i = 0; i < count; i++) all.place[columns[i]] = i + 1;
    store_status status = gather(s, &run->id, &all);
    free(all.place);
    if (status != STORE_OK) distribution_free(out);
    return status;
}

void distribution_free(distribution *d)
{
    for (size_t i = 0; i < d->column_count; i++) {
        for (size_t part = 0; part < d->grid.parts; part++) histogram_free(&d->of[i][part]);
        free(d->of[i]);
    }
    free(d->of);
    *d = (distribution){0};
}

/* ---- what columns tell of them ---- */

/* "50" of "handle_p50", if `stem` is "handle". */
static const char *suffix_of(const char *name, const char *stem, size_t n)
{
    return strncmp(name, stem, n) == 0 && name[n] == '_' ? name + n + 1 : NULL;
}

static bool read_share(const char *digits, double *share)
{
    double unit = 0.1;
    *share = 0;
    if (!digits[0] || !digits[1]) return false;
    for (; *digits; digits++, unit /= 10) {
        if (*digits < '0' || *digits > '9') return false;
        *share += (*digits - '0') * unit;
    }
    return true;
}

distribution_view distribution_view_of(const run_info *run, uint32_t column)
{
    if (column >= run->column_count) return (distribution_view){VIEW_NONE, 0, 0};
    const char *name = run->columns[column].name;
    if (run->columns[column].kind == COLUMN_HISTOGRAM) return (distribution_view){VIEW_MEAN, column, 0};
    for (uint32_t back = 1; back <= DISTRIBUTION_VIEWS && back <= column; back++) {
        const run_column *h = &run->columns[column - back];
        size_t length = strlen(h->name);
        if (h->kind != COLUMN_HISTOGRAM || length < 5 || strcmp(h->name + length - 5, "_mean") != 0) continue;
        const char *suffix = suffix_of(name, h->name, length - 5);
        distribution_view v = {VIEW_RANK, column - back, 0};
        if (suffix && strcmp(suffix, "max") == 0) return (distribution_view){VIEW_MAX, column - back, 0};
        if (suffix && suffix[0] == 'p' && read_share(suffix + 1, &v.share)) return v;
    }
    return (distribution_view){VIEW_NONE, 0, 0};
}

/* ---- a series ---- */

/* The histograms that the series' columns are views of, each once. */
typedef struct {
    distribution_view *views;    /* [of the series' columns] */
    uint32_t *columns;
    size_t *index;               /* [of the series' columns] into `columns` */
    size_t count;
} viewed;

static viewed views_of(const run_info *run, const series *s)
{
    viewed v = {.views = mem_alloc(s->column_count * sizeof *v.views),
                .columns = mem_alloc(s->column_count * sizeof *v.columns),
                .index = mem_alloc(s->column_count * sizeof *v.index)};
    for (size_t i = 0; i < s->column_count; i++) {
        v.views[i] = distribution_view_of(run, s->columns[i]);
        if (v.views[i].kind == VIEW_NONE) continue;
        size_t k = v.count;
        while (k > 0 && v.columns[k - 1] != v.views[i].column) k--; /* most often the last one */
        if (k == 0) v.columns[v.count++] = v.views[i].column;
        v.index[i] = k ? k - 1 : v.count - 1;
    }
    return v;
}

static void viewed_free(viewed *v)
{
    free(v->views);
    free(v->columns);
    free(v->index);
}

static double within(double v, double least, double greatest)
{
    return v < least ? least : v > greatest ? greatest : v;
}

static void correct(const distribution *d, const histogram *of, const distribution_view *view, const series *s,
                    series_column *out)
{
    for (size_t i = 0; i < s->points; i++) {
        const histogram *h = &of[grid_part(&d->grid, s->time[i])];
        if (isnan(out->mean[i]) || (view->kind != VIEW_MAX && h->count == 0)) continue;
        double v = view->kind == VIEW_MAX    ? out->max[i]
                   : view->kind == VIEW_RANK ? histogram_rank(h, view->share)
                                             : histogram_mean(h);
        out->mean[i] = within(v, out->min[i], out->max[i]);
    }
}

store_status distribution_correct(store *s, const run_info *run, const grid *g, int64_t longest, series *out)
{
    if (out->exact) return STORE_OK;
    viewed v = views_of(run, out);
    distribution d = {0};
    store_status status = v.count ? distribution_of(s, run, g, longest, v.columns, v.count, &d) : STORE_OK;
    for (size_t i = 0; status == STORE_OK && v.count && i < out->column_count; i++)
        if (v.views[i].kind != VIEW_NONE) correct(&d, d.of[v.index[i]], &v.views[i], out, &out->values[i]);
    distribution_free(&d);
    viewed_free(&v);
    return status;
}
