/* SPDX-License-Identifier: MIT OR Unlicense
   forks: a traced program that forks again and again while it runs, at whatever moment. Its children use what they
   inherited, which must be silent; the last one starts a run of its own, under the name "its-child".

       forks CHILDREN

   Its one column counts rows, from 0; a child that could still send would send more of the same. It prints "sampled N"
   of the parent's in the end. */
#define DOLON_IMPLEMENTATION
#include "dolon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static long sampled;

static double row_number(void *user)
{
    (void)user;
    return (double)__atomic_fetch_add(&sampled, 1, __ATOMIC_RELAXED);
}

static dolon_desc describe(void)
{
    dolon_desc desc;
    memset(&desc, 0, sizeof desc);
    desc.interval = 0.002;
    desc.goodbye = 60;
    desc.probes[0].name = "row";
    desc.probes[0].fn = row_number;
    return desc;
}

/* As many ways out as there are. */
static void be_a_child(dolon_tracer *inherited, int number)
{
    DOLON_COUNT("children", 1);
    dolon_mark(inherited, "from a child");
    if (number % 3 == 0) _exit(0);
    if (number % 3 == 1) exit(0);
    dolon_stop(inherited);
    _exit(0);
}

/* In a child, whose first run is its parent's. */
static void run_anew(dolon_tracer *inherited)
{
    dolon_desc desc = describe();
    dolon_tracer *t;
    setenv("DOLON_APP_NAME", "its-child", 1);
    __atomic_store_n(&sampled, 0, __ATOMIC_RELAXED);
    t = dolon_start(&desc);
    while (__atomic_load_n(&sampled, __ATOMIC_RELAXED) < 50) usleep(1000);
    dolon_stop(t);
    dolon_stop(inherited);
    exit(0);
}

int main(int argc, char **argv)
{
    dolon_desc desc = describe();
    dolon_tracer *t = dolon_start(&desc);
    int children = argc > 1 ? atoi(argv[1]) : 1;
    for (int i = 0; i < children; i++) {
        pid_t child = fork();
        int status = -1;
        if (child == 0 && i < children - 1) be_a_child(t, i);
        if (child == 0) run_anew(t);
        waitpid(child, &status, 0);
        if (status != 0) return 1;
        usleep(100 + 37 * (useconds_t)(i % 50)); /* so that all moments of an interval have their turn */
    }
    dolon_stop(t);
    printf("sampled %ld\n", sampled);
    return 0;
}
