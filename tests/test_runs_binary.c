/* SPDX-License-Identifier: MIT OR Unlicense
   test_runs_binary: the server's state machine of the binary wire (WIRE.md, "What the server does"), as what comes and
   what leaves: batches and acknowledgements. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../server/base/bytes.h"
#include "../server/runs/runs.h"

/* ---- a script: commands, ";" between them, and the text of all that leaves ----
     t SECONDS                        the time from now on (it begins at 0)
     from ADDRESS BYTES               what follows comes in datagrams of so many bytes from there (at first: x 1000)
     sealed COUNTER                   what follows is sealed; counters rise by one a datagram
     facts RUN [place=P] [pid=N]      cols RUN FIRST NAME,…
     rows RUN SEQ VALUE,… [VALUE,…]   rows from SEQ on, sampled at the second of their number …
          [kept=N] [next=N] [columns=N first=N]                                  … or slices of them
     row RUN SEQ VALUE,… HEX          one with histograms, the bytes HEX …
          [kept=N] [first=N slice=N]                                             … or so many of its cells
     beat RUN NEXT [kept=N]           marks RUN FIRST TEXT,… [kept=N]
     bye RUN NEXT [kept=N] [marks=N] [crashed]
     json RUN                         a row by the JSON wire
     none RUN                         the store knows no such run …
     has RUN NAME,… [next=N] [marks=N] [counter=N] [ended]                                   … or this
     behind, even                     the store is, or not
     flush                            what is new leaves
     commit                           what has left is durable
     acks                             those that are due are sent
     suspects PLACE                   whose process may have died there …
     crashed RUN                      … and whose has
   Out comes "?RUN" when the store is asked, for a flush its parts and "|":
     RUN:STATE(COLUMNS) SEQ=VALUE,…{HISTOGRAMS} gapSEQ+COUNT@FROM..UNTIL markN"TEXT" next N,
   and for an acknowledgement
     <ADDRESS RUN[known][,ended] COLUMNS/MARKS ROWS-SEEN-TOP [FIRST+COUNT …]>
   and for suspects RUN=PID … and "!" */

#define START (1000 * NS_PER_SECOND)

typedef struct {
    runs *r;
    int64_t now;
    peer from;
    size_t bytes;
    uint64_t counter; /* of the next datagram; 0: they are not sealed */
    receipt left[64];
    size_t left_count;
    buf out;
} script;

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

static uint64_t number(char **words, const char *key, uint64_t otherwise)
{
    size_t n = strlen(key);
    for (; *words; words++)
        if (strncmp(*words, key, n) == 0) return strtoull(*words + n, NULL, 10);
    return otherwise;
}

static const char *text_option(char **words, const char *key)
{
    size_t n = strlen(key);
    for (; *words; words++)
        if (strncmp(*words, key, n) == 0) return *words + n;
    return "";
}

static bool has_word(char **words, const char *word)
{
    for (; *words; words++)
        if (strcmp(*words, word) == 0) return true;
    return false;
}

static void give(script *s, record *r, char **words)
{
    r->run = run_id(words[1]);
    if (s->counter) r->counter = s->counter++;
    runs_take_from(s->r, r, &s->from, s->bytes, s->now);
}

/* ---- what comes ---- */

static void do_facts(script *s, char **words)
{
    record r = {.kind = RECORD_FACTS};
    r.announce.app = span_of("app");
    r.announce.started = START;
    r.announce.place = span_of(text_option(words + 2, "place="));
    r.announce.pid = (int64_t)number(words + 2, "pid=", 0);
    r.announce.born = 5;
    give(s, &r, words);
}

static void do_cols(script *s, char **words)
{
    record_column columns[16];
    record r = {.kind = RECORD_COLUMNS};
    r.names.first = (uint32_t)atoi(words[2]);
    for (char *rest, *name = strtok_r(words[3], ",", &rest); name; name = strtok_r(NULL, ",", &rest))
        columns[r.names.count++] = (record_column){span_of(name), span_of(""), COLUMN_GAUGE};
    r.names.columns = columns;
    give(s, &r, words);
}

static void do_rows(script *s, char **words)
{
    double values[64];
    int64_t time[16];
    size_t n = 0;
    record r = {.kind = RECORD_ROWS};
    record_rows *rows = &r.rows;
    rows->seq = strtoull(words[2], NULL, 10);
    for (char **w = words + 3; *w && !strchr(*w, '='); w++, rows->count++) {
        rows->slice = 0;
        for (char *rest, *v = strtok_r(*w, ",", &rest); v; v = strtok_r(NULL, ",", &rest), rows->slice++)
            values[n++] = strtod(v, NULL);
        time[rows->count] = START + (int64_t)(rows->seq + rows->count) * NS_PER_SECOND;
    }
    rows->columns = (uint32_t)number(words + 3, "columns=", rows->slice);
    rows->first = (uint32_t)number(words + 3, "first=", 0);
    rows->next = number(words + 3, "next=", rows->seq + rows->count);
    rows->kept = number(words + 3, "kept=", 0);
    rows->offset = (int64_t)number(words + 3, "ms=", 0) * NS_PER_MS;
    rows->time = time;
    rows->values = values;
    give(s, &r, words);
}

static void do_row(script *s, char **words)
{
    double cells[64] = {0};
    record r = {.kind = RECORD_ROWS};
    record_rows *rows = &r.rows;
    rows->seq = strtoull(words[2], NULL, 10);
    int64_t time = START + (int64_t)rows->seq * NS_PER_SECOND;
    for (char *rest, *v = strtok_r(words[3], ",", &rest); v; v = strtok_r(NULL, ",", &rest))
        cells[rows->columns++] = strtod(v, NULL);
    size_t bytes = strlen(words[4]) / 2;
    for (size_t i = 0; i < bytes; i++) {
        unsigned byte;
        assert_int_equal(sscanf(words[4] + 2 * i, "%2x", &byte), 1);
        ((uint8_t *)(cells + rows->columns))[i] = (uint8_t)byte;
    }
    rows->words = (uint32_t)(bytes + 7) / 8;
    rows->first = (uint32_t)number(words + 5, "first=", 0);
    rows->slice = (uint32_t)number(words + 5, "slice=", rows->columns + rows->words);
    rows->next = rows->seq + 1;
    rows->kept = number(words + 5, "kept=", 0);
    rows->count = 1;
    rows->time = &time;
    rows->values = cells + rows->first;
    give(s, &r, words);
}

static void do_beat(script *s, char **words)
{
    uint64_t next = strtoull(words[2], NULL, 10);
    record r = {.kind = RECORD_ROWS};
    r.rows = (record_rows){.kept = number(words + 3, "kept=", 0), .next = next, .seq = next};
    give(s, &r, words);
}

static void do_marks(script *s, char **words)
{
    record_label labels[16];
    record r = {.kind = RECORD_MARKS};
    r.marks.first = (uint32_t)atoi(words[2]);
    for (char *rest, *text = strtok_r(words[3], ",", &rest); text; text = strtok_r(NULL, ",", &rest))
        labels[r.marks.count++] = (record_label){START, span_of(text)};
    r.marks.kept = (uint32_t)number(words + 4, "kept=", 0);
    r.marks.labels = labels;
    give(s, &r, words);
}

static void do_bye(script *s, char **words)
{
    record r = {.kind = RECORD_GOODBYE};
    r.goodbye.reason = has_word(words + 3, "crashed") ? END_CRASHED : END_STOPPED;
    r.goodbye.time = s->now;
    r.goodbye.next = strtoull(words[2], NULL, 10);
    r.goodbye.kept = number(words + 3, "kept=", 0);
    r.goodbye.marks = (uint32_t)number(words + 3, "marks=", 0);
    give(s, &r, words);
}

static void do_json(script *s, char **words)
{
    record r = {.kind = RECORD_ROW};
    r.row.seq = NO_SEQ;
    r.row.time = NO_TIME;
    give(s, &r, words);
}

static void do_has(script *s, char **words)
{
    static char app[] = "app", none[] = "";
    run_info blank = {.id = run_id(words[1]),
                      .app = app,
                      .host = none,
                      .build = none,
                      .args = none,
                      .place = none,
                      .note = none,
                      .user_tags = none};
    run_info *info = run_info_copy(&blank);
    info->next_seq = info->rows = number(words + 3, "next=", 0);
    info->next_mark = (uint32_t)number(words + 3, "marks=", 0);
    info->counter = number(words + 3, "counter=", 0);
    info->state = has_word(words + 3, "ended") ? RUN_ENDED : RUN_LIVE;
    info->started = info->last = info->seen = START;
    for (char *rest, *name = strtok_r(words[2], ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        info->columns = mem_resize(info->columns, info->column_count + 1, sizeof *info->columns);
        info->columns[info->column_count++] = (run_column){mem_strdup(name), mem_strdup(""), COLUMN_GAUGE};
    }
    runs_answer(s->r, &blank.id, info, s->now);
}

static void do_none(script *s, char **words)
{
    uuid id = run_id(words[1]);
    runs_answer(s->r, &id, NULL, s->now);
}

/* ---- what leaves ---- */

static void show_histograms(buf *out, span h)
{
    if (h.n) buf_text(out, "{");
    for (size_t i = 0; i < h.n; i++) buf_printf(out, "%02x", (uint8_t)h.p[i]);
    if (h.n) buf_text(out, "}");
}

static void show_part(buf *out, const batch_part *p)
{
    buf_printf(out, "%c:%s(", p->info->id.b[15], run_state_name(p->info->state));
    for (size_t i = 0; i < p->columns; i++) buf_printf(out, "%s%s", i ? "," : "", p->info->columns[i].name);
    buf_text(out, ") ");
    for (size_t row = 0; row < p->rows; row++) {
        assert_int_equal(p->time[row], START + (int64_t)p->seq[row] * NS_PER_SECOND);
        buf_printf(out, "%llu=", (unsigned long long)p->seq[row]);
        for (size_t i = 0; i < p->columns; i++)
            if (isnan(p->values[row * p->columns + i]))
                buf_text(out, i ? ",-" : "-");
            else
                buf_printf(out, "%s%g", i ? "," : "", p->values[row * p->columns + i]);
        show_histograms(out, row_histograms_of(&p->histograms, row));
        buf_text(out, " ");
    }
    for (size_t i = 0; i < p->event_count; i++) {
        const run_event *e = &p->events[i];
        if (e->kind == EVENT_GAP)
            buf_printf(out, "gap%llu+%llu@%g..%g ", (unsigned long long)e->seq, (unsigned long long)e->count,
                       (double)(e->time - START) / 1e9, (double)(e->until - START) / 1e9);
        else
            buf_printf(out, "mark%llu\"%s\" ", (unsigned long long)e->seq, e->text);
    }
    buf_printf(out, "next %llu ", (unsigned long long)p->info->next_seq);
    if (p->info->offset) buf_printf(out, "clock%+g ", (double)p->info->offset / 1e9);
}

static void do_flush(script *s, char **words)
{
    (void)words;
    batch *b = runs_flush(s->r, s->now, false);
    for (size_t i = 0; b && i < b->count; i++) {
        const run_info *info = b->parts[i].info;
        show_part(&s->out, &b->parts[i]);
        assert_true(info->acked);
        s->left[s->left_count++] = (receipt){.id = info->id,
                                             .rows = info->next_seq,
                                             .marks = info->next_mark,
                                             .columns = (uint32_t)info->column_count,
                                             .ended = info->state != RUN_LIVE};
    }
    batch_free(b);
    buf_text(&s->out, "| ");
}

static void do_commit(script *s, char **words)
{
    (void)words;
    for (size_t i = 0; i < s->left_count; i++) runs_durable(s->r, &s->left[i]);
    s->left_count = 0;
}

static uint64_t get(const uint8_t **p, int bytes)
{
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++) v |= (uint64_t) * (*p)++ << 8 * i;
    return v;
}

static void do_acks(script *s, char **words)
{
    uint8_t ack[RUNS_ACK_BYTES];
    peer to;
    (void)words;
    for (size_t n; (n = runs_next_ack(s->r, ack, &to)) > 0;) {
        const uint8_t *p = ack + 20;
        assert_memory_equal(ack, "\xD0\x10\x01\x81", 4);
        uint64_t flags = get(&p, 1), holes = get(&p, 1), columns = get(&p, 2), marks = get(&p, 4);
        uint64_t rows = get(&p, 8), seen = get(&p, 8), top = get(&p, 8);
        assert_int_equal(n, 52 + 12 * holes);
        buf_printf(&s->out, "<%c %c%s%s %d/%d %d-%d-%d", to.bytes[0], ack[19], flags & 1 ? " known" : "",
                   flags & 2 ? ",ended" : "", (int)columns, (int)marks, (int)rows, (int)seen, (int)top);
        for (; holes; holes--) {
            uint64_t first = get(&p, 8);
            buf_printf(&s->out, " %d+%d", (int)first, (int)get(&p, 4));
        }
        buf_text(&s->out, "> ");
    }
}

static void do_suspects(script *s, char **words)
{
    suspect found[3];
    size_t n = runs_suspects(s->r, words[1], found, ARRAY_LEN(found));
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(found[i].born, 5);
        buf_printf(&s->out, "%c=%d ", found[i].id.b[15], (int)found[i].pid);
    }
    buf_text(&s->out, "! ");
}

static void do_crashed(script *s, char **words)
{
    uuid id = run_id(words[1]);
    runs_crashed(s->r, &id);
}

static void do_clock(script *s, char **words)
{
    s->now = START + (int64_t)(strtod(words[1], NULL) * 1e9);
}

static void do_from(script *s, char **words)
{
    s->from = (peer){.bytes = {(uint8_t)*words[1]}, .size = 1, .source = {(uint8_t)*words[1]}};
    s->bytes = (size_t)atoi(words[2]);
}

static void do_sealed(script *s, char **words)
{
    s->counter = strtoull(words[1], NULL, 10);
}

static void do_behind(script *s, char **words)
{
    runs_set_behind(s->r, words[0][0] == 'b');
}

static void command(script *s, char *text)
{
    static const struct {
        const char *word;
        void (*act)(script *s, char **words);
    } known[] = {{"t", do_clock},           {"from", do_from},       {"facts", do_facts},   {"cols", do_cols},
                 {"rows", do_rows},         {"beat", do_beat},       {"bye", do_bye},       {"marks", do_marks},
                 {"json", do_json},         {"none", do_none},       {"has", do_has},       {"flush", do_flush},
                 {"acks", do_acks},         {"commit", do_commit},   {"even", do_behind},   {"behind", do_behind},
                 {"suspects", do_suspects}, {"crashed", do_crashed}, {"sealed", do_sealed}, {"row", do_row}};
    char *words[16] = {0};
    size_t count = 0, i = 0;
    for (char *rest, *w = strtok_r(text, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) words[count++] = w;
    if (!count) return;
    while (i < ARRAY_LEN(known) && strcmp(known[i].word, words[0]) != 0) i++;
    if (i == ARRAY_LEN(known)) fail_msg("no such command: %s", words[0]);
    known[i].act(s, words);
}

static void show_counters(buf *out, const runs_counters *c)
{
#define X(name, text)                                                                                                \
    if (c->name) buf_printf(out, #name "=%llu ", (unsigned long long)c->name);
    RUNS_COUNTERS(X)
#undef X
}

typedef struct {
    const char *commands, *out, *counters; /* counters NULL: not looked at */
} story;

static bool is_told(const story *st, const char *what, const char *is, const char *should)
{
    if (!should || strcmp(is, should) == 0) return true;
    fprintf(stderr, "in: %s\n%s: %s\nnot: %s\n", st->commands, what, is, should);
    return false;
}

static bool play(const story *st, const runs_limits *limits)
{
    script s = {.now = START, .from = {.bytes = {'x'}, .size = 1}, .bytes = 1000};
    s.r = runs_new(limits, want, &s);
    char *text = mem_strdup(st->commands);
    for (char *rest, *one = strtok_r(text, ";", &rest); one; one = strtok_r(NULL, ";", &rest)) command(&s, one);
    buf_text(&s.out, "");
    bool good = is_told(st, "out", s.out.p, st->out);
    s.out.n = 0;
    buf_text(&s.out, "");
    show_counters(&s.out, runs_stats(s.r));
    good &= is_told(st, "counted", s.out.p, st->counters);
    buf_free(&s.out);
    free(text);
    runs_free(s.r);
    return good;
}

static void play_all(const story *stories, size_t count, const runs_limits *limits)
{
    size_t good = 0;
    for (size_t i = 0; i < count; i++) good += play(&stories[i], limits);
    assert_int_equal(good, count);
}

#define PLAY(stories, limits) play_all(stories, ARRAY_LEN(stories), limits)

/* ---- the stories ---- */

/* A run whose columns a and b are durable, and what that makes. */
#define KNOWN "facts A; none A; cols A 0 a,b; flush; commit; acks; t 1; "
#define OUT   "?A A:live(a,b) next 0 | <x A known 2/0 0-0-0> "

static void identity(void **state)
{
    (void)state;
    static const story stories[] = {
        {KNOWN, OUT, "acks=1 "},
        /* nothing is said before there is something to say: the commit follows soon */
        {"facts A; none A; acks", "?A ", ""},
        {"facts A; facts A; acks; none A; facts A; acks", "?A ", ""},
        /* until the store has answered, nothing is taken and nothing said */
        {"facts A; cols A 0 a; rows A 0 7; acks; none A; flush", "?A A:live(a) next 0 | ", ""},
        /* a stranger is told that it is one; FACTS make it known */
        {"rows A 0 7; none A; acks; t 1; beat A 1; acks; facts A; cols A 0 a; rows A 0 7; flush",
         "?A <x A 0/0 0-0-0> <x A 0/0 0-0-0> A:live(a) 0=7 next 1 | ", "rows=1 acks=2 "},
        {"marks A 0 m; none A; acks; t 1; bye A 0; acks; flush", "?A <x A 0/0 0-0-0> <x A 0/0 0-0-0> | ", "acks=2 "},
        /* columns alone do not make it */
        {"cols A 0 a; none A; facts A; flush", "?A A:live() next 0 | ", ""},
        {"beat A 0; none A; t 11; flush; t 12; beat A 0", "?A | ?A ", ""}, /* forgotten */
        /* a run without columns has rows all the same */
        {"facts A; none A; rows A 0 columns=0; flush", "?A A:live() next 0 | ", ""},
        /* it asks again whether it is known */
        {KNOWN "facts A; acks", OUT "<x A known 2/0 0-0-0> ", "acks=2 "},
    };
    PLAY(stories, NULL);
}

static void columns(void **state)
{
    (void)state;
    static const story stories[] = {
        {KNOWN "cols A 2 c; rows A 0 1,2,3; flush", OUT "A:live(a,b,c) 0=1,2,3 next 1 | ", "rows=1 acks=1 "},
        {KNOWN "cols A 0 a,b,c; rows A 0 1,2; flush", OUT "A:live(a,b,c) 0=1,2,- next 1 | ", "rows=1 acks=1 "},
        /* a gap among them: the later ones wait for the earlier */
        {KNOWN "cols A 3 d; cols A 2 c; flush", OUT "A:live(a,b,c) next 0 | ", "acks=1 "},
        /* rows with a column that nobody has named stay with their client */
        {KNOWN "rows A 0 1,2,3; acks; cols A 2 c; rows A 0 1,2,3; flush",
         OUT "<x A known 2/0 0-0-0> A:live(a,b,c) 0=1,2,3 next 1 | ", "rows=1 held_off=1 acks=2 "},
        /* a column joins between rows: two parts */
        {KNOWN "rows A 0 1,2; cols A 2 c; rows A 1 1,2,3; flush",
         OUT "A:live(a,b) 0=1,2 next 1 A:live(a,b,c) 1=1,2,3 next 2 | ", "rows=2 acks=1 "},
        {KNOWN "cols A 0 a; acks", OUT "<x A known 2/0 0-0-0> ", "acks=2 "}, /* told again: it has not heard */
        {KNOWN "cols A 2 c; cols A 2 c; acks", OUT, "acks=1 "},              /* … but that is not durable yet */
        {KNOWN "cols A 2 a; flush", OUT "A:live(a,b,a (2)) next 0 | ", "renamed_columns=1 acks=1 "},
    };
    PLAY(stories, NULL);
}

static void rows(void **state)
{
    (void)state;
    static const story stories[] = {
        {KNOWN "rows A 0 1,2 3,4; acks; flush; acks; commit; acks",
         OUT "A:live(a,b) 0=1,2 1=3,4 next 2 | <x A known 2/0 2-2-2> ", "rows=2 acks=2 "},
        /* the wall clock is set, by more than what is noise: rows go on in their own time */
        {KNOWN "rows A 0 1,2 ms=1; flush; rows A 1 3,4 ms=7000; flush",
         OUT "A:live(a,b) 0=1,2 next 1 | A:live(a,b) 1=3,4 next 2 clock+7 | ", NULL},
        {KNOWN "rows A 0 1,2; rows A 0 1,2; acks; flush", OUT "<x A known 2/0 0-1-1> A:live(a,b) 0=1,2 next 1 | ",
         "rows=1 duplicates=1 acks=2 "},
        /* early rows wait; nothing that is early leaves */
        {KNOWN "rows A 1 3,4; acks; flush; t 2; rows A 3 7,8; acks; t 3; rows A 0 1,2; flush; rows A 2 5,6; flush",
         OUT "<x A known 2/0 0-0-2 0+1> A:live(a,b) next 0 | <x A known 2/0 0-0-4 0+1 2+1> A:live(a,b) 0=1,2 1=3,4 "
             "next 2 | "
             "A:live(a,b) 2=5,6 3=7,8 next 4 | ",
         "rows=4 acks=3 "},
        {KNOWN "rows A 1 3,4; rows A 1 3,4; acks", OUT "<x A known 2/0 0-0-2 0+1> ", "duplicates=1 acks=2 "},
        /* what the client has dropped is lost: a gap, with the first row after it */
        {KNOWN "rows A 0 1,2; rows A 3 7,8 kept=3; flush", OUT "A:live(a,b) 0=1,2 3=7,8 gap1+2@0..3 next 4 | ",
         "rows=2 acks=1 "},
        {KNOWN "rows A 0 1,2; rows A 2 5,6; rows A 4 9,9 kept=4; flush",
         OUT "A:live(a,b) 0=1,2 2=5,6 4=9,9 gap1+1@0..2 gap3+1@2..4 next 5 | ", "rows=3 acks=1 "},
        {KNOWN "rows A 0 1,2; beat A 5 kept=5; flush; commit; acks; t 6; rows A 5 1,1 kept=5; flush",
         OUT "A:live(a,b) 0=1,2 next 1 | <x A known 2/0 1-5-5> A:live(a,b) 5=1,1 gap1+4@0..5 next 6 | ",
         "rows=2 acks=2 "},
        /* a wide row in slices, in any order, some twice */
        {KNOWN "rows A 0 2 columns=2 first=1 next=1; rows A 0 2 columns=2 first=1 next=1; flush; rows A 0 1 "
               "columns=2; flush",
         OUT "A:live(a,b) next 0 | A:live(a,b) 0=1,2 next 1 | ", "rows=1 duplicates=1 acks=1 "},
    };
    PLAY(stories, NULL);
}

static void marks(void **state)
{
    (void)state;
    static const story stories[] = {
        {KNOWN "marks A 0 m,n; flush; commit; acks",
         OUT "A:live(a,b) mark0\"m\" mark1\"n\" next 0 | <x A known 2/2 0-0-0> ", "acks=2 "},
        {KNOWN "marks A 1 n; flush; marks A 0 m,n,o; flush",
         OUT "A:live(a,b) next 0 | A:live(a,b) mark0\"m\" mark1\"n\" mark2\"o\" next 0 | ", "acks=1 "},
        {KNOWN "marks A 0 m; flush; commit; acks; t 2; marks A 0 m; acks; flush",
         OUT "A:live(a,b) mark0\"m\" next 0 | <x A known 2/1 0-0-0> <x A known 2/1 0-0-0> A:live(a,b) next 0 | ",
         "acks=3 "},
        {KNOWN "marks A 3 p kept=3; flush", OUT "A:live(a,b) mark3\"p\" next 0 | ",
         "acks=1 "}, /* three were dropped */
    };
    PLAY(stories, NULL);
}

static void goodbye(void **state)
{
    (void)state;
    static const story stories[] = {
        {KNOWN "rows A 0 1,2; bye A 1; acks; flush; commit; acks",
         OUT "<x A known 2/0 0-1-1> A:ended(a,b) 0=1,2 next 1 | <x A known,ended 2/0 1-1-1> ", "rows=1 acks=3 "},
        {KNOWN "bye A 0 crashed; flush", OUT "A:crashed(a,b) next 0 | ", "acks=1 "},
        /* it waits for rows and marks … */
        {KNOWN "bye A 2; flush; rows A 1 3,4; flush; rows A 0 1,2; flush",
         OUT "A:live(a,b) next 0 | | A:ended(a,b) 0=1,2 1=3,4 next 2 | ", NULL},
        {KNOWN "bye A 0 marks=1; flush; marks A 0 m; flush",
         OUT "A:live(a,b) next 0 | A:ended(a,b) mark0\"m\" next 0 | ", NULL},
        /* … for 10 s after the last word; then the rest is lost */
        {KNOWN "rows A 1 3,4; bye A 3 marks=2; t 10.9; flush; t 11; flush; commit; acks",
         OUT "A:live(a,b) next 0 | A:ended(a,b) 1=3,4 gap0+1@0..1 gap2+1@1..1 next 3 | <x A known,ended 2/2 3-3-3> ",
         NULL},
        {KNOWN "bye A 1; t 10; bye A 1; flush; t 19.9; flush; t 20; flush",
         OUT "A:live(a,b) next 0 | | A:ended(a,b) gap0+1@0..10 next 1 | ", NULL},
        /* … or for 1 s, if nobody is left to send it */
        {KNOWN "bye A 2 crashed; t 1.9; flush; t 2; flush",
         OUT "A:live(a,b) next 0 | A:crashed(a,b) gap0+2@0..1 next 2 | ", NULL},
        /* the last rows went before they were sent */
        {KNOWN "rows A 0 1,2; t 3; bye A 4 kept=4; flush", OUT "A:ended(a,b) 0=1,2 gap1+3@0..3 next 4 | ", NULL},
        /* said again: it has not heard that it is durable */
        {KNOWN "bye A 0; flush; commit; acks; t 2; bye A 0; acks",
         OUT "A:ended(a,b) next 0 | <x A known,ended 2/0 0-0-0> <x A known,ended 2/0 0-0-0> ", NULL},
        /* it ended before the server was started again, yet lives */
        {"facts A; has A a next=5 ended; acks; rows A 5 1; flush",
         "?A <x A known,ended 1/0 5-5-5> A:live(a) 5=1 next 6 | ", NULL},
    };
    PLAY(stories, NULL);
}

static void restarts(void **state)
{
    (void)state;
    static const story stories[] = {
        {"rows A 7 1 2; has A a next=7 marks=2; acks; rows A 7 1 2; flush",
         "?A <x A known 1/2 7-7-7> A:live(a) 7=1 8=2 next 9 | ", "rows=2 acks=1 "},
        {"rows A 3 1; has A a next=7; t 1; rows A 3 1; acks", "?A <x A known 1/0 7-7-7> ", "duplicates=1 acks=1 "},
        {"facts A; cols A 0 a,b; has A a next=7; rows A 7 1,2; flush", "?A A:live(a,b) 7=1,2 next 8 | ", "rows=1 "},
        /* the store lost it, or is another: what the client still has is sent, what it has not is lost */
        {"facts A; none A; cols A 0 a; rows A 7 1 kept=7; flush", "?A A:live(a) 7=1 gap0+7@0..7 next 8 | ",
         "rows=1 "},
        {"facts A; cols A 0 b; has A a next=7; flush", "?A A:live(a) next 7 | ", "conflicts=1 "},
    };
    PLAY(stories, NULL);
}

/* Several servers write the store: another may have stored what is missing here. */
static void another_server(void **state)
{
    (void)state;
    const runs_limits shared = {.shared = true};
    static const story stories[] = {
        /* all that will not come is there: nothing is lost, and what waited goes on */
        {KNOWN "rows A 0 1,2; rows A 5 9,9 kept=5; flush; has A a,b next=5; acks; flush",
         OUT "?A A:live(a,b) 0=1,2 next 1 | <x A known 2/0 5-6-6> A:live(a,b) 5=9,9 next 6 | ",
         "rows=2 asked_again=1 acks=2 "},
        /* a part of it is, the rest is lost; of a row that waited here the other one's counts */
        {KNOWN "rows A 2 5,6; rows A 5 9,9 kept=5; has A a,b next=3; flush",
         OUT "?A A:live(a,b) next 0 A:live(a,b) 5=9,9 gap3+2@0..5 next 6 | ", NULL},
        /* it has even more */
        {KNOWN "rows A 4 7,8; rows A 5 9,9 kept=5; has A a,b next=8 marks=3; acks; rows A 8 1,1; marks A 3 m; flush",
         OUT "?A <x A known 2/3 8-8-8> A:live(a,b) next 0 A:live(a,b) 8=1,1 mark3\"m\" next 9 | ", NULL},
        /* the store knows no more than this server does */
        {KNOWN "rows A 0 1,2; flush; commit; beat A 4 kept=4; has A a,b next=1; rows A 4 1,1 kept=4; flush",
         OUT "A:live(a,b) 0=1,2 next 1 | ?A A:live(a,b) 4=1,1 gap1+3@0..4 next 5 | ", NULL},
        {KNOWN "rows A 3 1,1 kept=3; none A; flush", OUT "?A A:live(a,b) 3=1,1 gap0+3@0..3 next 4 | ", NULL},
        /* it is asked once at a time; without an answer the client's word holds after a while */
        {KNOWN "rows A 3 1,1 kept=3; rows A 4 2,2 kept=4; flush; t 12; rows A 4 2,2 kept=4; flush",
         OUT "?A A:live(a,b) next 0 | A:live(a,b) 3=1,1 4=2,2 gap0+3@0..3 next 5 | ",
         "rows=2 duplicates=1 asked_again=1 acks=1 "},
        /* columns that the other one heard of; and that it ended there */
        {KNOWN "rows A 2 1,2,3 kept=2; has A a,b,c next=2; rows A 2 1,2,3 kept=2; flush",
         OUT "A:live(a,b,c) next 0 A:live(a,b,c) 2=1,2,3 next 3 | ", NULL},
        {KNOWN "beat A 7 kept=7; has A a,b next=7 ended; acks; flush",
         OUT "?A <x A known,ended 2/0 7-7-7> A:ended(a,b) next 0 | ", NULL},
        {KNOWN "bye A 3 kept=3; has A a,b next=3; flush", OUT "?A A:live(a,b) next 0 A:ended(a,b) next 3 | ", NULL},
    };
    PLAY(stories, &shared);
    static const story alone[] = {
        {KNOWN "rows A 3 1,1 kept=3; flush", OUT "A:live(a,b) 3=1,1 gap0+3@0..3 next 4 | ", "rows=1 acks=1 "}};
    PLAY(alone, NULL);
}

/* Never more bytes to an address than came from it. */
static void credit(void **state)
{
    (void)state;
    static const story stories[] = {
        {"from x 51; beat A 0; none A; acks; t 1; from x 1; beat A 0; acks; t 2; beat A 0; acks",
         "?A <x A 0/0 0-0-0> ", "acks=1 "},
        /* holes cost 12 bytes each */
        {KNOWN "from y 63; rows A 1 3,4; acks; t 2; from z 64; rows A 3 3,4; acks",
         OUT "<y A known 2/0 0-0-2> <z A known 2/0 0-0-4 0+1> ", NULL},
        /* a new address begins with nothing, and what the old one had is gone */
        {KNOWN "from y 20; beat A 0; acks; t 2; from x 30; beat A 0; acks", OUT, "acks=1 "},
        /* what comes goes to where it was said last */
        {KNOWN "from y 60; rows A 0 1,2; flush; commit; acks",
         OUT "A:live(a,b) 0=1,2 next 1 | <y A known 2/0 1-1-1> ", NULL},
    };
    PLAY(stories, NULL);
}

static void pace(void **state)
{
    (void)state;
    static const story stories[] = {
        {KNOWN "beat A 0; acks; t 1.010; beat A 0; acks; acks; t 1.019; beat A 0; acks; t 1.020; beat A 0; acks",
         OUT "<x A known 2/0 0-0-0> <x A known 2/0 0-0-0> ", "acks=3 "},
        /* while no commit comes, it is told once that its rows have come; not before the next flush */
        {KNOWN "rows A 0 1,2; flush; acks; t 1.25; flush; acks; t 1.5; flush; acks; commit; acks",
         OUT "A:live(a,b) 0=1,2 next 1 | | <x A known 2/0 0-1-1> | <x A known 2/0 1-1-1> ", NULL},
        /* a commit is told at once */
        {KNOWN "rows A 0 1,2; beat A 1; acks; flush; commit; acks",
         OUT "<x A known 2/0 0-1-1> A:live(a,b) 0=1,2 next 1 | <x A known 2/0 1-1-1> ", "rows=1 acks=3 "},
    };
    PLAY(stories, NULL);
}

static void behind(void **state)
{
    (void)state;
    static const story stories[] = {
        {KNOWN "behind; rows A 0 1,2 3,4; marks A 0 m; acks; flush; even; rows A 0 1,2 3,4; marks A 0 m; flush",
         OUT "<x A known 2/0 0-0-0> A:live(a,b) next 0 | A:live(a,b) 0=1,2 1=3,4 mark0\"m\" next 2 | ",
         "rows=2 held_off=2 acks=2 "},
        {KNOWN "behind; rows A 9 1,2 kept=9; even; rows A 0 1,2; flush", OUT "A:live(a,b) 0=1,2 next 1 | ", NULL},
        {KNOWN "behind; bye A 4 kept=4; flush; even; bye A 4 kept=4; flush",
         OUT "A:live(a,b) next 0 | A:ended(a,b) gap0+4@0..1 next 4 | ", NULL},
    };
    PLAY(stories, NULL);
}

static void two_wires(void **state)
{
    (void)state;
    static const story stories[] = {
        {KNOWN "json A; flush", OUT "| ", "conflicts=1 acks=1 "},
        {"facts A; json A; none A; flush", "?A A:live() next 0 | ", "conflicts=1 "},
        {"json A; facts A; rows A 0 1; none A; acks", "?A ", "conflicts=2 "},
    };
    PLAY(stories, NULL);
}

/* Column 0: twice in bucket 5; column 1: once in bucket 300, 3 times in bucket 301. */
#define OF_BOTH                                                                                                      \
    "01010502"                                                                                                       \
    "0102ac02010003"

static void histograms(void **state)
{
    (void)state;
    static const story stories[] = {
        /* beside rows without, and without the zeros that fill the last word */
        {KNOWN "rows A 0 1,2; row A 1 3,4 " OF_BOTH "; row A 2 5,6 02010101; rows A 3 7,8; flush",
         OUT "A:live(a,b) 0=1,2 1=3,4{" OF_BOTH "} 2=5,6{02010101} 3=7,8 next 4 | ", "rows=4 acks=1 "},
        /* early, in slices, and twice */
        {KNOWN "row A 1 3,4 " OF_BOTH "; row A 0 1,2 " OF_BOTH " first=3 slice=1; row A 0 1,2 " OF_BOTH
               " first=3 slice=1; row A 0 1,2 " OF_BOTH " first=0 slice=3; row A 0 1,2 " OF_BOTH "; flush",
         OUT "A:live(a,b) 0=1,2{" OF_BOTH "} 1=3,4{" OF_BOTH "} next 2 | ", "rows=2 duplicates=2 acks=1 "},
        /* parts of their own, each with what its rows have: when a column joins, and after each flush */
        {KNOWN "row A 0 1,2 01010502; cols A 2 c; row A 1 1,2,3 03010101; flush; row A 2 1,2,3 01010101; flush",
         OUT "A:live(a,b) 0=1,2{01010502} next 1 A:live(a,b,c) 1=1,2,3{03010101} next 2 | "
             "A:live(a,b,c) 2=1,2,3{01010101} next 3 | ",
         "rows=3 acks=1 "},
        /* a row in front of a gap, and one behind it */
        {KNOWN "row A 0 1,2 01010502; row A 3 7,8 02010101 kept=3; flush",
         OUT "A:live(a,b) 0=1,2{01010502} 3=7,8{02010101} gap1+2@0..3 next 4 | ", "rows=2 acks=1 "},
        /* what is ill-formed is left out of a good row: cut short; none; a column that is not there; a count of 0; more behind */
        {KNOWN "row A 0 1,2 0101; row A 1 1,2 0001010502; row A 2 1,2 03010502; row A 3 1,2 01010500; "
               "row A 4 1,2 010105020001; row A 5 1,2 " OF_BOTH "; flush",
         OUT "A:live(a,b) 0=1,2 1=1,2 2=1,2 3=1,2 4=1,2 5=1,2{" OF_BOTH "} next 6 | ", "rows=6 ignored=5 acks=1 "},
        /* column 2 is not among those that are known when the row leaves */
        {KNOWN "row A 1 1,2 03010502; cols A 2 c; rows A 0 1,2; flush",
         OUT "A:live(a,b,c) 0=1,2,- 1=1,2,-{03010502} next 2 | ", "rows=2 acks=1 "},
        /* a row that was left with its client brings them when it comes again */
        {KNOWN "row A 0 1,2,3 03010502; cols A 2 c; row A 0 1,2,3 03010502; flush",
         OUT "A:live(a,b,c) 0=1,2,3{03010502} next 1 | ", "rows=1 held_off=1 acks=1 "},
    };
    PLAY(stories, NULL);
}

/* Each sealed datagram is taken once, and leaves no trace otherwise: not even a sign of life, or an answer. */
static void replays(void **state)
{
    (void)state;
    static const story stories[] = {
        {"sealed 1; facts A; facts A; none A; facts A; cols A 0 a; rows A 0 7; flush", "?A A:live(a) 0=7 next 1 | ",
         "rows=1 "}, /* nothing is taken before the store has answered */
        {"sealed 9; beat A 0; none A; facts A; cols A 0 a; rows A 0 7; flush; commit; acks; t 5; sealed 10; "
         "from y 1000; facts A; cols A 0 a; rows A 0 7; flush; acks",
         "?A A:live(a) 0=7 next 1 | <x A known 1/0 1-1-1> | ", "rows=1 acks=1 replayed=3 "},
        /* out of order is not again */
        {"sealed 9; beat A 0; none A; facts A; cols A 0 a; rows A 0 7; sealed 5; rows A 1 8; sealed 5; rows A 2 9; "
         "sealed 2000; rows A 2 9; sealed 976; rows A 3 5; sealed 977; rows A 3 6; flush",
         "?A A:live(a) 0=7 1=8 2=9 3=6 next 4 | ", "rows=4 replayed=2 "},
        /* after a restart only what is above the highest that was stored */
        {"sealed 1; beat A 0; has A a next=2 counter=40; sealed 39; beat A 2; rows A 2 7; beat A 2; flush; acks",
         "?A A:live(a) next 2 | <x A known 1/0 2-2-2> ", "acks=1 replayed=2 "},
        /* nor what came before the store had answered: it was not taken, but somebody may have recorded it */
        {"sealed 41; beat A 0; has A a next=2 counter=40; sealed 41; beat A 2; rows A 2 7; acks; flush",
         "?A <x A known 1/0 2-3-3> A:live(a) 2=7 next 3 | ", "rows=1 acks=1 replayed=1 "},
    };
    PLAY(stories, NULL);
    /* what sealing adds is paid for, too */
    static const runs_limits seals = {.ack_seal = 44};
    static const story paid[] = {
        {KNOWN "from y 95; beat A 0; acks; t 2; from y 96; beat A 0; acks; acks; t 3; from y 1; beat A 0; acks",
         OUT "<y A known 2/0 0-0-0> <y A known 2/0 0-0-0> ", NULL},
    };
    PLAY(paid, &seals);
}

static void crashes(void **state)
{
    (void)state;
#define HERE "facts A place=here pid=7; none A; cols A 0 a; flush; commit; acks; "
#define THIS "?A A:live(a) next 0 | <x A known 1/0 0-0-0> "
    static const story stories[] = {
        {HERE "t 5.9; flush; suspects here; t 6; flush; suspects there; suspects here; beat A 0; suspects here",
         THIS "| ! | ! A=7 ! ! ", NULL},
        /* what it had sampled and not brought here is lost; it is dead, so nobody hears of it */
        {HERE "rows A 0 7; rows A 2 9 next=5; t 7; crashed A; flush; commit; t 15; flush; suspects here",
         THIS "A:crashed(a) 0=7 2=9 gap1+1@0..2 gap3+2@2..2 next 5 | | ! ", NULL},
        {HERE "t 7; crashed A; crashed A; crashed B; flush; t 8; bye A 0; flush",
         THIS "A:crashed(a) next 0 | A:ended(a) next 0 | ", NULL},
        {HERE "bye A 0; t 7; flush; suspects here; crashed A; flush", THIS "A:ended(a) next 0 | ! | ", NULL},
        /* it said goodbye, and quit before all was here */
        {HERE "bye A 3; t 7; flush; suspects here; crashed A; t 10; flush",
         THIS "| ! A:ended(a) gap0+3@0..0 next 3 | ", NULL},
        /* no pid, no place, or not known yet */
        {"facts A place=here; none A; facts B pid=7; none B; t 6; flush; facts C place=here pid=7; t 12; flush; "
         "suspects here",
         "?A ?B A:live() next 0 B:live() next 0 | ?C | ! ", NULL},
        {"facts A place=p pid=1; none A; facts B place=p pid=2; none B; facts C place=p pid=3; none C; facts D "
         "place=p pid=4; "
         "none D; t 7; flush; suspects p",
         "?A ?B ?C ?D A:live() next 0 D:live() next 0 C:live() next 0 B:live() next 0 | A=1 B=2 C=3 ! ", NULL},
        /* it was not the one */
        {HERE "t 7; crashed A; flush; rows A 0 7; flush", THIS "A:crashed(a) next 0 | A:live(a) 0=7 next 1 | ", NULL},
    };
    PLAY(stories, NULL);
}

/* Runs count for whoever began them, as long as they are remembered. */
static void sources_are_limited(void **state)
{
    (void)state;
    static const runs_limits two_live = {.sources = {.live = 2}}, two_new = {.sources = {.runs = 2}};
    static const story live[] = {
        {"facts A; facts B; facts C; facts A; from y 1000; facts C; facts D; facts E", "?A ?B ?C ?D ",
         "over_live_runs=2 "},
        {"facts A; facts B; none A; t 700; flush; flush; facts C", "?A ?B A:live() next 0 | | ?C ",
         NULL}, /* silent for 10 minutes */
        {"facts A; facts B; json C", "?A ?B ", "over_live_runs=1 "},
    };
    static const story new[] = {
        {"facts A; facts B; facts C; t 29; facts C; t 31; facts C; facts D", "?A ?B ?C ", "over_new_runs=3 "},
    };
    PLAY(live, &two_live);
    PLAY(new, &two_new);
}

static void memory(void **state)
{
    (void)state;
    static const runs_limits one_run = {.runs = 1}, no_room = {.early_bytes = 1 << 20};
    static const story evicted[] = {
        /* forgotten, the oldest first, and asked for again */
        {"facts A; none A; flush; commit; facts B; none B; flush; beat A 0; flush; flush",
         "?A A:live() next 0 | ?B B:live() next 0 | ?A | | ", "evicted=2 "},
        /* one that is owed an acknowledgement stays */
        {"facts A; none A; cols A 0 a; rows A 0 1; flush; facts B; none B; flush; commit; acks",
         "?A A:live(a) 0=1 next 1 | ?B B:live() next 0 | <x A known 1/0 1-1-1> <x B known 0/0 0-0-0> ",
         "rows=1 acks=2 "},
        /* a gap that waited for its row is told, early rows come again */
        {"facts A; none A; cols A 0 a; flush; commit; beat A 3 kept=3; rows A 5 1 kept=3; flush; facts B; flush",
         "?A A:live(a) next 0 | | A:live(a) gap0+3@0..0 next 3 | ", NULL},
    };
    static const story full[] = {
        /* the first window takes half of it: the other run's early row has to come again, its next one is taken */
        {"facts A; none A; cols A 0 a; facts B; none B; cols B 0 b; rows A 1 1; rows B 1 1; acks; rows B 0 0; flush; "
         "rows A 0 0; rows B 1 1; flush",
         "?A ?B <x A 0/0 0-0-2 0+1> <x B 0/0 0-0-0> A:live(a) next 0 B:live(b) 0=0 next 1 | "
         "B:live(b) 1=1 next 2 A:live(a) 0=0 1=1 next 2 | ",
         "rows=4 held_off=1 acks=2 "},
    };
    PLAY(evicted, &one_run);
    PLAY(full, &no_room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity), cmocka_unit_test(columns),
        cmocka_unit_test(rows),     cmocka_unit_test(histograms),
        cmocka_unit_test(marks),    cmocka_unit_test(goodbye),
        cmocka_unit_test(restarts), cmocka_unit_test(another_server),
        cmocka_unit_test(credit),   cmocka_unit_test(pace),
        cmocka_unit_test(behind),   cmocka_unit_test(two_wires),
        cmocka_unit_test(memory),   cmocka_unit_test(sources_are_limited),
        cmocka_unit_test(replays),  cmocka_unit_test(crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
