/* SPDX-License-Identifier: MIT OR Unlicense
   sse: live streams of runs (text/event-stream). On the event loop's thread. */
#ifndef SSE_H
#define SSE_H

#include "http/http_internal.h"

sse_hub *sse_hub_new(http *h);
void sse_hub_free(sse_hub *hub);                         /* no stream may be open */
void sse_handle(http *h, h2o_req_t *req, const uuid *run);
void sse_close_all(sse_hub *hub);                        /* ends each stream properly */

#endif
