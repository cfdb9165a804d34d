/* SPDX-License-Identifier: MIT OR Unlicense
   rows: a traced program whose values tell which row they belong to: column c of row r is 1024 r + c. Rows counted from
   0, one that is missing, doubled, in another's place or mixed with another shows by its content.

       rows NAME=NUMBER…    the names are those in `words`

   Host, port and name come from the environment. It prints "sampled N" in the end, before that "lost N", as dolon
   counts them, if it says goodbye itself; and the log to stderr. */
#define DOLON_IMPLEMENTATION
#include "dolon.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static double count, interval = 0.1, columns = 1, join, joins = 4, marks, ring, datagram, goodbye, quits;

static const struct {
    const char *name;
    double *value;
} words[] = {
    {"count", &count},       /* rows, then it ends; 0: when its standard input does */
    {"interval", &interval}, /* s */
    {"columns", &columns},   /* at the start */
    {"join", &join},         /* after each so many rows one more column, … */
    {"joins", &joins},       /* … so many in all */
    {"marks", &marks},       /* a mark after each so many rows */
    {"ring", &ring},         /* bytes */
    {"datagram", &datagram}, /* bytes */
    {"goodbye", &goodbye},   /* s */
    {"quits", &quits},       /* 1: it returns from main() without dolon_stop() */
};

static long sampled; /* written by the timer thread */
static char names[DOLON_MAX_COLUMNS][16];
static int numbers[DOLON_MAX_COLUMNS];

static long rows_so_far(void)
{
    return __atomic_load_n(&sampled, __ATOMIC_RELAXED);
}

/* Probes are called in the order of their columns: the first begins a row. */
static double value(void *user)
{
    int column = *(const int *)user;
    if (column == 0) __atomic_store_n(&sampled, sampled + 1, __ATOMIC_RELAXED);
    return 1024.0 * (double)(sampled - 1) + column;
}

static dolon_probe probe(int column)
{
    dolon_probe p = {names[column], value, &numbers[column], NULL};
    numbers[column] = column;
    snprintf(names[column], sizeof names[column], "c%d", column);
    return p;
}

static void add_column(dolon_tracer *t, int column)
{
    dolon_probe p = probe(column);
    dolon_add_probe(t, &p);
}

static void print_log(void *user, dolon_error code, const char *message)
{
    (void)user;
    fprintf(stderr, "%d %s\n", (int)code, message);
}

/* After dolon's own, which has no priority: that one takes the last row if nobody called dolon_stop(). */
__attribute__((destructor(200))) static void print_sampled(void)
{
    printf("sampled %ld\n", rows_so_far());
    fflush(stdout);
}

static void read_word(const char *word)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t n = strlen(words[i].name);
        if (strncmp(word, words[i].name, n) != 0 || word[n] != '=') continue;
        *words[i].value = atof(word + n + 1);
        return;
    }
    fprintf(stderr, "rows: what is '%s'?\n", word);
    exit(2);
}

/* Looks after about a millisecond. */
static int is_over(void)
{
    struct pollfd in = {0, POLLIN, 0};
    char byte;
    if (count > 0) return usleep(1000), (double)rows_so_far() >= count;
    return poll(&in, 1, 1) > 0 && read(0, &byte, 1) <= 0;
}

int main(int argc, char **argv)
{
    static dolon_desc desc;
    dolon_tracer *t;
    int joined = 0, marked = 0;
    double joined_at = 0; /* so many rows: the next column joins in a later one */
    for (int i = 1; i < argc; i++) read_word(argv[i]);
    desc.interval = interval;
    desc.ring_bytes = (int)ring;
    desc.datagram_bytes = (int)datagram;
    desc.goodbye = goodbye;
    desc.log.fn = print_log;
    for (int i = 0; i < columns && i < DOLON_MAX_PROBES; i++) desc.probes[i] = probe(i);
    t = dolon_start(&desc);
    for (int i = DOLON_MAX_PROBES; i < columns; i++) add_column(t, i);
    for (int over = 0; !over;) { /* not before all is done that is due */
        double rows = (double)rows_so_far();
        over = is_over();
        if (join > 0 && joined < joins && rows >= (joined + 1) * join) {
            over = 0;
            if (rows >= joined_at + 2) add_column(t, (int)columns + joined++), joined_at = rows;
        }
        if (marks > 0 && rows >= (marked + 1) * marks && (count <= 0 || (marked + 1) * marks <= count)) {
            char label[32];
            snprintf(label, sizeof label, "mark %d", marked++);
            dolon_mark(t, label);
            over = 0;
        }
    }
    if (quits == 0) {
        dolon_stats stats;
        dolon_get_stats(t, &stats);
        printf("lost %lu\n", (unsigned long)stats.lost);
        dolon_stop(t);
    }
    return 0;
}
