/* SPDX-License-Identifier: MIT OR Unlicense
   emit_drift: verdicts as JSON. */
#include "http/emit_drift.h"

static void number(buf *out, const char *name, double v)
{
    buf_printf(out, ",\"%s\":", name);
    buf_double(out, v); /* null: not finite */
}

static void time_member(buf *out, const char *before, int64_t ns)
{
    buf_text(out, before);
    emit_ms(out, ns);
}

static void emit_shifts(buf *out, const drift *d)
{
    buf_text(out, ",\"shifts\":[");
    for (size_t i = 0; i < d->shift_count; i++) {
        time_member(out, i ? ",{\"time\":" : "{\"time\":", d->shifts[i].time);
        number(out, "before", d->shifts[i].before);
        number(out, "after", d->shifts[i].after);
        buf_text(out, "}");
    }
    buf_text(out, "]");
}

static void emit_outliers(buf *out, const drift *d)
{
    buf_printf(out, ",\"outliers_found\":%zu,\"outliers\":[", d->outliers_found);
    for (size_t i = 0; i < d->outlier_count; i++) {
        const drift_outlier *o = &d->outliers[i];
        time_member(out, i ? ",{\"from\":" : "{\"from\":", o->from);
        time_member(out, ",\"to\":", o->until);
        number(out, "value", o->value);
        number(out, "usual", o->usual);
        number(out, "score", o->score);
        buf_text(out, "}");
    }
    buf_text(out, "]");
}

static void emit_one(buf *out, const run_column *c, const drift *d)
{
    buf_text(out, "{\"name\":");
    emit_string(out, c->name);
    buf_text(out, ",\"unit\":");
    emit_string(out, c->unit);
    buf_printf(out, ",\"kind\":\"%s\",\"verdict\":\"%s\",\"points\":%zu",
               c->kind == COLUMN_COUNTER ? "counter" : "gauge", drift_verdict_name(d->verdict), d->points);
    number(out, "independent", d->independent);
    number(out, "hours", drift_hours(d));
    number(out, "slope", d->slope);
    number(out, "low", d->low);
    number(out, "high", d->high);
    number(out, "change", drift_change(d));
    number(out, "level", d->level);
    number(out, "noise", d->noise);
    emit_shifts(out, d);
    emit_outliers(out, d);
    buf_text(out, "}");
}

void emit_drift(buf *out, const run_info *r, const uint32_t *columns, const drift *drifts, size_t count,
                const emit_range *range)
{
    time_member(out, "{\"from\":", range->from);
    time_member(out, ",\"to\":", range->to);
    buf_text(out, ",\"columns\":[");
    for (size_t i = 0; i < count; i++) {
        buf_text(out, i ? ",\n" : "");
        emit_one(out, &r->columns[columns[i]], &drifts[i]);
    }
    buf_text(out, "]}\n");
}
