/* SPDX-License-Identifier: MIT OR Unlicense
   base: memory, spans, UUIDs, growing bytes, clocks, the log. */
#include "base/base.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

/* ---- memory ---- */

static _Noreturn void out_of_memory(void)
{
    static const char line[] = "mnemic: out of memory\n";
    (void)!write(STDERR_FILENO, line, sizeof line - 1);
    abort();
}

void *mem_alloc(size_t bytes)
{
    void *p = malloc(bytes ? bytes : 1);
    if (!p) out_of_memory();
    return p;
}

void *mem_calloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);
    if (!p) out_of_memory();
    return p;
}

void *mem_resize(void *p, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) out_of_memory();
    p = realloc(p, bytes ? bytes : 1);
    if (!p) out_of_memory();
    return p;
}

char *mem_strdup(const char *s)
{
    return mem_strndup(s, strlen(s));
}

char *mem_strndup(const char *s, size_t n)
{
    char *copy = mem_alloc(n + 1);
    if (n) memcpy(copy, s, n);
    copy[n] = 0;
    return copy;
}

/* ---- span ---- */

span span_of(const char *s)
{
    return (span){s ? s : "", s ? strlen(s) : 0};
}

bool span_eq(span a, span b)
{
    return a.n == b.n && (!a.n || memcmp(a.p, b.p, a.n) == 0);
}

/* The length of the character at p, 0 if it is none: the table of RFC 3629 §4. The second byte's range is what rules
   out the overlong forms, the surrogates, and what is beyond U+10FFFF. */
static size_t utf8_length(const unsigned char *p, size_t n)
{
    if (p[0] < 0x80) return 1;
    size_t length = p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : p[0] < 0xF5 ? 4 : 0;
    if (!length || length > n) return 0;
    unsigned least = p[0] == 0xE0 ? 0xA0 : p[0] == 0xF0 ? 0x90 : 0x80;
    unsigned most = p[0] == 0xED ? 0x9F : p[0] == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < least || p[1] > most) return 0;
    for (size_t i = 2; i < length; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    return length;
}

bool span_is_utf8(span text)
{
    const unsigned char *p = (const unsigned char *)text.p;
    for (size_t i = 0; i < text.n;) {
        size_t length = utf8_length(p + i, text.n - i);
        if (!length) return false;
        i += length;
    }
    return true;
}

/* How many bytes of the well-formed UTF-8 `text` fit into `max` without cutting a character: bytes 10xxxxxx continue
   one (RFC 3629 §3). */
static size_t utf8_fit(span text, size_t max)
{
    if (text.n <= max) return text.n;
    size_t n = max;
    while (n > 0 && ((unsigned char)text.p[n] & 0xC0) == 0x80) n--;
    return n;
}

char *span_clean(span text, size_t max, bool *clipped)
{
    size_t n = utf8_fit(text, max);
    bool changed = n < text.n;
    char *out = mem_strndup(text.p, n);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)out[i];
        if (c >= 0x20 && c != 0x7F) continue;
        out[i] = ' ';
        changed = true;
    }
    if (clipped) *clipped = changed;
    return out;
}

/* ---- UUID ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool uuid_dash_before(size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

bool uuid_parse(span text, uuid *out)
{
    if (text.n != UUID_TEXT - 1) return false;
    const char *p = text.p;
    for (size_t i = 0; i < sizeof out->b; i++) {
        if (uuid_dash_before(i) && *p++ != '-') return false;
        int high = hex_digit(p[0]), low = hex_digit(p[1]);
        if (high < 0 || low < 0) return false;
        out->b[i] = (uint8_t)(high << 4 | low);
        p += 2;
    }
    return true;
}

void uuid_format(const uuid *u, char out[UUID_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    char *p = out;
    for (size_t i = 0; i < sizeof u->b; i++) {
        if (uuid_dash_before(i)) *p++ = '-';
        *p++ = digits[u->b[i] >> 4];
        *p++ = digits[u->b[i] & 15];
    }
    *p = 0;
}

bool uuid_eq(const uuid *a, const uuid *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

/* ---- buf ---- */

/* Room for `n` more bytes and a NUL behind them. */
static void buf_reserve(buf *b, size_t n)
{
    size_t need;
    if (__builtin_add_overflow(b->n, n + 1, &need)) out_of_memory();
    if (need <= b->cap) return;
    size_t cap = b->cap ? b->cap : 64;
    while (cap < need) cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    b->p = mem_resize(b->p, cap, 1);
    b->cap = cap;
}

void buf_append(buf *b, const void *bytes, size_t n)
{
    buf_reserve(b, n);
    if (n) memcpy(b->p + b->n, bytes, n);
    b->n += n;
    b->p[b->n] = 0;
}

void buf_text(buf *b, const char *s)
{
    buf_append(b, s, strlen(s));
}

void buf_printf(buf *b, const char *format, ...)
{
    buf_reserve(b, 63);
    for (;;) {
        size_t room = b->cap - b->n;
        va_list args;
        va_start(args, format);
        int n = vsnprintf(b->p + b->n, room, format, args);
        va_end(args);
        if (n < 0) return;
        if ((size_t)n < room) {
            b->n += (size_t)n;
            return;
        }
        buf_reserve(b, (size_t)n);
    }
}

/* ---- shortest decimals: for what is traced, a tenth of the time that printf() and strtod() take ---- */

__extension__ typedef unsigned __int128 wide;

static uint64_t power_of_ten(int n)
{
    uint64_t p = 1;
    while (n-- > 0) p *= 10;
    return p;
}

/* The shortest m with m × 10^-*scale nearer to v > 0 than to any other double; of those the one closest to v.
   Let v = f × 2^-s with 53 bits of f. Scaled by the 10^k that leaves 17 digits before the point, v and the half-way
   points to its neighbours are the exact integers f × 10^k and f × 10^k ± 10^k / 2, of units 2^-s; they fit into 128
   bits for 1e-4 <= v < 1e15. The range between them holds an integer; digits are dropped while it still does. */
static uint64_t shortest_decimal(double v, int *scale)
{
    int exponent;
    uint64_t f = (uint64_t)ldexp(frexp(v, &exponent), 53);
    int s = 53 - exponent, k = 17 - (int)ceil(log10(v));
    wide power = (wide)power_of_ten(k - k / 2) * power_of_ten(k / 2), middle = f * power;
    if (middle >> s >= power_of_ten(17)) { /* v is a power of ten */
        k--;
        power /= 10;
        middle /= 10;
    }
    uint64_t low = (uint64_t)((middle - power / 2) >> s) + 1, high = (uint64_t)((middle + power / 2 - 1) >> s);
    uint64_t unit = 1;
    while ((low + 9) / 10 <= high / 10) {
        low = (low + 9) / 10;
        high /= 10;
        unit *= 10;
        k--;
    }
    wide step = (wide)unit << s;
    uint64_t nearest = (uint64_t)(middle / step);
    wide twice = 2 * (middle % step);
    if (twice > step || (twice == step && nearest % 2)) nearest++; /* a tie goes to the even one, as printf's */
    *scale = k;
    return nearest < low ? low : nearest > high ? high : nearest;
}

/* m × 10^-scale, without an exponent. */
static size_t print_decimal(char *out, uint64_t m, int scale)
{
    char digits[32], *end = digits + sizeof digits, *p = end;
    for (; scale > 0 && m % 10 == 0; scale--) m /= 10;
    for (int i = 0; m || i <= scale; i++, m /= 10) {
        if (i == scale && scale > 0) *--p = '.';
        *--p = (char)('0' + m % 10);
    }
    memcpy(out, p, (size_t)(end - p));
    return (size_t)(end - p);
}

static size_t print_double(char *out, size_t size, double v)
{
    if (!isfinite(v)) return (size_t)snprintf(out, size, "null");
    if (fabs(v) < 1e15 && v == (double)(int64_t)v && !(v == 0 && signbit(v)))
        return (size_t)snprintf(out, size, "%lld", (long long)v);
    if (fabs(v) >= 1e-4 && fabs(v) < 1e15) {
        int scale;
        size_t sign = v < 0;
        uint64_t m = shortest_decimal(fabs(v), &scale);
        if (sign) *out = '-';
        return sign + print_decimal(out + sign, m, scale);
    }
    int n = 0; /* 15 digits suffice for what was once typed or rounded, then 16, then 17, which always do */
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(out, size, "%.*g", digits, v);
        if (strtod(out, NULL) == v) break;
    }
    return (size_t)n;
}

/* The server never calls setlocale(): the point is a point. */
void buf_double(buf *b, double v)
{
    char text[40];
    buf_append(b, text, print_double(text, sizeof text, v));
}

void buf_free(buf *b)
{
    free(b->p);
    *b = (buf){0};
}

/* ---- clocks ---- */

static int64_t clock_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

int64_t clock_wall(void)
{
    return clock_ns(CLOCK_REALTIME);
}

int64_t clock_mono(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

/* ---- log ---- */

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static log_level level_shown = LOG_INFO;

bool log_level_parse(const char *name, log_level *out)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++)
        if (strcasecmp(name, level_names[i]) == 0) {
            *out = (log_level)i;
            return true;
        }
    return false;
}

void log_set_level(log_level level)
{
    level_shown = level;
}

/* One write a line, so that lines of two threads never mix. */
static void log_write(log_level level, uint64_t held, const char *format, va_list args)
{
    char line[1024];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    size_t n = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%SZ ", &utc);
    n += (size_t)snprintf(line + n, sizeof line - n, "%s: ", level_names[level]);
    const size_t tail = 64; /* kept for what follows the message */
    int m = vsnprintf(line + n, sizeof line - n - tail, format, args);
    if (m > 0) n += (size_t)m < sizeof line - n - tail ? (size_t)m : sizeof line - n - tail - 1;
    if (held) n += (size_t)snprintf(line + n, sizeof line - n, " (and %llu more like it)", (unsigned long long)held);
    line[n++] = '\n';
    (void)!write(STDERR_FILENO, line, n);
}

void log_line(log_level level, const char *format, ...)
{
    if (level > level_shown) return;
    va_list args;
    va_start(args, format);
    log_write(level, 0, format, args);
    va_end(args);
}

void log_limited_line(log_limit *limit, log_level level, const char *format, ...)
{
    if (level > level_shown) return;
    int64_t now = clock_mono(), next = atomic_load(&limit->next);
    if (now < next || !atomic_compare_exchange_strong(&limit->next, &next, now + 60 * NS_PER_SECOND)) {
        atomic_fetch_add(&limit->held, 1);
        return;
    }
    va_list args;
    va_start(args, format);
    log_write(level, atomic_exchange(&limit->held, 0), format, args);
    va_end(args);
}
