/* SPDX-License-Identifier: MIT OR Unlicense
   seal: the encryption of datagrams with a key that both ends hold: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) by
   libsodium. Pure but for the key's file. WIRE.md, "SEALED", has the layout. */
#ifndef SEAL_H
#define SEAL_H

#include "base/base.h"

#define SEAL_KEY   32
#define SEAL_NONCE 24
#define SEAL_HEAD  28                /* before the ciphertext  */
#define SEAL_BYTES (SEAL_HEAD + 16) /* that sealing adds, with the tag */

/* A key for each direction, so that nobody can send one end's datagrams back to it. */
typedef struct {
    uint8_t from_client[SEAL_KEY], from_server[SEAL_KEY];
} seal_keys;

void seal_derive(const uint8_t key[SEAL_KEY], seal_keys *out);
/* The file holds the key as 64 hexadecimal digits and perhaps a line feed. false: one sentence in `why`, which never
   shows what the file holds. */
bool seal_read(const char *path, seal_keys *out, buf *why);

typedef enum {
    SEAL_GOOD,
    SEAL_MISSING, /* not sealed                                                              */
    SEAL_FORGED   /* another key, damaged, or the message within is not of the run that the nonce tells */
} seal_result;

/* Opens what a client sent, in place: the message within begins at bytes + SEAL_HEAD and is n - SEAL_BYTES long.
   `counter`: the datagram's, which no other of its run has. */
seal_result seal_open(const seal_keys *keys, uint8_t *bytes, size_t n, uint64_t *counter);
/* Seals a message to a client into `out`, which has room for n + SEAL_BYTES; returns that. */
size_t seal_close(const seal_keys *keys, const uint8_t *message, size_t n, uint8_t *out);

#endif
