/* SPDX-License-Identifier: MIT OR Unlicense
   must: a check whose failure a fuzzer notices, also where asserts are off. */
#ifndef MUST_H
#define MUST_H

#include <stdio.h>
#include <stdlib.h>

#define MUST(condition)                                                                                              \
    do {                                                                                                             \
        if (!(condition)) {                                                                                          \
            fprintf(stderr, "%d: %s\n", __LINE__, #condition);                                                       \
            abort();                                                                                                 \
        }                                                                                                            \
    } while (0)

#endif
