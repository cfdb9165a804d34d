/* SPDX-License-Identifier: MIT OR Unlicense
   address: "127.0.0.1:12013", "[::1]:0", "localhost:80", "unix:/run/mnemic" → a bound or a
   connected socket. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include "base/base.h"

#define ADDRESS_HOST 256
#define ADDRESS_PORT 6

/* The two parts of HOST:PORT or [IPV6]:PORT; an empty host means every address of the machine. false: it is neither,
   or the port is not 0 … 65535. Pure. */
bool address_split(const char *text, char host[ADDRESS_HOST], char port[ADDRESS_PORT]);

/* The path of unix:PATH, or NULL if it is none. Pure. */
const char *address_unix_path(const char *text);

/* A bound, close-on-exec, non-blocking socket of `type` (SOCK_STREAM, SOCK_DGRAM), and in `bound` its address as
   chosen. -1: `why` gets "ADDRESS: what is wrong". Of unix:PATH a socket that nobody listens at any more is replaced;
   whoever ends it removes the file. */
int address_bind(const char *text, int type, buf *bound, buf *why);

/* A connected, close-on-exec, blocking socket, on which no step takes longer than `seconds`. An address that stands for
   every one of the machine's, as 0.0.0.0, [::] and an empty host do, means loopback. -1: as above. */
int address_connect(const char *text, int type, int seconds, buf *why);

/* Whose address it is, as far as limits go: an IPv4 address (as IPv6 has it, RFC 4291 §2.5.5.2), the /64 of an IPv6 one,
   zeros for local sockets. `from` is a struct sockaddr of `n` bytes. */
void address_source(const void *from, size_t n, uint8_t out[16]);

/* Whether a socket is bound to an address that only this machine reaches. */
bool address_is_loopback(int fd);

#endif
