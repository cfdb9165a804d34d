/* SPDX-License-Identifier: MIT OR Unlicense
   runs_hash: SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012). */
#include "runs/runs_hash.h"

#include <string.h>
#include <sys/random.h>

hash_key hash_new_key(void)
{
    hash_key key;
    if (getrandom(&key, sizeof key, 0) != sizeof key) /* a kernel without: better guessable than not running */
        key = (hash_key){(uint64_t)clock_wall(), (uint64_t)clock_mono()};
    return key;
}

static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static void rounds(uint64_t v[4], int count)
{
    while (count--) {
        v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
        v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
    }
}

static void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    rounds(v, 2);
    v[0] ^= word;
}

static uint64_t little_endian(const unsigned char *p, size_t n)
{
    uint64_t word = 0;
    for (size_t i = 0; i < n; i++) word |= (uint64_t)p[i] << 8 * i;
    return word;
}

uint64_t hash_bytes(hash_key key, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint64_t v[4] = {key.k0 ^ 0x736f6d6570736575, key.k1 ^ 0x646f72616e646f6d, key.k0 ^ 0x6c7967656e657261,
                     key.k1 ^ 0x7465646279746573};
    size_t left = n;
    for (; left >= 8; p += 8, left -= 8) absorb(v, little_endian(p, 8));
    absorb(v, (uint64_t)n << 56 | little_endian(p, left));
    v[2] ^= 0xff;
    rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
