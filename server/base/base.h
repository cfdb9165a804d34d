/* SPDX-License-Identifier: MIT OR Unlicense
   base: what every part stands on: spans, UUIDs, growing bytes, clocks, the log. */
#ifndef BASE_H
#define BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_MS     INT64_C(1000000)

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* ---- memory: running out of it ends the process with one clear line, so no caller checks ---- */
void *mem_alloc(size_t bytes);                              /* never NULL, also for 0 */
void *mem_calloc(size_t count, size_t size);                /* zeroed; overflow of the product aborts */
void *mem_resize(void *p, size_t count, size_t size);       /* p may be NULL */
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t n);

/* ---- span: bytes that somebody else owns; not terminated ---- */
typedef struct {
    const char *p;
    size_t n;
} span;

span span_of(const char *s);                                /* NULL gives the empty span */
bool span_eq(span a, span b);
bool span_is_utf8(span text);                               /* well-formed by RFC 3629 §4 */
/* A printable copy of hostile text, owned by the caller: valid UTF-8 in, at most `max` bytes out, cut at a
   character's edge; control characters (U+0000–1F, 7F) become spaces; `*clipped` (may be NULL) tells of either. */
char *span_clean(span text, size_t max, bool *clipped);

/* ---- UUID: 16 bytes in the order in which the text form names them (RFC 9562 §4) ---- */
typedef struct {
    uint8_t b[16];
} uuid;

#define UUID_TEXT 37                                        /* 36 characters and the NUL */
bool uuid_parse(span text, uuid *out);                      /* 8-4-4-4-12, either case; false: no UUID */
void uuid_format(const uuid *u, char out[UUID_TEXT]);
bool uuid_eq(const uuid *a, const uuid *b);

/* ---- buf: growing bytes, owned; zero-initialise, then buf_free ---- */
typedef struct {
    char *p;
    size_t n, cap;
} buf;

void buf_append(buf *b, const void *bytes, size_t n);
void buf_text(buf *b, const char *s);
void buf_printf(buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The shortest decimal form that reads back as the same double; "null" for NaN and infinities (JSON has none). */
void buf_double(buf *b, double v);
void buf_free(buf *b);

/* ---- clocks, in nanoseconds ---- */
int64_t clock_wall(void);                                   /* since the Unix epoch; may step */
int64_t clock_mono(void);                                   /* since some start; never steps */

/* ---- log: one line a call to stderr, from any thread ---- */
typedef enum { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG } log_level;

bool log_level_parse(const char *name, log_level *out);     /* "error", "warn", "info", "debug" */
void log_set_level(log_level level);                        /* before threads start */
void log_line(log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For messages a stranger can cause: at most one a minute and call site; the next one says how many were left out. */
typedef struct {
    _Atomic int64_t next;
    _Atomic uint64_t held;
} log_limit;
void log_limited_line(log_limit *limit, log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define log_limited(level, ...)                                  \
    do {                                                         \
        static log_limit log_limit_here;                         \
        log_limited_line(&log_limit_here, (level), __VA_ARGS__); \
    } while (0)

#endif
