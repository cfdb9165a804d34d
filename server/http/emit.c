/* SPDX-License-Identifier: MIT OR Unlicense
   emit: what the API answers as JSON, written out. Pure. */
#include "http/emit.h"

#include <inttypes.h>
#include <stdio.h>

#include "runs/edit.h"

void emit_string(buf *out, const char *s)
{
    buf_append(out, "\"", 1);
    while (*s) {
        size_t n = 0;
        while ((unsigned char)s[n] >= 0x20 && s[n] != '"' && s[n] != '\\') n++;
        buf_append(out, s, n);
        s += n;
        if (!*s) break;
        if (*s == '"' || *s == '\\') {
            buf_append(out, (char[]){'\\', *s}, 2);
        } else {
            buf_printf(out, "\\u%04x", (unsigned)*s);
        }
        s++;
    }
    buf_append(out, "\"", 1);
}

void emit_ms(buf *out, int64_t ns)
{
    char text[32];
    uint64_t n = ns < 0 ? -(uint64_t)ns : (uint64_t)ns, fraction = n % NS_PER_MS;
    int length = snprintf(text, sizeof text, "%s%" PRIu64, ns < 0 ? "-" : "", n / NS_PER_MS);
    if (fraction) {
        length += snprintf(text + length, sizeof text - (size_t)length, ".%06" PRIu64, fraction);
        while (text[length - 1] == '0') length--;
    }
    buf_append(out, text, (size_t)length);
}

/* ---- lists: a comma before all but the first ---- */

static void comma(buf *out, size_t index)
{
    if (index) buf_append(out, ",", 1);
}

static void member(buf *out, const char *name)
{
    buf_printf(out, ",\"%s\":", name);
}

static void member_string(buf *out, const char *name, const char *value)
{
    member(out, name);
    emit_string(out, value);
}

/* ---- runs ---- */

static void tag_members(buf *out, const run_tag *tags, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        comma(out, i);
        emit_string(out, tags[i].name);
        buf_text(out, ":");
        emit_string(out, tags[i].value);
    }
}

static void run_tags(buf *out, const run_info *r)
{
    if (!*r->user_tags) {
        tag_members(out, r->tags, r->tag_count);
        return;
    }
    size_t count;
    run_tag *tags = edit_tags(r, &count);
    tag_members(out, tags, count);
    edit_tags_free(tags, count);
}

static void run_members(buf *out, const run_info *r, int64_t now)
{
    char id[UUID_TEXT];
    uuid_format(&r->id, id);
    buf_printf(out, "\"id\":\"%s\"", id);
    member_string(out, "app", r->app);
    member_string(out, "state", run_state_name(run_state_at(r, now)));
    member(out, "started");
    emit_ms(out, r->started);
    member(out, "last");
    emit_ms(out, r->last);
    buf_printf(out, ",\"rows\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"interval\":", r->rows, r->lost);
    if (r->interval > 0)
        buf_double(out, (double)r->interval / (double)NS_PER_SECOND);
    else
        buf_text(out, "null");
    buf_text(out, ",\"columns\":[");
    for (size_t i = 0; i < r->column_count; i++) {
        comma(out, i);
        emit_string(out, r->columns[i].name);
    }
    buf_text(out, "],\"tags\":{");
    run_tags(out, r);
    buf_text(out, "}");
    member_string(out, "note", r->note);
    buf_printf(out, ",\"pinned\":%s", r->pinned ? "true" : "false");
    if (!r->deleted) return;
    member(out, "deleted");
    emit_ms(out, r->deleted);
}

void emit_run(buf *out, const run_info *r, int64_t now)
{
    buf_text(out, "{");
    run_members(out, r, now);
    buf_text(out, "}");
}

void emit_run_details(buf *out, const run_info *r, const double *last, int64_t now)
{
    buf_text(out, "{");
    run_members(out, r, now);
    member_string(out, "host", r->host);
    if (r->pid)
        buf_printf(out, ",\"pid\":%" PRId64, r->pid);
    else
        buf_text(out, ",\"pid\":null");
    member_string(out, "build", r->build);
    member_string(out, "args", r->args);
    buf_text(out, ",\"clock_offset\":");
    emit_ms(out, r->offset);
    buf_text(out, ",\"column_info\":[");
    for (size_t i = 0; i < r->column_count; i++) {
        comma(out, i);
        buf_text(out, "{\"name\":");
        emit_string(out, r->columns[i].name);
        member_string(out, "unit", r->columns[i].unit);
        member_string(out, "kind", column_kind_name(r->columns[i].kind));
        member(out, "last");
        buf_double(out, last[i]);
        buf_text(out, "}");
    }
    buf_text(out, "]}");
}

/* ---- series ---- */

static void values(buf *out, const char *name, const double *v, size_t n)
{
    buf_printf(out, "\"%s\":[", name);
    for (size_t i = 0; i < n; i++) {
        comma(out, i);
        buf_double(out, v[i]);
    }
    buf_text(out, "]");
}

static void series_columns(buf *out, const run_info *r, const series *s)
{
    buf_text(out, ",\"columns\":{");
    for (size_t i = 0; i < s->column_count; i++) {
        comma(out, i);
        emit_string(out, r->columns[s->columns[i]].name);
        buf_text(out, ":{");
        values(out, "mean", s->values[i].mean, s->points);
        if (!s->exact) {
            buf_text(out, ",");
            values(out, "min", s->values[i].min, s->points);
            buf_text(out, ",");
            values(out, "max", s->values[i].max, s->points);
        }
        buf_text(out, "}");
    }
    buf_text(out, "}");
}

static void series_events(buf *out, const series *s)
{
    buf_text(out, ",\"gaps\":[");
    for (size_t i = 0; i < s->gap_count; i++) {
        comma(out, i);
        buf_text(out, "[");
        emit_ms(out, s->gaps[i].time);
        buf_text(out, ",");
        emit_ms(out, s->gaps[i].until);
        buf_printf(out, ",%" PRIu64 "]", s->gaps[i].count);
    }
    buf_text(out, "],\"marks\":[");
    for (size_t i = 0; i < s->mark_count; i++) {
        comma(out, i);
        buf_text(out, "{\"time\":");
        emit_ms(out, s->marks[i].time);
        member_string(out, "text", s->marks[i].text);
        buf_printf(out, ",\"count\":%" PRIu64 "}", s->marks[i].count ? s->marks[i].count : 1);
    }
    buf_text(out, "]");
}

void emit_series(buf *out, const run_info *r, const series *s, const emit_range *range)
{
    buf_text(out, "{");
    if (range) {
        buf_text(out, "\"from\":");
        emit_ms(out, range->from);
        member(out, "to");
        emit_ms(out, range->to);
        buf_text(out, ",");
    }
    buf_text(out, "\"time\":[");
    for (size_t i = 0; i < s->points; i++) {
        comma(out, i);
        emit_ms(out, s->time[i]);
    }
    buf_text(out, "]");
    if (!s->exact) {
        buf_text(out, ",\"rows\":[");
        for (size_t i = 0; i < s->points; i++) {
            comma(out, i);
            buf_printf(out, "%" PRIu64, s->rows[i]);
        }
        buf_text(out, "]");
    }
    series_columns(out, r, s);
    series_events(out, s);
    buf_text(out, "}");
}
