/* SPDX-License-Identifier: MIT OR Unlicense
   decode: the bytes of one datagram → records. Pure: no socket, no clock, no state between datagrams.
   The bytes are hostile; server/WIRE.md is the authority on their meaning. */
#ifndef DECODE_H
#define DECODE_H

#include "ingest/record.h"

/* Why a datagram is refused; each is counted under its name in /metrics. */
#define DECODE_ERRORS(X)                                                                \
    X(DECODE_EMPTY, "empty", "no bytes")                                                \
    X(DECODE_ENCODING, "encoding", "not UTF-8")                                         \
    X(DECODE_SYNTAX, "syntax", "not JSON, or more than one value")                      \
    X(DECODE_TYPE, "type", "a member is missing or of the wrong type")                  \
    X(DECODE_MESSAGE, "message", "an unknown msg_type")                                 \
    X(DECODE_UUID, "uuid", "the uuid is no UUID")                                       \
    X(DECODE_COLUMNS, "columns", "no columns, or more than MAX_COLUMNS")                \
    X(DECODE_LENGTH, "length", "a binary datagram whose fields do not fit its length or each other")        \
    X(DECODE_VERSION, "version", "a binary datagram of a version this server does not speak")               \
    X(DECODE_SEALED, "sealed", "sealed with a key, but this server has none: give it --key-file")

typedef enum {
    DECODE_OK = 0,
#define X(id, name, text) id,
    DECODE_ERRORS(X)
#undef X
    DECODE_RESULTS
} decode_result;

const char *decode_result_name(decode_result r); /* "syntax"; the metric's label */
const char *decode_result_text(decode_result r); /* for the log                  */

/* Emits the datagram's records to `sink` in order, or nothing at all if it is refused: the whole is checked first.
   `bytes` is not kept and not changed. */
decode_result decode_datagram(const void *bytes, size_t n, record_sink sink, void *ctx);

#endif
