/* SPDX-License-Identifier: MIT OR Unlicense
   other: what program.c calls in other.c; the one, the other or both may be C++. */
#ifndef OTHER_H
#define OTHER_H

#ifdef __cplusplus
extern "C"
#endif
    int
    other(int n);

#endif
