/* SPDX-License-Identifier: MIT OR Unlicense
   test_run: copies share nothing, and silence makes a live run a lost one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "../server/runs/run.h"

#define TEXT(s) ((char[]){s}) /* run_info's strings are not const: it owns them elsewhere */

static void copy_shares_nothing(void **state)
{
    (void)state;
    run_column columns[] = {{TEXT("a"), TEXT("MB"), COLUMN_GAUGE}, {TEXT("b"), TEXT(""), COLUMN_COUNTER}};
    run_tag tags[] = {{TEXT("branch"), TEXT("main")}};
    run_info original = {.app = TEXT("app"),
                         .host = TEXT("host"),
                         .build = TEXT("build"),
                         .args = TEXT("args"),
                         .place = TEXT("boot pid:[1]"),
                         .note = TEXT("note"), .user_tags = TEXT("note"),
                         .pid = 7,
                         .born = 8,
                         .started = 1,
                         .last = 2,
                         .seen = 3,
                         .interval = 4,
                         .rows = 5,
                         .lost = 6,
                         .next_seq = 7,
                         .state = RUN_ENDED,
                         .columns = columns,
                         .column_count = 2,
                         .tags = tags,
                         .tag_count = 1,
                         .pinned = true};
    run_info *copy = run_info_copy(&original);
    assert_ptr_not_equal(copy->app, original.app);
    assert_ptr_not_equal(copy->columns, columns);
    assert_ptr_not_equal(copy->columns[0].name, columns[0].name);
    assert_ptr_not_equal(copy->tags[0].value, tags[0].value);
    assert_string_equal(copy->app, "app");
    assert_string_equal(copy->host, "host");
    assert_string_equal(copy->build, "build");
    assert_string_equal(copy->args, "args");
    assert_string_equal(copy->place, "boot pid:[1]");
    assert_string_equal(copy->note, "note");
    assert_string_equal(copy->columns[0].unit, "MB");
    assert_string_equal(copy->columns[1].name, "b");
    assert_int_equal(copy->columns[1].kind, COLUMN_COUNTER);
    assert_string_equal(copy->tags[0].name, "branch");
    assert_string_equal(copy->tags[0].value, "main");
    assert_int_equal(copy->pid, 7);
    assert_int_equal(copy->next_seq, 7);
    assert_int_equal(copy->state, RUN_ENDED);
    assert_true(copy->pinned);
    run_info_free(copy);
    run_info_free(NULL);
}

static void silence(void **state)
{
    (void)state;
    const int64_t s = NS_PER_SECOND;
    static const struct {
        run_state stored;
        int64_t interval, silent; /* in seconds */
        run_state derived;
    } cases[] = {
        {RUN_LIVE, 0, 0, RUN_LIVE},     {RUN_LIVE, 0, 15, RUN_LIVE},     {RUN_LIVE, 0, 16, RUN_LOST},
        {RUN_LIVE, 1, 15, RUN_LIVE},    {RUN_LIVE, 1, 16, RUN_LOST},     {RUN_LIVE, 60, 180, RUN_LIVE},
        {RUN_LIVE, 60, 181, RUN_LOST},  {RUN_ENDED, 1, 1000, RUN_ENDED}, {RUN_CRASHED, 1, 1000, RUN_CRASHED},
        {RUN_LIVE, 1, -3600, RUN_LIVE}, /* the clock was set back */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        run_info r = {.state = cases[i].stored, .interval = cases[i].interval * s, .seen = 5000 * s};
        assert_int_equal(run_state_at(&r, r.seen + cases[i].silent * s), cases[i].derived);
    }
    run_info absurd = {.state = RUN_LIVE, .interval = INT64_MAX, .seen = INT64_MIN};
    assert_int_equal(run_state_at(&absurd, 0), RUN_LOST);
    absurd.seen = 0;
    assert_int_equal(run_state_at(&absurd, INT64_MAX), RUN_LIVE);
}

static void state_names(void **state)
{
    (void)state;
    assert_string_equal(run_state_name(RUN_LIVE), "live");
    assert_string_equal(run_state_name(RUN_ENDED), "ended");
    assert_string_equal(run_state_name(RUN_CRASHED), "crashed");
    assert_string_equal(run_state_name(RUN_LOST), "lost");
}

static void batch_frees_all(void **state) /* the sanitizer looks on */
{
    (void)state;
    run_info info = {
        .app = TEXT(""), .host = TEXT(""), .build = TEXT(""), .args = TEXT(""), .place = TEXT(""), .note = TEXT(""), .user_tags = TEXT("")};
    batch *b = mem_calloc(1, sizeof *b);
    b->parts = mem_calloc(2, sizeof *b->parts);
    b->count = 2;
    b->parts[0] = (batch_part){.info = run_info_copy(&info),
                               .rows = 1,
                               .columns = 1,
                               .time = mem_calloc(1, 8),
                               .seq = mem_calloc(1, 8),
                               .values = mem_calloc(1, 8),
                               .events = mem_calloc(1, sizeof(run_event)),
                               .event_count = 1};
    b->parts[0].events[0].text = mem_strdup("mark");
    b->parts[1].info = run_info_copy(&info);
    batch_free(b);
    batch_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copy_shares_nothing),
        cmocka_unit_test(silence),
        cmocka_unit_test(state_names),
        cmocka_unit_test(batch_frees_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
