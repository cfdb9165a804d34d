/* SPDX-License-Identifier: MIT OR Unlicense
   gzip: compressed answers. Pure. */
#ifndef GZIP_H
#define GZIP_H

#include "base/base.h"

/* Whether an Accept-Encoding header (RFC 9110 §12.5.3) lets an answer be gzipped. */
bool gzip_accepted(span accept_encoding);
/* Replaces the bytes by their gzip form (RFC 1952), fast rather than small. false: they are as they were. */
bool gzip_compress(buf *bytes);

#endif
