/* SPDX-License-Identifier: MIT OR Unlicense
   plugin: a shared library that traces itself, whoever loads it. All of dolon is private to it (DOLON_STATIC): the program may
   have a dolon of its own, of another version. Loaded by plugin_host. */
#define DOLON_IMPLEMENTATION
#define DOLON_STATIC
#include "dolon.h"

#include "plugin.h"

static dolon_tracer *tracer;

void plugin_open(void)
{
    tracer = dolon_start(&(dolon_desc){
        .app_name = "plugin",
        .host = "127.0.0.1", /* numeric: a look-up under way would keep the library from being unloaded */
        .interval = 0.1,
        .probes = {DOLON_MEMORY_USE},
    });
}

double plugin_compute(double x)
{
    DOLON_FUNCTION();
    DOLON_COUNT("plugin_calls", 1);
    for (int i = 0; i < 1000; i++) x = (x + 2 / x) / 2;
    return x;
}

void plugin_close(void)
{
    dolon_stop(tracer);
    tracer = NULL;
}
