/* SPDX-License-Identifier: MIT OR Unlicense
   commands: how a command says that it failed. */
#include "commands/commands.h"

#include <stdio.h>
#include <stdlib.h>

int command_failed(buf *why)
{
    fprintf(stderr, "mnemic: %s\n", why->p);
    buf_free(why);
    return EXIT_FAILURE;
}
