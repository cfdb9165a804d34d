/* SPDX-License-Identifier: MIT OR Unlicense
   test_runs_binary_limits: stories of the binary wire: what nobody gets of the server, be it answers, memory, runs,
   or a datagram taken twice. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "runs_binary_script.h"

/* Never more bytes to an address than came from it. */
static void credit(void **state)
{
    (void)state;
    static const story stories[] = {
        {"from x 51; beat A 0; none A; acks; t 1; from x 1; beat A 0; acks; t 2; beat A 0; acks",
         "?A <x A 0/0 0-0-0> ", "acks=1 "},
        /* holes cost 12 bytes each */
        {KNOWN "from y 63; rows A 1 3,4; acks; t 2; from z 64; rows A 3 3,4; acks",
         OUT "<y A known 2/0 0-0-2> <z A known 2/0 0-0-4 0+1> ", NULL},
        /* a new address begins with nothing, and what the old one had is gone */
        {KNOWN "from y 20; beat A 0; acks; t 2; from x 30; beat A 0; acks", OUT, "acks=1 "},
        /* what comes goes to where it was said last */
        {KNOWN "from y 60; rows A 0 1,2; flush; commit; acks",
         OUT "A:live(a,b) 0=1,2 next 1 | <y A known 2/0 1-1-1> ", NULL},
    };
    PLAY(stories, NULL);
}

static void pace(void **state)
{
    (void)state;
    static const story stories[] = {
        {KNOWN "beat A 0; acks; t 1.010; beat A 0; acks; acks; t 1.019; beat A 0; acks; t 1.020; beat A 0; acks",
         OUT "<x A known 2/0 0-0-0> <x A known 2/0 0-0-0> ", "acks=3 "},
        /* while no commit comes, it is told once that its rows have come; not before the next flush */
        {KNOWN "rows A 0 1,2; flush; acks; t 1.25; flush; acks; t 1.5; flush; acks; commit; acks",
         OUT "A:live(a,b) 0=1,2 next 1 | | <x A known 2/0 0-1-1> | <x A known 2/0 1-1-1> ", NULL},
        /* a commit is told at once */
        {KNOWN "rows A 0 1,2; beat A 1; acks; flush; commit; acks",
         OUT "<x A known 2/0 0-1-1> A:live(a,b) 0=1,2 next 1 | <x A known 2/0 1-1-1> ", "rows=1 acks=3 "},
    };
    PLAY(stories, NULL);
}

/* Each sealed datagram is taken once, and leaves no trace otherwise: not even a sign of life, or an answer. */
static void replays(void **state)
{
    (void)state;
    static const story stories[] = {
        {"sealed 1; facts A; facts A; none A; facts A; cols A 0 a; rows A 0 7; flush", "?A A:live(a) 0=7 next 1 | ",
         "rows=1 "}, /* nothing is taken before the store has answered */
        {"sealed 9; beat A 0; none A; facts A; cols A 0 a; rows A 0 7; flush; commit; acks; t 5; sealed 10; "
         "from y 1000; facts A; cols A 0 a; rows A 0 7; flush; acks",
         "?A A:live(a) 0=7 next 1 | <x A known 1/0 1-1-1> | ", "rows=1 acks=1 replayed=3 "},
        /* out of order is not again */
        {"sealed 9; beat A 0; none A; facts A; cols A 0 a; rows A 0 7; sealed 5; rows A 1 8; sealed 5; rows A 2 9; "
         "sealed 2000; rows A 2 9; sealed 976; rows A 3 5; sealed 977; rows A 3 6; flush",
         "?A A:live(a) 0=7 1=8 2=9 3=6 next 4 | ", "rows=4 replayed=2 "},
        /* after a restart only what is above the highest that was stored */
        {"sealed 1; beat A 0; has A a next=2 counter=40; sealed 39; beat A 2; rows A 2 7; beat A 2; flush; acks",
         "?A A:live(a) next 2 | <x A known 1/0 2-2-2> ", "acks=1 replayed=2 "},
        /* nor what came before the store had answered: it was not taken, but somebody may have recorded it */
        {"sealed 41; beat A 0; has A a next=2 counter=40; sealed 41; beat A 2; rows A 2 7; acks; flush",
         "?A <x A known 1/0 2-3-3> A:live(a) 2=7 next 3 | ", "rows=1 acks=1 replayed=1 "},
    };
    PLAY(stories, NULL);
    /* what sealing adds is paid for, too */
    static const runs_limits seals = {.ack_seal = 44};
    static const story paid[] = {
        {KNOWN "from y 95; beat A 0; acks; t 2; from y 96; beat A 0; acks; acks; t 3; from y 1; beat A 0; acks",
         OUT "<y A known 2/0 0-0-0> <y A known 2/0 0-0-0> ", NULL},
    };
    PLAY(paid, &seals);
}

/* Runs count for whoever began them, as long as they are remembered. */
static void sources_are_limited(void **state)
{
    (void)state;
    static const runs_limits two_live = {.sources = {.live = 2}}, two_new = {.sources = {.runs = 2}};
    static const story live[] = {
        {"facts A; facts B; facts C; facts A; from y 1000; facts C; facts D; facts E", "?A ?B ?C ?D ",
         "over_live_runs=2 "},
        {"facts A; facts B; none A; t 700; flush; flush; facts C", "?A ?B A:live() next 0 | | ?C ",
         NULL}, /* silent for 10 minutes */
        {"facts A; facts B; json C", "?A ?B ", "over_live_runs=1 "},
    };
    static const story new[] = {
        {"facts A; facts B; facts C; t 29; facts C; t 31; facts C; facts D", "?A ?B ?C ", "over_new_runs=3 "},
    };
    PLAY(live, &two_live);
    PLAY(new, &two_new);
}

static void memory(void **state)
{
    (void)state;
    static const runs_limits one_run = {.runs = 1}, no_room = {.early_bytes = 1 << 20};
    static const story evicted[] = {
        /* forgotten, the oldest first, and asked for again */
        {"facts A; none A; flush; commit; facts B; none B; flush; beat A 0; flush; flush",
         "?A A:live() next 0 | ?B B:live() next 0 | ?A | | ", "evicted=2 "},
        /* one that is owed an acknowledgement stays */
        {"facts A; none A; cols A 0 a; rows A 0 1; flush; facts B; none B; flush; commit; acks",
         "?A A:live(a) 0=1 next 1 | ?B B:live() next 0 | <x A known 1/0 1-1-1> <x B known 0/0 0-0-0> ",
         "rows=1 acks=2 "},
        /* a gap that waited for its row is told, early rows come again */
        {"facts A; none A; cols A 0 a; flush; commit; beat A 3 kept=3; rows A 5 1 kept=3; flush; facts B; flush",
         "?A A:live(a) next 0 | | A:live(a) gap0+3@0..0 next 3 | ", NULL},
    };
    static const story full[] = {
        /* the first window takes half of it: the other run's early row has to come again, its next one is taken */
        {"facts A; none A; cols A 0 a; facts B; none B; cols B 0 b; rows A 1 1; rows B 1 1; acks; rows B 0 0; flush; "
         "rows A 0 0; rows B 1 1; flush",
         "?A ?B <x A 0/0 0-0-2 0+1> <x B 0/0 0-0-0> A:live(a) next 0 B:live(b) 0=0 next 1 | "
         "B:live(b) 1=1 next 2 A:live(a) 0=0 1=1 next 2 | ",
         "rows=4 held_off=1 acks=2 "},
    };
    PLAY(evicted, &one_run);
    PLAY(full, &no_room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credit),  cmocka_unit_test(pace),
        cmocka_unit_test(replays), cmocka_unit_test(sources_are_limited),
        cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
