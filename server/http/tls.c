/* SPDX-License-Identifier: MIT OR Unlicense
   tls: the server's certificate and key → what a listener needs. */
#include "http/tls.h"

#include <openssl/err.h>
#include <string.h>

/* The first of OpenSSL's queue of errors is the cause; those after it only say who failed for it. */
static const char *reason(void)
{
    unsigned long error = ERR_peek_error();
    if (ERR_SYSTEM_ERROR(error)) return strerror(ERR_GET_REASON(error));
    const char *text = ERR_reason_error_string(error);
    return text ? text : "unknown";
}

static bool load(SSL_CTX *c, const char *cert, const char *key, buf *why)
{
    if (SSL_CTX_use_certificate_chain_file(c, cert) != 1)
        buf_printf(why, "the certificate %s cannot be used: %s", cert, reason());
    else if (SSL_CTX_use_PrivateKey_file(c, key, SSL_FILETYPE_PEM) != 1)
        buf_printf(why, "the key %s cannot be used: %s", key, reason());
    else if (SSL_CTX_check_private_key(c) != 1)
        buf_printf(why, "the key %s does not belong to the certificate %s", key, cert);
    else
        return true;
    return false;
}

SSL_CTX *tls_context(const char *cert, const char *key, buf *why)
{
    ERR_clear_error();
    SSL_CTX *c = SSL_CTX_new(TLS_server_method());
    if (!c) {
        buf_printf(why, "TLS cannot be set up: %s", reason());
        return NULL;
    }
    SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
    /* HTTP/2 forbids suites without forward secrecy and authenticated encryption (RFC 9113 §9.2.2). */
    SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20");
    SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    static const unsigned char context[] = "mnemic";
    SSL_CTX_set_session_id_context(c, context, sizeof context - 1);
    if (load(c, cert, key, why)) return c;
    SSL_CTX_free(c);
    return NULL;
}
