/* SPDX-License-Identifier: MIT OR Unlicense
   runs_info: what announcements and the store say of a run, put together. */
#include "runs/runs_info.h"
#include "runs/runs_columns.h"

#include <stdlib.h>
#include <string.h>

run_info *info_blank(const uuid *id, int64_t now)
{
    run_info *info = mem_calloc(1, sizeof *info);
    info->id = *id;
    info->app = mem_strdup("");
    info->host = mem_strdup("");
    info->build = mem_strdup("");
    info->args = mem_strdup("");
    info->place = mem_strdup("");
    info->note = mem_strdup("");
    info->user_tags = mem_strdup("");
    info->started = info->last = info->seen = now;
    return info;
}

static char *clean(span text, size_t max, uint64_t *clipped)
{
    bool changed;
    char *out = span_clean(text, max, &changed);
    *clipped += changed;
    return out;
}

run_info *info_told(const record *r, size_t known, hash_key key, uint64_t *clipped, uint64_t *renamed)
{
    uint64_t texts = 0;
    columns_changes changes;
    run_info *told = mem_calloc(1, sizeof *told);
    told->id = r->run;
    told->app = clean(r->announce.app, MAX_NAME_BYTES, &texts);
    told->host = clean(r->announce.host, MAX_NAME_BYTES, &texts);
    told->build = clean(r->announce.build, MAX_TEXT_BYTES, &texts);
    told->args = clean(r->announce.args, MAX_TEXT_BYTES, &texts);
    told->place = clean(r->announce.place, MAX_NAME_BYTES, &texts);
    told->note = mem_strdup("");
    told->user_tags = mem_strdup("");
    told->pid = r->announce.pid;
    told->born = r->announce.born;
    told->started = r->announce.started;
    told->interval = r->announce.interval;
    told->tags = mem_calloc(r->announce.tag_count, sizeof *told->tags);
    told->tag_count = r->announce.tag_count;
    for (size_t i = 0; i < told->tag_count; i++) {
        told->tags[i].name = clean(r->announce.tags[i].name, MAX_NAME_BYTES, &texts);
        told->tags[i].value = clean(r->announce.tags[i].value, MAX_TEXT_BYTES, &texts);
    }
    told->columns = columns_make(r->announce.columns, r->announce.column_count, known, key, &changes);
    told->column_count = r->announce.column_count;
    *clipped += changes.clipped + (known ? 0 : texts);
    *renamed += changes.renamed;
    return told;
}

static bool text_holds(const char *held, span told)
{
    return !told.n || *held;
}

bool info_holds(const run_info *info, const record *r)
{
    return info->column_count && span_eq(span_of(info->app), r->announce.app) &&
           columns_named(info->columns, info->column_count, r->announce.columns, r->announce.column_count) &&
           (!r->announce.interval || r->announce.interval == info->interval) && (!r->announce.pid || info->pid) &&
           (!r->announce.tag_count || info->tag_count) && text_holds(info->host, r->announce.host) &&
           text_holds(info->build, r->announce.build) && text_holds(info->args, r->announce.args);
}

static void exchange(char **a, char **b)
{
    char *t = *a;
    *a = *b;
    *b = t;
}

static void fill_in(char **text, char **told)
{
    if (!**text) exchange(text, told);
}

static void append_columns(run_info *info, run_info *told)
{
    if (told->column_count <= info->column_count) return;
    size_t more = told->column_count - info->column_count;
    info->columns = mem_resize(info->columns, told->column_count, sizeof *info->columns);
    memcpy(info->columns + info->column_count, told->columns + info->column_count, more * sizeof *info->columns);
    told->column_count = info->column_count;
    info->column_count += more;
}

bool info_merge(run_info *info, run_info *told)
{
    bool first = !info->column_count;
    if (!first && (strcmp(info->app, told->app) != 0 ||
                   !columns_agree(info->columns, info->column_count, told->columns, told->column_count)))
        return false;
    if (first && told->started != NO_TIME) info->started = info->last = told->started;
    if (first) exchange(&info->app, &told->app);
    append_columns(info, told);
    fill_in(&info->host, &told->host);
    fill_in(&info->build, &told->build);
    fill_in(&info->args, &told->args);
    fill_in(&info->place, &told->place);
    if (!info->pid) info->pid = told->pid;
    if (!info->born) info->born = told->born;
    if (told->interval) info->interval = told->interval;
    if (!info->tag_count) {
        run_tag *none = info->tags;
        info->tags = told->tags, info->tag_count = told->tag_count;
        told->tags = none, told->tag_count = 0;
    }
    return true;
}

size_t info_bytes(const run_info *info)
{
    const size_t block = 16; /* what an allocation costs beside its bytes, about */
    size_t bytes = sizeof *info + 6 * block + strlen(info->app) + strlen(info->host) + strlen(info->build) +
                   strlen(info->args) + strlen(info->place) + strlen(info->note);
    for (size_t i = 0; i < info->column_count; i++)
        bytes += sizeof *info->columns + 2 * block + strlen(info->columns[i].name) + strlen(info->columns[i].unit);
    for (size_t i = 0; i < info->tag_count; i++)
        bytes += sizeof *info->tags + 2 * block + strlen(info->tags[i].name) + strlen(info->tags[i].value);
    return bytes;
}
