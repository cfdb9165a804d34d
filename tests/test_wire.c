/* SPDX-License-Identifier: MIT OR Unlicense
   test_wire: the binary wire's promises (wire_world.h) with one server. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire_world.h"

/* clang-format off */
static const trial trials[] = {
    {"clean_network", 20, false,
     {.interval = 5, .rows = 2000, .columns = 3, .ring = 24576}},
    {"loss_1", 200, false,
     {.loss = 0.01, .twice = 0.01, .jitter = 5, .interval = 20, .rows = 500, .columns = 3, .ring = 24576}},
    {"loss_20", 200, false,
     {.loss = 0.2, .twice = 0.1, .jitter = 100, .interval = 100, .rows = 300, .columns = 3, .ring = 24576}},
    {"loss_50", 200, false,
     {.loss = 0.5, .twice = 0.2, .jitter = 3000, .interval = 200, .rows = 200, .columns = 3, .ring = 24576}},
    {"restarts", 200, false,
     {.loss = 0.05, .jitter = 20, .interval = 250, .rows = 300, .columns = 3, .ring = 65536, .restart = 0.0003}},
    {"rows_in_slices", 50, false,
     {.loss = 0.2, .twice = 0.1, .jitter = 50, .interval = 100, .rows = 100, .columns = 400, .ring = 512 * 1024,
      .restart = 0.0002}},
    {"addresses_change", 200, false,
     {.loss = 0.1, .twice = 0.1, .jitter = 50, .interval = 20, .rows = 500, .columns = 3, .ring = 65536,
      .restart = 0.00005, .move = 0.002}},
    {"the_goodbye_is_the_last_word", 200, true,
     {.loss = 0.3, .twice = 0.1, .jitter = 500, .interval = 20, .rows = 300, .columns = 3, .ring = 24576,
      .full = 0.0002, .vanish = true}},
    {"everything_goes_wrong", 300, true,
     {.loss = 0.3, .twice = 0.2, .jitter = 2000, .interval = 20, .rows = 1500, .columns = 3, .ring = 4096,
      .restart = 0.0001, .outage = 0.0002, .full = 0.0001}},
};
/* clang-format on */

/* Sampled faster than the pace at which repeating begins: what a killed server leaves behind is caught up with all the
   same, within seconds. */
static void a_fast_client_catches_up(void **unused)
{
    (void)unused;
    enum { PER_MS = 60, RING = 24 << 20 };
    static client c;
    storage kept = {.first_columns = 3};
    server s = {.store = &kept};
    network net = {.delay = MS};
    random_state = 1;
    client_start(&c, RING, 3, 0);
    c.session.ring.bytes = mem_alloc(RING); /* ten seconds' rows */
    server_start(&s);
    for (int64_t now = 0; now < 15000 * MS; now += MS) {
        for (int i = 0; i < PER_MS; i++) client_sample(&c, now);
        if (now == 2000 * MS) server_kill(&s);
        s.now = now;
        if (now == 5000 * MS) server_start(&s);
        deliver(&(world){0}, &net, &s, &c, now);
        server_step(&s, &net, now);
        client_step(&c, &net, now, 1);
    }
    assert_int_equal(c.session.ring.dropped, 0);
    assert_true(c.sampled - kept.rows <= 1000 * PER_MS);
    server_kill(&s);
    run_info_free(kept.info);
    free(c.session.ring.bytes);
    free(net.list);
}

/* A server that was asked nothing is not taken for one that does not answer; each row is durable within a second. */
static void a_slow_client_has_no_doubts(void **unused)
{
    (void)unused;
    static client c;
    storage kept = {.first_columns = 3};
    server s = {.store = &kept};
    network net = {.delay = MS};
    random_state = 1;
    client_start(&c, 24576, 3, 0);
    server_start(&s);
    for (int64_t now = 0; now < 200000 * MS; now += MS) {
        if (now % (20000 * MS) == 0) client_sample(&c, now);
        deliver(&(world){0}, &net, &s, &c, now);
        server_step(&s, &net, now);
        client_step(&c, &net, now, 1);
        assert_true(dolon__session_awake(&c.session, now));
        if (now % (20000 * MS) == 1000 * MS) assert_int_equal(kept.rows, c.sampled);
    }
    server_kill(&s);
    run_info_free(kept.info);
    free(net.list);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(trials) + 2];
    for (size_t i = 0; i < ARRAY_LEN(trials); i++) tests[i] = trial_test(&trials[i]);
    tests[ARRAY_LEN(trials)] = (struct CMUnitTest)cmocka_unit_test(a_fast_client_catches_up);
    tests[ARRAY_LEN(trials) + 1] = (struct CMUnitTest)cmocka_unit_test(a_slow_client_has_no_doubts);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
