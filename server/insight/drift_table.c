/* SPDX-License-Identifier: MIT OR Unlicense
   drift_table: verdicts as text. */
#include "insight/drift_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool counts(const drift_row *r)
{
    return r->kind == COLUMN_COUNTER;
}

/* "MB", "MB/s", "1/s" */
static void put_unit(buf *out, const drift_row *r)
{
    if (r->unit[0] || counts(r)) buf_printf(out, " %s%s", r->unit[0] ? r->unit : "1", counts(r) ? "/s" : "");
}

static void put_slope(buf *out, const drift_row *r)
{
    const drift *d = &r->drift;
    if (isnan(d->slope)) {
        buf_text(out, "–");
        return;
    }
    buf_printf(out, "%+.3g", d->slope);
    put_unit(out, r);
    buf_text(out, " per h");
}

static void put_interval(buf *out, const drift *d)
{
    if (isfinite(d->low) && isfinite(d->high)) buf_printf(out, "%+.3g … %+.3g", d->low, d->high);
}

static void put_level(buf *out, const drift_row *r)
{
    if (isnan(r->drift.level)) return;
    buf_printf(out, "%.4g", r->drift.level);
    put_unit(out, r);
}

static void put_span(buf *out, const drift *d)
{
    double hours = drift_hours(d);
    if (d->points)
        buf_printf(out,
                   hours >= 1        ? "%.1f h"
                   : hours * 60 >= 1 ? "%.1f min"
                                     : "%.1f s",
                   hours >= 1        ? hours
                   : hours * 60 >= 1 ? hours * 60
                                     : hours * 3600);
}

/* ---- columns of the table, as wide as their widest cell ---- */

enum { NAME, VERDICT, SLOPE, INTERVAL, LEVEL, SPAN, CELLS };
static const char *const heads[CELLS] = {"column", "verdict", "slope", "99 % sure within", "level", "over"};

typedef struct {
    buf text[CELLS];
} line;

/* Characters, not bytes, as UTF-8 has them. */
static size_t width_of(const buf *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++) n += ((unsigned char)b->p[i] & 0xc0) != 0x80;
    return n;
}

static line line_of(const drift_row *r)
{
    line l = {0};
    buf_text(&l.text[NAME], r->name);
    buf_printf(&l.text[VERDICT], "%s%s", drift_verdict_name(r->drift.verdict), r->failed ? " !" : "");
    put_slope(&l.text[SLOPE], r);
    put_interval(&l.text[INTERVAL], &r->drift);
    put_level(&l.text[LEVEL], r);
    put_span(&l.text[SPAN], &r->drift);
    return l;
}

static void put_line(buf *out, const line *l, const size_t *widths)
{
    size_t blanks = 0;
    for (size_t c = 0; c < CELLS; c++) {
        if (l->text[c].n) {
            for (; blanks; blanks--) buf_text(out, " ");
            buf_append(out, l->text[c].p, l->text[c].n);
        }
        blanks += widths[c] + 2 - width_of(&l->text[c]);
    }
    buf_text(out, "\n");
}

static void put_time(buf *out, int64_t ns)
{
    time_t second = (time_t)(ns / NS_PER_SECOND);
    struct tm utc;
    char text[32];
    gmtime_r(&second, &utc);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%SZ", &utc);
    buf_text(out, text);
}

static void put_events(buf *out, const drift_row *r)
{
    const drift *d = &r->drift;
    for (size_t i = 0; i < d->shift_count; i++) {
        buf_text(out, "    shift at ");
        put_time(out, d->shifts[i].time);
        buf_printf(out, ": %.4g -> %.4g", d->shifts[i].before, d->shifts[i].after);
        put_unit(out, r);
        buf_text(out, "\n");
    }
    const drift_outlier *most = d->outlier_count ? &d->outliers[0] : NULL;
    for (size_t i = 1; i < d->outlier_count; i++)
        if (fabs(d->outliers[i].score) > fabs(most->score)) most = &d->outliers[i];
    if (!most) return;
    buf_printf(out, "    %zu outlier%s, the farthest at ", d->outliers_found, d->outliers_found == 1 ? "" : "s");
    put_time(out, most->from);
    buf_printf(out, ": %.4g where %.4g is usual\n", most->value, most->usual);
}

void drift_table(buf *out, const drift_row *rows, size_t count)
{
    line *lines = mem_calloc(count + 1, sizeof *lines);
    size_t widths[CELLS] = {0};
    for (size_t c = 0; c < CELLS; c++) buf_text(&lines[0].text[c], heads[c]);
    for (size_t i = 0; i < count; i++) lines[i + 1] = line_of(&rows[i]);
    for (size_t i = 0; i <= count; i++)
        for (size_t c = 0; c < CELLS; c++)
            if (width_of(&lines[i].text[c]) > widths[c]) widths[c] = width_of(&lines[i].text[c]);
    for (size_t i = 0; i <= count; i++) {
        put_line(out, &lines[i], widths);
        if (i) put_events(out, &rows[i - 1]);
        for (size_t c = 0; c < CELLS; c++) buf_free(&lines[i].text[c]);
    }
    free(lines);
}
