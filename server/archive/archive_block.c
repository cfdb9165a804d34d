/* SPDX-License-Identifier: MIT OR Unlicense
   archive_block: the frame of the portable file.

     head    magic 8 | u32 version
     block   u8 kind | u32 size | payload, `size` bytes | check 16

   check = BLAKE2b-128 (RFC 7693) of the check before, the block's kind and size, and its payload; the first block goes on
   from that of the head. So a block that is changed, missing, doubled or from elsewhere is noticed where it stands, and the
   last check is that of the whole file. */
#include "archive/archive_block.h"
#include "base/bytes.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#define HEAD  12
#define FRONT 5          /* a block's bytes before its payload                 */
#define PIECE (64 << 10) /* a size is believed only as far as there are bytes */

/* As PNG's (RFC 2083 §12.12): a file that went through a transfer that changes line ends or clears the top bit is known. */
static const uint8_t magic[8] = {0x89, 'm', 'n', 'e', 'm', '\r', '\n', 0x1a};

/* Finds the fastest BLAKE2b for this processor. It fails only for want of random numbers, which are not needed. */
static void prepare(void)
{
    int result = sodium_init();
    (void)result;
}

static void digest(uint8_t check[ARCHIVE_CHECK], const uint8_t front[FRONT], span payload)
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, ARCHIVE_CHECK);
    crypto_generichash_update(&state, check, ARCHIVE_CHECK);
    crypto_generichash_update(&state, front, FRONT);
    crypto_generichash_update(&state, (const uint8_t *)payload.p, payload.n);
    crypto_generichash_final(&state, check, ARCHIVE_CHECK);
}

/* ---- writing ---- */

bool archive_head_write(FILE *file, uint8_t check[ARCHIVE_CHECK])
{
    uint8_t head[HEAD];
    prepare();
    memcpy(head, magic, sizeof magic);
    store_uint(head + sizeof magic, ARCHIVE_VERSION, 4);
    crypto_generichash(check, ARCHIVE_CHECK, head, sizeof head, NULL, 0);
    return fwrite(head, sizeof head, 1, file) == 1;
}

bool archive_block_write(FILE *file, archive_kind kind, const buf *payload, uint8_t check[ARCHIVE_CHECK])
{
    if (payload->n > ARCHIVE_MAX_BLOCK) {
        errno = EFBIG;
        return false;
    }
    uint8_t front[FRONT];
    front[0] = (uint8_t)kind;
    store_uint(front + 1, payload->n, 4);
    digest(check, front, (span){payload->p, payload->n});
    return fwrite(front, sizeof front, 1, file) == 1 && fwrite(payload->p, 1, payload->n, file) == payload->n &&
           fwrite(check, ARCHIVE_CHECK, 1, file) == 1;
}

/* ---- reading ---- */

static bool read_bytes(FILE *file, void *out, size_t n, uint64_t *offset, buf *why)
{
    size_t had = fread(out, 1, n, file);
    *offset += had;
    if (had == n) return true;
    if (ferror(file))
        buf_printf(why, "cannot be read: %s", strerror(errno));
    else
        buf_printf(why, "is cut off after %" PRIu64 " bytes", *offset);
    return false;
}

bool archive_head_read(FILE *file, uint8_t check[ARCHIVE_CHECK], uint64_t *offset, buf *why)
{
    uint8_t head[HEAD] = {0};
    prepare();
    size_t why_before = why->n;
    bool whole = read_bytes(file, head, sizeof head, offset, why);
    if (!ferror(file) && memcmp(head, magic, sizeof magic) != 0) {
        why->n = why_before;
        buf_text(why, "is not a file that mnemic export wrote");
        return false;
    }
    if (!whole) return false;
    uint32_t version =
        (uint32_t)head[8] | (uint32_t)head[9] << 8 | (uint32_t)head[10] << 16 | (uint32_t)head[11] << 24;
    if (version != ARCHIVE_VERSION) {
        buf_printf(why, "was written by a newer mnemic (format %" PRIu32 ", this one reads %d); use that one",
                   version, ARCHIVE_VERSION);
        return false;
    }
    crypto_generichash(check, ARCHIVE_CHECK, head, sizeof head, NULL, 0);
    return true;
}

void archive_block_damaged(uint64_t offset, buf *why)
{
    buf_printf(why, "is damaged in the block at byte %" PRIu64, offset);
}

static bool read_payload(FILE *file, size_t size, buf *out, uint64_t *offset, buf *why)
{
    out->n = 0;
    while (size > 0) {
        uint8_t piece[PIECE];
        size_t n = size < PIECE ? size : PIECE;
        if (!read_bytes(file, piece, n, offset, why)) return false;
        buf_append(out, piece, n);
        size -= n;
    }
    return true;
}

bool archive_block_read(FILE *file, archive_kind *kind, buf *payload, uint8_t check[ARCHIVE_CHECK], uint64_t *offset,
                        buf *why)
{
    uint64_t at = *offset;
    uint8_t front[FRONT], expected[ARCHIVE_CHECK];
    if (!read_bytes(file, front, sizeof front, offset, why)) return false;
    size_t size = (size_t)front[1] | (size_t)front[2] << 8 | (size_t)front[3] << 16 | (size_t)front[4] << 24;
    if (front[0] < ARCHIVE_RUN || front[0] > ARCHIVE_END || size > ARCHIVE_MAX_BLOCK) {
        archive_block_damaged(at, why);
        return false;
    }
    if (!read_payload(file, size, payload, offset, why) || !read_bytes(file, expected, sizeof expected, offset, why))
        return false;
    digest(check, front, (span){payload->p, payload->n});
    if (memcmp(check, expected, sizeof expected) != 0) {
        archive_block_damaged(at, why);
        return false;
    }
    *kind = (archive_kind)front[0];
    return true;
}
