/* SPDX-License-Identifier: MIT OR Unlicense
   other: what program.c calls in other.c; the one, the other or both may be C++. */
#ifdef __cplusplus
extern "C"
#endif
    int
    other(int n);
