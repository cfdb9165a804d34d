/* SPDX-License-Identifier: MIT OR Unlicense
   bytes: numbers to little-endian bytes and back, whatever the machine's own order. A varint is LEB128: seven bits a
   byte, the lowest first, the top bit telling that more follow. zigzag(v) = v < 0 ? -2v - 1 : 2v. */
#ifndef BYTES_H
#define BYTES_H

#include "base/base.h"

#include <endian.h>
#include <math.h>
#include <string.h>

static inline void put_u8(buf *b, unsigned v)
{
    uint8_t byte = (uint8_t)v;
    buf_append(b, &byte, 1);
}

static inline void put_varint(buf *b, uint64_t v)
{
    uint8_t bytes[10];
    size_t n = 0;
    for (; v > 127; v >>= 7) bytes[n++] = (uint8_t)(v | 128);
    bytes[n++] = (uint8_t)v;
    buf_append(b, bytes, n);
}

static inline void put_zigzag(buf *b, uint64_t v)
{
    put_varint(b, v >> 63 ? ~(v << 1) : v << 1);
}

static inline void store_u64(uint8_t *p, uint64_t v)
{
    v = htole64(v);
    memcpy(p, &v, sizeof v);
}

/* The lowest `bytes` of v; returns the place behind them. */
static inline uint8_t *store_uint(uint8_t *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++) p[i] = (uint8_t)(v >> 8 * i);
    return p + bytes;
}

static inline uint64_t load_u64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return le64toh(v);
}

static inline uint64_t bits_of(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

static inline double of_bits(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static inline bool same(double a, double b)
{
    return bits_of(a) == bits_of(b);
}

static inline void put_f64(buf *b, double v)
{
    uint8_t bytes[8];
    store_u64(bytes, bits_of(v));
    buf_append(b, bytes, sizeof bytes);
}

/* Reads past the end, and anything after that, give 0 and set `bad`. */
typedef struct {
    const uint8_t *p, *end;
    bool bad;
} reader;

static inline reader reader_of(span s)
{
    const uint8_t *p = (const uint8_t *)s.p;
    return (reader){p, s.n ? p + s.n : p, false}; /* of no bytes `p` may be NULL, to which nothing may be added */
}

static inline span rest_of(const reader *r)
{
    return (span){(const char *)r->p, (size_t)(r->end - r->p)};
}

static inline unsigned get_u8(reader *r)
{
    if (r->bad || r->p == r->end) {
        r->bad = true;
        return 0;
    }
    return *r->p++;
}

static inline uint64_t get_uint(reader *r, int bytes)
{
    uint64_t v = 0;
    if (r->bad || r->end - r->p < bytes) {
        r->bad = true;
        return 0;
    }
    for (int i = 0; i < bytes; i++) v |= (uint64_t)*r->p++ << 8 * i;
    return v;
}

static inline uint64_t get_varint(reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        unsigned byte = get_u8(r);
        v |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return v;
    }
    r->bad = true;
    return 0;
}

static inline uint64_t get_zigzag(reader *r)
{
    uint64_t v = get_varint(r);
    return v & 1 ? ~(v >> 1) : v >> 1;
}

static inline double get_f64(reader *r)
{
    if (r->bad || r->end - r->p < 8) {
        r->bad = true;
        return NAN;
    }
    r->p += 8;
    return of_bits(load_u64(r->p - 8));
}

#endif
