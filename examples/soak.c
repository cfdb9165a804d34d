/* SPDX-License-Identifier: MIT OR Unlicense
   soak: a program that leaks if argv[2] is "leak". Run by soak.sh, which lets a CI job fail for it. Runs argv[1] seconds (10). */
#define DOLON_IMPLEMENTATION
#include "dolon.h"

#include <stdlib.h>
#include <string.h>

static double held; /* MB */

static double held_by_sessions(void *user)
{
    return *(const volatile double *)user;
}

int main(int argc, char **argv)
{
    int rounds = (int)(100 * (argc > 1 ? atof(argv[1]) : 10)), leaks = argc > 2 && strcmp(argv[2], "leak") == 0;
    dolon_tracer *t = dolon_start(&(dolon_desc){
        .app_name = "soak",
        .interval = 0.05,
        .probes = {{"held_by_sessions", held_by_sessions, &held, "MB"}, DOLON_MEMORY_USE, DOLON_OPEN_DESCRIPTORS},
    });
    for (int round = 0; round < rounds; round++) {
        int sessions = rand() % 20;
        void *session = malloc(20000);
        if (leaks && session)
            held += 0.02; /* one a round is never freed */
        else
            free(session);
        DOLON_GAUGE("sessions", sessions);
        usleep(10000);
    }
    dolon_stop(t);
    return 0;
}
