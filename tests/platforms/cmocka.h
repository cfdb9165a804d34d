/* SPDX-License-Identifier: MIT OR Unlicense
   cmocka.h: as much of cmocka as tests of the client use, for systems that we have no cmocka for. The first assertion that
   fails ends the program. */
#ifndef PLATFORMS_CMOCKA_H
#define PLATFORMS_CMOCKA_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
    int (*setup)(void **state);
    int (*teardown)(void **state);
};

#define cmocka_unit_test(f)                      { #f, f, NULL, NULL }
#define cmocka_unit_test_setup(f, up)            { #f, f, up, NULL }
#define cmocka_unit_test_setup_teardown(f, a, b) { #f, f, a, b }

#define fail_msg(...)                                       \
    do {                                                    \
        printf("# %s:%d: ", __FILE__, __LINE__);            \
        printf(__VA_ARGS__);                                \
        printf("\n");                                       \
        fflush(stdout);                                     \
        exit(1);                                            \
    } while (0)

#define assert_true(x)                                      \
    do {                                                    \
        if (!(x)) fail_msg("%s", #x);                       \
    } while (0)
#define assert_false(x)    assert_true(!(x))
#define assert_non_null(x) assert_true((x) != NULL)
#define assert_null(x)     assert_true((x) == NULL)
#define assert_int_equal(a, b)                                                                      \
    do {                                                                                            \
        long long a_ = (long long)(a), b_ = (long long)(b);                                         \
        if (a_ != b_) fail_msg("%s is %lld, %s is %lld", #a, a_, #b, b_);                           \
    } while (0)
#define assert_int_not_equal(a, b)      assert_true((long long)(a) != (long long)(b))
#define assert_in_range(x, least, most) assert_true((x) >= (least) && (x) <= (most))
#define assert_memory_equal(a, b, n)    assert_true(memcmp((a), (b), (n)) == 0)
#define assert_string_equal(a, b)       assert_true(strcmp((a), (b)) == 0)

static inline int platforms_run(const struct CMUnitTest *tests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        void *state = NULL;
        if (tests[i].setup) assert_true(tests[i].setup(&state) == 0);
        tests[i].run(&state);
        if (tests[i].teardown) assert_true(tests[i].teardown(&state) == 0);
        printf("# %s\n", tests[i].name);
    }
    return 0;
}

#define cmocka_run_group_tests(tests, setup, teardown) platforms_run(tests, sizeof(tests) / sizeof((tests)[0]))

#endif
