/* SPDX-License-Identifier: MIT OR Unlicense
   export: a run's rows as text, a piece at a time, so that memory stays bounded whatever the run's length. */
#ifndef EXPORT_H
#define EXPORT_H

#include "query/query.h"

typedef enum { EXPORT_CSV, EXPORT_NDJSON, EXPORT_TRACE } export_format;
typedef struct export export;
const char *export_suffix(export_format f); /* "csv" … of a file's name */
const char *export_media_type(export_format f);

/* Looks the run up. STORE_OK: the caller frees by export_free(). */
store_status export_open(store *s, const uuid *run, export_format format, int64_t from, int64_t to, export **out);
const run_info *export_run(const export *e);
/* Appends about EXPORT_PIECE bytes (at least a row; a trace begins with all marks and gaps); nothing at the end. Any connection to the same
   store may be used for the next piece. After an error the export is over. */
#define EXPORT_PIECE (256 << 10)
store_status export_next(export *e, store *s, buf *out);
void export_free(export *e);

#endif
