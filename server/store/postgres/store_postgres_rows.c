/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres_rows: a chunk's rows as PostgreSQL's arrays, and back; what the arrays mean is said in
   store_postgres_schema.c.

   Most columns of a program are counts and decimals, and their values in one chunk lie near each other. As 2 or 4 bytes
   above a base they take half of what TOAST makes of doubles, and are read back by an addition and a division, which SQL
   does as exactly as C: a column is only stored so if each of its values comes back bit by bit. */
#include "store/postgres/store_postgres_rows.h"

#include "base/bytes.h"

#include <stdlib.h>

#define FEW_ROWS  64 /* are not worth it: all columns are doubles then */
#define NO_INT2   INT16_MIN
#define NO_INT4   INT32_MIN
#define MOST_INT2 65534.0 /* between the least and the greatest of a column */
#define MOST_INT4 4294967294.0

/* ---- how a column is stored ---- */

typedef enum { AS_INT2, AS_INT4, AS_DOUBLE } width;

typedef struct {
    width kind;
    double base, scale; /* value = (base + integer) / scale */
} fitting;

/* Decimals; and fractions of 2^n: sizes in KiB … GiB. */
static const double scales[] = {1, 10, 1e2, 1e3, 1e4, 1e5, 1e6, 1e9, 0x1p10, 0x1p18, 0x1p20, 0x1p30};

/* All values are whole multiples of 1 / scale: from *lo to *hi of them, if there are any. */
static bool is_multiple(const double *v, size_t rows, double scale, double *lo, double *hi)
{
    *lo = INFINITY, *hi = -INFINITY;
    for (size_t i = 0; i < rows; i++) {
        if (isnan(v[i])) continue;
        double k = rint(v[i] * scale);
        if (!(fabs(k) < 0x1p53) || !same(k / scale, v[i]) || (k == 0 && signbit(k))) return false;
        *lo = fmin(*lo, k);
        *hi = fmax(*hi, k);
    }
    return true;
}

static fitting fit(const double *v, size_t rows)
{
    double lo, hi;
    for (size_t i = 0; rows >= FEW_ROWS && i < ARRAY_LEN(scales); i++) {
        if (!is_multiple(v, rows, scales[i], &lo, &hi)) continue;
        if (lo > hi) return (fitting){AS_INT2, 0, 1};
        if (hi - lo <= MOST_INT2) return (fitting){AS_INT2, lo + INT16_MAX, scales[i]};
        if (hi - lo <= MOST_INT4) return (fitting){AS_INT4, lo + INT32_MAX, scales[i]};
        break;
    }
    return (fitting){AS_DOUBLE, 0, 1};
}

/* ---- to the server ---- */

static size_t count_of(const fitting *f, size_t columns, width kind)
{
    size_t count = 0;
    for (size_t i = 0; i < columns; i++) count += f[i].kind == kind;
    return count;
}

/* The columns of a kind, from 1. */
static void put_columns(pg_params *p, const fitting *f, size_t columns, width kind)
{
    pg_put_array(p, PG_INT2, count_of(f, columns, kind));
    for (size_t i = 0; i < columns; i++)
        if (f[i].kind == kind) pg_add_int2(p, (int)i + 1);
}

static void put_doubles(pg_params *p, const chunk *c, const fitting *f)
{
    size_t count = count_of(f, c->columns, AS_DOUBLE);
    pg_put_matrix(p, PG_FLOAT8, count, c->rows);
    for (size_t i = 0; i < c->columns; i++)
        if (f[i].kind == AS_DOUBLE) pg_add_doubles(p, c->values[i], c->rows);
    if (count == c->columns)
        pg_put_null(p);
    else
        put_columns(p, f, c->columns, AS_DOUBLE);
}

static void integers_of(const double *v, size_t rows, const fitting *f, int32_t *out)
{
    int32_t none = f->kind == AS_INT2 ? NO_INT2 : NO_INT4;
    for (size_t i = 0; i < rows; i++) out[i] = isnan(v[i]) ? none : (int32_t)(rint(v[i] * f->scale) - f->base);
}

static void put_integers(pg_params *p, const chunk *c, const fitting *f, width kind)
{
    size_t count = count_of(f, c->columns, kind);
    if (count == 0) {
        for (int i = 0; i < 4; i++) pg_put_null(p);
        return;
    }
    int32_t *integers = mem_alloc(c->rows * sizeof *integers);
    pg_put_matrix(p, kind == AS_INT2 ? PG_INT2 : PG_INT4, count, c->rows);
    for (size_t i = 0; i < c->columns; i++) {
        if (f[i].kind != kind) continue;
        integers_of(c->values[i], c->rows, &f[i], integers);
        pg_add_integers(p, integers, c->rows, kind == AS_INT2 ? 2 : 4);
    }
    free(integers);
    put_columns(p, f, c->columns, kind);
    pg_put_array(p, PG_FLOAT8, count);
    for (size_t i = 0; i < c->columns; i++)
        if (f[i].kind == kind) pg_add_doubles(p, &f[i].base, 1);
    pg_put_array(p, PG_FLOAT8, count);
    for (size_t i = 0; i < c->columns; i++)
        if (f[i].kind == kind) pg_add_doubles(p, &f[i].scale, 1);
}

/* What is left of numbers when a straight line is taken off; true: something is. Modulo 2^64. */
static bool line_off(const uint64_t *v, size_t count, uint64_t first, uint64_t step, int64_t *rest)
{
    uint64_t any = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t r = v[i] - first - i * step;
        any |= r;
        rest[i] = (int64_t)r;
    }
    return any != 0;
}

/* In 2 bytes if they fit; then `base` moves so that they do. */
static void put_time_rest(pg_params *p, int64_t base, int64_t step, int64_t *rest, size_t rows)
{
    int64_t lo = INT64_MAX, hi = INT64_MIN;
    for (size_t i = 0; i < rows; i++) {
        if (rest[i] < lo) lo = rest[i];
        if (rest[i] > hi) hi = rest[i];
    }
    int64_t middle = lo + (hi - lo) / 2;
    bool fits = hi - middle <= INT16_MAX && middle - lo <= INT16_MAX;
    pg_put_int8(p, fits ? base + middle : base);
    pg_put_int8(p, step);
    if (!fits) {
        pg_put_null(p);
        pg_put_int8s(p, rest, rows);
        return;
    }
    pg_put_array(p, PG_INT2, rows);
    for (size_t i = 0; i < rows; i++) pg_add_int2(p, (int)(rest[i] - middle));
    pg_put_null(p);
}

/* The rows' distance, from the later half against the earlier: the first and last alone may both be off. */
static int64_t step_of(const int64_t *time, size_t rows)
{
    size_t half = rows / 2;
    double sum = 0;
    for (size_t i = 0; i < half; i++) sum += (double)(time[rows - half + i] - time[i]);
    return rows > 1 ? llrint(sum / (double)(half * (rows - half))) : 0;
}

/* Within these bounds, some 70 and 36 years, nothing that SQL computes of a line can overflow. */
static bool has_line(const chunk_key *k)
{
    return k->first_time > -(INT64_C(1) << 61) && k->first_time < INT64_C(1) << 61 &&
           store_length(k->first_time, k->last_time) < INT64_C(1) << 60;
}

static void put_times(pg_params *p, const chunk *c, int64_t *rest)
{
    int64_t base = c->key.first_time, step = has_line(&c->key) ? step_of(c->time, c->rows) : 0;
    bool left = line_off((const uint64_t *)c->time, c->rows, (uint64_t)base, (uint64_t)step, rest);
    if (has_line(&c->key) && left) {
        put_time_rest(p, base, step, rest, c->rows);
        return;
    }
    pg_put_int8(p, left ? 0 : base);
    pg_put_int8(p, step);
    pg_put_null(p);
    if (left)
        pg_put_int8s(p, c->time, c->rows);
    else
        pg_put_null(p);
}

static void put_histograms(pg_params *p, const chunk *c)
{
    buf bytes = {0};
    if (c->histograms.count) chunk_put_histograms(c, &bytes);
    pg_put_bytes(p, (span){bytes.p, bytes.n});
    buf_free(&bytes);
}

void pg_put_rows(pg_params *p, const chunk *c)
{
    int64_t *rest = mem_alloc(c->rows * sizeof *rest);
    fitting *f = mem_alloc(c->columns * sizeof *f);
    for (size_t i = 0; i < c->columns; i++) f[i] = fit(c->values[i], c->rows);
    put_times(p, c, rest);
    if (line_off(c->seq, c->rows, c->key.first_seq, 1, rest))
        pg_put_int8s(p, rest, c->rows);
    else
        pg_put_null(p);
    put_doubles(p, c, f);
    put_integers(p, c, f, AS_INT4);
    put_integers(p, c, f, AS_INT2);
    put_histograms(p, c);
    free(f);
    free(rest);
}

/* ---- from the server ---- */

/* A chunk being read, of an answer to CHUNK_GET. */
typedef struct {
    const PGresult *r;
    chunk *c;
    size_t first; /* of the columns that were asked for */
    bool *got;    /* [columns]                          */
} reading;

/* Element `p` of an array says which column row `p` of a matrix is; NULL: they are those asked for. false: damaged. */
static bool take_column(reading *q, pg_array *columns, size_t p, size_t *out)
{
    *out = columns->null ? q->first + p : (size_t)pg_next_int(columns) - 1;
    if (columns->bad || *out >= q->c->columns || q->got[*out]) return false;
    q->got[*out] = true;
    return true;
}

/* The matrix has rows as the chunk has, or nothing. */
static bool is_matrix(const reading *q, const pg_array *a)
{
    return !a->bad && (a->count == 0 || a->dims[1] == q->c->rows);
}

static bool read_doubles(reading *q, int field)
{
    pg_array a = pg_array_of(q->r, 0, field, PG_FLOAT8), columns = pg_array_of(q->r, 0, field + 1, PG_INT2);
    size_t count = a.count ? a.dims[0] : 0, column;
    if (!is_matrix(q, &a) || (!columns.null && columns.count != count)) return false;
    for (size_t p = 0; p < count; p++) {
        if (!take_column(q, &columns, p, &column)) return false;
        pg_next_doubles(&a, q->c->values[column], q->c->rows);
    }
    return !a.bad;
}

static bool read_integers(reading *q, int field, width kind)
{
    int bytes = kind == AS_INT2 ? 2 : 4;
    int32_t none = kind == AS_INT2 ? NO_INT2 : NO_INT4;
    pg_array a = pg_array_of(q->r, 0, field, kind == AS_INT2 ? PG_INT2 : PG_INT4),
             columns = pg_array_of(q->r, 0, field + 1, PG_INT2), bases = pg_array_of(q->r, 0, field + 2, PG_FLOAT8),
             scalings = pg_array_of(q->r, 0, field + 3, PG_FLOAT8);
    size_t count = a.count ? a.dims[0] : 0, rows = q->c->rows, column;
    if (!is_matrix(q, &a) || columns.count != count || bases.count != count || scalings.count != count) return false;
    int32_t *integers = mem_alloc(rows * sizeof *integers);
    bool good = true;
    for (size_t p = 0; good && p < count; p++) {
        double base, scale;
        pg_next_doubles(&bases, &base, 1);
        pg_next_doubles(&scalings, &scale, 1);
        pg_next_integers(&a, integers, rows, bytes);
        good = take_column(q, &columns, p, &column) && !a.bad;
        double *out = good ? q->c->values[column] : NULL;
        for (size_t i = 0; good && i < rows; i++) out[i] = integers[i] == none ? NAN : (base + integers[i]) / scale;
    }
    free(integers);
    return good && !bases.bad && !scalings.bad;
}

/* rest[i] + first + i * step, modulo 2^64. */
static bool read_line(pg_array rest, uint64_t first, uint64_t step, uint64_t *out, size_t rows)
{
    if (rest.bad || (!rest.null && rest.count != rows)) return false;
    for (size_t i = 0; i < rows; i++) out[i] = first + i * step + (rest.null ? 0 : (uint64_t)pg_next_int(&rest));
    return !rest.bad;
}

/* Times and numbers: fields from 1 on. */
static bool read_places(const reading *q, const chunk_key *key)
{
    uint64_t base = (uint64_t)pg_int8(q->r, 0, 1), step = (uint64_t)pg_int8(q->r, 0, 2);
    pg_array rest = pg_array_of(q->r, 0, 3, PG_INT2);
    if (rest.null) rest = pg_array_of(q->r, 0, 4, PG_INT8);
    return read_line(rest, base, step, (uint64_t *)q->c->time, q->c->rows) &&
           read_line(pg_array_of(q->r, 0, 5, PG_INT8), key->first_seq, 1, q->c->seq, q->c->rows);
}

static bool is_wanted(const uint32_t *columns, size_t count, size_t column)
{
    if (!columns) return true;
    for (size_t i = 0; i < count; i++)
        if (columns[i] == column) return true;
    return false;
}

/* All that was wanted came; what was not, is not shown. */
static bool only_wanted(reading *q, const uint32_t *columns, size_t count)
{
    for (size_t i = 0; i < q->c->columns; i++) {
        bool wanted = is_wanted(columns, count, i);
        if (wanted && !q->got[i]) return false;
        if (!wanted) q->c->values[i] = NULL;
    }
    return true;
}

pg_extent pg_extent_of(const uint32_t *columns, size_t count)
{
    pg_extent e = {UINT32_MAX, 0, false};
    if (!columns) return (pg_extent){0, MAX_COLUMNS - 1, true};
    for (size_t i = 0; i < count; i++) {
        if (columns[i] == CHUNK_HISTOGRAMS) {
            e.histograms = true;
            continue;
        }
        if (columns[i] < e.first) e.first = columns[i];
        if (columns[i] > e.last) e.last = columns[i];
    }
    return e.first == UINT32_MAX ? (pg_extent){1, 0, e.histograms} : e;
}

static bool read_histograms(chunk *c, span bytes)
{
    return bytes.n == 0 || chunk_get_histograms(c, bytes);
}

chunk *pg_rows_of(const PGresult *r, const chunk_key *key, const uint32_t *columns, size_t count)
{
    int columns_there = pg_int4(r, 0, 0);
    if (columns_there < 0 || columns_there > MAX_COLUMNS || key->rows == 0 || key->rows > CHUNK_MAX_ROWS ||
        key->rows * (size_t)columns_there > CHUNK_MAX_VALUES)
        return NULL;
    chunk *c = chunk_new((size_t)key->rows, (size_t)columns_there);
    reading q = {r, c, pg_extent_of(columns, count).first, mem_calloc((size_t)columns_there, sizeof(bool))};
    bool good = read_places(&q, key) && read_doubles(&q, 6) && read_integers(&q, 8, AS_INT4) &&
                read_integers(&q, 12, AS_INT2) && only_wanted(&q, columns, count) &&
                read_histograms(c, pg_bytes(r, 0, 16));
    free(q.got);
    if (good) {
        c->key = chunk_key_of(c);
        return c;
    }
    chunk_free(c);
    return NULL;
}
