/* SPDX-License-Identifier: MIT OR Unlicense
   wire_network: a simulated network: datagrams on their way, some lost, some twice, some late. What becomes of each is drawn
   (random.h). Include after cmocka.h. */
#ifndef WIRE_NETWORK_H
#define WIRE_NETWORK_H

#include <stdint.h>
#include <string.h>

#include "../server/base/base.h"

#ifndef RANDOM_SEED
#define RANDOM_SEED 1 /* each simulation begins with its own */
#endif
#include "random.h"

#define SERVERS  2
#define MS       NS_PER_MS
#define DATAGRAM 1200

static inline bool chance(double p)
{
    return (double)random_below(1000000) < p * 1e6;
}

typedef struct {
    int64_t at;
    bool to_server;
    uint8_t address; /* the client's */
    size_t server;   /* whom it goes to, or comes from */
    size_t n;
    uint8_t bytes[DATAGRAM];
} packet;

typedef struct {
    double loss, twice;
    int64_t delay, jitter;
    packet *list;
    size_t count, room;
    bool cut;
    uint8_t address;               /* where the client is now */
    size_t server;                 /* where the balancer sends it */
    uint64_t credit[SERVERS][256]; /* bytes that came to a server from each address, less those sent there */
} network;

static inline void network_send(network *net, int64_t now, bool to_server, uint8_t address, size_t server,
                                const uint8_t *bytes, size_t n)
{
    assert_true(n <= DATAGRAM);
    if (!to_server) {
        assert_true(net->credit[server][address] >= n);
        net->credit[server][address] -= n;
    }
    for (int copies = chance(net->twice) ? 2 : 1; copies; copies--) {
        if (net->cut || chance(net->loss)) continue;
        if (net->count == net->room) {
            net->room = net->room ? 2 * net->room : 256;
            net->list = mem_resize(net->list, net->room, sizeof *net->list);
        }
        packet *p = &net->list[net->count++];
        *p = (packet){.at = now + net->delay + (int64_t)random_below((size_t)net->jitter + 1),
                      .to_server = to_server,
                      .address = address,
                      .server = server,
                      .n = n};
        memcpy(p->bytes, bytes, n);
    }
}

/* Takes out the earliest that has arrived. */
static inline bool network_next(network *net, int64_t now, packet *out)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < net->count; i++)
        if (net->list[i].at <= now && (best == SIZE_MAX || net->list[i].at < net->list[best].at)) best = i;
    if (best == SIZE_MAX) return false;
    *out = net->list[best];
    net->list[best] = net->list[--net->count];
    return true;
}

#endif
