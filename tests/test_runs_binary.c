/* SPDX-License-Identifier: MIT OR Unlicense
   test_runs_binary: the server's state machine of the binary wire (WIRE.md, "What the server does"), as what comes
   and what leaves: batches and acknowledgements. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "runs_binary_script.h"

static void identity(void **state)
{
    (void)state;
    static const story stories[] = {
        {KNOWN, OUT, "acks=1 "},
        /* nothing is said before there is something to say: the commit follows soon */
        {"facts A; none A; acks", "?A ", ""},
        {"facts A; facts A; acks; none A; facts A; acks", "?A ", ""},
        /* until the store has answered, nothing is taken and nothing said */
        {"facts A; cols A 0 a; rows A 0 7; acks; none A; flush", "?A A:live(a) next 0 | ", ""},
        /* a stranger is told that it is one; FACTS make it known */
        {"rows A 0 7; none A; acks; t 1; beat A 1; acks; facts A; cols A 0 a; rows A 0 7; flush",
         "?A <x A 0/0 0-0-0> <x A 0/0 0-0-0> A:live(a) 0=7 next 1 | ", "rows=1 acks=2 "},
        {"marks A 0 m; none A; acks; t 1; bye A 0; acks; flush", "?A <x A 0/0 0-0-0> <x A 0/0 0-0-0> | ", "acks=2 "},
        /* columns alone do not make it */
        {"cols A 0 a; none A; facts A; flush", "?A A:live() next 0 | ", ""},
        {"beat A 0; none A; t 11; flush; t 12; beat A 0", "?A | ?A ", ""}, /* forgotten */
        /* a run without columns has rows all the same */
        {"facts A; none A; rows A 0 columns=0; flush", "?A A:live() next 0 | ", ""},
        /* it asks again whether it is known */
        {KNOWN "facts A; acks", OUT "<x A known 2/0 0-0-0> ", "acks=2 "},
    };
    PLAY(stories, NULL);
}

static void columns(void **state)
{
    (void)state;
    static const story stories[] = {
        {KNOWN "cols A 2 c; rows A 0 1,2,3; flush", OUT "A:live(a,b,c) 0=1,2,3 next 1 | ", "rows=1 acks=1 "},
        {KNOWN "cols A 0 a,b,c; rows A 0 1,2; flush", OUT "A:live(a,b,c) 0=1,2,- next 1 | ", "rows=1 acks=1 "},
        /* a gap among them: the later ones wait for the earlier */
        {KNOWN "cols A 3 d; cols A 2 c; flush", OUT "A:live(a,b,c) next 0 | ", "acks=1 "},
        /* rows with a column that nobody has named stay with their client */
        {KNOWN "rows A 0 1,2,3; acks; cols A 2 c; rows A 0 1,2,3; flush",
         OUT "<x A known 2/0 0-0-0> A:live(a,b,c) 0=1,2,3 next 1 | ", "rows=1 held_off=1 acks=2 "},
        /* a column joins between rows: two parts */
        {KNOWN "rows A 0 1,2; cols A 2 c; rows A 1 1,2,3; flush",
         OUT "A:live(a,b) 0=1,2 next 1 A:live(a,b,c) 1=1,2,3 next 2 | ", "rows=2 acks=1 "},
        {KNOWN "cols A 0 a; acks", OUT "<x A known 2/0 0-0-0> ", "acks=2 "}, /* told again: it has not heard */
        {KNOWN "cols A 2 c; cols A 2 c; acks", OUT, "acks=1 "},              /* … but that is not durable yet */
        {KNOWN "cols A 2 a; flush", OUT "A:live(a,b,a (2)) next 0 | ", "renamed_columns=1 acks=1 "},
    };
    PLAY(stories, NULL);
}

static void rows(void **state)
{
    (void)state;
    static const story stories[] = {
        {KNOWN "rows A 0 1,2 3,4; acks; flush; acks; commit; acks",
         OUT "A:live(a,b) 0=1,2 1=3,4 next 2 | <x A known 2/0 2-2-2> ", "rows=2 acks=2 "},
        /* the wall clock is set, by more than what is noise: rows go on in their own time */
        {KNOWN "rows A 0 1,2 ms=1; flush; rows A 1 3,4 ms=7000; flush",
         OUT "A:live(a,b) 0=1,2 next 1 | A:live(a,b) 1=3,4 next 2 clock+7 | ", NULL},
        {KNOWN "rows A 0 1,2; rows A 0 1,2; acks; flush", OUT "<x A known 2/0 0-1-1> A:live(a,b) 0=1,2 next 1 | ",
         "rows=1 duplicates=1 acks=2 "},
        /* early rows wait; nothing that is early leaves */
        {KNOWN "rows A 1 3,4; acks; flush; t 2; rows A 3 7,8; acks; t 3; rows A 0 1,2; flush; rows A 2 5,6; flush",
         OUT "<x A known 2/0 0-0-2 0+1> A:live(a,b) next 0 | <x A known 2/0 0-0-4 0+1 2+1> A:live(a,b) 0=1,2 1=3,4 "
             "next 2 | "
             "A:live(a,b) 2=5,6 3=7,8 next 4 | ",
         "rows=4 acks=3 "},
        {KNOWN "rows A 1 3,4; rows A 1 3,4; acks", OUT "<x A known 2/0 0-0-2 0+1> ", "duplicates=1 acks=2 "},
        /* what the client has dropped is lost: a gap, with the first row after it */
        {KNOWN "rows A 0 1,2; rows A 3 7,8 kept=3; flush", OUT "A:live(a,b) 0=1,2 3=7,8 gap1+2@0..3 next 4 | ",
         "rows=2 acks=1 "},
        {KNOWN "rows A 0 1,2; rows A 2 5,6; rows A 4 9,9 kept=4; flush",
         OUT "A:live(a,b) 0=1,2 2=5,6 4=9,9 gap1+1@0..2 gap3+1@2..4 next 5 | ", "rows=3 acks=1 "},
        {KNOWN "rows A 0 1,2; beat A 5 kept=5; flush; commit; acks; t 6; rows A 5 1,1 kept=5; flush",
         OUT "A:live(a,b) 0=1,2 next 1 | <x A known 2/0 1-5-5> A:live(a,b) 5=1,1 gap1+4@0..5 next 6 | ",
         "rows=2 acks=2 "},
        /* a wide row in slices, in any order, some twice */
        {KNOWN "rows A 0 2 columns=2 first=1 next=1; rows A 0 2 columns=2 first=1 next=1; flush; rows A 0 1 "
               "columns=2; flush",
         OUT "A:live(a,b) next 0 | A:live(a,b) 0=1,2 next 1 | ", "rows=1 duplicates=1 acks=1 "},
    };
    PLAY(stories, NULL);
}

/* Column 0: twice in bucket 5; column 1: once in bucket 300, 3 times in bucket 301. */
#define OF_BOTH                                                                                                      \
    "01010502"                                                                                                       \
    "0102ac02010003"

static void histograms(void **state)
{
    (void)state;
    static const story stories[] = {
        /* beside rows without, and without the zeros that fill the last word */
        {KNOWN "rows A 0 1,2; row A 1 3,4 " OF_BOTH "; row A 2 5,6 02010101; rows A 3 7,8; flush",
         OUT "A:live(a,b) 0=1,2 1=3,4{" OF_BOTH "} 2=5,6{02010101} 3=7,8 next 4 | ", "rows=4 acks=1 "},
        /* early, in slices, and twice */
        {KNOWN "row A 1 3,4 " OF_BOTH "; row A 0 1,2 " OF_BOTH " first=3 slice=1; row A 0 1,2 " OF_BOTH
               " first=3 slice=1; row A 0 1,2 " OF_BOTH " first=0 slice=3; row A 0 1,2 " OF_BOTH "; flush",
         OUT "A:live(a,b) 0=1,2{" OF_BOTH "} 1=3,4{" OF_BOTH "} next 2 | ", "rows=2 duplicates=2 acks=1 "},
        /* parts of their own, each with what its rows have: when a column joins, and after each flush */
        {KNOWN "row A 0 1,2 01010502; cols A 2 c; row A 1 1,2,3 03010101; flush; row A 2 1,2,3 01010101; flush",
         OUT "A:live(a,b) 0=1,2{01010502} next 1 A:live(a,b,c) 1=1,2,3{03010101} next 2 | "
             "A:live(a,b,c) 2=1,2,3{01010101} next 3 | ",
         "rows=3 acks=1 "},
        /* a row in front of a gap, and one behind it */
        {KNOWN "row A 0 1,2 01010502; row A 3 7,8 02010101 kept=3; flush",
         OUT "A:live(a,b) 0=1,2{01010502} 3=7,8{02010101} gap1+2@0..3 next 4 | ", "rows=2 acks=1 "},
        /* what is ill-formed is left out of a good row: cut short; none; a column that is not there; a count of 0; more behind */
        {KNOWN "row A 0 1,2 0101; row A 1 1,2 0001010502; row A 2 1,2 03010502; row A 3 1,2 01010500; "
               "row A 4 1,2 010105020001; row A 5 1,2 " OF_BOTH "; flush",
         OUT "A:live(a,b) 0=1,2 1=1,2 2=1,2 3=1,2 4=1,2 5=1,2{" OF_BOTH "} next 6 | ", "rows=6 ignored=5 acks=1 "},
        /* column 2 is not among those that are known when the row leaves */
        {KNOWN "row A 1 1,2 03010502; cols A 2 c; rows A 0 1,2; flush",
         OUT "A:live(a,b,c) 0=1,2,- 1=1,2,-{03010502} next 2 | ", "rows=2 acks=1 "},
        /* a row that was left with its client brings them when it comes again */
        {KNOWN "row A 0 1,2,3 03010502; cols A 2 c; row A 0 1,2,3 03010502; flush",
         OUT "A:live(a,b,c) 0=1,2,3{03010502} next 1 | ", "rows=1 held_off=1 acks=1 "},
    };
    PLAY(stories, NULL);
}

static void marks(void **state)
{
    (void)state;
    static const story stories[] = {
        {KNOWN "marks A 0 m,n; flush; commit; acks",
         OUT "A:live(a,b) mark0\"m\" mark1\"n\" next 0 | <x A known 2/2 0-0-0> ", "acks=2 "},
        {KNOWN "marks A 1 n; flush; marks A 0 m,n,o; flush",
         OUT "A:live(a,b) next 0 | A:live(a,b) mark0\"m\" mark1\"n\" mark2\"o\" next 0 | ", "acks=1 "},
        {KNOWN "marks A 0 m; flush; commit; acks; t 2; marks A 0 m; acks; flush",
         OUT "A:live(a,b) mark0\"m\" next 0 | <x A known 2/1 0-0-0> <x A known 2/1 0-0-0> A:live(a,b) next 0 | ",
         "acks=3 "},
        {KNOWN "marks A 3 p kept=3; flush", OUT "A:live(a,b) mark3\"p\" next 0 | ",
         "acks=1 "}, /* three were dropped */
    };
    PLAY(stories, NULL);
}

static void goodbye(void **state)
{
    (void)state;
    static const story stories[] = {
        {KNOWN "rows A 0 1,2; bye A 1; acks; flush; commit; acks",
         OUT "<x A known 2/0 0-1-1> A:ended(a,b) 0=1,2 next 1 | <x A known,ended 2/0 1-1-1> ", "rows=1 acks=3 "},
        {KNOWN "bye A 0 crashed; flush", OUT "A:crashed(a,b) next 0 | ", "acks=1 "},
        /* it waits for rows and marks … */
        {KNOWN "bye A 2; flush; rows A 1 3,4; flush; rows A 0 1,2; flush",
         OUT "A:live(a,b) next 0 | | A:ended(a,b) 0=1,2 1=3,4 next 2 | ", NULL},
        {KNOWN "bye A 0 marks=1; flush; marks A 0 m; flush",
         OUT "A:live(a,b) next 0 | A:ended(a,b) mark0\"m\" next 0 | ", NULL},
        /* … for 10 s after the last word; then the rest is lost */
        {KNOWN "rows A 1 3,4; bye A 3 marks=2; t 10.9; flush; t 11; flush; commit; acks",
         OUT "A:live(a,b) next 0 | A:ended(a,b) 1=3,4 gap0+1@0..1 gap2+1@1..1 next 3 | <x A known,ended 2/2 3-3-3> ",
         NULL},
        {KNOWN "bye A 1; t 10; bye A 1; flush; t 19.9; flush; t 20; flush",
         OUT "A:live(a,b) next 0 | | A:ended(a,b) gap0+1@0..10 next 1 | ", NULL},
        /* … or for 1 s, if nobody is left to send it */
        {KNOWN "bye A 2 crashed; t 1.9; flush; t 2; flush",
         OUT "A:live(a,b) next 0 | A:crashed(a,b) gap0+2@0..1 next 2 | ", NULL},
        /* the last rows went before they were sent */
        {KNOWN "rows A 0 1,2; t 3; bye A 4 kept=4; flush", OUT "A:ended(a,b) 0=1,2 gap1+3@0..3 next 4 | ", NULL},
        /* said again: it has not heard that it is durable */
        {KNOWN "bye A 0; flush; commit; acks; t 2; bye A 0; acks",
         OUT "A:ended(a,b) next 0 | <x A known,ended 2/0 0-0-0> <x A known,ended 2/0 0-0-0> ", NULL},
        /* it ended before the server was started again, yet lives */
        {"facts A; has A a next=5 ended; acks; rows A 5 1; flush",
         "?A <x A known,ended 1/0 5-5-5> A:live(a) 5=1 next 6 | ", NULL},
    };
    PLAY(stories, NULL);
}

static void two_wires(void **state)
{
    (void)state;
    static const story stories[] = {
        {KNOWN "json A; flush", OUT "| ", "conflicts=1 acks=1 "},
        {"facts A; json A; none A; flush", "?A A:live() next 0 | ", "conflicts=1 "},
        {"json A; facts A; rows A 0 1; none A; acks", "?A ", "conflicts=2 "},
    };
    PLAY(stories, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity),   cmocka_unit_test(columns), cmocka_unit_test(rows),
        cmocka_unit_test(histograms), cmocka_unit_test(marks),   cmocka_unit_test(goodbye),
        cmocka_unit_test(two_wires),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
