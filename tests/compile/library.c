/* SPDX-License-Identifier: MIT OR Unlicense
   library: dolon inside of a shared library that is loaded late and unloaded: this file is both. A thread that was in
   a scope of the library's ends after the library is gone. */
#ifdef LIBRARY

#define DOLON_IMPLEMENTATION
#include "dolon.h"

int traced(void);

int traced(void)
{
    static const dolon_desc desc = {.no_environment = 1, .port = 9, .interval = 0.001};
    dolon_stats stats;
    dolon_tracer *t = dolon_start(&desc);
    DOLON_FUNCTION();
    dolon_get_stats(t, &stats);
    dolon_stop(t);
    return (int)stats.columns;
}

#elif defined(_WIN32)

#include <stdio.h>
#include <string.h>
#include <windows.h>

static HANDLE gone;
static const char *path;

static DWORD WINAPI load(void *columns)
{
    int (*traced)(void);
    HMODULE library = LoadLibraryA(path);
    FARPROC symbol = library ? GetProcAddress(library, "traced") : NULL;
    memcpy(&traced, &symbol, sizeof traced);
    *(int *)columns = symbol ? traced() : -1;
    if (library) FreeLibrary(library);
    SetEvent(gone);
    return 0;
}

int main(int argc, char **argv)
{
    int columns = 0;
    HANDLE thread;
    path = argv[argc - 1];
    gone = CreateEventA(NULL, TRUE, FALSE, NULL);
    thread = CreateThread(NULL, 0, load, &columns, 0, NULL);
    WaitForSingleObject(gone, INFINITE);
    WaitForSingleObject(thread, INFINITE); /* it ends when the library is gone that it has counted in */
    printf("%d columns\n", columns);
    return columns < 7 || GetModuleHandleA(path) != NULL;
}

#else

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_barrier_t loaded, unloaded;
static const char *path;

static void *load(void *columns)
{
    int (*traced)(void);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL), *symbol;
    if (!library) puts(dlerror());
    symbol = library ? dlsym(library, "traced") : NULL;
    memcpy(&traced, &symbol, sizeof traced);
    *(int *)columns = symbol ? traced() : -1;
    if (library) dlclose(library);
    pthread_barrier_wait(&loaded);
    pthread_barrier_wait(&unloaded);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    int columns = 0;
    path = argv[argc - 1];
    pthread_barrier_init(&loaded, NULL, 2);
    pthread_barrier_init(&unloaded, NULL, 2);
    pthread_create(&thread, NULL, load, &columns);
    pthread_barrier_wait(&loaded);
    pthread_barrier_wait(&unloaded);
    pthread_join(thread, NULL);
    return columns == 15 ? 0 : (printf("%d columns\n", columns), 1);
}

#endif
