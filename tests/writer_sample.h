/* SPDX-License-Identifier: MIT OR Unlicense
   writer_sample: what the tests of the writer share: one with its store, what it said, and a way to keep it from writing. Include
   after cmocka.h. */
#ifndef WRITER_SAMPLE_H
#define WRITER_SAMPLE_H

#include <pthread.h>
#include <sqlite3.h>

#include "sample.h"

#include "../server/store/writer.h"

/* What the writer said. */
typedef struct {
    place *place;
    writer *w;
    pthread_mutex_t lock;
    uint64_t durable_rows, durable_batches, next_seq, disorder;
    uuid found_id;
    run_info *found;
    _Atomic int answers;
    int64_t retain;
} fixture;

static inline void on_durable(void *ctx, const batch *b)
{
    fixture *f = ctx;
    pthread_mutex_lock(&f->lock);
    f->durable_batches++;
    for (size_t i = 0; i < b->count; i++) {
        const batch_part *p = &b->parts[i];
        f->durable_rows += p->rows;
        if (p->rows == 0 || p->info->id.b[15] != 1) continue; /* run 1 comes in order */
        f->disorder += p->seq[0] < f->next_seq;
        f->next_seq = p->seq[p->rows - 1] + 1;
    }
    pthread_mutex_unlock(&f->lock);
}

static inline void on_found(void *ctx, const uuid *id, run_info *stored)
{
    fixture *f = ctx;
    pthread_mutex_lock(&f->lock);
    run_info_free(f->found);
    f->found_id = *id;
    f->found = stored;
    f->answers++;
    pthread_mutex_unlock(&f->lock);
}

static inline void start(fixture *f, size_t bound)
{
    buf why = {0};
    writer_desc desc = {
        .store_url = f->place->url, .bound = bound, .durable = on_durable, .found = on_found, .ctx = f};
    desc.retain = f->retain;
    f->w = writer_start(&desc, &why);
    if (!f->w) fail_msg("%s", why.p);
    buf_free(&why);
}

static inline void stop(fixture *f, double seconds)
{
    writer_stop(f->w, seconds);
    writer_free(f->w);
    f->w = NULL;
}

static inline int open_place(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    f->place = place_new();
    pthread_mutex_init(&f->lock, NULL);
    *state = f;
    return 0;
}

static inline int close_place(void **state)
{
    fixture *f = *state;
    if (f->w) stop(f, 0);
    run_info_free(f->found);
    pthread_mutex_destroy(&f->lock);
    place_free(f->place);
    free(f);
    return 0;
}

static inline run_info *stored_run(fixture *f, uint32_t run)
{
    store *s = sample_open(f->place->url, STORE_READ);
    uuid id = sample_id(run);
    run_info *r;
    assert_int_equal(store_run(s, &id, &r), STORE_OK);
    store_close(s);
    return r;
}

static inline size_t assert_stored(fixture *f, uint32_t run, size_t rows)
{
    store *s = sample_open(f->place->url, STORE_READ);
    size_t chunks = assert_held(s, run, rows);
    store_close(s);
    return chunks;
}

/* Nobody can write for a while: another process holds the file (here, another connection of this one), … */
typedef struct {
    const char *database; /* "": it is a file */
    sqlite3 *db;
} blocking;

/* … or the database refuses; who writes it just now is cut off. */
static inline void block_database(const char *database)
{
    place_tell("ALTER DATABASE %s SET default_transaction_read_only = on", database);
    place_tell("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '%s'", database);
}

static inline blocking block(fixture *f)
{
    blocking b = {.database = f->place->database};
    if (*b.database) {
        block_database(b.database);
        return b;
    }
    assert_int_equal(sqlite3_open(f->place->file, &b.db), SQLITE_OK);
    sqlite3_busy_timeout(b.db, 10000);
    assert_int_equal(sqlite3_exec(b.db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return b;
}

static inline void unblock(blocking b)
{
    if (*b.database) {
        place_tell("ALTER DATABASE %s RESET default_transaction_read_only", b.database);
        return;
    }
    sqlite3_exec(b.db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(b.db);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_place, close_place)

#endif
