/* SPDX-License-Identifier: MIT OR Unlicense
   health: asks a server of this machine whether it takes requests and reaches its store. A client of few lines, so that
   a container needs neither a shell nor curl for it. */
#ifndef HEALTH_H
#define HEALTH_H

#include "base/base.h"

/* `address`: where the server listens; 0.0.0.0, [::] and an empty host mean the loopback address. Speaks HTTP or TLS,
   as the server does; its certificate is not checked. `token`: empty, or what the server wants to be shown; never sent
   in clear to a server that speaks TLS. false: `why` gets one sentence. Waits some seconds at most. */
bool health_ask(const char *address, span token, buf *why);

#endif
