/* SPDX-License-Identifier: MIT OR Unlicense
   api: the routes of API.md. On the event loop's thread. */
#ifndef API_H
#define API_H

#include "http/http_internal.h"

/* Answers any request, now or later. Whether the client may ask has been checked. */
void api_handle(http *h, h2o_req_t *req);

#endif
