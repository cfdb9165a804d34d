/* SPDX-License-Identifier: MIT OR Unlicense
   test_runs: the registry's rules, as what happens and what leaves; its parts (sequence numbers, names, hash) beside it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../server/runs/runs.h"
#include "../server/runs/runs_columns.h"
#include "../server/runs/runs_hash.h"
#include "../server/runs/runs_seqs.h"

/* ---- a script: commands, ";" between them, and the text of all that leaves ----
     t SECONDS                        the time from now on (it begins at 0)
     new RUN COLUMN,…  [KEY=VALUE …]  announced; keys: app, host, started, interval, tag, unit, pid
     row RUN VALUE,…   [#SEQ] [@TIME] "-" is no value
     mark RUN TEXT [@TIME]   end RUN stopped|crashed   alive RUN   lost RUN FIRST COUNT
     none RUN                         the store knows no such run …
     has RUN COLUMN,… [next=N] [rows=N] [last=SECONDS] [state=ended]     … or this (rows: as many as `next`)
     flush, final                     what is new leaves
   Out comes "?RUN" when the store is asked, and for a flush its parts and "|":
     RUN:STATE(COLUMNS) SEQ@TIME=VALUE,… gapSEQ+COUNT@FROM..UNTIL markN@TIME"TEXT" */

#define START (1000 * NS_PER_SECOND)

typedef struct {
    runs *r;
    int64_t now;
    buf out;
} script;

static int64_t seconds(const char *text)
{
    return START + (int64_t)(strtod(text, NULL) * (double)NS_PER_SECOND);
}

static double shown_time(int64_t t)
{
    return (double)(t - START) / (double)NS_PER_SECOND;
}

static uuid run_id(const char *letter)
{
    uuid id = {{0}};
    id.b[15] = (uint8_t)*letter;
    return id;
}

static void want(void *ctx, const uuid *run)
{
    buf_printf(&((script *)ctx)->out, "?%c ", run->b[15]);
}

static char *option(char **words, const char *key)
{
    size_t n = strlen(key);
    for (; *words; words++)
        if (strncmp(*words, key, n) == 0) return *words + n;
    return NULL;
}

static int64_t time_option(char **words, const char *key)
{
    const char *text = option(words, key);
    return text ? seconds(text) : NO_TIME;
}

static void do_new(script *s, char **words)
{
    static record_column columns[16];
    size_t count = 0;
    record r = {.kind = RECORD_ANNOUNCE, .run = run_id(words[1])};
    for (char *rest, *name = strtok_r(words[2], ",", &rest); name; name = strtok_r(NULL, ",", &rest))
        columns[count++] = (record_column){span_of(name), span_of(option(words, "unit=")), COLUMN_GAUGE};
    const char *pid = option(words, "pid="), *interval = option(words, "interval="), *tag = option(words, "tag=");
    record_tag tags[] = {{span_of("tag"), span_of(tag)}};
    const char *app = option(words, "app=");
    r.announce.app = span_of(app ? app : "app");
    r.announce.host = span_of(option(words, "host="));
    r.announce.build = r.announce.args = span_of("");
    r.announce.started = time_option(words, "started=");
    r.announce.pid = pid ? atoi(pid) : 0;
    r.announce.interval = interval ? seconds(interval) - START : 0;
    r.announce.columns = columns;
    r.announce.column_count = count;
    r.announce.tags = tags;
    r.announce.tag_count = tag != NULL;
    runs_take(s->r, &r, s->now);
}

static void do_row(script *s, char **words)
{
    double values[16];
    size_t count = 0;
    for (char *rest, *v = strtok_r(words[2], ",", &rest); v; v = strtok_r(NULL, ",", &rest))
        values[count++] = strcmp(v, "-") == 0 ? NAN : strtod(v, NULL);
    const char *seq = option(words, "#");
    record r = {.kind = RECORD_ROW, .run = run_id(words[1])};
    r.row.seq = seq ? strtoull(seq, NULL, 10) : NO_SEQ;
    r.row.time = time_option(words, "@");
    r.row.values = values;
    r.row.count = count;
    runs_take(s->r, &r, s->now);
}

static void do_answer(script *s, char **words)
{
    uuid id = run_id(words[1]);
    if (strcmp(words[0], "none") == 0) {
        runs_answer(s->r, &id, NULL, s->now);
        return;
    }
    const char *next = option(words, "next="), *state = option(words, "state="), *rows = option(words, "rows=");
    run_info *info = mem_calloc(1, sizeof *info);
    info->id = id;
    info->app = mem_strdup("app");
    info->host = mem_strdup("stored");
    info->build = mem_strdup("");
    info->args = mem_strdup("");
    info->place = mem_strdup("");
    info->note = mem_strdup("");
    info->user_tags = mem_strdup("");
    info->next_seq = next ? strtoull(next, NULL, 10) : 0;
    info->rows = rows ? strtoull(rows, NULL, 10) : info->next_seq;
    info->started = info->seen = START - 100 * NS_PER_SECOND;
    info->last = option(words, "last=") ? time_option(words, "last=") : info->started;
    info->state = state ? RUN_ENDED : RUN_LIVE;
    for (char *rest, *name = strtok_r(words[2], ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        info->columns = mem_resize(info->columns, info->column_count + 1, sizeof *info->columns);
        info->columns[info->column_count++] = (run_column){mem_strdup(name), mem_strdup(""), COLUMN_GAUGE};
    }
    runs_answer(s->r, &id, info, s->now);
}

static void do_other(script *s, char **words)
{
    record r = {.run = run_id(words[1])};
    if (strcmp(words[0], "mark") == 0) {
        r.kind = RECORD_MARK;
        r.mark.text = span_of(words[2]);
        r.mark.time = time_option(words, "@");
    } else if (strcmp(words[0], "end") == 0) {
        r.kind = RECORD_END;
        r.end.reason = strcmp(words[2], "crashed") == 0 ? END_CRASHED : END_STOPPED;
    } else if (strcmp(words[0], "lost") == 0) {
        r.kind = RECORD_LOST;
        r.lost.first_seq = strtoull(words[2], NULL, 10);
        r.lost.count = strtoull(words[3], NULL, 10);
    } else {
        assert_string_equal(words[0], "alive");
        r.kind = RECORD_ALIVE;
    }
    runs_take(s->r, &r, s->now);
}

static void show_part(buf *out, const batch_part *p)
{
    buf_printf(out, "%c:%s(", p->info->id.b[15], run_state_name(p->info->state));
    assert_int_equal(p->columns, p->info->column_count);
    for (size_t i = 0; i < p->info->column_count; i++)
        buf_printf(out, "%s%s", i ? "," : "", p->info->columns[i].name);
    buf_text(out, ") ");
    for (size_t row = 0; row < p->rows; row++) {
        buf_printf(out, "%llu@%g=", (unsigned long long)p->seq[row], shown_time(p->time[row]));
        for (size_t i = 0; i < p->columns; i++) {
            double v = p->values[row * p->columns + i];
            buf_text(out, i ? "," : "");
            if (isnan(v))
                buf_text(out, "-");
            else
                buf_double(out, v);
        }
        buf_text(out, " ");
    }
    for (size_t i = 0; i < p->event_count; i++) {
        const run_event *e = &p->events[i];
        if (e->kind == EVENT_GAP)
            buf_printf(out, "gap%llu+%llu@%g..%g ", (unsigned long long)e->seq, (unsigned long long)e->count,
                       shown_time(e->time), shown_time(e->until));
        else
            buf_printf(out, "mark%llu@%g\"%s\" ", (unsigned long long)e->seq, shown_time(e->time), e->text);
    }
}

static void do_flush(script *s, bool final)
{
    batch *b = runs_flush(s->r, s->now, final);
    for (size_t i = 0; b && i < b->count; i++) show_part(&s->out, &b->parts[i]);
    if (b) assert_true(b->bytes > 0);
    batch_free(b);
    buf_text(&s->out, "| ");
}

static void command(script *s, char *text)
{
    char *words[16] = {0};
    size_t count = 0;
    for (char *rest, *w = strtok_r(text, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) words[count++] = w;
    if (!count) return;
    if (strcmp(words[0], "t") == 0)
        s->now = seconds(words[1]);
    else if (strcmp(words[0], "new") == 0)
        do_new(s, words);
    else if (strcmp(words[0], "row") == 0)
        do_row(s, words);
    else if (strcmp(words[0], "none") == 0 || strcmp(words[0], "has") == 0)
        do_answer(s, words);
    else if (strcmp(words[0], "flush") == 0 || strcmp(words[0], "final") == 0)
        do_flush(s, words[0][1] == 'i');
    else
        do_other(s, words);
}

static void show_counters(buf *out, const runs_counters *c)
{
#define X(name, text)                                                                                                \
    if (c->name) buf_printf(out, #name "=%llu ", (unsigned long long)c->name);
    RUNS_COUNTERS(X)
#undef X
}

typedef struct {
    const char *commands, *out, *counters;
} story;

static void play(const story *st, const runs_limits *limits)
{
    script s = {.now = START};
    s.r = runs_new(limits, want, &s);
    char *text = mem_strdup(st->commands);
    for (char *rest, *one = strtok_r(text, ";", &rest); one; one = strtok_r(NULL, ";", &rest)) command(&s, one);
    if (strcmp(s.out.n ? s.out.p : "", st->out) != 0) print_error("in: %s\n", st->commands);
    assert_string_equal(s.out.n ? s.out.p : "", st->out);
    s.out.n = 0;
    buf_text(&s.out, "");
    show_counters(&s.out, runs_stats(s.r));
    if (strcmp(s.out.p, st->counters) != 0) print_error("in: %s\n", st->commands);
    assert_string_equal(s.out.p, st->counters);
    buf_free(&s.out);
    free(text);
    runs_free(s.r);
}

#define PLAY(stories, limits)                                                                                        \
    for (size_t i_ = 0; i_ < ARRAY_LEN(stories); i_++) play(&(stories)[i_], limits)

/* ---- the stories ---- */

#define KNOWN "new A a,b; none A; flush; " /* a run that is announced and answered for … */
#define OUT   "?A A:live(a,b) | "          /* … and what that makes                      */

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

#define FAT(c) c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define EIGHT  FAT("a") "," FAT("b") "," FAT("c") "," FAT("d") "," FAT("e") "," FAT("f") "," FAT("g") "," FAT("h")
#define MANY   EIGHT "," FAT("i") "," FAT("j") "," FAT("k") "," FAT("l")

static void bounds(void **state)
{
    (void)state;
    const runs_limits few_runs = {.runs = 2}, few_rows = {.pending_rows = 2}, small = {.info_bytes = 2300};
    static const story runs_stories[] = {
        {"new A a; new B b; none A; none B; row A 1; flush; new C c; none C; row B 2; flush",
         "?A ?B A:live(a) 0@0=1 B:live(b) | ?C ?B C:live(c) | ", "rows=1 evicted=2 "},
        /* strangers make room for each other, not at a known run's cost */
        {"new A a; none A; flush; row X 1; row Y 1; row Z 1; row A 2; flush",
         "?A A:live(a) | ?X ?Y ?Z A:live(a) 0@0=2 | ", "rows=1 orphans=2 evicted=2 "},
        /* a forgotten run's news leaves all the same, and it goes on when it speaks */
        {"new A a; none A; row A 1 #0; row A 1 #2; new B b; none B; new C c; none C; flush; row A 2 #3; has A a "
         "next=3; flush",
         "?A ?B A:live(a) 0@0=1 2@0=1 gap1+1@0..0 B:live(b) C:live(c) | ?A A:live(a) 3@0=2 | ", "rows=3 evicted=2 "},
    };
    static const story forgotten[] = {
        /* a run that comes back is asked for when the store can have what it said before */
        {"new A a; none A; row A 1; new B b; none B; new C c; row A 2; flush; flush; has A a next=1; flush",
         "?A ?B A:live(a) 0@0=1 B:live(b) | ?A | A:live(a) 1@0=2 | ", "rows=2 evicted=2 "},
    };
    PLAY(forgotten, &few_runs);
    PLAY(runs_stories, &few_runs);
    static const story rows_stories[] = {
        {"row A 1; row B 1; row A 2; none B; new B b; flush", "?A ?B B:live(b) 0@0=1 | ", "rows=1 orphans=2 "},
        {"new A a; row A 1; row A 2; row A 3; flush", "?A A:live(a) 0@0=1 1@0=2 2@0=3 | ", "rows=3 "},
        {"row A 1; row A 2; row A 3; row A 4; flush", "?A ?A | ", "orphans=3 "},
    };
    PLAY(rows_stories, &few_rows);
    static const story small_stories[] = {
        {"new A a; none A; new B a; none B; new C " MANY "; none C; flush",
         "?A ?B ?C A:live(a) B:live(a) C:live(" MANY ") | ", "evicted=2 "},
    };
    PLAY(small_stories, &small);
    static const story forgetting[] = {
        {KNOWN "t 599; flush; t 600; flush; t 601; row A 1,2; has A a,b next=5; flush",
         OUT "| | ?A A:live(a,b) 5@601=1,2 | ", "rows=1 "},
    };
    PLAY(forgetting, NULL);
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

/* ---- much ---- */

static void note_want(void *ctx, const uuid *run)
{
    (void)run;
    ++*(size_t *)ctx;
}

static void take_new(runs *r, uint32_t n, const char *column)
{
    record_column c = {span_of(column), span_of(""), COLUMN_GAUGE};
    record rec = {.kind = RECORD_ANNOUNCE};
    memcpy(rec.run.b, &n, sizeof n);
    rec.announce.app = span_of("app");
    rec.announce.started = NO_TIME;
    rec.announce.columns = &c;
    rec.announce.column_count = 1;
    runs_take(r, &rec, START);
}

static size_t flush_parts(runs *r)
{
    batch *b = runs_flush(r, START, false);
    size_t parts = b ? b->count : 0;
    batch_free(b);
    return parts;
}

static void many_runs(void **state)
{
    (void)state;
    size_t asked = 0, parts = 0;
    runs *r = runs_new(NULL, note_want, &asked);
    enum { count = 70000 };
    for (uint32_t n = 0; n < count; n++) {
        take_new(r, n, "c");
        uuid id = {{0}};
        memcpy(id.b, &n, sizeof n);
        runs_answer(r, &id, NULL, START);
        if (n % 1000 == 0) parts += flush_parts(r);
    }
    parts += flush_parts(r);
    assert_int_equal(parts, count);
    assert_int_equal(runs_count(r), 65536);
    assert_int_equal(runs_stats(r)->evicted, count - 65536);
    runs_free(r);
}

/* Strangers' runs do not keep the store busy: the next is asked for when an answer came. */
static void asks_bounded(void **state)
{
    (void)state;
    size_t asked = 0;
    runs *r = runs_new(NULL, note_want, &asked);
    uuid id = {{0}};
    for (uint32_t n = 0; n < 1000; n++) take_new(r, n, "c");
    assert_int_equal(asked, ASK_AT_ONCE);
    runs_answer(r, &id, NULL, START);
    assert_int_equal(asked, ASK_AT_ONCE + 1);
    batch *b = runs_flush(r, START + PENDING_SECONDS * NS_PER_SECOND, false);
    assert_int_equal(b->count, 1000); /* those that were not asked for go on like those not answered for */
    batch_free(b);
    assert_int_equal(asked, ASK_AT_ONCE + 1);
    runs_free(r);
}

static void full_batches(void **state)
{
    (void)state;
    runs_limits limits = {.batch_bytes = 100000};
    size_t asked = 0;
    runs *r = runs_new(&limits, note_want, &asked);
    take_new(r, 1, "c");
    uuid id = {{1}};
    runs_answer(r, &id, NULL, START);
    double value = 1;
    record row = {
        .kind = RECORD_ROW, .run = id, .row = {.seq = NO_SEQ, .time = NO_TIME, .values = &value, .count = 1}};
    size_t rows = 0;
    while (!runs_full(r)) runs_take(r, &row, START), rows++;
    assert_in_range(rows, 1000, 100000);
    batch *b = runs_flush(r, START, false);
    assert_int_equal(b->parts[0].rows, rows);
    assert_in_range(b->bytes, 100000, 110000);
    assert_false(runs_full(r));
    batch_free(b);
    runs_free(r);
}

/* The store is told whose rows it may renumber: those to which the server gave their numbers. */
static void who_numbers(void **state)
{
    (void)state;
    static const struct {
        uint64_t seqs[2];
        bool counted;
    } cases[] = {{{NO_SEQ, NO_SEQ}, true}, {{0, 1}, false}, {{NO_SEQ, 1}, false}, {{0, NO_SEQ}, false}};
    for (uint32_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t asked = 0;
        runs *r = runs_new(NULL, note_want, &asked);
        uuid id = {{(uint8_t)i}};
        double value = 1;
        take_new(r, i, "c");
        runs_answer(r, &id, NULL, START);
        for (int k = 0; k < 2; k++) {
            record row = {.kind = RECORD_ROW, .run = id, .row = {.time = NO_TIME, .values = &value, .count = 1}};
            row.row.seq = cases[i].seqs[k];
            runs_take(r, &row, START);
        }
        batch *b = runs_flush(r, START, false);
        assert_int_equal(b->parts[0].info->counted, cases[i].counted);
        assert_false(b->parts[0].info->acked);
        batch_free(b);
        runs_free(r);
    }
}

static void marks_bounded(void **state)
{
    (void)state;
    size_t asked = 0;
    runs *r = runs_new(NULL, note_want, &asked);
    take_new(r, 1, "c");
    uuid id = {{1}};
    runs_answer(r, &id, NULL, START);
    record mark = {.kind = RECORD_MARK, .run = id, .mark = {.time = 1, .text = span_of("m")}};
    for (int i = 0; i < MARKS_PER_ROW + 5; i++) runs_take(r, &mark, START);
    batch *b = runs_flush(r, START, false);
    assert_int_equal(b->parts[0].event_count, MARKS_PER_ROW);
    assert_int_equal(runs_stats(r)->dropped_marks, 5);
    batch_free(b);
    runs_free(r);
}

/* ---- sequence numbers ---- */

/* Rows in any order and number, against a plain table of what came. */
static void seqs_against_table(void **state)
{
    (void)state;
    enum { rows = 600, rounds = 200 };
    unsigned random = 1;
    for (int round = 0; round < rounds; round++) {
        seqs s = {0};
        bool came[rows] = {false};
        uint64_t highest = 0;
        for (int i = 0; i < rows; i++) {
            random = random * 1103515245 + 12345;
            uint64_t seq = (random >> 16) % (unsigned)(i + 20 < rows ? i + 20 : rows);
            int64_t time = (int64_t)seq;
            bool above = seq >= highest;
            seq_verdict v = seqs_take(&s, seq, &time, 0, 0);
            assert_int_equal(v, came[seq] ? SEQ_SEEN : above ? SEQ_NEW : SEQ_LATE);
            came[seq] = true;
            if (above) highest = seq + 1;
        }
        hole *gaps;
        size_t count = seqs_expire(&s, 0, &gaps);
        for (size_t i = 0; i < count; i++) {
            assert_true(gaps[i].first < gaps[i].end);
            assert_int_equal(gaps[i].after, gaps[i].end);
            if (gaps[i].first) assert_int_equal(gaps[i].before, gaps[i].first - 1);
            for (uint64_t q = gaps[i].first; q < gaps[i].end; q++) {
                assert_false(came[q]);
                came[q] = true;
            }
        }
        for (uint64_t q = 0; q < highest; q++) assert_true(came[q]);
        assert_null(s.holes);
        free(gaps);
    }
}

static void holes_bounded(void **state)
{
    (void)state;
    seqs s = {0};
    hole *gaps;
    for (uint64_t i = 0; i < SEQS_HOLES; i++) {
        int64_t time = 0;
        seqs_take(&s, 2 * i + 1, &time, 0, 100);
    }
    assert_int_equal(seqs_expire(&s, 99, &gaps), 0);
    assert_null(gaps);
    int64_t time = 0;
    seqs_take(&s, 10000, &time, 0, 100);
    assert_int_equal(seqs_expire(&s, 99, &gaps), 1);
    assert_int_equal(gaps[0].first, 0);
    free(gaps);
    seqs_free(&s);
}

/* ---- names ---- */

static void column_names(void **state)
{
    (void)state;
    hash_key key = {1, 2};
    static const struct {
        const char *in[5], *out[5];
        size_t clipped, renamed;
    } cases[] = {
        {{"a", "b"}, {"a", "b"}, 0, 0},
        {{"a", "a", "a"}, {"a", "a (2)", "a (3)"}, 0, 2},
        {{"a", "a (2)", "a"}, {"a", "a (2)", "a (3)"}, 0, 1},
        {{"a", "a", "a (2)"}, {"a", "a (2)", "a (2) (2)"}, 0, 2},
        {{"", ""}, {"", " (2)"}, 0, 1},
        {{"a\n", "a\t"}, {"a ", "a  (2)"}, 2, 1},
        {{"<b>'\"; drop table x"}, {"<b>'\"; drop table x"}, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        record_column in[5];
        size_t count = 0;
        for (; count < 5 && cases[i].in[count]; count++)
            in[count] = (record_column){.name = span_of(cases[i].in[count])};
        columns_changes changes;
        run_column *out = columns_make(in, count, 0, key, &changes);
        for (size_t k = 0; k < count; k++) assert_string_equal(out[k].name, cases[i].out[k]);
        assert_int_equal(changes.clipped, cases[i].clipped);
        assert_int_equal(changes.renamed, cases[i].renamed);
        columns_free(out, count);
    }
}

static void long_equal_names(void **state)
{
    (void)state;
    enum { size = 10000 };
    char *name = mem_alloc(size);
    memset(name, 'x', size);
    record_column *in = mem_calloc(MAX_COLUMNS, sizeof *in);
    for (size_t i = 0; i < MAX_COLUMNS; i++) in[i].name = (span){name, size};
    columns_changes changes;
    run_column *out = columns_make(in, MAX_COLUMNS, 0, hash_new_key(), &changes);
    assert_int_equal(changes.clipped, MAX_COLUMNS);
    assert_int_equal(changes.renamed, MAX_COLUMNS - 1);
    assert_int_equal(strlen(out[0].name), MAX_NAME_BYTES);
    assert_int_equal(strlen(out[1].name), MAX_NAME_BYTES);
    assert_string_equal(out[1].name + MAX_NAME_BYTES - 5, "x (2)");
    assert_string_equal(out[MAX_COLUMNS - 1].name + MAX_NAME_BYTES - 8, "x (4096)");
    columns_free(out, MAX_COLUMNS);
    free(in);
    free(name);
}

static void siphash(void **state) /* the vector of the paper's appendix A */
{
    (void)state;
    unsigned char bytes[15];
    for (unsigned char i = 0; i < sizeof bytes; i++) bytes[i] = i;
    hash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    assert_true(hash_bytes(key, bytes, sizeof bytes) == 0xa129ca6149be45e5);
    hash_key a = hash_new_key(), b = hash_new_key();
    assert_true(a.k0 != b.k0 || a.k1 != b.k1);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_times),   cmocka_unit_test(sequence),
        cmocka_unit_test(announcing),       cmocka_unit_test(strangers),
        cmocka_unit_test(server_restarted), cmocka_unit_test(ends_and_marks),
        cmocka_unit_test(bounds),           cmocka_unit_test(facts),
        cmocka_unit_test(many_runs),        cmocka_unit_test(asks_bounded),
        cmocka_unit_test(full_batches),     cmocka_unit_test(who_numbers),
        cmocka_unit_test(marks_bounded),    cmocka_unit_test(seqs_against_table),
        cmocka_unit_test(holes_bounded),    cmocka_unit_test(column_names),
        cmocka_unit_test(long_equal_names), cmocka_unit_test(siphash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
