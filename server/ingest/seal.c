/* SPDX-License-Identifier: MIT OR Unlicense
   seal: the encryption of datagrams with a key that both ends hold. */
#include "ingest/seal.h"
#include "base/bytes.h"
#include "ingest/decode_binary.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define HEX_DIGITS (2 * SEAL_KEY)
#define CLEAR      BINARY_KIND /* bytes before the nonce; they are authenticated, too */

_Static_assert(SEAL_NONCE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "the nonce of XChaCha20");
_Static_assert(SEAL_BYTES == SEAL_HEAD + crypto_aead_xchacha20poly1305_ietf_ABYTES, "the tag of Poly1305");
_Static_assert(SEAL_KEY == crypto_kdf_KEYBYTES, "the key of crypto_kdf");

/* ---- keys ---- */

static void prepare(void)
{
    if (sodium_init() >= 0) return;
    log_line(LOG_ERROR, "libsodium finds no random numbers");
    exit(EXIT_FAILURE);
}

void seal_derive(const uint8_t key[SEAL_KEY], seal_keys *out)
{
    static const char context[crypto_kdf_CONTEXTBYTES + 1] = "dolonwir";
    prepare();
    crypto_kdf_derive_from_key(out->from_client, SEAL_KEY, 1, context, key);
    crypto_kdf_derive_from_key(out->from_server, SEAL_KEY, 2, context, key);
}

bool seal_read(const char *path, seal_keys *out, buf *why)
{
    char text[HEX_DIGITS + 3];
    uint8_t key[SEAL_KEY];
    size_t digits = 0;
    FILE *file = fopen(path, "re");
    if (file) setvbuf(file, NULL, _IONBF, 0); /* no copy of the key in stdio's buffer */
    size_t n = file ? fread(text, 1, sizeof text, file) : 0;
    bool failed = !file || ferror(file);
    int error = errno;
    if (file) fclose(file);
    if (n && text[n - 1] == '\n') n--;
    if (n && text[n - 1] == '\r') n--;
    bool good = !failed && n == HEX_DIGITS && sodium_hex2bin(key, sizeof key, text, n, NULL, &digits, NULL) == 0 &&
                digits == sizeof key;
    if (good)
        seal_derive(key, out);
    else if (failed)
        buf_printf(why, "the key file %s cannot be read: %s", path, strerror(error));
    else
        buf_printf(why,
                   "the key file %s does not hold just 64 hexadecimal digits; 'openssl rand -hex 32' makes a key",
                   path);
    sodium_memzero(text, sizeof text);
    sodium_memzero(key, sizeof key);
    return good;
}

/* ---- datagrams ---- */

/*  0              4      20        28
    |D0 10 01 7E   |run   |counter  |the message, encrypted …  tag
     authenticated  nonce                                            */
seal_result seal_open(const seal_keys *keys, uint8_t *bytes, size_t n, uint64_t *counter)
{
    uint8_t head[CLEAR];
    binary_put_kind(head, BINARY_SEALED);
    if (n < SEAL_BYTES || memcmp(bytes, head, sizeof head) != 0) return SEAL_MISSING;
    uint8_t *message = bytes + SEAL_HEAD;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(message, NULL, NULL, message, n - SEAL_HEAD, bytes, CLEAR,
                                                   bytes + CLEAR, keys->from_client) != 0)
        return SEAL_FORGED;
    if (n < SEAL_BYTES + BINARY_HEADER || !decode_is_binary(message, n - SEAL_BYTES)) return SEAL_FORGED;
    if (memcmp(message + 4, bytes + CLEAR, sizeof(uuid)) != 0) return SEAL_FORGED;
    *counter = load_u64(bytes + CLEAR + sizeof(uuid));
    return SEAL_GOOD;
}

size_t seal_close(const seal_keys *keys, const uint8_t *message, size_t n, uint8_t *out)
{
    binary_put_kind(out, BINARY_SEALED);
    randombytes_buf(out + CLEAR, SEAL_NONCE); /* 192 random bits never come twice */
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + SEAL_HEAD, NULL, message, n, out, CLEAR, NULL, out + CLEAR,
                                               keys->from_server);
    return n + SEAL_BYTES;
}
