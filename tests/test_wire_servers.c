/* SPDX-License-Identifier: MIT OR Unlicense
   test_wire_servers: the binary wire's promises (wire_world.h) with two servers on one store, whoever gets a datagram. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire_world.h"

/* clang-format off */
static const trial trials[] = {
    {"moved_now_and_then", 100, false,
     {.loss = 0.05, .twice = 0.05, .jitter = 20, .interval = 20, .rows = 1000, .columns = 3, .ring = 65536,
      .servers = 2, .balance = 0.0005}},
    {"moved_with_each_datagram", 100, false,
     {.loss = 0.05, .twice = 0.05, .jitter = 20, .interval = 20, .rows = 500, .columns = 3, .ring = 65536,
      .servers = 2, .balance = 2}},
    /* Servers are killed, too: the other one takes over. */
    {"moved_from_the_dead", 100, false,
     {.loss = 0.1, .twice = 0.05, .jitter = 50, .interval = 250, .rows = 300, .columns = 3, .ring = 65536,
      .servers = 2, .balance = 0.001, .restart = 0.0003}},
    /* A small ring: what is lost is lost, and counted once. */
    {"moved_while_all_goes_wrong", 150, true,
     {.loss = 0.3, .twice = 0.2, .jitter = 2000, .interval = 20, .rows = 1500, .columns = 3, .ring = 4096,
      .servers = 2, .balance = 0.001, .restart = 0.0001, .outage = 0.0002, .full = 0.0001}},
};
/* clang-format on */

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(trials)];
    for (size_t i = 0; i < ARRAY_LEN(trials); i++) tests[i] = trial_test(&trials[i]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
