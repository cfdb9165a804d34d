/* SPDX-License-Identifier: MIT OR Unlicense
   test_runs_binary_store: stories of the binary wire: what is in the store already, other servers that write it, a
   store that is behind, and runs that die. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "runs_binary_script.h"

static void restarts(void **state)
{
    (void)state;
    static const story stories[] = {
        {"rows A 7 1 2; has A a next=7 marks=2; acks; rows A 7 1 2; flush",
         "?A <x A known 1/2 7-7-7> A:live(a) 7=1 8=2 next 9 | ", "rows=2 acks=1 "},
        {"rows A 3 1; has A a next=7; t 1; rows A 3 1; acks", "?A <x A known 1/0 7-7-7> ", "duplicates=1 acks=1 "},
        {"facts A; cols A 0 a,b; has A a next=7; rows A 7 1,2; flush", "?A A:live(a,b) 7=1,2 next 8 | ", "rows=1 "},
        /* the store lost it, or is another: what the client still has is sent, what it has not is lost */
        {"facts A; none A; cols A 0 a; rows A 7 1 kept=7; flush", "?A A:live(a) 7=1 gap0+7@0..7 next 8 | ",
         "rows=1 "},
        {"facts A; cols A 0 b; has A a next=7; flush", "?A A:live(a) next 7 | ", "conflicts=1 "},
    };
    PLAY(stories, NULL);
}

/* Several servers write the store: another may have stored what is missing here. */
static void another_server(void **state)
{
    (void)state;
    const runs_limits shared = {.shared = true};
    static const story stories[] = {
        /* all that will not come is there: nothing is lost, and what waited goes on */
        {KNOWN "rows A 0 1,2; rows A 5 9,9 kept=5; flush; has A a,b next=5; acks; flush",
         OUT "?A A:live(a,b) 0=1,2 next 1 | <x A known 2/0 5-6-6> A:live(a,b) 5=9,9 next 6 | ",
         "rows=2 asked_again=1 acks=2 "},
        /* a part of it is, the rest is lost; of a row that waited here the other one's counts */
        {KNOWN "rows A 2 5,6; rows A 5 9,9 kept=5; has A a,b next=3; flush",
         OUT "?A A:live(a,b) next 0 A:live(a,b) 5=9,9 gap3+2@0..5 next 6 | ", NULL},
        /* it has even more */
        {KNOWN "rows A 4 7,8; rows A 5 9,9 kept=5; has A a,b next=8 marks=3; acks; rows A 8 1,1; marks A 3 m; flush",
         OUT "?A <x A known 2/3 8-8-8> A:live(a,b) next 0 A:live(a,b) 8=1,1 mark3\"m\" next 9 | ", NULL},
        /* the store knows no more than this server does */
        {KNOWN "rows A 0 1,2; flush; commit; beat A 4 kept=4; has A a,b next=1; rows A 4 1,1 kept=4; flush",
         OUT "A:live(a,b) 0=1,2 next 1 | ?A A:live(a,b) 4=1,1 gap1+3@0..4 next 5 | ", NULL},
        {KNOWN "rows A 3 1,1 kept=3; none A; flush", OUT "?A A:live(a,b) 3=1,1 gap0+3@0..3 next 4 | ", NULL},
        /* it is asked once at a time; without an answer the client's word holds after a while */
        {KNOWN "rows A 3 1,1 kept=3; rows A 4 2,2 kept=4; flush; t 12; rows A 4 2,2 kept=4; flush",
         OUT "?A A:live(a,b) next 0 | A:live(a,b) 3=1,1 4=2,2 gap0+3@0..3 next 5 | ",
         "rows=2 duplicates=1 asked_again=1 acks=1 "},
        /* columns that the other one heard of; and that it ended there */
        {KNOWN "rows A 2 1,2,3 kept=2; has A a,b,c next=2; rows A 2 1,2,3 kept=2; flush",
         OUT "A:live(a,b,c) next 0 A:live(a,b,c) 2=1,2,3 next 3 | ", NULL},
        {KNOWN "beat A 7 kept=7; has A a,b next=7 ended; acks; flush",
         OUT "?A <x A known,ended 2/0 7-7-7> A:ended(a,b) next 0 | ", NULL},
        {KNOWN "bye A 3 kept=3; has A a,b next=3; flush", OUT "?A A:live(a,b) next 0 A:ended(a,b) next 3 | ", NULL},
    };
    PLAY(stories, &shared);
    static const story alone[] = {
        {KNOWN "rows A 3 1,1 kept=3; flush", OUT "A:live(a,b) 3=1,1 gap0+3@0..3 next 4 | ", "rows=1 acks=1 "}};
    PLAY(alone, NULL);
}

static void behind(void **state)
{
    (void)state;
    static const story stories[] = {
        {KNOWN "behind; rows A 0 1,2 3,4; marks A 0 m; acks; flush; even; rows A 0 1,2 3,4; marks A 0 m; flush",
         OUT "<x A known 2/0 0-0-0> A:live(a,b) next 0 | A:live(a,b) 0=1,2 1=3,4 mark0\"m\" next 2 | ",
         "rows=2 held_off=2 acks=2 "},
        {KNOWN "behind; rows A 9 1,2 kept=9; even; rows A 0 1,2; flush", OUT "A:live(a,b) 0=1,2 next 1 | ", NULL},
        {KNOWN "behind; bye A 4 kept=4; flush; even; bye A 4 kept=4; flush",
         OUT "A:live(a,b) next 0 | A:ended(a,b) gap0+4@0..1 next 4 | ", NULL},
    };
    PLAY(stories, NULL);
}

static void crashes(void **state)
{
    (void)state;
#define HERE "facts A place=here pid=7; none A; cols A 0 a; flush; commit; acks; "
#define THIS "?A A:live(a) next 0 | <x A known 1/0 0-0-0> "
    static const story stories[] = {
        {HERE "t 5.9; flush; suspects here; t 6; flush; suspects there; suspects here; beat A 0; suspects here",
         THIS "| ! | ! A=7 ! ! ", NULL},
        /* what it had sampled and not brought here is lost; it is dead, so nobody hears of it */
        {HERE "rows A 0 7; rows A 2 9 next=5; t 7; crashed A; flush; commit; t 15; flush; suspects here",
         THIS "A:crashed(a) 0=7 2=9 gap1+1@0..2 gap3+2@2..2 next 5 | | ! ", NULL},
        {HERE "t 7; crashed A; crashed A; crashed B; flush; t 8; bye A 0; flush",
         THIS "A:crashed(a) next 0 | A:ended(a) next 0 | ", NULL},
        {HERE "bye A 0; t 7; flush; suspects here; crashed A; flush", THIS "A:ended(a) next 0 | ! | ", NULL},
        /* it said goodbye, and quit before all was here */
        {HERE "bye A 3; t 7; flush; suspects here; crashed A; t 10; flush",
         THIS "| ! A:ended(a) gap0+3@0..0 next 3 | ", NULL},
        /* no pid, no place, or not known yet */
        {"facts A place=here; none A; facts B pid=7; none B; t 6; flush; facts C place=here pid=7; t 12; flush; "
         "suspects here",
         "?A ?B A:live() next 0 B:live() next 0 | ?C | ! ", NULL},
        {"facts A place=p pid=1; none A; facts B place=p pid=2; none B; facts C place=p pid=3; none C; facts D "
         "place=p pid=4; "
         "none D; t 7; flush; suspects p",
         "?A ?B ?C ?D A:live() next 0 D:live() next 0 C:live() next 0 B:live() next 0 | A=1 B=2 C=3 ! ", NULL},
        /* it was not the one */
        {HERE "t 7; crashed A; flush; rows A 0 7; flush", THIS "A:crashed(a) next 0 | A:live(a) 0=7 next 1 | ", NULL},
    };
    PLAY(stories, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restarts),
        cmocka_unit_test(another_server),
        cmocka_unit_test(behind),
        cmocka_unit_test(crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
