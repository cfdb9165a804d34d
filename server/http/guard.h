/* SPDX-License-Identifier: MIT OR Unlicense
   guard: who may read. The token, and protection of an open server on loopback from pages of other sites. */
#ifndef GUARD_H
#define GUARD_H

#include "base/base.h"

#define GUARD_DIGEST 32

typedef struct {
    bool needs_token;
    uint8_t digest[GUARD_DIGEST]; /* SHA-256 of the token */
} guard;

/* Reads the token: the file's only line. false: `why` gets one sentence. `path` NULL: no token is needed. */
bool guard_read(guard *g, const char *path, buf *why);
void guard_set(guard *g, span token);
/* The token itself; appends to `token`. */
bool guard_read_token(const char *path, buf *token, buf *why);

/* `authorization`: the header's value: "Bearer TOKEN" or "Basic BASE64(any user:TOKEN)" (RFC 6750, RFC 7617). Takes the
   same time wherever a wrong token differs. */
bool guard_admits(const guard *g, span authorization);

/* Whether a Host header (its port is ignored) names this machine's loopback. A page of evil.example whose name is
   made to resolve to 127.0.0.1 (DNS rebinding) would have the browser read us as its own site; it sends its own name. */
bool guard_host_is_local(span host);

/* Whether a request that changes something comes from our own page, or from no page at all (curl): a page of another site
   can have a browser send it with the user's password. `fetch_site` is the header Sec-Fetch-Site, `origin` Origin, `host`
   Host; empty if not sent. A browser sends at least one of the first two. */
bool guard_is_same_site(span fetch_site, span origin, span host);

#endif
