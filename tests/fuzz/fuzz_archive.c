/* SPDX-License-Identifier: MIT OR Unlicense
   fuzz_archive: any bytes as a portable file. Checksums would keep a fuzzer out, so the input is what a file holds: for each
   block its kind, its size in two bytes and its payload; the frame is put around it here. An input that begins with FF is
   the file itself. What is believed must come back from a file of our own, the same. */
#include "server/archive/archive.h"
#include "server/archive/archive_block.h"
#include "server/base/bytes.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

/* The file that the input describes, into `out`. */
static void make_file(const uint8_t *data, size_t size, FILE *out)
{
    uint8_t check[ARCHIVE_CHECK];
    archive_head_write(out, check);
    reader r = reader_of((span){(const char *)data, size});
    while (!r.bad && r.p < r.end) {
        archive_kind kind = (archive_kind)(get_u8(&r) % 8);
        size_t n = get_uint(&r, 2);
        if (n > (size_t)(r.end - r.p)) n = (size_t)(r.end - r.p);
        buf payload = {0};
        buf_append(&payload, r.p, n);
        archive_block_write(out, kind, &payload, check);
        buf_free(&payload);
        r.p += n;
    }
}

static void write_again(archive_writer *w, const archive_item *item)
{
    switch (item->kind) {
    case ARCHIVE_RUN: archive_put_run(w, item->run); break;
    case ARCHIVE_CHUNK: archive_put_chunk(w, item->chunk); break;
    case ARCHIVE_EVENTS:
        for (size_t i = 0; i < item->event_count; i++) archive_put_event(w, &item->events[i]);
        break;
    case ARCHIVE_RUN_END: archive_put_run_end(w); break;
    case ARCHIVE_END: break;
    }
}

/* Whether all of it is good; what is, goes into `w`. */
static bool read_file(FILE *in, archive_writer *w)
{
    archive_reader r;
    archive_item item = {0};
    buf why = {0};
    bool good = archive_open(&r, in, &why);
    while (good && item.kind != ARCHIVE_END) {
        good = archive_next(&r, &item, &why);
        if (good) write_again(w, &item);
        archive_kind kind = item.kind;
        archive_item_free(&item);
        item.kind = kind;
    }
    must(good == (why.n == 0));
    buf_free(&why);
    archive_close(&r);
    return good;
}

/* Reads `bytes`; what is believed of them is left in `again`. */
static bool pass(const char *bytes, size_t n, char **again, size_t *size)
{
    archive_writer w;
    FILE *in = fmemopen((void *)(uintptr_t)bytes, n, "rb"), *out = open_memstream(again, size);
    archive_begin(&w, out);
    bool good = read_file(in, &w);
    archive_end(&w);
    must(!w.failed);
    fclose(in);
    fclose(out);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *file = NULL, *second = NULL, *third = NULL;
    size_t n = 0, second_size = 0, third_size = 0;
    FILE *made = open_memstream(&file, &n);
    if (size && data[0] == 0xFF)
        fwrite(data + 1, 1, size - 1, made);
    else
        make_file(data, size, made);
    fclose(made);
    if (n && pass(file, n, &second, &second_size)) {
        must(pass(second, second_size, &third, &third_size));
        must(second_size == third_size && memcmp(second, third, second_size) == 0);
    }
    free(file);
    free(second);
    free(third);
    return 0;
}
