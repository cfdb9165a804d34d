/* SPDX-License-Identifier: MIT OR Unlicense
   assets: the page's files, from the program itself or from a folder. On the event loop's thread. */
#ifndef ASSETS_H
#define ASSETS_H

#include "http/http_internal.h"

/* What embed.sh writes: one entry a file, ended by one without a path. The bytes of each form end where the next
   begins. */
typedef struct {
    const char *path, *etag;
    const unsigned char *plain, *gzip, *end;
} asset;
extern const asset assets_table[];

/* Answers a GET or HEAD of "/" (index.html) or "/assets/NAME". */
void assets_handle(http *h, h2o_req_t *req);

#endif
