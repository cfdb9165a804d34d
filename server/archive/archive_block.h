/* SPDX-License-Identifier: MIT OR Unlicense
   archive_block: the frame of the portable file: its head, and blocks each of which has a checksum that covers all that
   comes before it, too. For archive.c. */
#ifndef ARCHIVE_BLOCK_H
#define ARCHIVE_BLOCK_H

#include "archive/archive.h"

/* `check` is that of what was written or read last, and then of this. false: errno tells. */
bool archive_head_write(FILE *file, uint8_t check[ARCHIVE_CHECK]);
bool archive_block_write(FILE *file, archive_kind kind, const buf *payload, uint8_t check[ARCHIVE_CHECK]);

/* `offset` grows by what is read. false: `why` gets "is …". */
bool archive_head_read(FILE *file, uint8_t check[ARCHIVE_CHECK], uint64_t *offset, buf *why);
bool archive_block_read(FILE *file, archive_kind *kind, buf *payload, uint8_t check[ARCHIVE_CHECK], uint64_t *offset,
                        buf *why);
void archive_block_damaged(uint64_t offset, buf *why); /* "is damaged …": the block that begins there is */

#endif
