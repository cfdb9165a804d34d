/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres_values: PostgreSQL's binary format of the types we use: what their *_send and *_recv functions write and
   read (src/backend/utils/adt). Numbers are in network byte order. An array is: dimensions, flag "has NULLs", type;
   of each dimension length and lower bound; then of each element length and bytes, the last dimension fastest. What
   comes from the server is checked like any input. */
#include "store/postgres/store_postgres.h"

#include "base/bytes.h"

#include <assert.h>
#include <stdlib.h>

/* ---- numbers ---- */

static uint8_t *put_be32(uint8_t *p, uint32_t v)
{
    v = htobe32(v);
    memcpy(p, &v, sizeof v);
    return p + sizeof v;
}

static uint8_t *put_be64(uint8_t *p, uint64_t v)
{
    v = htobe64(v);
    memcpy(p, &v, sizeof v);
    return p + sizeof v;
}

static uint32_t get_be32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return be32toh(v);
}

static uint64_t get_be64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return be64toh(v);
}

static int16_t get_be16(const uint8_t *p)
{
    return (int16_t)(uint16_t)(p[0] << 8 | p[1]);
}

/* ---- parameters ---- */

static void begin(pg_params *p)
{
    assert(p->count < PG_PARAMS);
    if (p->count == 0) p->bytes.n = 0;
    p->each[p->count].at = p->bytes.n;
    p->each[p->count++].length = 0;
}

/* Appends to the last one. */
static void add(pg_params *p, const void *bytes, size_t n)
{
    buf_append(&p->bytes, bytes, n);
    p->each[p->count - 1].length += (int)n;
}

/* Room for `n` bytes more of the last one, to be filled at once. */
static uint8_t *extend(pg_params *p, size_t n)
{
    buf *b = &p->bytes;
    if (b->n + n > b->cap) b->p = mem_resize(b->p, b->cap = (b->n + n) * 3 / 2, 1);
    uint8_t *at = (uint8_t *)b->p + b->n;
    b->n += n;
    p->each[p->count - 1].length += (int)n;
    return at;
}

void pg_put_null(pg_params *p)
{
    begin(p);
    p->each[p->count - 1].length = -1;
}

void pg_put_bool(pg_params *p, bool v)
{
    begin(p);
    add(p, &(char){v}, 1);
}

void pg_put_int2(pg_params *p, int v)
{
    begin(p);
    add(p, (uint8_t[]){(uint8_t)((unsigned)v >> 8), (uint8_t)v}, 2);
}

void pg_put_int4(pg_params *p, int v)
{
    begin(p);
    put_be32(extend(p, 4), (uint32_t)v);
}

void pg_put_int8(pg_params *p, int64_t v)
{
    begin(p);
    put_be64(extend(p, 8), (uint64_t)v);
}

void pg_put_text(pg_params *p, const char *text)
{
    begin(p);
    if (text)
        add(p, text, strlen(text));
    else
        p->each[p->count - 1].length = -1;
}

void pg_put_uuid(pg_params *p, const uuid *id)
{
    begin(p);
    add(p, id->b, sizeof id->b);
}

void pg_put_bytes(pg_params *p, span bytes)
{
    begin(p);
    if (bytes.n)
        add(p, bytes.p, bytes.n);
    else
        p->each[p->count - 1].length = -1;
}

static void put_array(pg_params *p, pg_type type, int dimensions, size_t outer, size_t inner)
{
    begin(p);
    if (outer == 0 || inner == 0) dimensions = 0;
    uint8_t *at = extend(p, 12 + 8 * (size_t)dimensions);
    at = put_be32(at, (uint32_t)dimensions);
    at = put_be32(at, 0);
    at = put_be32(at, type);
    if (dimensions > 1) at = put_be32(put_be32(at, (uint32_t)outer), 1);
    if (dimensions > 0) put_be32(put_be32(at, (uint32_t)inner), 1);
}

void pg_put_array(pg_params *p, pg_type type, size_t count)
{
    put_array(p, type, 1, 1, count);
}

void pg_add_bool(pg_params *p, bool v)
{
    uint8_t *at = extend(p, 5);
    *put_be32(at, 1) = v;
}

void pg_add_int2(pg_params *p, int v)
{
    uint8_t *at = put_be32(extend(p, 6), 2);
    at[0] = (uint8_t)((unsigned)v >> 8);
    at[1] = (uint8_t)v;
}

void pg_add_int8(pg_params *p, int64_t v)
{
    put_be64(put_be32(extend(p, 12), 8), (uint64_t)v);
}

void pg_add_text(pg_params *p, const char *text)
{
    size_t n = strlen(text);
    put_be32(extend(p, 4), (uint32_t)n);
    add(p, text, n);
}

void pg_add_doubles(pg_params *p, const double *v, size_t count)
{
    uint8_t *at = extend(p, 12 * count);
    for (size_t i = 0; i < count; i++) at = put_be64(put_be32(at, 8), bits_of(v[i]));
}

void pg_add_integers(pg_params *p, const int32_t *v, size_t count, int bytes)
{
    uint8_t *at = extend(p, (4 + (size_t)bytes) * count);
    for (size_t i = 0; i < count; i++) {
        at = put_be32(at, (uint32_t)bytes);
        if (bytes == 4) {
            at = put_be32(at, (uint32_t)v[i]);
        } else {
            *at++ = (uint8_t)((uint32_t)v[i] >> 8);
            *at++ = (uint8_t)v[i];
        }
    }
}

void pg_put_int8s(pg_params *p, const int64_t *v, size_t count)
{
    pg_put_array(p, PG_INT8, count);
    uint8_t *at = extend(p, 12 * count);
    for (size_t i = 0; i < count; i++) at = put_be64(put_be32(at, 8), (uint64_t)v[i]);
}

void pg_put_matrix(pg_params *p, pg_type type, size_t rows, size_t each)
{
    put_array(p, type, 2, rows, each);
}

/* ---- fields ---- */

/* NULL unless the field has that many bytes. */
static const uint8_t *field(const PGresult *r, int row, int column, int bytes)
{
    if (PQgetisnull(r, row, column) || PQgetlength(r, row, column) != bytes) return NULL;
    return (const uint8_t *)PQgetvalue(r, row, column);
}

bool pg_bool(const PGresult *r, int row, int column)
{
    const uint8_t *p = field(r, row, column, 1);
    return p && *p;
}

int pg_int2(const PGresult *r, int row, int column)
{
    const uint8_t *p = field(r, row, column, 2);
    return p ? get_be16(p) : 0;
}

int pg_int4(const PGresult *r, int row, int column)
{
    const uint8_t *p = field(r, row, column, 4);
    return p ? (int)get_be32(p) : 0;
}

int64_t pg_int8(const PGresult *r, int row, int column)
{
    const uint8_t *p = field(r, row, column, 8);
    return p ? (int64_t)get_be64(p) : 0;
}

uuid pg_uuid(const PGresult *r, int row, int column)
{
    uuid id = {{0}};
    const uint8_t *p = field(r, row, column, sizeof id.b);
    if (p) memcpy(id.b, p, sizeof id.b);
    return id;
}

char *pg_text(const PGresult *r, int row, int column)
{
    return mem_strndup(PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column));
}

span pg_bytes(const PGresult *r, int row, int column)
{
    return (span){PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column)};
}

/* ---- arrays ---- */

static pg_array bad_array(void)
{
    return (pg_array){.bad = true};
}

pg_array pg_array_of(const PGresult *r, int row, int column, pg_type type)
{
    if (PQgetisnull(r, row, column)) return (pg_array){.null = true};
    const uint8_t *p = (const uint8_t *)PQgetvalue(r, row, column), *end = p + PQgetlength(r, row, column);
    if (end - p < 12) return bad_array();
    uint32_t dimensions = get_be32(p);
    if (dimensions > 2 || get_be32(p + 4) != 0 || get_be32(p + 8) != (uint32_t)type) return bad_array();
    p += 12;
    if (end - p < 8 * (ptrdiff_t)dimensions) return bad_array();
    pg_array a = {.p = p + 8 * dimensions, .end = end, .dims = {0, 1}, .count = dimensions > 0};
    for (uint32_t i = 0; i < dimensions; i++, p += 8) {
        a.dims[i] = get_be32(p);
        if (a.dims[i] > CHUNK_MAX_VALUES) return bad_array();
        a.count *= a.dims[i];
    }
    /* Each has at least a length: so no count is believed that the bytes do not bear out. */
    if (a.count > (size_t)(end - a.p) / 4) return bad_array();
    return a;
}

span pg_next(pg_array *a)
{
    span none = {"", 0};
    if (a->bad || a->end - a->p < 4) {
        a->bad = true;
        return none;
    }
    uint32_t n = get_be32(a->p);
    a->p += 4;
    if (n > (size_t)(a->end - a->p)) {
        a->bad = true;
        return none;
    }
    span element = {(const char *)a->p, n};
    a->p += n;
    return element;
}

int64_t pg_next_int(pg_array *a)
{
    span e = pg_next(a);
    if (e.n == 8) return (int64_t)get_be64((const uint8_t *)e.p);
    if (e.n == 2) return get_be16((const uint8_t *)e.p);
    a->bad = true;
    return 0;
}

/* The next `count` elements of so many bytes, each behind its length; NULL: they are not there. */
static const uint8_t *next_fixed(pg_array *a, size_t count, size_t bytes)
{
    const uint8_t *p = a->p;
    size_t stride = 4 + bytes;
    bool good = !a->bad && (size_t)(a->end - p) / stride >= count;
    for (size_t i = 0; good && i < count; i++) good = get_be32(p + stride * i) == bytes;
    a->bad = !good;
    if (good) a->p += stride * count;
    return good ? p + 4 : NULL;
}

void pg_next_int8s(pg_array *a, int64_t *out, size_t count)
{
    const uint8_t *p = next_fixed(a, count, 8);
    for (size_t i = 0; i < count; i++) out[i] = p ? (int64_t)get_be64(p + 12 * i) : 0;
}

void pg_next_doubles(pg_array *a, double *out, size_t count)
{
    const uint8_t *p = next_fixed(a, count, 8);
    for (size_t i = 0; i < count; i++) out[i] = p ? of_bits(get_be64(p + 12 * i)) : NAN;
}

void pg_next_integers(pg_array *a, int32_t *out, size_t count, int bytes)
{
    const uint8_t *p = next_fixed(a, count, (size_t)bytes);
    size_t stride = 4 + (size_t)bytes;
    for (size_t i = 0; i < count; i++)
        out[i] = !p ? 0 : bytes == 2 ? get_be16(p + stride * i) : (int32_t)get_be32(p + stride * i);
}
