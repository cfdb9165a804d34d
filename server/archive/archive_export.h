/* SPDX-License-Identifier: MIT OR Unlicense
   archive_export: a store's run → a portable file. */
#ifndef ARCHIVE_EXPORT_H
#define ARCHIVE_EXPORT_H

#include "archive/archive.h"
#include "store/store.h"

/* Appends the run as it is at one moment, however much is written to it meanwhile. In memory is one chunk at a time.
   The caller must hold no snapshot. STORE_MISSING: there is no such run, or it was deleted; nothing was written. Other
   failures: the file is of no use any more. `why` gets one sentence. */
store_status archive_export(store *s, const uuid *id, archive_writer *w, buf *why);

#endif
