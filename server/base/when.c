/* SPDX-License-Identifier: MIT OR Unlicense
   when: times and durations as people write them. */
#include "base/when.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LONGEST (9e18) /* ns: 285 years, which int64_t holds */

/* strtod() takes much more than people mean: signs, "inf", "0x1p3". */
static bool read_number(const char *text, const char **end, double *out)
{
    size_t n = strspn(text, "0123456789.");
    char digits[32];
    if (n == 0 || n >= sizeof digits) return false;
    memcpy(digits, text, n);
    digits[n] = 0;
    char *stop;
    *out = strtod(digits, &stop);
    *end = text + n;
    return stop == digits + n;
}

bool when_duration(const char *text, int64_t *ns)
{
    static const struct {
        char unit;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    const char *unit;
    double number;
    if (!read_number(text, &unit, &number) || !*unit || unit[1]) return false;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        double length = number * units[i].seconds * (double)NS_PER_SECOND;
        if (*unit != units[i].unit) continue;
        if (length < 1 || length > LONGEST) return false;
        *ns = (int64_t)length;
        return true;
    }
    return false;
}

static bool read_date(const char *text, int64_t *ns)
{
    static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"};
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct tm utc = {0};
        const char *rest = strptime(text, forms[i], &utc);
        if (!rest || strcmp(rest + (*rest == 'Z'), "") != 0) continue;
        return !__builtin_mul_overflow((int64_t)timegm(&utc), NS_PER_SECOND, ns);
    }
    return false;
}

bool when_time(const char *text, int64_t start, int64_t *ns)
{
    int64_t after;
    const char *rest;
    double ms;
    if (when_duration(text, &after)) return !__builtin_add_overflow(start, after, ns);
    if (read_date(text, ns)) return true;
    if (!read_number(text, &rest, &ms) || *rest || ms * 1e6 > LONGEST) return false;
    *ns = (int64_t)ms * NS_PER_MS + (int64_t)((ms - floor(ms)) * 1e6); /* exactly, as a double would not */
    return true;
}
