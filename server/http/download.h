/* SPDX-License-Identifier: MIT OR Unlicense
   download: every row of a run as a file, piece by piece as the client takes it. On the event loop's thread. */
#ifndef DOWNLOAD_H
#define DOWNLOAD_H

#include "http/export.h"
#include "http/http_internal.h"

/* Rows in [from, to], ns. */
void download_handle(http *h, h2o_req_t *req, const uuid *run, export_format format, int64_t from, int64_t to);

#endif
