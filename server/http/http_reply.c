/* SPDX-License-Identifier: MIT OR Unlicense
   http_reply: whole answers and errors. */
#include "http/http_internal.h"

#include <stdatomic.h>
#include <stdio.h>

#include "http/emit.h"

/* Nothing from elsewhere, and nobody may frame, embed or sniff. */
static const char content_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

bool http_is_head(const h2o_req_t *req)
{
    return h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD"));
}

span http_request_header(const h2o_req_t *req, const h2o_token_t *name)
{
    ssize_t at = h2o_find_header(&req->headers, name, -1);
    return at < 0 ? (span){"", 0} : (span){req->headers.entries[at].value.base, req->headers.entries[at].value.len};
}

span http_request_header_named(const h2o_req_t *req, const char *name)
{
    ssize_t at = h2o_find_header_by_str(&req->headers, name, strlen(name), -1);
    return at < 0 ? (span){"", 0} : (span){req->headers.entries[at].value.base, req->headers.entries[at].value.len};
}

void http_header(h2o_req_t *req, const char *name, const char *value)
{
    h2o_add_header_by_str(&req->pool, &req->res.headers, name, strlen(name), 1, NULL, value, strlen(value));
}

void http_header_copy(h2o_req_t *req, const char *name, const char *value)
{
    http_header(req, name, h2o_strdup(&req->pool, value, SIZE_MAX).base);
}

void http_common_headers(h2o_req_t *req, const char *type, const char *cache)
{
    http_header(req, "content-type", type);
    http_header(req, "cache-control", cache);
    http_header(req, "content-security-policy", content_policy);
    http_header(req, "x-content-type-options", "nosniff");
    http_header(req, "referrer-policy", "no-referrer");
    http_header(req, "cross-origin-resource-policy", "same-origin");
}

static const char *reason(int status)
{
    switch (status) {
    case 200: return "OK";
    case 202: return "Accepted";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 421: return "Misdirected Request";
    case 503: return "Service Unavailable";
    default: return "Internal Server Error";
    }
}

/* ---- answers ---- */

static void send_whole(h2o_req_t *req, int status, const void *bytes, size_t n)
{
    static h2o_generator_t whole; /* no next piece to ask for */
    req->res.status = status;
    req->res.reason = reason(status);
    h2o_iovec_t body = h2o_iovec_init(bytes, n);
    size_t count = n && !http_is_head(req);
    if (status != 304) req->res.content_length = n;
    h2o_start_response(req, &whole);
    h2o_send(req, &body, count, H2O_SEND_STATE_FINAL);
}

void http_reply_static(h2o_req_t *req, int status, const char *type, const char *cache, const void *bytes, size_t n)
{
    http_common_headers(req, type, cache);
    send_whole(req, status, bytes, n);
}

/* A body's bytes, freed with the request. */
typedef struct {
    http *http;
    buf bytes;
} held_body;

static void held_body_free(void *p)
{
    held_body *held = p;
    held->http->answer_bytes -= held->bytes.n;
    buf_free(&held->bytes);
}

void http_reply(http *h, h2o_req_t *req, int status, const char *type, body_form form, buf *body)
{
    held_body *held = h2o_mem_alloc_shared(&req->pool, sizeof *held, held_body_free);
    *held = (held_body){h, *body};
    *body = (buf){0};
    h->answer_bytes += held->bytes.n;
    if (form == BODY_GZIPPED) http_header(req, "content-encoding", "gzip");
    http_header(req, "vary", "accept-encoding");
    http_common_headers(req, type, "no-store");
    send_whole(req, status, held->bytes.p, held->bytes.n);
}

void http_error(http *h, h2o_req_t *req, int status, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *p = text; *p; p++)
        if (*p < 0x20 || *p > 0x7E) *p = '?';
    buf body = {0};
    buf_text(&body, "{\"error\":");
    emit_string(&body, text);
    buf_text(&body, "}\n");
    http_reply(h, req, status, "application/json", BODY_PLAIN, &body);
}

void http_refuse(http *h, h2o_req_t *req)
{
    atomic_fetch_add(&h->stats.refused, 1);
    http_header(req, "retry-after", "1");
    http_error(h, req, 503, "the server is busy; try again in a moment");
}
