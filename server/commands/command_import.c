/* SPDX-License-Identifier: MIT OR Unlicense
   command_import: takes runs from portable files. */
#include "commands/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/archive_import.h"

static void tell(void *ctx, const archive_imported *r)
{
    bool *all = ctx;
    char id[UUID_TEXT];
    uuid_format(&r->run->id, id);
    printf("%s %s: ", id, r->run->app);
    if (r->refused)
        printf("refused: %s\n", r->refused);
    else if (r->known)
        printf("%" PRIu64 " of %" PRIu64 " rows were not there\n", r->added, r->rows);
    else
        printf("%" PRIu64 " rows, %" PRIu64 " events\n", r->rows, r->events);
    fflush(stdout);
    if (r->refused) *all = false;
}

/* What can be read twice is checked as a whole before anything of it is taken. */
static bool check_first(FILE *file, const char *name, buf *why)
{
    struct stat about;
    if (fstat(fileno(file), &about) != 0 || !S_ISREG(about.st_mode) || fseeko(file, 0, SEEK_SET) != 0) return true;
    buf what = {0};
    bool good = archive_check(file, &what);
    if (!good) buf_printf(why, "%s %s; nothing of it was imported", name, what.p);
    buf_free(&what);
    rewind(file);
    return good;
}

/* false: not all of it is in the store now. */
static bool import_file(store *s, const char *name)
{
    bool standard = strcmp(name, "-") == 0, all = true;
    FILE *file = standard ? stdin : fopen(name, "rbe");
    buf why = {0};
    const char *shown = standard ? "standard input" : name;
    if (!file) {
        buf_printf(&why, "%s cannot be opened: %s", name, strerror(errno));
    } else if (check_first(file, shown, &why)) {
        archive_import(s, file, shown, tell, &all, &why);
    }
    if (file && !standard) fclose(file);
    if (why.n == 0) return all;
    command_failed(&why);
    return false;
}

int command_import(const config *c)
{
    if (c->original) return command_import_original(c);
    buf why = {0};
    store *s = store_open(c->store, STORE_WRITE, &why);
    if (!s) return command_failed(&why);
    bool good = true;
    for (size_t i = 0; i < c->word_count; i++) good = import_file(s, c->words[i]) && good;
    store_close(s);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
