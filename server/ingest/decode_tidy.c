/* SPDX-License-Identifier: MIT OR Unlicense
   decode_tidy: numbers as clients write them → numbers as JSON has them. */
#include "ingest/decode_tidy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A byte of a number, or of a word such as null or NaN. */
static bool is_token(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '+' || c == '.';
}

static const char *skip_digits(const char *p, const char *end)
{
    while (p < end && is_digit(*p)) p++;
    return p;
}

/* From behind the opening quote to behind the closing one, or to the end. */
static const char *skip_string(const char *p, const char *end)
{
    while (p < end && *p != '"') p += *p == '\\' && end - p > 1 ? 2 : 1;
    return p < end ? p + 1 : end;
}

/* The parts of  -12.5e+07  in the grammar of RFC 8259 §6. */
typedef struct {
    span whole, exponent; /* "12", "07" */
    bool integer;         /* neither fraction nor exponent */
} number;

static bool number_parse(span t, number *out)
{
    const char *p = t.p, *end = t.p + t.n;
    if (p < end && *p == '-') p++;
    const char *part = p;
    p = skip_digits(p, end);
    *out = (number){.whole = {part, (size_t)(p - part)}, .integer = p == end};
    if (p == part || (*part == '0' && p - part > 1)) return false;
    if (p < end && *p == '.') {
        part = ++p;
        p = skip_digits(p, end);
        if (p == part) return false;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        if (++p < end && (*p == '+' || *p == '-')) p++;
        part = p;
        p = skip_digits(p, end);
        out->exponent = (span){part, (size_t)(p - part)};
        if (p == part) return false;
    }
    return p == end;
}

static bool fits_int64(span digits)
{
    static const char most[] = "9223372036854775807";
    const size_t n = sizeof most - 1;
    return digits.n < n || (digits.n == n && memcmp(digits.p, most, n) <= 0);
}

static bool fits_double(span t, const number *parts)
{
    if (parts->whole.n <= 200 && parts->exponent.n <= 2) return true; /* < 1e299: no need to compute it */
    char *text = mem_strndup(t.p, t.n);
    double value = strtod(text, NULL);
    free(text);
    return isfinite(value);
}

/* Appends what stands for the token; false: the token itself does. */
static bool replace(span t, buf *out, span before)
{
    static const char *const none[] = {"NaN", "Infinity", "-Infinity"};
    const char *put = NULL;
    number parts;
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        if (span_eq(t, span_of(none[i]))) put = "null";
    if (!put && number_parse(t, &parts)) {
        if (!fits_double(t, &parts))
            put = "null";
        else if (parts.integer && !fits_int64(parts.whole))
            put = "e0"; /* behind the digits: makes a real of them */
    }
    if (!put) return false;
    buf_append(out, before.p, before.n);
    if (*put == 'e') buf_append(out, t.p, t.n);
    buf_text(out, put);
    return true;
}

/* Tokens that are nothing to think about, which is nearly all. */
static bool is_plain(span t)
{
    char c = t.p[0] == '-' && t.n > 1 ? t.p[1] : t.p[0];
    if (c == 'N' || c == 'I') return false;
    return !is_digit(c) || (t.n <= 18 && !memchr(t.p, 'e', t.n) && !memchr(t.p, 'E', t.n));
}

span decode_tidy(span json, buf *out)
{
    const char *p = json.p, *end = json.p + json.n, *kept = p;
    while (p < end) {
        if (*p == '"') {
            p = skip_string(p + 1, end);
        } else if (!is_token(*p)) {
            p++;
        } else {
            span token = {p, 0};
            while (p < end && is_token(*p)) p++;
            token.n = (size_t)(p - token.p);
            if (!is_plain(token) && replace(token, out, (span){kept, (size_t)(token.p - kept)})) kept = p;
        }
    }
    if (!out->n) return json;
    buf_append(out, kept, (size_t)(end - kept));
    return (span){out->p, out->n};
}
