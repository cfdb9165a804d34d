/* SPDX-License-Identifier: MIT OR Unlicense
   edit: what a user says of a run. */
#include "runs/edit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- the body of a PATCH ---- */

static bool refuse(buf *why, const char *sentence)
{
    buf_text(why, sentence);
    return false;
}

/* A text as it is kept, owned by the caller; NULL: it is longer than `max` bytes. */
static char *clean(const char *text, size_t n, size_t max)
{
    return n > max ? NULL : span_clean((span){text, n}, max, NULL);
}

static bool read_note(edit *out, const json_t *value, buf *why)
{
    if (!json_is_string(value)) return refuse(why, "\"note\" must be a string");
    out->note = clean(json_string_value(value), json_string_length(value), MAX_TEXT_BYTES);
    return out->note || refuse(why, "\"note\" is longer than 1000 bytes");
}

static bool read_tag(json_t *tags, const char *name, const json_t *value, buf *why)
{
    if (!*name) return refuse(why, "a tag must have a name");
    if (!json_is_string(value) && !json_is_null(value))
        return refuse(why, "a tag's value must be a string, or null to take the tag away");
    char *key = clean(name, strlen(name), MAX_NAME_BYTES), *text = NULL;
    if (key && json_is_string(value))
        text = clean(json_string_value(value), json_string_length(value), MAX_TEXT_BYTES);
    bool good = key && (text || json_is_null(value));
    if (good) json_object_set_new(tags, key, text ? json_string(text) : json_null());
    free(key);
    free(text);
    return good || refuse(why, "a tag's name is longer than 200 bytes, or its value longer than 1000");
}

static bool read_tags(edit *out, json_t *value, buf *why)
{
    if (!json_is_object(value)) return refuse(why, "\"tags\" must be an object");
    json_t *tags = json_object();
    const char *name;
    json_t *text;
    bool good = true;
    json_object_foreach(value, name, text)
    {
        good = read_tag(tags, name, text, why);
        if (!good) break;
    }
    if (good) out->tags = json_dumps(tags, JSON_COMPACT);
    json_decref(tags);
    return good;
}

static bool read_member(edit *out, const char *name, json_t *value, buf *why)
{
    if (strcmp(name, "note") == 0) return read_note(out, value, why);
    if (strcmp(name, "tags") == 0) return read_tags(out, value, why);
    if (strcmp(name, "pinned") == 0) {
        out->pinned = json_is_true(value);
        return json_is_boolean(value) || refuse(why, "\"pinned\" must be true or false");
    }
    if (strcmp(name, "deleted") == 0) {
        out->revive = true;
        return json_is_false(value) || refuse(why, "\"deleted\" can only be set to false; DELETE deletes a run");
    }
    return refuse(why, "a run has no such member to be changed; there are note, tags, pinned and deleted");
}

bool edit_read(edit *out, span body, buf *why)
{
    *out = (edit){.pinned = -1};
    json_t *all = json_loadb(body.n ? body.p : "", body.n, JSON_REJECT_DUPLICATES, NULL);
    bool good = json_is_object(all) || refuse(why, "the body must be a JSON object, each of its members once");
    const char *name;
    json_t *value;
    if (good) {
        json_object_foreach(all, name, value)
        {
            good = read_member(out, name, value, why);
            if (!good) break;
        }
    }
    json_decref(all);
    if (!good) edit_free(out);
    return good;
}

void edit_free(edit *e)
{
    free(e->note);
    free(e->tags);
    *e = (edit){.pinned = -1};
}

/* ---- tags ---- */

/* What is stored was written by edit_merge(); whatever else is there counts for nothing. */
static json_t *load(const char *object)
{
    json_t *value = *object ? json_loads(object, 0, NULL) : NULL;
    if (json_is_object(value)) return value;
    json_decref(value);
    return json_object();
}

static bool client_told(const run_info *r, const char *name)
{
    for (size_t i = 0; i < r->tag_count; i++)
        if (strcmp(r->tags[i].name, name) == 0) return true;
    return false;
}

static size_t count_tags(const run_info *r, const json_t *users)
{
    size_t count = 0;
    const char *name;
    json_t *value;
    for (size_t i = 0; i < r->tag_count; i++) count += !json_is_null(json_object_get(users, r->tags[i].name));
    json_object_foreach((json_t *)users, name, value) count += json_is_string(value) && !client_told(r, name);
    return count;
}

char *edit_merge(const run_info *r, const char *patch, buf *why)
{
    json_t *users = load(r->user_tags), *changes = load(patch);
    const char *name;
    json_t *value;
    json_object_foreach(changes, name, value)
    {
        if (json_is_null(value) && !client_told(r, name))
            json_object_del(users, name);
        else
            json_object_set(users, name, value);
    }
    char *merged = NULL;
    if (count_tags(r, users) <= MAX_TAGS)
        merged = json_object_size(users) ? json_dumps(users, JSON_COMPACT | JSON_SORT_KEYS) : mem_strdup("");
    else
        refuse(why, "a run has at most 64 tags");
    json_decref(users);
    json_decref(changes);
    return merged;
}

static void add_tag(run_tag *tags, size_t *count, const char *name, const char *value)
{
    tags[(*count)++] = (run_tag){mem_strdup(name), mem_strdup(value)};
}

run_tag *edit_tags(const run_info *r, size_t *count)
{
    json_t *users = load(r->user_tags);
    run_tag *tags = mem_calloc(r->tag_count + json_object_size(users), sizeof *tags);
    const char *name;
    json_t *value;
    *count = 0;
    for (size_t i = 0; i < r->tag_count; i++) {
        const run_tag *t = &r->tags[i];
        value = json_object_get(users, t->name);
        if (json_is_null(value)) continue;
        add_tag(tags, count, t->name, json_is_string(value) ? json_string_value(value) : t->value);
    }
    json_object_foreach(users, name, value) if (json_is_string(value) && !client_told(r, name))
        add_tag(tags, count, name, json_string_value(value));
    json_decref(users);
    return tags;
}

void edit_tags_free(run_tag *tags, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(tags[i].name);
        free(tags[i].value);
    }
    free(tags);
}
