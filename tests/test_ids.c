/* SPDX-License-Identifier: MIT OR Unlicense
   test_ids: a queue that gives back what it got, in order; a map that keeps ids apart while it grows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../server/store/ids.h"

static uuid id_of(uint32_t n)
{
    uuid u = {{0}};
    for (int i = 0; i < 4; i++) u.b[i] = (uint8_t)(n >> (8 * i));
    return u;
}

static void queue_keeps_the_order(void **state)
{
    (void)state;
    id_queue q = {0};
    uuid id;
    assert_false(id_queue_take(&q, &id));
    uint32_t in = 0, out = 0;
    for (uint32_t turn = 1; turn < 400; turn++) { /* it swells, and shrinks, and its start wanders */
        for (uint32_t i = 0; i < turn % 37; i++) {
            id = id_of(in++);
            id_queue_add(&q, &id);
        }
        for (uint32_t i = 0; i < turn % 41 && id_queue_take(&q, &id); i++) {
            uuid expected = id_of(out++);
            assert_true(uuid_eq(&id, &expected));
        }
        assert_true(id_queue_empty(&q) == (in == out));
    }
    while (id_queue_take(&q, &id)) out++;
    assert_int_equal(in, out);
    assert_true(q.room < 2000); /* what was taken makes room */
    id_queue_free(&q);
    assert_true(id_queue_empty(&q));
}

static void map_keeps_ids_apart(void **state)
{
    (void)state;
    id_map m = {0};
    for (uint32_t i = 0; i < 5000; i++) {
        uuid id = id_of(i);
        size_t *number = id_map_at(&m, &id);
        assert_int_equal(*number, 0);
        *number = i + 1;
    }
    assert_int_equal(m.count, 5000);
    for (uint32_t i = 0; i < 5000; i++) {
        uuid id = id_of(i);
        assert_int_equal(*id_map_at(&m, &id), i + 1);
    }
    assert_int_equal(m.count, 5000);
    id_map_free(&m);
    uuid id = id_of(7);
    assert_int_equal(*id_map_at(&m, &id), 0);
    id_map_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue_keeps_the_order),
        cmocka_unit_test(map_keeps_ids_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
