/* SPDX-License-Identifier: MIT OR Unlicense
   commands: what mnemic does, a function for each word of its command line, in a file of its own. Each returns the
   status with which the program ends. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "commands/config.h"

int command_serve(const config *c);
int command_drift(const config *c);
int command_export(const config *c);
int command_import(const config *c);
int command_import_original(const config *c);
int command_healthcheck(const config *c);

/* Prints "mnemic: …", frees `why`, returns EXIT_FAILURE. */
int command_failed(buf *why);

#endif
