/* SPDX-License-Identifier: MIT OR Unlicense
   tls: the server's certificate and key → what a listener needs. */
#ifndef TLS_H
#define TLS_H

#include <openssl/ssl.h>

#include "base/base.h"

/* TLS 1.2 and later with forward secrecy. NULL: `why` gets one sentence. */
SSL_CTX *tls_context(const char *cert, const char *key, buf *why);

#endif
