/* SPDX-License-Identifier: MIT OR Unlicense
   command_export: writes runs into a portable file. */
#include "commands/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive_export.h"
#include "store/ids.h"

/* ---- which runs ---- */

typedef struct {
    const char *app; /* NULL: of every application */
    id_queue *ids;
} choosing;

static bool choose(void *ctx, const run_info *r)
{
    choosing *c = ctx;
    if (!r->deleted && (!c->app || strcmp(r->app, c->app) == 0)) id_queue_add(c->ids, &r->id);
    return true;
}

static bool choose_named(const config *c, id_queue *ids, buf *why)
{
    for (size_t i = 0; i < c->word_count; i++) {
        uuid id;
        if (!uuid_parse(span_of(c->words[i]), &id)) {
            buf_printf(why, "'%s' is no run's UUID, as the page and the API show it", c->words[i]);
            return false;
        }
        id_queue_add(ids, &id);
    }
    return true;
}

static bool choose_runs(const config *c, store *s, id_queue *ids, buf *why)
{
    if (c->word_count > 0) return choose_named(c, ids, why);
    choosing all = {c->app, ids};
    if (store_runs(s, choose, &all) != STORE_OK)
        buf_text(why, store_error(s));
    else if (c->app && id_queue_empty(ids))
        buf_printf(why, "there is no run of an application '%s'", c->app);
    return why->n == 0;
}

/* ---- where to ---- */

/* A file appears under its name only when it is whole; what is no file (a pipe, a terminal's device) is written as it is. */
typedef struct {
    const char *name;
    char *part; /* what it is called until then; NULL: it is no file */
    FILE *stream;
} target;

static bool refuse_target(const target *t, buf *why)
{
    buf_printf(why, "%s cannot be written: %s", t->name, strerror(errno));
    return false;
}

/* Of a command that is cut short, nothing half is left behind. */
static const char *volatile unfinished;

static void on_signal(int number)
{
    if (unfinished) unlink(unfinished);
    _exit(128 + number);
}

static void tidy_on_signals(const char *part)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    unfinished = part;
    struct sigaction action = {.sa_handler = on_signal};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) sigaction(numbers[i], &action, NULL);
}

static bool open_part(target *t, buf *why)
{
    buf part = {0};
    buf_printf(&part, "%s.part-XXXXXX", t->name);
    t->part = part.p;
    int fd = mkostemp(t->part, O_CLOEXEC);
    if (fd < 0) {
        free(t->part);
        t->part = NULL;
        return refuse_target(t, why);
    }
    tidy_on_signals(t->part);
    mode_t mask = umask(0);
    umask(mask);
    fchmod(fd, 0666 & ~mask); /* as any other new file */
    t->stream = fdopen(fd, "wb");
    return t->stream || refuse_target(t, why);
}

static bool open_target(target *t, const char *name, buf *why)
{
    *t = (target){.name = name};
    if (strcmp(name, "-") == 0) {
        t->stream = stdout;
        if (!isatty(STDOUT_FILENO)) return true;
        buf_text(why, "the file is not made for a terminal: give --out FILE, or send it into a pipe");
        return false;
    }
    struct stat about;
    if (stat(name, &about) != 0 || S_ISREG(about.st_mode)) return open_part(t, why);
    t->stream = fopen(name, "wbe");
    return t->stream || refuse_target(t, why);
}

static bool close_target(target *t, bool good, buf *why)
{
    if (good && t->part && (fflush(t->stream) != 0 || fsync(fileno(t->stream)) != 0)) good = refuse_target(t, why);
    if (t->stream && fclose(t->stream) != 0 && good) good = refuse_target(t, why);
    if (good && t->part && rename(t->part, t->name) != 0) good = refuse_target(t, why);
    if (!good && t->part) unlink(t->part);
    unfinished = NULL;
    free(t->part);
    return good;
}

/* ---- the whole ---- */

/* Runs that were not named may go before their turn comes: they are too old, or somebody deletes them. */
static bool export_runs(store *s, id_queue *ids, bool named, FILE *file, buf *why)
{
    archive_writer w;
    uuid id;
    uint64_t rows = 0;
    archive_begin(&w, file);
    while (why->n == 0 && id_queue_take(ids, &id)) {
        store_status status = archive_export(s, &id, &w, why);
        if (status == STORE_OK) rows += w.rows;
        if (status == STORE_MISSING && !named) why->n = 0;
    }
    archive_end(&w);
    if (why->n == 0 && w.failed) buf_printf(why, "the file cannot be written: %s", strerror(w.error));
    if (why->n == 0) fprintf(stderr, "%" PRIu64 " runs with %" PRIu64 " rows\n", w.runs, rows);
    return why->n == 0;
}

int command_export(const config *c)
{
    signal(SIGPIPE, SIG_IGN);
    buf why = {0};
    id_queue ids = {0};
    target t = {0};
    store *s = store_open(c->store, STORE_READ, &why);
    bool good = s && choose_runs(c, s, &ids, &why) && open_target(&t, c->out, &why);
    good = good && export_runs(s, &ids, c->word_count > 0, t.stream, &why);
    good = close_target(&t, good, &why);
    store_close(s);
    id_queue_free(&ids);
    return good ? EXIT_SUCCESS : command_failed(&why);
}
