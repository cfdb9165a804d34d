/* SPDX-License-Identifier: MIT OR Unlicense
   runs_script: stories of the registry: the language of their scripts (below), and how they are played. Include
   after cmocka. */
#ifndef RUNS_SCRIPT_H
#define RUNS_SCRIPT_H

#include <math.h>

#include "runs_story.h"

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

typedef struct {
    runs *r;
    int64_t now;
    buf out;
} script;

static inline int64_t seconds(const char *text)
{
    return START + (int64_t)(strtod(text, NULL) * (double)NS_PER_SECOND);
}

static inline double shown_time(int64_t t)
{
    return (double)(t - START) / (double)NS_PER_SECOND;
}

static inline void want(void *ctx, const uuid *run)
{
    buf_printf(&((script *)ctx)->out, "?%c ", run->b[15]);
}

static inline int64_t time_option(char **words, const char *key)
{
    const char *text = option(words, key);
    return text ? seconds(text) : NO_TIME;
}

/* ---- what comes ---- */

static inline void do_new(script *s, char **words)
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

static inline void do_row(script *s, char **words)
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

static inline void do_answer(script *s, char **words)
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

static inline void do_other(script *s, char **words)
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

/* ---- what leaves ---- */

static inline void show_part(buf *out, const batch_part *p)
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

static inline void do_flush(script *s, bool final)
{
    batch *b = runs_flush(s->r, s->now, final);
    for (size_t i = 0; b && i < b->count; i++) show_part(&s->out, &b->parts[i]);
    if (b) assert_true(b->bytes > 0);
    batch_free(b);
    buf_text(&s->out, "| ");
}

/* ---- playing ---- */

static inline void command(script *s, char *text)
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

static inline void play(const story *st, const runs_limits *limits)
{
    script s = {.now = START};
    s.r = runs_new(limits, want, &s);
    char *text = mem_strdup(st->commands);
    for (char *rest, *one = strtok_r(text, ";", &rest); one; one = strtok_r(NULL, ";", &rest)) command(&s, one);
    buf_text(&s.out, "");
    assert_true(is_told(st, "out", s.out.p, st->out));
    s.out.n = 0;
    buf_text(&s.out, "");
    show_counters(&s.out, runs_stats(s.r));
    assert_true(is_told(st, "counted", s.out.p, st->counters));
    buf_free(&s.out);
    free(text);
    runs_free(s.r);
}

#define PLAY(stories, limits)                                                                                        \
    for (size_t i_ = 0; i_ < ARRAY_LEN(stories); i_++) play(&(stories)[i_], limits)

#define KNOWN "new A a,b; none A; flush; " /* a run that is announced and answered for … */
#define OUT   "?A A:live(a,b) | "          /* … and what that makes                      */

#endif
