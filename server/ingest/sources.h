/* SPDX-License-Identifier: MIT OR Unlicense
   sources: what one sender may ask for: bytes a second, new runs a minute, runs at once. So that none fills memory or
   disk alone where there is no key. A source is an IPv4 address, a /64 of IPv6 (which one customer has), or all local
   sockets together. Pure. */
#ifndef SOURCES_H
#define SOURCES_H

#include "runs/runs_hash.h"

#define SOURCE_BYTES 16

typedef struct {
    uint64_t bytes; /* a second; a second's worth may come at once (0: 512 MiB)  */
    uint64_t runs;  /* new ones a minute; all may come at once     (0: 6,000)    */
    uint64_t live;  /* in memory at once                           (0: 16,384)   */
    bool off;       /* nobody is limited: senders prove who they are             */
} source_limits;

typedef enum { LIMIT_NONE, LIMIT_BYTES, LIMIT_NEW_RUNS, LIMIT_LIVE_RUNS, LIMITS } source_limit;

typedef struct source_table source_table;
typedef struct source source;

source_table *sources_new(const source_limits *limits, hash_key key);
void sources_free(source_table *s);
/* `now`: ns, by a clock that never goes back. Made if it is new; valid until the next call, or as long as it has runs. */
source *sources_of(source_table *s, const uint8_t id[SOURCE_BYTES]);
source_limit sources_take_bytes(source_table *s, source *from, size_t n, int64_t now);
/* A run begins to be remembered: it counts until it ends to be. */
source_limit sources_add_run(source_table *s, source *from, int64_t now);
void sources_remove_run(source_table *s, source *from);
size_t sources_count(const source_table *s);

#endif
