/* SPDX-License-Identifier: MIT OR Unlicense
   command_import_original: moves the runs of the Python original into chunks, and says how far it is. */
#include "commands/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/postgres/import_original.h"

typedef struct {
    int64_t next; /* not before is said how far it is */
    import_progress last;
} telling;

/* A line that changes where a person looks on, lines where a file is written. */
static void tell(void *ctx, const import_progress *p)
{
    telling *t = ctx;
    int64_t now = clock_mono();
    t->last = *p;
    if (now < t->next) return;
    bool screen = isatty(STDERR_FILENO);
    t->next = now + (screen ? 1 : 10) * NS_PER_SECOND;
    fprintf(stderr, "%smoved %" PRIu64 " rows, checked %" PRIu64 ", of %" PRIu64 " in %" PRIu64 " runs%s",
            screen ? "\r" : "", p->moved, p->checked, p->rows, p->runs, screen ? " " : "\n");
}

static void tell_end(const import_progress *p)
{
    printf("%" PRIu64 " rows moved; %" PRIu64 " are in chunks as in the original's tables, compared row for row\n",
           p->moved, p->checked);
    if (p->elsewhere)
        printf("%" PRIu64 " runs left alone: mnemic takes their rows from their programs itself\n", p->elsewhere);
    if (p->orphans) printf("%" PRIu64 " rows left alone: their runs were never announced\n", p->orphans);
    if (p->dropped) puts("the original's tables are dropped; views of the same names stand in their place");
}

int command_import_original(const config *c)
{
    buf why = {0};
    telling t = {0};
    bool good = import_original(c->store, c->drop_original != NULL, tell, &t, &why);
    if (isatty(STDERR_FILENO) && t.next) fputc('\n', stderr);
    if (!good) return command_failed(&why);
    tell_end(&t.last);
    return EXIT_SUCCESS;
}
