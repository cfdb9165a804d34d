/* SPDX-License-Identifier: MIT OR Unlicense
   refuse: tells a client of the binary wire that this server cannot take what it sends, so that its user learns why
   nothing arrives. The only answer that needs no run: it is never longer than what came, and few go out in a second,
   since the address may be forged. Pure. */
#ifndef REFUSE_H
#define REFUSE_H

#include "base/base.h"

#define REFUSED_BYTES       21
#define REFUSALS_PER_SECOND 100

/* As on the wire. */
typedef enum { REFUSED_NOT = 0, REFUSED_VERSION = 1, REFUSED_SEALED = 2, REFUSED_LIMIT = 3 } refusal;

/* Zero-initialise. */
typedef struct {
    int64_t second; /* ns, by a clock that never steps: when the count began */
    unsigned sent;
} refuser;

/* The answer to a datagram, in `out`: its length, or 0 if none is to be sent. */
size_t refuse(refuser *f, refusal why, const uint8_t *datagram, size_t n, int64_t now, uint8_t out[REFUSED_BYTES]);

#endif
