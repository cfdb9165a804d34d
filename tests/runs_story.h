/* SPDX-License-Identifier: MIT OR Unlicense
   runs_story: what the stories of the two wires share. A story is a script, and the text that comes of it: see
   runs_script.h and runs_binary_script.h. Include after cmocka. */
#ifndef RUNS_STORY_H
#define RUNS_STORY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../server/runs/runs.h"

#define START (1000 * NS_PER_SECOND)

static inline uuid run_id(const char *letter)
{
    uuid id = {{0}};
    id.b[15] = (uint8_t)*letter;
    return id;
}

/* What follows a key, in the word that begins with it; NULL: there is none. */
static inline char *option(char **words, const char *key)
{
    size_t n = strlen(key);
    for (; *words; words++)
        if (strncmp(*words, key, n) == 0) return *words + n;
    return NULL;
}

static inline void show_counters(buf *out, const runs_counters *c)
{
#define X(name, text)                                                                                                \
    if (c->name) buf_printf(out, #name "=%llu ", (unsigned long long)c->name);
    RUNS_COUNTERS(X)
#undef X
}

typedef struct {
    const char *commands, *out, *counters; /* counters NULL: not looked at */
} story;

static inline bool is_told(const story *st, const char *what, const char *is, const char *should)
{
    if (!should || strcmp(is, should) == 0) return true;
    fprintf(stderr, "in: %s\n%s: %s\nnot: %s\n", st->commands, what, is, should);
    return false;
}

#endif
