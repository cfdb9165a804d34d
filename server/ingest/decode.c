/* SPDX-License-Identifier: MIT OR Unlicense
   decode: the bytes of one datagram → records. The JSON of the original client; rules in WIRE.md. */
#include "ingest/decode.h"
#include "ingest/decode_binary.h"
#include "ingest/decode_tidy.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_INTERVAL 3.2e9 /* seconds: 100 years, which fit into int64 nanoseconds */

const char *decode_result_name(decode_result r)
{
    static const char *const names[] = {"ok",
#define X(id, name, text) name,
                                        DECODE_ERRORS(X)
#undef X
    };
    return names[r];
}

const char *decode_result_text(decode_result r)
{
    static const char *const texts[] = {"taken",
#define X(id, name, text) text,
                                        DECODE_ERRORS(X)
#undef X
    };
    return texts[r];
}

/* ---- members: those that must be right say so by their result, optional ones count in `ignored` ---- */

/* An optional member, or NULL if it is missing or null. */
static const json_t *optional(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

static span text_of(const json_t *string)
{
    return (span){json_string_value(string), json_string_length(string)};
}

static bool text_is(const json_t *string, const char *text)
{
    return span_eq(text_of(string), span_of(text));
}

static span optional_text(const json_t *object, const char *key, unsigned *ignored)
{
    const json_t *value = optional(object, key);
    if (json_is_string(value)) return text_of(value);
    *ignored += value != NULL;
    return span_of("");
}

/* A time before 1970 or after 2262 (2^63 ns) is none. */
static bool read_time(const json_t *value, int64_t *out)
{
    *out = NO_TIME;
    if (!value || json_is_null(value)) return true;
    if (!json_is_number(value)) return false;
    if (json_is_integer(value)) {
        if (json_integer_value(value) >= 0) *out = json_integer_value(value);
    } else {
        double time = json_real_value(value);
        if (time >= 0 && time < 0x1p63) *out = (int64_t)time;
    }
    return true;
}

static bool read_seq(const json_t *value, uint64_t *out)
{
    *out = NO_SEQ;
    if (!value || json_is_null(value)) return true;
    if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
    *out = (uint64_t)json_integer_value(value);
    return *out <= MAX_SEQ;
}

static decode_result read_run(const json_t *root, uuid *out)
{
    const json_t *id = json_object_get(root, "uuid");
    if (!json_is_string(id)) return DECODE_TYPE;
    return uuid_parse(text_of(id), out) ? DECODE_OK : DECODE_UUID;
}

/* ---- {"msg_type": "row", "uuid": …, "row_data": […], "time": …, "seq": …, "marks": [[…]], "end": …} ---- */

static decode_result read_values(const json_t *data, double *out)
{
    if (!json_is_array(data)) return DECODE_TYPE;
    if (json_array_size(data) > MAX_COLUMNS) return DECODE_COLUMNS;
    for (size_t i = 0; i < json_array_size(data); i++) {
        const json_t *value = json_array_get(data, i);
        if (json_is_number(value))
            out[i] = json_number_value(value);
        else if (json_is_boolean(value))
            out[i] = json_is_true(value);
        else if (json_is_null(value))
            out[i] = NAN;
        else
            return DECODE_TYPE;
    }
    return DECODE_OK;
}

static bool read_mark(const json_t *mark, record *r)
{
    const json_t *text = json_array_get(mark, 1);
    if (json_array_size(mark) != 2 || !json_is_string(text)) return false;
    if (!read_time(json_array_get(mark, 0), &r->mark.time)) return false;
    r->mark.text = text_of(text);
    return true;
}

static unsigned count_bad_marks(const json_t *marks)
{
    if (!json_is_array(marks)) return marks != NULL;
    unsigned bad = 0;
    record scratch;
    for (size_t i = 0; i < json_array_size(marks); i++) bad += !read_mark(json_array_get(marks, i), &scratch);
    return bad;
}

static bool read_end(const json_t *end, end_reason *out)
{
    if (!json_is_string(end)) return false;
    *out = text_is(end, "crashed") ? END_CRASHED : END_STOPPED;
    return *out == END_CRASHED || text_is(end, "stopped");
}

static decode_result decode_row(const json_t *root, record_sink sink, void *ctx)
{
    double values[MAX_COLUMNS];
    record row = {.kind = RECORD_ROW};
    decode_result result = read_run(root, &row.run);
    if (result) return result;
    const json_t *data = json_object_get(root, "row_data");
    result = read_values(data, values);
    if (result) return result;
    row.row.values = values;
    row.row.count = json_array_size(data);
    if (!read_time(json_object_get(root, "time"), &row.row.time)) return DECODE_TYPE;
    if (!read_seq(json_object_get(root, "seq"), &row.row.seq)) return DECODE_TYPE;

    const json_t *marks = optional(root, "marks"), *end = optional(root, "end");
    end_reason reason;
    bool ends = read_end(end, &reason);
    row.ignored = count_bad_marks(marks) + (end && !ends);

    sink(ctx, &row);
    for (size_t i = 0; i < json_array_size(marks); i++) {
        record mark = {.kind = RECORD_MARK, .run = row.run};
        if (read_mark(json_array_get(marks, i), &mark)) sink(ctx, &mark);
    }
    if (ends) {
        record goodbye = {.kind = RECORD_END, .run = row.run, .end = {.reason = reason, .time = row.row.time}};
        sink(ctx, &goodbye);
    }
    return DECODE_OK;
}

/* ---- {"msg_type": "create_trace_run", "uuid": …, "app_name": …, "column_names": […], "units": […], …} ---- */

static bool read_kind(const json_t *kind, column_kind *out)
{
    if (!json_is_string(kind)) return false;
    *out = text_is(kind, "counter") ? COLUMN_COUNTER : COLUMN_GAUGE;
    return *out == COLUMN_COUNTER || text_is(kind, "gauge");
}

static decode_result read_columns(const json_t *root, record_column *out, size_t count, unsigned *ignored)
{
    const json_t *names = json_object_get(root, "column_names");
    const json_t *units = optional(root, "units"), *kinds = optional(root, "kinds");
    *ignored += units && !json_is_array(units);
    *ignored += kinds && !json_is_array(kinds);
    for (size_t i = 0; i < count; i++) {
        const json_t *name = json_array_get(names, i), *unit = json_array_get(units, i),
                     *kind = json_array_get(kinds, i);
        if (!json_is_string(name)) return DECODE_TYPE;
        out[i] = (record_column){text_of(name), span_of(""), COLUMN_GAUGE};
        if (json_is_string(unit))
            out[i].unit = text_of(unit);
        else
            *ignored += unit && !json_is_null(unit);
        if (!read_kind(kind, &out[i].kind)) *ignored += kind && !json_is_null(kind);
    }
    return DECODE_OK;
}

static size_t read_tags(const json_t *tags, record_tag out[MAX_TAGS], unsigned *ignored)
{
    if (tags && !json_is_object(tags)) ++*ignored;
    size_t count = 0;
    for (void *i = json_object_iter((json_t *)tags); i; i = json_object_iter_next((json_t *)tags, i)) {
        const json_t *value = json_object_iter_value(i);
        if (json_is_string(value) && count < MAX_TAGS)
            out[count++] = (record_tag){{json_object_iter_key(i), json_object_iter_key_len(i)}, text_of(value)};
        else
            ++*ignored;
    }
    return count;
}

static int64_t read_interval(const json_t *seconds, unsigned *ignored)
{
    double value = json_number_value(seconds);
    if (seconds && !(json_is_number(seconds) && value >= 0 && value <= MAX_INTERVAL)) {
        ++*ignored;
        return 0;
    }
    return (int64_t)(value * (double)NS_PER_SECOND);
}

static int64_t read_pid(const json_t *pid, unsigned *ignored)
{
    bool good = json_is_integer(pid) && json_integer_value(pid) >= 0;
    *ignored += pid && !good;
    return good ? json_integer_value(pid) : 0;
}

static decode_result decode_announce(const json_t *root, record_sink sink, void *ctx)
{
    record r = {.kind = RECORD_ANNOUNCE};
    decode_result result = read_run(root, &r.run);
    if (result) return result;
    const json_t *app = json_object_get(root, "app_name"), *names = json_object_get(root, "column_names");
    if (!json_is_string(app) || !json_is_array(names)) return DECODE_TYPE;
    if (!read_time(json_object_get(root, "time"), &r.announce.started)) return DECODE_TYPE;
    size_t count = json_array_size(names);
    if (count == 0 || count > MAX_COLUMNS) return DECODE_COLUMNS;

    record_tag tags[MAX_TAGS];
    record_column *columns = mem_alloc(count * sizeof *columns);
    result = read_columns(root, columns, count, &r.ignored);
    if (!result) {
        r.announce.app = text_of(app);
        r.announce.host = optional_text(root, "host", &r.ignored);
        r.announce.build = optional_text(root, "build", &r.ignored);
        r.announce.args = optional_text(root, "args", &r.ignored);
        r.announce.pid = read_pid(optional(root, "pid"), &r.ignored);
        r.announce.interval = read_interval(optional(root, "interval"), &r.ignored);
        r.announce.columns = columns;
        r.announce.column_count = count;
        r.announce.tags = tags;
        r.announce.tag_count = read_tags(optional(root, "tags"), tags, &r.ignored);
        sink(ctx, &r);
    }
    free(columns);
    return result;
}

/* ---- the datagram ---- */

static decode_result decode_message(const json_t *root, record_sink sink, void *ctx)
{
    const json_t *type = json_object_get(root, "msg_type");
    if (!json_is_string(type)) return DECODE_TYPE;
    if (text_is(type, "row")) return decode_row(root, sink, ctx);
    if (text_is(type, "create_trace_run")) return decode_announce(root, sink, ctx);
    return DECODE_MESSAGE;
}

decode_result decode_datagram(const void *bytes, size_t n, record_sink sink, void *ctx)
{
    if (n == 0) return DECODE_EMPTY;
    if (decode_is_binary(bytes, n)) return decode_binary(bytes, n, sink, ctx);
    buf tidied = {0};
    span text = decode_tidy((span){bytes, n}, &tidied);
    json_error_t error;
    json_t *root = json_loadb(text.p, text.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    buf_free(&tidied);
    if (!root) return json_error_code(&error) == json_error_invalid_utf8 ? DECODE_ENCODING : DECODE_SYNTAX;
    decode_result result = decode_message(root, sink, ctx);
    json_decref(root);
    return result;
}
