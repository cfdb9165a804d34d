/* SPDX-License-Identifier: MIT OR Unlicense
   test_wire_servers: the binary wire's promises (wire_world.h) with two servers on one store, whoever gets a datagram. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire_world.h"

static void moved_now_and_then(void **unused)
{
    (void)unused;
    worlds(&(world){.loss = 0.05,
                    .twice = 0.05,
                    .jitter = 20,
                    .interval = 20,
                    .rows = 1000,
                    .columns = 3,
                    .ring = 65536,
                    .servers = 2,
                    .balance = 0.0005},
           100, false);
}

static void moved_with_each_datagram(void **unused)
{
    (void)unused;
    worlds(&(world){.loss = 0.05,
                    .twice = 0.05,
                    .jitter = 20,
                    .interval = 20,
                    .rows = 500,
                    .columns = 3,
                    .ring = 65536,
                    .servers = 2,
                    .balance = 2},
           100, false);
}

/* Servers are killed, too: the other one takes over. */
static void moved_from_the_dead(void **unused)
{
    (void)unused;
    worlds(&(world){.loss = 0.1,
                    .twice = 0.05,
                    .jitter = 50,
                    .interval = 250,
                    .rows = 300,
                    .columns = 3,
                    .ring = 65536,
                    .servers = 2,
                    .balance = 0.001,
                    .restart = 0.0003},
           100, false);
}

/* A small ring: what is lost is lost, and counted once. */
static void moved_while_all_goes_wrong(void **unused)
{
    (void)unused;
    worlds(&(world){.loss = 0.3,
                    .twice = 0.2,
                    .jitter = 2000,
                    .interval = 20,
                    .rows = 1500,
                    .columns = 3,
                    .ring = 4096,
                    .servers = 2,
                    .balance = 0.001,
                    .restart = 0.0001,
                    .outage = 0.0002,
                    .full = 0.0001},
           150, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moved_now_and_then),
        cmocka_unit_test(moved_with_each_datagram),
        cmocka_unit_test(moved_from_the_dead),
        cmocka_unit_test(moved_while_all_goes_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
