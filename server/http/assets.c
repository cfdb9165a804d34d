/* SPDX-License-Identifier: MIT OR Unlicense
   assets: the page's files, from the program itself or from a folder. */
#include "http/assets.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/gzip.h"

#define MAX_FILE (16 << 20)

static const char *type_of(span name)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".json", "application/json"},
        {".map", "application/json"},
        {".txt", "text/plain; charset=utf-8"},
    };
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        size_t n = strlen(types[i].ending);
        if (name.n >= n && memcmp(name.p + name.n - n, types[i].ending, n) == 0) return types[i].type;
    }
    return "application/octet-stream";
}

/* ---- from the program: revalidated on each use, so that an upgrade shows at once, but sent only when changed ---- */

static const asset *find(span name)
{
    for (const asset *a = assets_table; a->path; a++)
        if (span_eq(name, span_of(a->path))) return a;
    return NULL;
}

/* If-None-Match is a list of tags (RFC 9110 §13.1.2); ours occur in no other way than as a whole one. */
static bool has_tag(span header, const char *tag)
{
    return header.n && memmem(header.p, header.n, tag, strlen(tag)) != NULL;
}

static void serve_embedded(h2o_req_t *req, const asset *a)
{
    bool zipped = gzip_accepted(http_request_header(req, H2O_TOKEN_ACCEPT_ENCODING));
    char tag[48];
    snprintf(tag, sizeof tag, "\"%s%s\"", a->etag, zipped ? "-gz" : "");
    http_header_copy(req, "etag", tag);
    http_header(req, "vary", "accept-encoding");
    const char *type = type_of(span_of(a->path));
    if (has_tag(http_request_header(req, H2O_TOKEN_IF_NONE_MATCH), tag)) {
        http_reply_static(req, 304, type, "no-cache", NULL, 0);
        return;
    }
    if (zipped) http_header(req, "content-encoding", "gzip");
    const unsigned char *from = zipped ? a->gzip : a->plain, *to = zipped ? a->end : a->gzip;
    http_reply_static(req, 200, type, "no-cache", from, (size_t)(to - from));
}

/* ---- from a folder, for those who work on the page: read anew for each request ---- */

/* No part of the path is empty or begins with a dot, so it cannot lead out of the folder. */
static bool stays_inside(span name)
{
    bool at_start = true;
    for (size_t i = 0; i < name.n; i++) {
        if (!name.p[i] || (at_start && (name.p[i] == '.' || name.p[i] == '/'))) return false;
        at_start = name.p[i] == '/';
    }
    return !at_start;
}

static bool read_file(const char *folder, span name, buf *out)
{
    buf path = {0};
    buf_printf(&path, "%s/%.*s", folder, (int)name.n, name.p);
    FILE *file = fopen(path.p, "re");
    struct stat info;
    bool good = file && fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode) && info.st_size <= MAX_FILE;
    char piece[16384];
    for (size_t n; good && (n = fread(piece, 1, sizeof piece, file)) > 0;) buf_append(out, piece, n);
    if (file) fclose(file);
    buf_free(&path);
    return good;
}

/* ---- either ---- */

void assets_handle(http *h, h2o_req_t *req)
{
    span path = {req->path_normalized.base, req->path_normalized.len}, prefix = span_of("/assets/");
    span name = path.n == 1 ? span_of("index.html") : (span){path.p + prefix.n, path.n - prefix.n};
    buf body = {0};
    const asset *a;
    if (h->desc.web && stays_inside(name) && read_file(h->desc.web, name, &body))
        http_reply(h, req, 200, type_of(name), BODY_PLAIN, &body);
    else if (!h->desc.web && (a = find(name)))
        serve_embedded(req, a);
    else if (path.n == 1 && !h->desc.web)
        http_error(h, req, 404, "this mnemic was built without its page; the API is at /api/v1/apps");
    else
        http_error(h, req, 404, "there is no such file");
    buf_free(&body);
}
