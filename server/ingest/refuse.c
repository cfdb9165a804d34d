/* SPDX-License-Identifier: MIT OR Unlicense
   refuse: the layout is in WIRE.md, "REFUSED". */
#include "ingest/refuse.h"
#include "ingest/decode_binary.h"

#include <string.h>

#define FROM_SERVERS 0x80 /* kinds from here on are answers: two servers must not answer each other for ever */

size_t refuse(refuser *f, refusal why, const uint8_t *datagram, size_t n, int64_t now, uint8_t out[REFUSED_BYTES])
{
    if (!why || n < REFUSED_BYTES || !decode_is_binary(datagram, n) || datagram[3] >= FROM_SERVERS) return 0;
    if (now - f->second >= NS_PER_SECOND) *f = (refuser){.second = now};
    if (f->sent == REFUSALS_PER_SECOND) return 0;
    f->sent++;
    binary_put_kind(out, BINARY_REFUSED);
    memcpy(out + BINARY_KIND, datagram + BINARY_KIND,
           sizeof(uuid)); /* every version has the run there, and so has SEALED */
    out[BINARY_HEADER] = (uint8_t)why;
    return REFUSED_BYTES;
}
