/* SPDX-License-Identifier: MIT OR Unlicense
   run: copies and frees of what run.h describes, and the state that silence makes. */
#include "runs/run.h"

#include <stdlib.h>
#include <string.h>

#define LOST_INTERVALS 3
#define LOST_AT_LEAST  (15 * NS_PER_SECOND)

static run_column *columns_copy(const run_column *from, size_t count)
{
    run_column *copy = mem_alloc(count * sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = (run_column){mem_strdup(from[i].name), mem_strdup(from[i].unit), from[i].kind};
    return copy;
}

static run_tag *tags_copy(const run_tag *from, size_t count)
{
    run_tag *copy = mem_alloc(count * sizeof *copy);
    for (size_t i = 0; i < count; i++) copy[i] = (run_tag){mem_strdup(from[i].name), mem_strdup(from[i].value)};
    return copy;
}

run_info *run_info_copy(const run_info *r)
{
    run_info *copy = mem_alloc(sizeof *copy);
    *copy = *r;
    copy->app = mem_strdup(r->app);
    copy->host = mem_strdup(r->host);
    copy->build = mem_strdup(r->build);
    copy->args = mem_strdup(r->args);
    copy->place = mem_strdup(r->place);
    copy->note = mem_strdup(r->note);
    copy->user_tags = mem_strdup(r->user_tags);
    copy->columns = columns_copy(r->columns, r->column_count);
    copy->tags = tags_copy(r->tags, r->tag_count);
    return copy;
}

void run_info_free(run_info *r)
{
    if (!r) return;
    for (size_t i = 0; i < r->column_count; i++) {
        free(r->columns[i].name);
        free(r->columns[i].unit);
    }
    for (size_t i = 0; i < r->tag_count; i++) {
        free(r->tags[i].name);
        free(r->tags[i].value);
    }
    free(r->columns);
    free(r->tags);
    free(r->app);
    free(r->host);
    free(r->build);
    free(r->args);
    free(r->place);
    free(r->note);
    free(r->user_tags);
    free(r);
}

static void swap_text(char **a, char **b)
{
    char *text = *a;
    *a = *b;
    *b = text;
}

void run_info_take_stored(run_info *to, run_info *from)
{
    to->rows = from->rows;
    to->lost = from->lost;
    to->removed = from->removed;
    to->pinned = from->pinned;
    to->deleted = from->deleted;
    swap_text(&to->note, &from->note);
    swap_text(&to->user_tags, &from->user_tags);
}

const char *run_state_name(run_state s)
{
    static const char *const names[] = {"live", "ended", "crashed", "lost"};
    return names[s];
}

const char *column_kind_name(column_kind k)
{
    return k == COLUMN_HISTOGRAM ? "histogram" : k == COLUMN_COUNTER ? "counter" : "gauge";
}

run_state run_state_at(const run_info *r, int64_t now)
{
    if (r->state != RUN_LIVE) return r->state;
    int64_t limit = LOST_AT_LEAST; /* in parts, because 3 × a hostile interval may not fit */
    if (r->interval > INT64_MAX / LOST_INTERVALS)
        limit = INT64_MAX;
    else if (r->interval * LOST_INTERVALS > limit)
        limit = r->interval * LOST_INTERVALS;
    int64_t silent;
    if (__builtin_sub_overflow(now, r->seen, &silent)) return now > r->seen ? RUN_LOST : RUN_LIVE;
    return silent > limit ? RUN_LOST : RUN_LIVE;
}

static void part_free(batch_part *p)
{
    run_info_free(p->info);
    free(p->time);
    free(p->seq);
    free(p->values);
    row_histograms_free(&p->histograms);
    for (size_t i = 0; i < p->event_count; i++) free(p->events[i].text);
    free(p->events);
}

void batch_free(batch *b)
{
    if (!b) return;
    for (size_t i = 0; i < b->count; i++) part_free(&b->parts[i]);
    free(b->parts);
    free(b);
}
