/* SPDX-License-Identifier: MIT OR Unlicense
   guard: who may read. */
#include "http/guard.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAX_TOKEN 1024

/* ---- the token ---- */

void guard_set(guard *g, span token)
{
    g->needs_token = true;
    SHA256((const unsigned char *)token.p, token.n, g->digest);
}

static bool check_token(const char *path, span token, buf *why)
{
    if (!token.n)
        buf_printf(why, "the token file %s is empty", path);
    else if (token.n > MAX_TOKEN)
        buf_printf(why, "the token in %s is longer than %d bytes", path, MAX_TOKEN);
    else if (memchr(token.p, '\n', token.n) || memchr(token.p, 0, token.n))
        buf_printf(why, "the token file %s holds more than one line", path);
    else
        return true;
    return false;
}

bool guard_read_token(const char *path, buf *token, buf *why)
{
    char text[MAX_TOKEN + 3];
    FILE *file = fopen(path, "re");
    size_t n = file ? fread(text, 1, sizeof text, file) : 0;
    bool failed = !file || ferror(file);
    int error = errno;
    if (file) fclose(file);
    if (failed) {
        buf_printf(why, "the token file %s cannot be read: %s", path, strerror(error));
        return false;
    }
    if (n && text[n - 1] == '\n') n--;
    if (n && text[n - 1] == '\r') n--;
    bool good = check_token(path, (span){text, n}, why);
    if (good) buf_append(token, text, n);
    OPENSSL_cleanse(text, sizeof text);
    return good;
}

bool guard_read(guard *g, const char *path, buf *why)
{
    *g = (guard){0};
    if (!path) return true;
    buf token = {0};
    bool good = guard_read_token(path, &token, why);
    if (good) {
        guard_set(g, (span){token.p, token.n});
        OPENSSL_cleanse(token.p, token.n);
    }
    buf_free(&token);
    return good;
}

/* Digests are compared, so that neither time nor length tells anything of the token. */
static bool token_is_right(const guard *g, span token)
{
    uint8_t digest[GUARD_DIGEST];
    SHA256((const unsigned char *)token.p, token.n, digest);
    return CRYPTO_memcmp(digest, g->digest, sizeof digest) == 0;
}

static bool basic_is_right(const guard *g, span base64)
{
    unsigned char text[2 * MAX_TOKEN + 4];
    while (base64.n && base64.p[base64.n - 1] == '=') base64.n--; /* EVP_DecodeBlock would count padding as zeros */
    if (base64.n > sizeof text || base64.n % 4 == 1) return false;
    char padded[sizeof text + 4];
    memset(padded, 'A', sizeof padded);
    if (base64.n) memcpy(padded, base64.p, base64.n);
    int decoded = EVP_DecodeBlock(text, (const unsigned char *)padded, (int)((base64.n + 3) / 4 * 4));
    size_t n = base64.n * 3 / 4;
    if (decoded < 0 || (size_t)decoded < n) return false;
    const unsigned char *colon = memchr(text, ':', n);
    return colon && token_is_right(g, (span){(const char *)colon + 1, n - (size_t)(colon + 1 - text)});
}

static bool scheme_is(span *header, const char *scheme)
{
    size_t n = strlen(scheme);
    if (header->n <= n || strncasecmp(header->p, scheme, n) != 0 || header->p[n] != ' ') return false;
    while (n < header->n && header->p[n] == ' ') n++;
    *header = (span){header->p + n, header->n - n};
    return true;
}

bool guard_admits(const guard *g, span authorization)
{
    if (!g->needs_token) return true;
    if (scheme_is(&authorization, "Bearer")) return token_is_right(g, authorization);
    if (scheme_is(&authorization, "Basic")) return basic_is_right(g, authorization);
    return false;
}

/* ---- the host ---- */

/* Without ":PORT". */
static span host_name(span host)
{
    size_t n = host.n;
    while (n && host.p[n - 1] >= '0' && host.p[n - 1] <= '9') n--;
    return n && host.p[n - 1] == ':' ? (span){host.p, n - 1} : host;
}

/* 127.0.0.0/8 written as four numbers. */
static bool is_loopback_ipv4(span name)
{
    size_t dots = 0;
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '.')
            dots++;
        else if (name.p[i] < '0' || name.p[i] > '9')
            return false;
    }
    return dots == 3 && name.n >= 9 && memcmp(name.p, "127.", 4) == 0;
}

bool guard_host_is_local(span host)
{
    span name = host_name(host);
    return (name.n == 9 && strncasecmp(name.p, "localhost", 9) == 0) || span_eq(name, span_of("[::1]")) ||
           is_loopback_ipv4(name);
}

/* ---- the page that asks ---- */

static bool is_origin_of(span origin, span host)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        size_t n = strlen(schemes[i]);
        if (origin.n == n + host.n && memcmp(origin.p, schemes[i], n) == 0 &&
            strncasecmp(origin.p + n, host.p, host.n) == 0)
            return true;
    }
    return false;
}

bool guard_is_same_site(span fetch_site, span origin, span host)
{
    if (fetch_site.n && !span_eq(fetch_site, span_of("same-origin")) && !span_eq(fetch_site, span_of("none")))
        return false;
    return !origin.n || (host.n && is_origin_of(origin, host));
}
