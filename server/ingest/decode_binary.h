/* SPDX-License-Identifier: MIT OR Unlicense
   decode_binary: a datagram of the binary wire → a record. Pure. Layouts: WIRE.md. */
#ifndef DECODE_BINARY_H
#define DECODE_BINARY_H

#include "ingest/decode.h"

/* D0 10 begins no UTF-8 text, for 10 continues no D0. */
#define BINARY_MAGIC_0 0xD0
#define BINARY_MAGIC_1 0x10
#define BINARY_VERSION 1
#define BINARY_HEADER  20
#define BINARY_ACK     0x81
#define BINARY_REFUSED 0x82
#define BINARY_SEALED  0x7E
#define BINARY_KIND    4 /* bytes: magic, version, kind */

/* What every message begins with. */
static inline void binary_put_kind(uint8_t out[BINARY_KIND], uint8_t kind)
{
    out[0] = BINARY_MAGIC_0;
    out[1] = BINARY_MAGIC_1;
    out[2] = BINARY_VERSION;
    out[3] = kind;
}

bool decode_is_binary(const uint8_t *p, size_t n);
decode_result decode_binary(const uint8_t *p, size_t n, record_sink sink, void *ctx);

#endif
