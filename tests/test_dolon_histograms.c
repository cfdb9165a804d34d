/* SPDX-License-Identifier: MIT OR Unlicense
   test_dolon_histograms: what the client measured is what it tells, as the server reads it: each time once, in the first second
   or later, whatever the room; by each tracer by itself; all of it by the last row. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <assert.h>
#include <math.h>

#define DOLON_STATIC
#define DOLON_IMPLEMENTATION
#define DOLON_ASSERT(x) assert(x)
#include "../dolon.h"

#include "../server/base/histogram.h"

#define RANDOM_SEED 7
#include "random.h"

#define MS      DOLON__MS
#define SECOND  DOLON__SECOND
#define ALLOWED 0.02 /* of a value, at most: 1.6 % of ours, 0.4 % of the wire's buckets */

/* ---- a tracer without a thread, and what it has told ---- */

typedef struct {
    dolon_tracer *tracer;
    histogram_set sums; /* of all rows                              */
    size_t rows, most;  /* with histograms; the words of the largest */
} teller;

static teller make_teller(size_t ring)
{
    teller l = {.tracer = calloc(1, sizeof *l.tracer)};
    dolon_tracer *t = l.tracer;
    t->past = calloc(2 * DOLON_MAX_SITES, sizeof *t->past);
    t->told = t->past + DOLON_MAX_SITES;
    t->binary = 1;
    t->session.ring.size = ring;
    t->link.fd = -1;
    pthread_mutex_init(&t->lock, NULL);
    pthread_once(&dolon__once, dolon__init);
    dolon__tsc = 0; /* so that a tick is a nanosecond */
    dolon__append_new_series(t);
    dolon__forget_past(t);
    return l;
}

static void free_teller(teller *l)
{
    histogram_set_free(&l->sums);
    free(l->tracer->past);
    free(l->tracer);
}

/* The words end with zeros, less than a word of them. */
static void take_words(teller *l, const dolon__row *row)
{
    span words = {(const char *)row->words, 8 * (size_t)row->word_count};
    if (words.n == 0) return;
    size_t length = histogram_set_length(words, l->tracer->column_count);
    assert_true(length > 0 && length + 8 > words.n);
    assert_true(histogram_set_add(&l->sums, words, l->tracer->column_count));
    l->rows++;
    if (row->word_count > l->most) l->most = row->word_count;
}

/* A row that is due at `due`. */
static void tick(teller *l, int64_t due, int last)
{
    dolon_tracer *t = l->tracer;
    dolon__row row;
    dolon__append_new_series(t);
    dolon__tell_begin(t, t->column_count, due, last);
    dolon__sample(t, t->column_count, dolon__os_mono());
    dolon__tell_end(t, &row);
    take_words(l, &row);
}

static uint32_t column_of(const dolon_tracer *t, const char *scope, const char *suffix)
{
    char name[DOLON_NAME_BYTES];
    snprintf(name, sizeof name, "%s%s", scope, suffix);
    for (uint32_t i = 0; i < t->column_count; i++)
        if (strcmp(t->columns[i].name, name) == 0) return i;
    fail_msg("no column %s", name);
    return 0;
}

/* What was told of a scope in all. */
static const histogram *told_of(const teller *l, const char *scope)
{
    static const histogram none;
    uint32_t column = column_of(l->tracer, scope, "_mean");
    for (size_t i = 0; i < l->sums.count; i++)
        if (l->sums.all[i].column == column) return &l->sums.all[i].of;
    return &none;
}

static double hits(const teller *l, const char *scope)
{
    return l->tracer->values[column_of(l->tracer, scope, "_hits")];
}

/* A scope of its own, for each test. */
static dolon_site *make_site(const char *name)
{
    dolon_site *site = calloc(1, sizeof *site);
    site->name = name;
    site->owner = &dolon__owner;
    site->kind = DOLON__SCOPE_SITE;
    dolon__join(site);
    return site;
}

/* As if so many had left it, of so many ticks each. */
static void measure(const dolon_site *site, uint64_t ticks, uint32_t times)
{
    dolon__histogram *h = &dolon__histogram_table[site->cell - DOLON__FIRST_CELL];
    uint32_t bucket = dolon__bucket(ticks);
    h->counts[bucket] += times;
    h->used |= UINT64_C(1) << bucket / DOLON__OCTAVE_BUCKETS;
}

/* ---- little room: these come first, while the scopes below are all there are, and a row leaves some of 4 KiB ---- */

enum { SCOPES = 30, WIDELY = 42 * 8 };
static dolon_site *sites[SCOPES];

static void make_scopes(void)
{
    static char names[SCOPES][16];
    for (int i = 0; i < SCOPES && !sites[i]; i++) {
        snprintf(names[i], sizeof names[i], "scope %d", i);
        sites[i] = make_site(names[i]);
    }
}

/* The first `count` scopes, each in WIDELY buckets, of which 512 bytes have room for three quarters. */
static void measure_widely(int count)
{
    for (int i = 0; i < count; i++)
        for (unsigned digit = 3; digit < 45; digit++)
            for (uint64_t part = 0; part < 8; part++)
                measure(sites[i], (UINT64_C(1) << digit) + (part << (digit - 3)), 1);
}

/* All come in turn, though new ones are measured meanwhile; and when those cease, each has been told once. */
static void little_room_is_shared(void **state)
{
    enum { ROUNDS = 200 };
    int64_t now = 0;
    (void)state;
    make_scopes();
    teller l = make_teller(4096);
    for (int i = 0; i < ROUNDS; i++) {
        measure_widely(SCOPES);
        tick(&l, now += SECOND, 0);
    }
    assert_int_equal(l.rows, ROUNDS);
    assert_int_equal(l.most, 512 / 8);
    for (int i = 0; i < SCOPES; i++) {
        const histogram *h = told_of(&l, sites[i]->name);
        assert_int_equal(h->count, WIDELY);
        for (size_t k = 0; k < h->count; k++) assert_true(h->bins[k].count > ROUNDS / 2);
    }
    for (int i = 0; i < 100; i++) tick(&l, now += SECOND, 0);
    for (int i = 0; i < SCOPES; i++) assert_int_equal(histogram_total(told_of(&l, sites[i]->name)), ROUNDS * WIDELY);
    free_teller(&l);
}

/* Also those whose turn it is not: what is free in the ring is room for all of three scopes. */
static void the_last_row_tells_the_rest(void **state)
{
    (void)state;
    make_scopes();
    teller l = make_teller(4096);
    for (int i = 0; i < 10; i++) {
        measure_widely(3);
        tick(&l, i * SECOND, 0);
        assert_true(l.most <= 512 / 8);
    }
    tick(&l, 10 * SECOND, 1);
    for (int i = 0; i < 3; i++) assert_int_equal(histogram_total(told_of(&l, sites[i]->name)), 10 * WIDELY);
    free_teller(&l);
}

/* The words of a row never make it larger than the ring, or than the wire allows. */
static void room_there_is(void **state)
{
    static const struct {
        size_t ring;
        uint64_t used;
        uint32_t columns;
        int last;
        size_t room;
    } table[] = {
        {4096, 0, 10, 0, 512},      {4096, 4096, 10, 0, 512},      {4096, 0, 10, 1, 4000},
        {4096, 3000, 10, 1, 1000},  {4096, 3500, 10, 1, 512},      {4096, 4096, 10, 1, 512},
        {4100, 0, 10, 0, 512},      {4096, 0, 505, 0, 40},         {4096, 0, 510, 0, 0},
        {4096, 0, 511, 1, 0},       {4096, 0, 1024, 0, 0},         {262144, 0, 400, 0, 16384},
        {262144, 0, 400, 1, 16384}, {16777216, 0, 1024, 1, 16384}, {65536, 60000, 10, 1, 8192},
    };
    (void)state;
    teller l = make_teller(4096);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        dolon__ring *r = &l.tracer->session.ring;
        r->size = table[i].ring;
        r->oldest.at = 1000;
        r->next.at = 1000 + table[i].used;
        assert_int_equal(dolon__telling_room(l.tracer, table[i].columns, table[i].last), table[i].room);
    }
    free_teller(&l);
}

/* ---- what is told ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of any width, from nothing to hours, against the sorted values. */
static void percentiles_of_all_rows_are_those_of_the_values(void **state)
{
    enum { MOST = 20000 };
    static const double shares[] = {0, 0.01, 0.5, 0.9, 0.99, 0.999, 1};
    static double values[MOST];
    (void)state;
    teller l = make_teller(256 * 1024);
    for (int round = 0; round < 40; round++) {
        static char name[40][16];
        snprintf(name[round], sizeof name[round], "round %d", round);
        dolon_site *site = make_site(name[round]);
        size_t n = round < 5 ? (size_t)round + 1 : 1 + random_below(MOST);
        uint64_t digits = 1 + random_below(45);
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            uint64_t ticks = random_below(UINT64_C(1) << random_below(digits + 1));
            measure(site, ticks, 1);
            values[i] = (double)ticks * 1e-9;
            sum += values[i];
            if (random_below(n) < 5)
                tick(&l, (int64_t)i * SECOND / 100, 0); /* the clock goes back at times: no matter */
        }
        tick(&l, 0, 1);
        qsort(values, n, sizeof values[0], by_value);
        const histogram *h = told_of(&l, name[round]);
        assert_int_equal(histogram_total(h), n);
        for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
            size_t rank = (size_t)ceil(shares[i] * (double)n);
            double exact = values[rank ? rank - 1 : 0];
            assert_true(fabs(histogram_rank(h, shares[i]) - exact) <= exact * ALLOWED + 1e-300);
        }
        assert_true(fabs(histogram_mean(h) - sum / (double)n) <= sum / (double)n * ALLOWED);
        free(site);
    }
    free_teller(&l);
}

static void work(dolon_site *site, int times)
{
    for (int i = 0; i < times; i++) {
        dolon_span one = dolon_enter(site);
        dolon_leave(&one);
    }
}

static void *work_in_a_thread(void *site)
{
    work(site, 100000);
    return NULL;
}

/* Scopes as they are: threads measure while rows are taken. */
static void each_hit_is_told_once(void **state)
{
    (void)state;
    teller l = make_teller(256 * 1024);
    dolon_site *site = make_site("hit");
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work_in_a_thread, site), 0);
    for (int i = 0; i < 50; i++) {
        work(site, 1000);
        tick(&l, i * SECOND, 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) pthread_join(threads[i], NULL);
    tick(&l, 50 * SECOND, 1);
    assert_int_equal(histogram_total(told_of(&l, "hit")), 450000);
    assert_true(hits(&l, "hit") == 450000);
    free_teller(&l);
    free(site);
}

/* With rows a tenth of a second apart, each tenth has them, and the one at the end. */
static void once_a_second(void **state)
{
    (void)state;
    teller l = make_teller(256 * 1024);
    dolon_site *site = make_site("often");
    for (int i = 0; i <= 55; i++) {
        measure(site, 1000, 2);
        tick(&l, 7 * SECOND + i * 100 * MS, i == 55);
        size_t due = (size_t)i / 10 + 1 + (i == 55);
        assert_int_equal(l.rows, due);
        assert_int_equal(histogram_total(told_of(&l, "often")), i == 55 ? 112 : (uint64_t)(i / 10 * 20 + 2));
    }
    tick(&l, 100 * SECOND, 0); /* nothing new: none */
    assert_int_equal(l.rows, 7);
    free_teller(&l);
    free(site);
}

/* Each from its own start on. */
static void each_tracer_tells_all(void **state)
{
    (void)state;
    dolon_site *site = make_site("shared");
    teller first = make_teller(256 * 1024);
    measure(site, 5000, 3);
    teller second = make_teller(256 * 1024);
    measure(site, 5000, 4);
    tick(&first, SECOND, 0);
    measure(site, 7000, 5);
    tick(&second, SECOND, 1);
    tick(&first, SECOND, 1);
    assert_int_equal(histogram_total(told_of(&first, "shared")), 12);
    assert_int_equal(histogram_total(told_of(&second, "shared")), 9);
    free_teller(&first);
    free_teller(&second);
    free(site);
}

/* A scope that joins later is told from then on; one of which nothing left, not at all. */
static void scopes_join(void **state)
{
    (void)state;
    teller l = make_teller(256 * 1024);
    tick(&l, 0, 0);
    dolon_site *late = make_site("late"), *idle = make_site("idle");
    measure(late, 100, 2);
    tick(&l, SECOND, 0);
    assert_int_equal(l.rows, 1);
    assert_int_equal(histogram_total(told_of(&l, "late")), 2);
    assert_int_equal(histogram_total(told_of(&l, "idle")), 0);
    free_teller(&l);
    free(late);
    free(idle);
}

/* Neither the JSON wire, nor where scopes are brief; the column that they belong to says that they will come. */
static void only_where_they_are_wanted(void **state)
{
    static const dolon_desc brief = {.brief_scopes = 1}, all = {.brief_scopes = 0};
    static const struct {
        const dolon_desc *desc;
        int binary, measured, told;
    } table[] = {{&all, 1, 1, 1}, {&all, 0, 1, 0}, {&brief, 1, 0, 0}, {&brief, 0, 0, 0}};
    (void)state;
    dolon_site *site = make_site("wanted");
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        teller l = make_teller(256 * 1024);
        dolon_tracer *t = l.tracer;
        free(t->past);
        t->past = t->told = NULL;
        t->binary = table[i].binary;
        t->column_count = t->series_seen = 0;
        t->alloc = (dolon_alloc){dolon__malloc, dolon__malloc_free, NULL};
        assert_true(dolon__setup_past(t, table[i].desc));
        assert_int_equal(t->past != NULL, table[i].measured);
        measure(site, 100, 1);
        tick(&l, SECOND, 0);
        tick(&l, 2 * SECOND, 1);
        assert_int_equal(l.rows > 0, table[i].told);
        free_teller(&l);
    }
    free(site);
}

static void the_mean_is_the_histogram(void **state)
{
    static const struct {
        const char *suffix;
        int kind;
    } columns[] = {{"_hits", 1},         {"_active_instances", 0},
                   {"_average_time", 0}, {"_mean", 2},
                   {"_p50", 0},          {"_p90", 0},
                   {"_p99", 0},          {"_max", 0}};
    (void)state;
    uint8_t entry[3 + 2 * 255];
    dolon_site *site = make_site("kind");
    teller l = make_teller(256 * 1024);
    for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
        dolon__link_column(l.tracer, column_of(l.tracer, "kind", columns[i].suffix), entry);
        assert_int_equal(entry[0], columns[i].kind);
    }
    free_teller(&l);
    free(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(little_room_is_shared),
        cmocka_unit_test(the_last_row_tells_the_rest),
        cmocka_unit_test(room_there_is),
        cmocka_unit_test(percentiles_of_all_rows_are_those_of_the_values),
        cmocka_unit_test(each_hit_is_told_once),
        cmocka_unit_test(once_a_second),
        cmocka_unit_test(each_tracer_tells_all),
        cmocka_unit_test(scopes_join),
        cmocka_unit_test(only_where_they_are_wanted),
        cmocka_unit_test(the_mean_is_the_histogram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
