/* SPDX-License-Identifier: MIT OR Unlicense
   test_runs: the registry's rules, as what happens and what leaves. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "runs_script.h"

/* ---- the stories ---- */

static void rows_and_times(void **state)
{
    (void)state;
    static const story stories[] = {
        {KNOWN "flush", OUT "| ", ""},
        {KNOWN "row A 1,2; t 1; row A 3,4; flush; flush", OUT "A:live(a,b) 0@0=1,2 1@1=3,4 | | ", "rows=2 "},
        {KNOWN "row A 1,2 @7 #0; row A 3,4 @5 #1; flush", OUT "A:live(a,b) 0@7=1,2 1@5=3,4 | ", "rows=2 "},
        {KNOWN "t 5; row A 1,2; t 3; row A 3,4; t 6; row A 5,6; flush", /* the server's clock is set back */
         OUT "A:live(a,b) 0@5=1,2 1@5=3,4 2@6=5,6 | ", "rows=3 "},
        {KNOWN "row A 1; flush", OUT "A:live(a,b) 0@0=1,- | ", "rows=1 short_rows=1 "},
        {KNOWN "row A 1,2,3; flush", OUT "A:live(a,b) 0@0=1,2 | ", "rows=1 long_rows=1 "},
        {KNOWN "row A -,2; flush", OUT "A:live(a,b) 0@0=-,2 | ", "rows=1 "},
        {"new A a; new B b; none A; none B; row A 1; row B 2; row A 3; flush",
         "?A ?B A:live(a) 0@0=1 1@0=3 B:live(b) 0@0=2 | ", "rows=3 "},
    };
    PLAY(stories, NULL);
}

static void sequence(void **state)
{
    (void)state;
    static const story stories[] = {
        {KNOWN "row A 1,1 #0; row A 1,1 #0; row A 2,2 #1; flush", OUT "A:live(a,b) 0@0=1,1 1@0=2,2 | ",
         "rows=2 duplicates=1 "},
        /* late within a batch: sorted into its place; its time is not after its follower's */
        {KNOWN "row A 1,1 #0; t 1; row A 3,3 #2; t 1.5; row A 2,2 #1; flush",
         OUT "A:live(a,b) 0@0=1,1 1@1=2,2 2@1=3,3 | ", "rows=3 "},
        {KNOWN "row A 1,1 #0 @0; row A 3,3 #2 @2; row A 2,2 #1 @1; flush",
         OUT "A:live(a,b) 0@0=1,1 1@1=2,2 2@2=3,3 | ", "rows=3 "},
        /* late by a batch: its followers do not wait; then no gap is left */
        {KNOWN "row A 1,1 #0; row A 3,3 #2; flush; t 1; row A 2,2 #1; flush; t 9; flush",
         OUT "A:live(a,b) 0@0=1,1 2@0=3,3 | A:live(a,b) 1@0=2,2 | | ", "rows=3 "},
        /* missing for longer than `reorder` (2 s): a gap, and what comes then comes too late */
        {KNOWN "row A 1,1 #0; t 1; row A 3,3 #3; flush; t 2.9; flush; t 3; flush; row A 2,2 #1; flush",
         OUT "A:live(a,b) 0@0=1,1 3@1=3,3 | | A:live(a,b) gap1+2@0..1 | A:live(a,b) | ", "rows=2 duplicates=1 "},
        /* of three missing the middle one comes: two gaps */
        {KNOWN "row A 1,1 #0 @0; row A 5,5 #4 @4; row A 3,3 #2 @2; flush; t 2; flush",
         OUT "A:live(a,b) 0@0=1,1 2@2=3,3 4@4=5,5 | A:live(a,b) gap1+1@0..2 gap3+1@2..4 | ", "rows=3 "},
        {KNOWN "t 1; row A 3,3 #3; flush; t 3; flush", OUT "A:live(a,b) 3@1=3,3 | A:live(a,b) gap0+3@0..1 | ",
         "rows=1 "},
        {KNOWN "row A 1,1 #0; row A 3,3 #2; final", OUT "A:live(a,b) 0@0=1,1 2@0=3,3 gap1+1@0..0 | ", "rows=2 "},
        /* the client's clock was set back */
        {KNOWN "row A 1,1 #0 @9; row A 3,3 #2 @3; final", OUT "A:live(a,b) 0@9=1,1 2@3=3,3 gap1+1@3..9 | ",
         "rows=2 "},
        /* numbered by the client, then not */
        {KNOWN "row A 1,1 #5; row A 2,2; final", OUT "A:live(a,b) 5@0=1,1 6@0=2,2 gap0+5@0..0 | ", "rows=2 "},
        {KNOWN "row A 1,1 #9007199254740992; final",
         OUT "A:live(a,b) 9007199254740992@0=1,1 gap0+9007199254740992@0..0 | ", "rows=1 "},
        /* what the client says it lost is a gap at once; it is told of twice, or partly comes after all */
        {KNOWN "row A 1,1 #0; row A 4,4 #4; lost A 1 2; lost A 1 2; flush; row A 3,3 #3; flush",
         OUT "A:live(a,b) 0@0=1,1 4@0=4,4 gap1+2@0..0 | A:live(a,b) 3@0=3,3 | ", "rows=3 "},
        {KNOWN "row A 1,1 #0; lost A 3 2; flush; row A 6,6 #5; final",
         OUT "A:live(a,b) 0@0=1,1 gap3+2@0..0 | A:live(a,b) 5@0=6,6 gap1+2@0..0 | ", "rows=2 "},
        {KNOWN "row A 1,1 #3; lost A 0 18446744073709551615; flush",
         OUT "A:live(a,b) 3@0=1,1 gap0+3@0..0 gap4+9007199254740988@0..0 | ", "rows=1 "},
        {KNOWN "lost A 18446744073709551615 1; lost A 5 0; final", OUT "| ", ""},
    };
    PLAY(stories, NULL);
}

static void announcing(void **state)
{
    (void)state;
    static const story stories[] = {
        {KNOWN "new A a,b; flush", OUT "| ", ""}, /* said twice: nothing new          */
        {KNOWN "new A a; row A 1,2; flush", OUT "A:live(a,b) 0@0=1,2 | ", "rows=1 "}, /* an older one comes late */
        {KNOWN "new A a,b,c; row A 1,2,3; flush", OUT "A:live(a,b,c) 0@0=1,2,3 | ", "rows=1 "},
        {KNOWN "row A 1,2; new A a,b,c; row A 1,2,3; flush", OUT "A:live(a,b) 0@0=1,2 A:live(a,b,c) 1@0=1,2,3 | ",
         "rows=2 "},
        {KNOWN "new A a,c; new A b; new A a,b app=other; row A 1,2; flush", OUT "A:live(a,b) 0@0=1,2 | ",
         "rows=1 conflicts=3 "},
        {"new A a,a,a; none A; new A a,a,a; new A a,a,a,b,b; flush", "?A A:live(a,a (2),a (3),b,b (2)) | ",
         "renamed_columns=3 "},
        {"new A a,c\001d; none A; new A a,c\001d; flush", "?A A:live(a,c d) | ", "clipped_names=1 "},
    };
    PLAY(stories, NULL);
}

static void strangers(void **state)
{
    (void)state;
    static const story stories[] = {
        /* the row first, the announcement after: nothing is lost, and times are those of arrival */
        {"row A 1,2; none A; t 9; flush; new A a,b; flush", "?A | A:live(a,b) 0@0=1,2 | ", "rows=1 "},
        {"row A 1,2 #0; new A a,b; none A; flush", "?A A:live(a,b) 0@0=1,2 | ", "rows=1 "},
        /* never announced */
        {"row A 1,2; none A; t 9; row A 3,4; t 10; flush; new A a,b; none A; flush", "?A | ?A A:live(a,b) | ",
         "orphans=2 "},
        {"row A 1,2; mark A x; end A stopped; none A; final", "?A | ", "orphans=1 "},
        {"mark A x; alive A; t 10; flush", "?A | ", ""},
        /* neither announced nor answered: the same; announced but not answered: goes on */
        {"row A 1,2; t 10; flush", "?A | ", "orphans=1 "},
        {"new A a,b; row A 1,2 #7; t 9.9; flush; t 10; flush; final", "?A | A:live(a,b) 7@0=1,2 | | ", "rows=1 "},
        /* … and an answer that comes after that keeps new rows from numbers that are taken */
        {"new A a; row A 1; t 10; flush; has A a next=100; row A 2; flush",
         "?A A:live(a) 0@0=1 | A:live(a) 100@10=2 | ", "rows=2 "},
        {"new A a; row A 1; final", "?A A:live(a) 0@0=1 | ", "rows=1 "},
        /* everything waits in order: rows, marks, the end */
        {"new A a; row A 1; mark A x @3; row A 2; end A crashed; none A; flush",
         "?A A:crashed(a) 0@0=1 1@0=2 mark0@3\"x\" | ", "rows=2 "},
    };
    PLAY(stories, NULL);
}

static void server_restarted(void **state)
{
    (void)state;
    static const story stories[] = {
        /* a row, and the store knows its run: it goes on, without and with sequence numbers */
        {"row A 1,2; has A a,b next=10 last=-1; row A 3,4; flush", "?A A:live(a,b) 10@0=1,2 11@0=3,4 | ", "rows=2 "},
        {"row A 1,2 #10; has A a,b next=10; row A 3,4 #9; final", "?A A:live(a,b) 10@0=1,2 | ",
         "rows=1 duplicates=1 "},
        /* what was sent while the server was away is lost */
        {"row A 1,2 #15; has A a,b next=10 last=-30; final", "?A A:live(a,b) 15@0=1,2 gap10+5@-30..0 | ", "rows=1 "},
        /* … and so is what was missing when it was killed */
        {"row A 1,2 #10; has A a,b next=10 rows=7 last=-30; row A 1,2 #8; flush",
         "?A A:live(a,b) 10@0=1,2 gap7+3@-30..-30 | ", "rows=1 duplicates=1 "},
        /* announced again, the same, longer, shorter or other */
        {"new A a,b; row A 1,2; has A a,b next=10; flush", "?A A:live(a,b) 10@0=1,2 | ", "rows=1 "},
        {"new A a,b; row A 1,2; has A a next=10; flush", "?A A:live(a,b) 10@0=1,2 | ", "rows=1 "},
        {"new A a; row A 1; has A a,b next=10; flush", "?A A:live(a,b) 10@0=1,- | ", "rows=1 short_rows=1 "},
        {"new A x; row A 1; has A a,b next=10; flush", "?A A:live(a,b) 10@0=1,- | ",
         "rows=1 short_rows=1 conflicts=1 "},
        /* an ended run lives again with a row, not with an announcement */
        {"new A a,b; has A a,b state=ended; flush", "?A A:ended(a,b) | ", ""},
        {"row A 1,2; has A a,b state=ended; flush", "?A A:live(a,b) 0@0=1,2 | ", "rows=1 "},
        /* times without a client's clock do not go back behind what is stored */
        {"row A 1,2; has A a,b next=1 last=50; flush", "?A A:live(a,b) 1@50=1,2 | ", "rows=1 "},
        {"has A a,b; none B; flush", "| ", ""}, /* answers that nobody asked for */
    };
    PLAY(stories, NULL);
}

static void ends_and_marks(void **state)
{
    (void)state;
    static const story stories[] = {
        {KNOWN "row A 1,2 #0; end A stopped; flush", OUT "A:ended(a,b) 0@0=1,2 | ", "rows=1 "},
        {KNOWN "end A crashed; flush", OUT "A:crashed(a,b) | ", ""},
        {KNOWN "row A 1,2 #0; end A stopped; row A 3,4 #1; flush", OUT "A:live(a,b) 0@0=1,2 1@0=3,4 | ", "rows=2 "},
        /* what was late does not wake it */
        {KNOWN "row A 1,2 #0; row A 5,6 #2; end A stopped; row A 3,4 #1; flush",
         OUT "A:ended(a,b) 0@0=1,2 1@0=3,4 2@0=5,6 | ", "rows=3 "},
        {KNOWN "row A 1,2 #0; end A stopped; row A 1,2 #0; flush", OUT "A:ended(a,b) 0@0=1,2 | ",
         "rows=1 duplicates=1 "},
        /* a datagram that came twice brings its marks and its end once */
        {KNOWN "row A 1,2 #0; mark A x @5; mark A y; row A 1,2 #0; mark A x @5; mark A y; end A stopped; flush",
         OUT "A:live(a,b) 0@0=1,2 mark0@5\"x\" mark1@0\"y\" | ", "rows=1 duplicates=1 "},
        {KNOWN "row A 1,2 #3; mark A x\002y; final", OUT "A:live(a,b) 3@0=1,2 mark1536@0\"x y\" gap0+3@0..0 | ",
         "rows=1 clipped_names=1 "},
        /* signs of life are news once a second */
        {KNOWN "t 0.5; alive A; flush; t 1; alive A; flush; t 1.5; alive A; flush; t 2.1; new A a,b; flush",
         OUT "| A:live(a,b) | | A:live(a,b) | ", ""},
    };
    PLAY(stories, NULL);
}

/* ---- facts, beside columns and rows ---- */

static run_info *info_after(const char *commands)
{
    script s = {.now = START};
    s.r = runs_new(NULL, want, &s);
    char *text = mem_strdup(commands);
    for (char *rest, *one = strtok_r(text, ";", &rest); one; one = strtok_r(NULL, ";", &rest)) command(&s, one);
    batch *b = runs_flush(s.r, s.now, false);
    assert_non_null(b);
    run_info *info = run_info_copy(b->parts[b->count - 1].info);
    batch_free(b);
    runs_free(s.r);
    buf_free(&s.out);
    free(text);
    return info;
}

static void facts(void **state)
{
    (void)state;
    static const struct {
        const char *commands, *host;
        int64_t pid;
        double started, last, seen, interval;
        uint64_t next_seq, rows, lost;
        const char *tag;
    } cases[] = {
        {"t 3; new A a; none A", "", 0, 3, 3, 3, 0, 0, 0, 0, NULL},
        {"new A a started=-5 interval=2 host=h pid=7 tag=v; none A; t 1; row A 1 #1 @4", "h", 7, -5, 4, 1, 2, 2, 0, 0,
         "v"},
        /* the newest row's time, also when the client's clock is far behind the server's */
        {"new A a; none A; row A 1 @-500; row A 1 @-600", "", 0, 0, -500, 0, 0, 2, 0, 0, NULL},
        /* first told stays, told later is filled in, the interval is as told last */
        {"new A a interval=1 host=h; none A; new A a started=9 interval=2 host=i pid=8 tag=w", "h", 8, 0, 0, 0, 2, 0,
         0, 0, "w"},
        {"new A a host=h started=9; has A a next=3 last=2", "stored", 0, -100, 2, 0, 0, 3, 3, 0, NULL},
        /* what left with earlier batches is added up, what leaves with this one is not */
        {"new A a; none A; row A 1 #0; row A 1 #3; t 2; flush; row A 1 #4", "", 0, 0, 2, 2, 0, 5, 2, 2, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        run_info *info = info_after(cases[i].commands);
        assert_string_equal(info->app, "app");
        assert_string_equal(info->host, cases[i].host);
        assert_int_equal(info->pid, cases[i].pid);
        assert_true(shown_time(info->started) == cases[i].started);
        assert_true(shown_time(info->last) == cases[i].last);
        assert_true(shown_time(info->seen) == cases[i].seen);
        assert_true((double)info->interval == cases[i].interval * (double)NS_PER_SECOND);
        assert_int_equal(info->next_seq, cases[i].next_seq);
        assert_int_equal(info->rows, cases[i].rows);
        assert_int_equal(info->lost, cases[i].lost);
        assert_int_equal(info->tag_count, cases[i].tag != NULL);
        if (cases[i].tag) assert_string_equal(info->tags[0].value, cases[i].tag);
        run_info_free(info);
    }
}

/* The store is told whose rows it may renumber: those to which the server gave their numbers. */
static void who_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *commands;
        bool counted;
    } cases[] = {
        {"new A a; none A; row A 1; row A 1", true},
        {"new A a; none A; row A 1 #0; row A 1 #1", false},
        {"new A a; none A; row A 1; row A 1 #1", false},
        {"new A a; none A; row A 1 #0; row A 1", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        run_info *info = info_after(cases[i].commands);
        assert_int_equal(info->counted, cases[i].counted);
        assert_false(info->acked);
        run_info_free(info);
    }
}

int main(void)
{
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_times), cmocka_unit_test(sequence),         cmocka_unit_test(announcing),
        cmocka_unit_test(strangers),      cmocka_unit_test(server_restarted), cmocka_unit_test(ends_and_marks),
        cmocka_unit_test(facts),          cmocka_unit_test(who_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
