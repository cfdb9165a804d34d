/* SPDX-License-Identifier: MIT OR Unlicense
   params: the query of a URL, checked. Pure. */
#ifndef PARAMS_H
#define PARAMS_H

#include "base/base.h"

/* What a route knows: from and to, last, points, columns, first, differenced, deleted, purge. */
enum {
    PARAM_RANGE = 1,
    PARAM_POINTS = 2,
    PARAM_COLUMNS = 4,
    PARAM_DIFFERENCED = 8,
    PARAM_DELETED = 16,
    PARAM_PURGE = 32,
    PARAM_LAST = 64,
    PARAM_FIRST = 128
};

typedef struct {
    int64_t from, to;        /* ns; INT64_MIN, INT64_MAX if not given                    */
    int64_t last;            /* ns before `to`; 0 if not given                            */
    size_t points;           /* 1 … 20000; 1200 if not given                             */
    uint32_t *columns;       /* column_count indices as given; NULL: all                 */
    size_t column_count;
    size_t first;            /* in place of `columns`: so many, as far as there are; 0 if not given */
    bool differenced, deleted, purge; /* false if not given                              */
} params;

/* `query` is what follows the '?'. false: `why` gets one sentence. The caller frees `columns` in either case. */
bool params_read(params *p, span query, unsigned known, buf *why);

#endif
