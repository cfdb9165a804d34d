/* SPDX-License-Identifier: MIT OR Unlicense
   fuzz_edit: hostile bodies of a PATCH. What is taken must be within its bounds, and can be merged into a run's tags again
   and again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../server/runs/edit.h"

#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_tags(const run_info *r)
{
    size_t count;
    run_tag *tags = edit_tags(r, &count);
    MUST(count <= MAX_TAGS);
    for (size_t i = 0; i < count; i++) {
        MUST(*tags[i].name && strlen(tags[i].name) <= MAX_NAME_BYTES && strlen(tags[i].value) <= MAX_TEXT_BYTES);
        MUST(span_is_utf8(span_of(tags[i].name)) && span_is_utf8(span_of(tags[i].value)));
    }
    edit_tags_free(tags, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    run_tag told[] = {{(char[]){"branch"}, (char[]){"main"}}, {(char[]){"a"}, (char[]){""}}};
    edit e;
    buf why = {0};
    if (!edit_read(&e, (span){(const char *)bytes, n}, &why)) {
        MUST(why.n > 0 && !e.note && !e.tags);
        buf_free(&why);
        return 0;
    }
    MUST(!why.n && e.pinned >= -1 && e.pinned <= 1);
    MUST(!e.note || (strlen(e.note) <= MAX_TEXT_BYTES && span_is_utf8(span_of(e.note))));
    run_info r = {.tags = told, .tag_count = ARRAY_LEN(told), .user_tags = mem_strdup("")};
    for (int i = 0; e.tags && i < 2; i++) { /* the second time nothing changes */
        char *merged = edit_merge(&r, e.tags, &why);
        MUST(merged || why.n);
        if (!merged) break;
        MUST(i == 0 || strcmp(merged, r.user_tags) == 0);
        free(r.user_tags);
        r.user_tags = merged;
        check_tags(&r);
    }
    free(r.user_tags);
    edit_free(&e);
    buf_free(&why);
    return 0;
}
