/* SPDX-License-Identifier: MIT OR Unlicense
   column: many numbers of a kind as few bytes; exact, NaN's bits and -0.0 included. Each thread keeps some memory for
   it, as the longest column needs, until it ends. */
#ifndef COLUMN_H
#define COLUMN_H

#include "base/base.h"

/* Append to `out`. At least one number, or byte. */
void integers_encode(const uint64_t *v, size_t count, buf *out);
void doubles_encode(const double *v, size_t count, buf *out);
void octets_encode(span bytes, buf *out);                    /* of no structure that is known here */

/* All of `bytes` into v[count]. false: they are damaged, and v holds anything. */
bool integers_decode(span bytes, uint64_t *v, size_t count);
bool doubles_decode(span bytes, double *v, size_t count);
bool octets_decode(span bytes, void *out, size_t n);

#endif
