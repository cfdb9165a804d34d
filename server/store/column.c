/* SPDX-License-Identifier: MIT OR Unlicense
   column: many numbers of a kind as few bytes.

   integers   u8 layout, varint zigzag(base), varint zigzag(v[0]) if layout & DELTA, planes.
              What v[i] - base leaves, or, if layout & DELTA, v[i] - v[i-1] - base for i ≥ 1, has layout & WIDTH bytes:
              planes are all lowest ones, then all second lowest …; a zstd frame of them if layout & PACKED.
              All arithmetic is modulo 2^64.
   doubles    u8 form; FORM_RAW: 8 bytes each. FORM_ZSTD: the same as a zstd frame. FORM_BITS: integers that are the
              doubles' bits. FORM_SCALED + k: integers i, the value is i / SCALES[k].
   octets     u8 form; FORM_RAW: as they are. FORM_ZSTD: as a zstd frame.

   Times on a grid and consecutive seqs have residuals of no bytes at all. What a program counts or measures is most
   often an integer, a decimal fraction, or bytes in a binary unit: as integers such numbers take about half of what
   zstd makes of the doubles. */
#include "store/column.h"

#include "base/bytes.h"

#include <pthread.h>
#include <stdlib.h>
#include <zstd.h>

#define LEVEL 1 /* zstd's; more costs several times the time for a few percent */

enum { WIDTH = 15, DELTA = 16, PACKED = 32 };
enum { FORM_RAW, FORM_ZSTD, FORM_BITS, FORM_SCALED };

static const double SCALES[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 0x1p30};

/* ---- one codec a thread: making zstd's contexts takes longer than a chunk ---- */

typedef struct {
    ZSTD_CCtx *pack;
    ZSTD_DCtx *unpack;
    size_t count; /* room for so many in: */
    uint64_t *integers, *differences;
    uint8_t *planes, *packed;
    size_t packed_size;
} codec;

static pthread_key_t codec_key;
static pthread_once_t codec_once = PTHREAD_ONCE_INIT;

static void codec_free(void *p)
{
    codec *k = p;
    ZSTD_freeCCtx(k->pack);
    ZSTD_freeDCtx(k->unpack);
    free(k->integers);
    free(k->differences);
    free(k->planes);
    free(k->packed);
    free(k);
}

static void codec_make_key(void)
{
    if (pthread_key_create(&codec_key, codec_free)) abort();
}

static codec *codec_of_thread(size_t count)
{
    pthread_once(&codec_once, codec_make_key);
    codec *k = pthread_getspecific(codec_key);
    if (!k) {
        k = mem_calloc(1, sizeof *k);
        k->pack = ZSTD_createCCtx();
        k->unpack = ZSTD_createDCtx();
        if (!k->pack || !k->unpack || pthread_setspecific(codec_key, k)) abort();
    }
    if (count > k->count) {
        k->count = count;
        k->integers = mem_resize(k->integers, count, sizeof *k->integers);
        k->differences = mem_resize(k->differences, count, sizeof *k->differences);
        k->planes = mem_resize(k->planes, count, sizeof(uint64_t));
        k->packed_size = ZSTD_compressBound(count * sizeof(uint64_t));
        k->packed = mem_resize(k->packed, k->packed_size, 1);
    }
    return k;
}

/* Into k->packed; its size, or 0 if that would not be smaller. */
static size_t pack(codec *k, const void *bytes, size_t n)
{
    if (n == 0) return 0;
    size_t size = ZSTD_compressCCtx(k->pack, k->packed, k->packed_size, bytes, n, LEVEL);
    return ZSTD_isError(size) || size >= n ? 0 : size;
}

static bool unpack(codec *k, span bytes, void *out, size_t n)
{
    return ZSTD_decompressDCtx(k->unpack, out, n, bytes.p, bytes.n) == n;
}

/* ---- integers ---- */

static unsigned bytes_for(uint64_t v)
{
    unsigned n = 0;
    for (; v; v >>= 8) n++;
    return n;
}

/* From the least to the greatest: what the residuals must hold. */
typedef struct {
    int64_t least;
    uint64_t width;
} range;

static range range_of(const uint64_t *v, size_t count)
{
    int64_t least = INT64_MAX, greatest = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        int64_t x = (int64_t)v[i];
        least = x < least ? x : least;
        greatest = x > greatest ? x : greatest;
    }
    return (range){least, (uint64_t)greatest - (uint64_t)least};
}

/* The residuals' bytes, plane by plane. */
static void split(const uint64_t *v, size_t count, uint64_t base, size_t width, uint8_t *planes)
{
    for (size_t b = 0; b < width; b++, planes += count)
        for (size_t i = 0; i < count; i++) planes[i] = (uint8_t)((v[i] - base) >> 8 * b);
}

void integers_encode(const uint64_t *v, size_t count, buf *out)
{
    codec *k = codec_of_thread(count);
    const uint64_t *from = v;
    size_t n = count;
    range r = range_of(v, count);
    if (r.width) {
        for (size_t i = 1; i < count; i++) k->differences[i - 1] = v[i] - v[i - 1];
        range differences = range_of(k->differences, count - 1);
        if (differences.width < r.width) {
            r = differences;
            from = k->differences;
            n = count - 1;
        }
    }
    bool delta = from != v;
    size_t width = bytes_for(r.width);
    uint64_t base = (uint64_t)r.least;
    split(from, n, base, width, k->planes);

    size_t packed = pack(k, k->planes, n * width);
    put_u8(out, (unsigned)width | (delta ? DELTA : 0) | (packed ? PACKED : 0));
    put_zigzag(out, base);
    if (delta) put_zigzag(out, v[0]);
    if (packed)
        buf_append(out, k->packed, packed);
    else
        buf_append(out, k->planes, n * width);
}

bool integers_decode(span bytes, uint64_t *v, size_t count)
{
    reader r = reader_of(bytes);
    unsigned layout = get_u8(&r), width = layout & WIDTH;
    bool delta = layout & DELTA;
    uint64_t base = get_zigzag(&r), first = delta ? get_zigzag(&r) : 0;
    if (r.bad || width > 8 || layout > (WIDTH | DELTA | PACKED)) return false;

    codec *k = codec_of_thread(count);
    size_t n = count - delta;
    const uint8_t *planes = r.p;
    if (layout & PACKED) {
        if (!unpack(k, rest_of(&r), k->planes, n * width)) return false;
        planes = k->planes;
    } else if (rest_of(&r).n != n * width)
        return false;

    uint64_t *residuals = v + delta;
    for (size_t i = 0; i < n; i++) residuals[i] = base;
    for (size_t b = 0; b < width; b++)
        for (size_t i = 0; i < n; i++) residuals[i] += (uint64_t)planes[b * n + i] << 8 * b;
    if (delta) v[0] = first;
    for (size_t i = 1; delta && i < count; i++) v[i] += v[i - 1];
    return true;
}

/* ---- doubles ---- */

/* Whether each value is an integer divided by `scale`, exactly: those integers. */
static bool scaled(const double *v, size_t count, double scale, uint64_t *integers)
{
    for (size_t i = 0; i < count; i++) {
        double x = v[i] * scale;
        if (!(fabs(x) < 0x1p53)) return false;
        int64_t integer = (int64_t)(x < 0 ? x - 0.5 : x + 0.5);
        if (!same((double)integer / scale, v[i])) return false;
        integers[i] = (uint64_t)integer;
    }
    return true;
}

/* As they are, or as a zstd frame. The first of them tell whether zstd finds anything: if not, it is saved the work. */
static void plain_encode(codec *k, const double *v, size_t count, buf *out)
{
    size_t n = count * sizeof *v, few = n < 2048 ? n : 2048;
    for (size_t i = 0; i < count; i++) store_u64(k->planes + 8 * i, bits_of(v[i]));
    size_t sample = pack(k, k->planes, few), packed = sample > 0 && sample < few * 7 / 8 ? pack(k, k->planes, n) : 0;
    put_u8(out, packed ? FORM_ZSTD : FORM_RAW);
    buf_append(out, packed ? k->packed : k->planes, packed ? packed : n);
}

void doubles_encode(const double *v, size_t count, buf *out)
{
    codec *k = codec_of_thread(count);
    for (unsigned i = 0; i < ARRAY_LEN(SCALES); i++)
        if (scaled(v, count, SCALES[i], k->integers)) {
            put_u8(out, FORM_SCALED + i);
            integers_encode(k->integers, count, out);
            return;
        }
    /* zstd finds values that come again, bits as integers win by neighbours that are near: the smaller stays. */
    size_t start = out->n;
    plain_encode(k, v, count, out);
    size_t plain = out->n - start;
    for (size_t i = 0; i < count; i++) k->integers[i] = bits_of(v[i]);
    put_u8(out, FORM_BITS);
    integers_encode(k->integers, count, out);
    size_t bits = out->n - start - plain;
    if (bits < plain) memmove(out->p + start, out->p + start + plain, bits);
    out->n = start + (bits < plain ? bits : plain);
}

static bool plain_decode(span bytes, bool packed, double *v, size_t count)
{
    codec *k = codec_of_thread(count);
    const uint8_t *p = (const uint8_t *)bytes.p;
    if (packed) {
        if (!unpack(k, bytes, k->planes, count * sizeof *v)) return false;
        p = k->planes;
    } else if (bytes.n != count * sizeof *v)
        return false;
    for (size_t i = 0; i < count; i++) v[i] = of_bits(load_u64(p + 8 * i));
    return true;
}

bool doubles_decode(span bytes, double *v, size_t count)
{
    reader r = reader_of(bytes);
    unsigned form = get_u8(&r);
    if (r.bad || form >= FORM_SCALED + ARRAY_LEN(SCALES)) return false;
    if (form < FORM_BITS) return plain_decode(rest_of(&r), form == FORM_ZSTD, v, count);

    codec *k = codec_of_thread(count);
    if (!integers_decode(rest_of(&r), k->integers, count)) return false;
    for (size_t i = 0; form == FORM_BITS && i < count; i++) v[i] = of_bits(k->integers[i]);
    for (size_t i = 0; form >= FORM_SCALED && i < count; i++)
        v[i] = (double)(int64_t)k->integers[i] / SCALES[form - FORM_SCALED];
    return true;
}

/* ---- octets ---- */

void octets_encode(span bytes, buf *out)
{
    codec *k = codec_of_thread(bytes.n / sizeof(uint64_t) + 1);
    size_t packed = pack(k, bytes.p, bytes.n);
    put_u8(out, packed ? FORM_ZSTD : FORM_RAW);
    buf_append(out, packed ? (const char *)k->packed : bytes.p, packed ? packed : bytes.n);
}

bool octets_decode(span bytes, void *out, size_t n)
{
    reader r = reader_of(bytes);
    unsigned form = get_u8(&r);
    span rest = rest_of(&r);
    if (r.bad || form > FORM_ZSTD) return false;
    if (form == FORM_ZSTD) return unpack(codec_of_thread(1), rest, out, n);
    if (rest.n == n && n) memcpy(out, rest.p, n);
    return rest.n == n;
}
