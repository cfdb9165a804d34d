/* SPDX-License-Identifier: MIT OR Unlicense
   runs_binary_script: stories of the binary wire: the language of their scripts (below), and how they are played.
   Include after cmocka. */
#ifndef RUNS_BINARY_SCRIPT_H
#define RUNS_BINARY_SCRIPT_H

#include <math.h>

#include "../server/base/bytes.h"
#include "runs_story.h"

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

static inline void want(void *ctx, const uuid *run)
{
    buf_printf(&((script *)ctx)->out, "?%c ", run->b[15]);
}

static inline uint64_t number(char **words, const char *key, uint64_t otherwise)
{
    const char *text = option(words, key);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static inline const char *text_option(char **words, const char *key)
{
    const char *text = option(words, key);
    return text ? text : "";
}

static inline bool has_word(char **words, const char *word)
{
    for (; *words; words++)
        if (strcmp(*words, word) == 0) return true;
    return false;
}

static inline void give(script *s, record *r, char **words)
{
    r->run = run_id(words[1]);
    if (s->counter) r->counter = s->counter++;
    runs_take_from(s->r, r, &s->from, s->bytes, s->now);
}

/* ---- what comes ---- */

static inline void do_facts(script *s, char **words)
{
    record r = {.kind = RECORD_FACTS};
    r.announce.app = span_of("app");
    r.announce.started = START;
    r.announce.place = span_of(text_option(words + 2, "place="));
    r.announce.pid = (int64_t)number(words + 2, "pid=", 0);
    r.announce.born = 5;
    give(s, &r, words);
}

static inline void do_cols(script *s, char **words)
{
    record_column columns[16];
    record r = {.kind = RECORD_COLUMNS};
    r.names.first = (uint32_t)atoi(words[2]);
    for (char *rest, *name = strtok_r(words[3], ",", &rest); name; name = strtok_r(NULL, ",", &rest))
        columns[r.names.count++] = (record_column){span_of(name), span_of(""), COLUMN_GAUGE};
    r.names.columns = columns;
    give(s, &r, words);
}

static inline void do_rows(script *s, char **words)
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

static inline void do_row(script *s, char **words)
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

static inline void do_beat(script *s, char **words)
{
    uint64_t next = strtoull(words[2], NULL, 10);
    record r = {.kind = RECORD_ROWS};
    r.rows = (record_rows){.kept = number(words + 3, "kept=", 0), .next = next, .seq = next};
    give(s, &r, words);
}

static inline void do_marks(script *s, char **words)
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

static inline void do_bye(script *s, char **words)
{
    record r = {.kind = RECORD_GOODBYE};
    r.goodbye.reason = has_word(words + 3, "crashed") ? END_CRASHED : END_STOPPED;
    r.goodbye.time = s->now;
    r.goodbye.next = strtoull(words[2], NULL, 10);
    r.goodbye.kept = number(words + 3, "kept=", 0);
    r.goodbye.marks = (uint32_t)number(words + 3, "marks=", 0);
    give(s, &r, words);
}

static inline void do_json(script *s, char **words)
{
    record r = {.kind = RECORD_ROW};
    r.row.seq = NO_SEQ;
    r.row.time = NO_TIME;
    give(s, &r, words);
}

static inline void do_has(script *s, char **words)
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

static inline void do_none(script *s, char **words)
{
    uuid id = run_id(words[1]);
    runs_answer(s->r, &id, NULL, s->now);
}

/* ---- what leaves ---- */

static inline void show_histograms(buf *out, span h)
{
    if (h.n) buf_text(out, "{");
    for (size_t i = 0; i < h.n; i++) buf_printf(out, "%02x", (uint8_t)h.p[i]);
    if (h.n) buf_text(out, "}");
}

static inline void show_part(buf *out, const batch_part *p)
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

static inline void do_flush(script *s, char **words)
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

static inline void do_commit(script *s, char **words)
{
    (void)words;
    for (size_t i = 0; i < s->left_count; i++) runs_durable(s->r, &s->left[i]);
    s->left_count = 0;
}

static inline uint64_t get(const uint8_t **p, int bytes)
{
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++) v |= (uint64_t) * (*p)++ << 8 * i;
    return v;
}

static inline void do_acks(script *s, char **words)
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

static inline void do_suspects(script *s, char **words)
{
    suspect found[3];
    size_t n = runs_suspects(s->r, words[1], found, ARRAY_LEN(found));
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(found[i].born, 5);
        buf_printf(&s->out, "%c=%d ", found[i].id.b[15], (int)found[i].pid);
    }
    buf_text(&s->out, "! ");
}

static inline void do_crashed(script *s, char **words)
{
    uuid id = run_id(words[1]);
    runs_crashed(s->r, &id);
}

static inline void do_clock(script *s, char **words)
{
    s->now = START + (int64_t)(strtod(words[1], NULL) * 1e9);
}

static inline void do_from(script *s, char **words)
{
    s->from = (peer){.bytes = {(uint8_t)*words[1]}, .size = 1, .source = {(uint8_t)*words[1]}};
    s->bytes = (size_t)atoi(words[2]);
}

static inline void do_sealed(script *s, char **words)
{
    s->counter = strtoull(words[1], NULL, 10);
}

static inline void do_behind(script *s, char **words)
{
    runs_set_behind(s->r, words[0][0] == 'b');
}

/* ---- playing ---- */

static inline void command(script *s, char *text)
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

static inline bool play(const story *st, const runs_limits *limits)
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

static inline void play_all(const story *stories, size_t count, const runs_limits *limits)
{
    size_t good = 0;
    for (size_t i = 0; i < count; i++) good += play(&stories[i], limits);
    assert_int_equal(good, count);
}

#define PLAY(stories, limits) play_all(stories, ARRAY_LEN(stories), limits)

/* A run whose columns a and b are durable, and what that makes. */
#define KNOWN "facts A; none A; cols A 0 a,b; flush; commit; acks; t 1; "
#define OUT   "?A A:live(a,b) next 0 | <x A known 2/0 0-0-0> "

#endif
