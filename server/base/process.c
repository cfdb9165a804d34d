/* SPDX-License-Identifier: MIT OR Unlicense
   process: whether a process of this machine still runs; proc(5). */
#include "base/process.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_FIELD 3
#define BORN_FIELD  22

static bool read_file(const char *path, char *out, size_t cap)
{
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(out, 1, cap - 1, f) : 0;
    if (f) fclose(f);
    out[n] = 0;
    return n > 0;
}

void process_place(char out[PLACE_BYTES])
{
    char boot[40], space[40];
    ssize_t n = readlink("/proc/self/ns/pid", space, sizeof space - 1);
    out[0] = 0;
    if (n <= 0 || !read_file("/proc/sys/kernel/random/boot_id", boot, sizeof boot)) return;
    space[n] = 0;
    boot[strcspn(boot, "\n")] = 0;
    snprintf(out, PLACE_BYTES, "%s %s", boot, space);
}

/* The fields after the name; that stands in parentheses and may hold anything, parentheses too. */
static const char *field_of(const char *stat, int number)
{
    const char *p = strrchr(stat, ')');
    for (int field = 2; p && field < number; field++) p = strchr(p + 1, ' ');
    return p ? p + 1 : NULL;
}

bool process_is_gone(int64_t pid, uint64_t born)
{
    if (pid <= 0 || pid > INT_MAX) return false;
    if (kill((pid_t)pid, 0) != 0 && errno == ESRCH) return true;
    char path[40], stat[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (!read_file(path, stat, sizeof stat)) return false; /* somebody else's, and /proc hides those */
    const char *state = field_of(stat, STATE_FIELD), *start = field_of(stat, BORN_FIELD);
    if (state && (*state == 'Z' || *state == 'X')) return true;
    return start && born && strtoull(start, NULL, 10) != born;
}
