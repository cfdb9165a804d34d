/* SPDX-License-Identifier: MIT OR Unlicense
   params: the query of a URL, checked. Pure. */
#include "http/params.h"

#include <stdlib.h>
#include <string.h>

#include "query/query.h"

#define DEFAULT_POINTS 1200

/* ---- text ---- */

/* The bytes up to `stop`, or all; `*rest` gets what follows it. */
static span cut(span text, char stop, span *rest)
{
    const char *at = text.n ? memchr(text.p, stop, text.n) : NULL;
    size_t n = at ? (size_t)(at - text.p) : text.n;
    *rest = at ? (span){at + 1, text.n - n - 1} : (span){text.p + text.n, 0};
    return (span){text.p, n};
}

static int hex(char c)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    if (!at) return -1;
    return (int)(at - digits) < 16 ? (int)(at - digits) : (int)(at - digits) - 6;
}

/* %XX decoded (RFC 3986 §2.1); a '+' stays one, no value of ours holds a space. */
static span decode(span text, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        int high = -1, low = -1;
        if (text.p[i] == '%' && i + 2 < text.n) high = hex(text.p[i + 1]), low = hex(text.p[i + 2]);
        if (high >= 0 && low >= 0) i += 2;
        out[n++] = (char)(high >= 0 && low >= 0 ? high << 4 | low : text.p[i]);
    }
    return (span){out, n};
}

static bool read_uint(span text, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') return false;
        value = value * 10 + (uint64_t)(text.p[i] - '0');
        if (value > max) return false;
    }
    *out = value;
    return text.n > 0;
}

/* ---- the parameters ---- */

/* A number with decimals, of units of `unit` ns → nanoseconds, exactly; a double could not hold them. What is less than one
   is left out. */
static bool read_time(span text, int64_t unit, int64_t *ns)
{
    bool negative = text.n && text.p[0] == '-';
    if (negative) text.p++, text.n--;
    span decimals, whole = cut(text, '.', &decimals);
    uint64_t units, fraction = 0;
    if (!read_uint(whole, (uint64_t)(INT64_MAX / unit) - 1, &units)) return false;
    if (decimals.n > 9) decimals.n = 9;
    if (decimals.n && !read_uint(decimals, 999999999, &fraction)) return false;
    for (size_t i = decimals.n; i < 9; i++) fraction *= 10;
    *ns = (int64_t)units * unit + (int64_t)fraction / (NS_PER_SECOND / unit);
    if (negative) *ns = -*ns;
    return true;
}

static bool read_columns(params *p, span text)
{
    size_t count = text.n > 0;
    for (size_t i = 0; i < text.n; i++) count += text.p[i] == ',';
    if (count > MAX_COLUMNS) return false;
    free(p->columns);
    p->columns = mem_calloc(count, sizeof p->columns[0]);
    p->column_count = 0;
    while (p->column_count < count) {
        uint64_t index;
        if (!read_uint(cut(text, ',', &text), UINT32_MAX, &index)) return false;
        p->columns[p->column_count++] = (uint32_t)index;
    }
    return true;
}

static bool read_points(params *p, span text)
{
    uint64_t points;
    if (!read_uint(text, QUERY_MAX_POINTS, &points) || points == 0) return false;
    p->points = (size_t)points;
    return true;
}

static bool read_last(params *p, span text)
{
    if (text.n && text.p[0] == '-') return false;
    return read_time(text, NS_PER_SECOND, &p->last) && p->last > 0;
}

static bool read_first(params *p, span text)
{
    uint64_t count;
    if (!read_uint(text, MAX_COLUMNS, &count) || count == 0) return false;
    p->first = (size_t)count;
    return true;
}

static bool read_bool(span text, bool *out)
{
    uint64_t value;
    if (!read_uint(text, 1, &value)) return false;
    *out = value;
    return true;
}

static bool refuse(buf *why, span name, const char *what)
{
    buf_printf(why, "%.*s: %s", (int)(name.n < 40 ? name.n : 40), name.p, what);
    return false;
}

static bool read_one(params *p, span name, span value, unsigned known, buf *why)
{
    static const char time_form[] = "not a time in milliseconds since 1970, as 1769860800123 or 1769860800123.25";
    if ((known & PARAM_RANGE) && span_eq(name, span_of("from")))
        return read_time(value, NS_PER_MS, &p->from) || refuse(why, name, time_form);
    if ((known & PARAM_RANGE) && span_eq(name, span_of("to")))
        return read_time(value, NS_PER_MS, &p->to) || refuse(why, name, time_form);
    if ((known & PARAM_LAST) && span_eq(name, span_of("last")))
        return read_last(p, value) || refuse(why, name, "not a number of seconds, as 600 or 0.5");
    if ((known & PARAM_POINTS) && span_eq(name, span_of("points")))
        return read_points(p, value) || refuse(why, name, "not a number from 1 to 20000");
    if ((known & PARAM_COLUMNS) && span_eq(name, span_of("columns")))
        return read_columns(p, value) || refuse(why, name, "not a list of column indices, as 0,2,3");
    if ((known & PARAM_FIRST) && span_eq(name, span_of("first")))
        return read_first(p, value) || refuse(why, name, "not a number of columns");
    if ((known & PARAM_DIFFERENCED) && span_eq(name, span_of("differenced")))
        return read_bool(value, &p->differenced) || refuse(why, name, "neither 0 nor 1");
    if ((known & PARAM_DELETED) && span_eq(name, span_of("deleted")))
        return read_bool(value, &p->deleted) || refuse(why, name, "neither 0 nor 1");
    if ((known & PARAM_PURGE) && span_eq(name, span_of("purge")))
        return read_bool(value, &p->purge) || refuse(why, name, "neither 0 nor 1");
    return refuse(why, name, "no such parameter here");
}

bool params_read(params *p, span query, unsigned known, buf *why)
{
    *p = (params){.from = INT64_MIN, .to = INT64_MAX, .points = DEFAULT_POINTS};
    char *room = mem_alloc(query.n);
    bool good = true;
    while (good && query.n) {
        span value, pair = cut(query, '&', &query), name = cut(pair, '=', &value);
        if (pair.n) good = read_one(p, name, decode(value, room), known, why);
    }
    free(room);
    if (good && p->from > p->to) good = refuse(why, span_of("from"), "later than to");
    return good;
}
