/* SPDX-License-Identifier: MIT OR Unlicense
   plugin_host: loads plugin.so, which lies beside this program, uses it, and unloads it again. It is traced itself, as an
   application of its own. Runs argv[1] seconds (10). */
#define DOLON_IMPLEMENTATION
#include "dolon.h"

#include <dlfcn.h>

#include "plugin.h"

/* What dlsym() returns is no function pointer to C; POSIX says that its bytes are one. */
static int load(void *library, const char *name, void *function)
{
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

int main(int argc, char **argv)
{
    void (*open_it)(void), (*close_it)(void);
    double (*compute)(double), x = 1;
    int rounds = (int)(100 * (argc > 1 ? atof(argv[1]) : 10));
    dolon_tracer *t = dolon_start(&(dolon_desc){.app_name = "plugin-host", .interval = 0.1});
    void *library = dlopen("plugin.so", RTLD_NOW | RTLD_LOCAL);
    if (!library || !load(library, "plugin_open", &open_it) || !load(library, "plugin_compute", &compute) ||
        !load(library, "plugin_close", &close_it)) {
        fprintf(stderr, "plugin_host: %s\n", dlerror());
        return 1;
    }
    open_it();
    for (int round = 0; round < rounds; round++) {
        DOLON_SCOPE("round");
        x = compute(x);
        usleep(10000);
    }
    close_it();
    dlclose(library);
    dolon_stop(t);
    return x > 1.41 && x < 1.42 ? 0 : 1;
}
