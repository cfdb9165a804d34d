/* SPDX-License-Identifier: MIT OR Unlicense
   runs_hash: a hash under a secret key, so that no sender can choose what collides. Pure but for the key. */
#ifndef RUNS_HASH_H
#define RUNS_HASH_H

#include "base/base.h"

typedef struct {
    uint64_t k0, k1;
} hash_key;

hash_key hash_new_key(void);                                 /* from the kernel's random numbers */
uint64_t hash_bytes(hash_key key, const void *bytes, size_t n);

#endif
