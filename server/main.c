/* SPDX-License-Identifier: MIT OR Unlicense
   mnemic: reads the command line and hands it to the command. */
#include <stdio.h>
#include <stdlib.h>

#include "commands/commands.h"

enum { EXIT_USAGE = 2 };

static const char *environment(const char *name)
{
    return getenv(name);
}

int main(int argc, char **argv)
{
    config c;
    buf why = {0};
    if (!config_read(&c, argc, argv, environment, &why)) {
        command_failed(&why);
        return EXIT_USAGE;
    }
    log_set_level(c.log);
    switch (c.command) {
    case COMMAND_VERSION: puts("mnemic " MNEMIC_VERSION); return EXIT_SUCCESS;
    case COMMAND_DRIFT: return command_drift(&c);
    case COMMAND_EXPORT: return command_export(&c);
    case COMMAND_IMPORT: return command_import(&c);
    case COMMAND_HEALTHCHECK: return command_healthcheck(&c);
    case COMMAND_SERVE: return command_serve(&c);
    default: fputs(config_usage(c.help_on), stdout); return EXIT_SUCCESS;
    }
}
