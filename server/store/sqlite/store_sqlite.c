/* SPDX-License-Identifier: MIT OR Unlicense
   store_sqlite: the store in one SQLite file: opening it, running statements, saying what went wrong.

   The file is in WAL mode: readers never wait for the writer, nor it for them. The writer commits with
   synchronous=FULL, which fsyncs the log at each commit: what is committed survives a power cut. */
#include "store/sqlite/store_sqlite.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITER_PATIENCE_MS 2000 /* with a lock that another process holds, a sqlite3 shell say */
#define READER_PATIENCE_MS 5000

/* ---- what went wrong ---- */

/* What may be different in a while, without the file or us having changed. */
static store_status status_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return STORE_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_NOMEM: return STORE_RETRY;
    default: return STORE_FAILED;
    }
}

store_status sql_refuse(sqlite_store *s, store_status status, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    s->base.error.n = 0;
    buf_printf(&s->base.error, "%s: %s", s->file, text);
    return status;
}

store_status sql_failed(sqlite_store *s, int rc)
{
    int system = sqlite3_system_errno(s->db);
    bool tells = system && ((rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN);
    return sql_refuse(s, status_of(rc), "%s%s%s", sqlite3_errmsg(s->db), tells ? ": " : "",
                      tells ? strerror(system) : "");
}

/* ---- running statements ---- */

store_status sql_end(sqlite_store *s, sqlite3_stmt *statement, int rc)
{
    store_status status = status_of(rc) == STORE_OK ? STORE_OK : sql_failed(s, rc);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement); /* they may point to what is freed soon */
    return status;
}

store_status sql_run(sqlite_store *s, sqlite3_stmt *statement)
{
    return sql_end(s, statement, sqlite3_step(statement));
}

store_status sql_read_begin(sqlite_store *s)
{
    if (s->reading == 0) {
        store_status status = sql_run(s, s->sql[SQL_BEGIN_READ]);
        if (status != STORE_OK) return status;
    }
    s->reading++;
    return STORE_OK;
}

/* Committing what only read cannot fail in a way that matters: the next BEGIN would tell. */
void sql_read_end(sqlite_store *s)
{
    assert(s->reading > 0);
    if (--s->reading == 0) sql_run(s, s->sql[SQL_COMMIT]);
}

store_status sql_write_begin(sqlite_store *s)
{
    return sql_run(s, s->sql[SQL_BEGIN_WRITE]);
}

/* A few errors end the transaction by themselves. The message stays that of the error. */
store_status sql_write_end(sqlite_store *s, store_status status)
{
    if (status == STORE_OK) status = sql_run(s, s->sql[SQL_COMMIT]);
    if (status != STORE_OK && !sqlite3_get_autocommit(s->db)) {
        sqlite3_step(s->sql[SQL_ROLLBACK]);
        sqlite3_reset(s->sql[SQL_ROLLBACK]);
    }
    return status;
}

static store_status sqlite_snapshot_begin(store *base)
{
    sqlite_store *s = (sqlite_store *)base;
    store_status status = sql_read_begin(s);
    if (status != STORE_OK) return status;
    status = sql_run(s, s->sql[SQL_PIN]); /* BEGIN alone waits for the first read */
    if (status != STORE_OK) sql_read_end(s);
    return status;
}

static void sqlite_snapshot_end(store *base)
{
    sqlite_store *s = (sqlite_store *)base;
    sql_read_end(s);
}

store_status sql_run_key(sqlite_store *s, const uuid *id, int64_t *key)
{
    sqlite3_stmt *find = s->sql[SQL_RUN_KEY];
    sqlite3_bind_blob(find, 1, id->b, sizeof id->b, SQLITE_STATIC);
    int rc = sqlite3_step(find);
    if (rc == SQLITE_ROW) *key = sqlite3_column_int64(find, 0);
    store_status status = sql_end(s, find, rc);
    return status == STORE_OK && rc == SQLITE_DONE ? sql_refuse(s, STORE_MISSING, "there is no such run") : status;
}

/* ---- opening ---- */

/* The file a URL names; NULL: `why` tells. */
static const char *file_of(const char *url, buf *why)
{
    const char *file = url + strlen("sqlite:");
    if (strcmp(file, ":memory:") == 0) {
        buf_text(why, "a store in memory cannot be shared by the server's threads; name a file: sqlite:FILE");
        return NULL;
    }
    if (!*file) {
        buf_text(why, "sqlite: names no file; write sqlite:FILE");
        return NULL;
    }
    return file;
}

/* What SQLite would only call "unable to open database file". */
static bool place_is_good(const char *file, store_mode mode, buf *why)
{
    struct stat about;
    if (stat(file, &about) == 0) {
        if (S_ISREG(about.st_mode)) return true;
        buf_printf(why, "%s is %s, not a file; name a file for the store", file,
                   S_ISDIR(about.st_mode) ? "a directory" : "a device or pipe");
        return false;
    }
    if (errno == ENOENT && mode == STORE_READ) {
        buf_printf(why, "%s does not exist; the server makes it when it starts", file);
        return false;
    }
    if (errno != ENOENT) {
        buf_printf(why, "cannot open %s: %s", file, strerror(errno));
        return false;
    }
    const char *slash = strrchr(file, '/');
    char *folder = slash ? mem_strndup(file, slash == file ? 1 : (size_t)(slash - file)) : mem_strdup(".");
    bool good = stat(folder, &about) == 0 && access(folder, W_OK | X_OK) == 0;
    if (!good && errno == ENOENT)
        buf_printf(why, "the directory %s for the store does not exist; make it, or name another", folder);
    else if (!good)
        buf_printf(why, "cannot make a file in %s: %s", folder, strerror(errno));
    free(folder);
    return good;
}

/* One process writes. A lock of its own file: SQLite's locks would shut out the readers, and closing a second
   descriptor of the database would drop SQLite's. The system lets go of it when the process ends, however it ends. */
static bool lock_writer(sqlite_store *s, buf *why)
{
    buf name = {0};
    buf_printf(&name, "%s-lock", s->file);
    s->lock = open(name.p, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    bool good = s->lock >= 0 && flock(s->lock, LOCK_EX | LOCK_NB) == 0;
    if (!good && s->lock >= 0 && errno == EWOULDBLOCK)
        buf_printf(why, "%s is in use: another mnemic writes it; stop that one, or give each its own store", s->file);
    else if (!good)
        buf_printf(why, "cannot lock %s: %s", name.p, strerror(errno));
    buf_free(&name);
    return good;
}

static bool prepare(sqlite_store *s, const char *text, sqlite3_stmt **out, buf *why)
{
    if (sqlite3_prepare_v3(s->db, text, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) == SQLITE_OK) return true;
    buf_printf(why, "cannot use %s: %s", s->file, sqlite3_errmsg(s->db));
    return false;
}

static bool prepare_all(sqlite_store *s, buf *why)
{
    static const char *const texts[SQL_COUNT] = {
#define X(id, text) [SQL_##id] = text,
        STORE_SQL(X)
#undef X
    };
    for (size_t i = 0; i < SQL_COUNT; i++)
        if (!prepare(s, texts[i], &s->sql[i], why)) return false;
    for (size_t i = 0; i < STORE_LEVELS; i++)
        if (!prepare(s, STORE_SQL_ENTRIES, &s->entries[i], why)) return false;
    return true;
}

/* WAL is a property of the file; the rest of the connection. */
static bool set_up_writer(sqlite_store *s, buf *why)
{
    sqlite3_stmt *mode = NULL;
    bool wal = sqlite3_prepare_v2(s->db, "PRAGMA journal_mode = WAL", -1, &mode, NULL) == SQLITE_OK &&
               sqlite3_step(mode) == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(mode, 0), "wal") == 0;
    sqlite3_finalize(mode);
    if (!wal) {
        buf_printf(why, "cannot switch %s to write-ahead logging (%s); is it on a network file system?", s->file,
                   sqlite3_errmsg(s->db));
        return false;
    }
    /* After a reader held the log open for long, it shrinks again. */
    return sqlite3_exec(s->db, "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216", NULL, NULL, NULL) ==
           SQLITE_OK;
}

static bool open_database(sqlite_store *s, store_mode mode, buf *why)
{
    int flags = mode == STORE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int rc = sqlite3_open_v2(s->file, &s->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (rc != SQLITE_OK) {
        int system = s->db ? sqlite3_system_errno(s->db) : 0;
        buf_printf(why, "cannot open %s: %s", s->file, system ? strerror(system) : sqlite3_errstr(rc));
        return false;
    }
    if (mode == STORE_WRITE && sqlite3_db_readonly(s->db, "main")) { /* what SQLite does if it may only read */
        buf_printf(why, "%s cannot be written: %s", s->file,
                   access(s->file, W_OK) == 0 ? "its file system is read-only" : strerror(errno));
        return false;
    }
    sqlite3_busy_timeout(s->db, mode == STORE_READ ? READER_PATIENCE_MS : WRITER_PATIENCE_MS);
    if (!schema_usable(s->db, s->file, mode, why)) {
        sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL); /* it is not ours to tidy */
        return false;
    }
    return true;
}

static void sqlite_close(store *base)
{
    sqlite_store *s = (sqlite_store *)base;
    for (size_t i = 0; i < SQL_COUNT; i++) sqlite3_finalize(s->sql[i]);
    for (size_t i = 0; i < STORE_LEVELS; i++) sqlite3_finalize(s->entries[i]);
    sqlite3_close(s->db);
    if (s->lock >= 0) close(s->lock); /* after SQLite's last write */
    buf_free(&s->base.error);
    buf_free(&s->bytes);
    free(s->summaries);
    free(s->file);
    free(s);
}

static store *sqlite_open(const char *url, store_mode mode, buf *why)
{
    const char *file = file_of(url, why);
    if (!file || !place_is_good(file, mode, why)) return NULL;
    sqlite_store *s = mem_calloc(1, sizeof *s);
    s->base.kind = &store_sqlite;
    s->file = mem_strdup(file);
    s->lock = -1;
    bool good = open_database(s, mode, why);
    if (mode == STORE_WRITE)
        good = good && lock_writer(s, why) && schema_make(s->db, s->file, why) && set_up_writer(s, why);
    if (!good || !prepare_all(s, why)) {
        sqlite_close(&s->base);
        return NULL;
    }
    s->summaries = mem_calloc(MAX_COLUMNS, sizeof *s->summaries);
    return &s->base;
}

const store_kind store_sqlite = {
    .name = "sqlite",
    .open = sqlite_open,
    .close = sqlite_close,
    .write = sqlite_write,
    .edit = sqlite_edit,
    .sweep = sqlite_sweep,
    .runs = sqlite_runs,
    .run = sqlite_run,
    .cover = sqlite_cover,
    .entries = sqlite_entries,
    .chunk = sqlite_chunk,
    .sums = sqlite_sums,
    .events = sqlite_events,
    .unmerged = sqlite_unmerged,
    .snapshot_begin = sqlite_snapshot_begin,
    .snapshot_end = sqlite_snapshot_end,
};
