/* SPDX-License-Identifier: MIT OR Unlicense
   test_edit: what users may say of a run, and what becomes of its tags. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "sample.h"

#include "../server/runs/edit.h"

/* ---- bodies ---- */

static void what_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *body, *note, *tags;
        int pinned;
        bool revive;
    } cases[] = {
        {"{}", NULL, NULL, -1, false},
        {" {\"note\": \"slow since Tuesday\"}\n", "slow since Tuesday", NULL, -1, false},
        {"{\"note\": \"\"}", "", NULL, -1, false},
        {"{\"note\": \"a\\nb\\u0007\"}", "a b ", NULL, -1, false},
        {"{\"pinned\": true}", NULL, NULL, 1, false},
        {"{\"pinned\": false, \"deleted\": false}", NULL, NULL, 0, true},
        {"{\"tags\": {}}", NULL, "{}", -1, false},
        {"{\"tags\": {\"a\": \"1\", \"b\": null}}", NULL, "{\"a\":\"1\",\"b\":null}", -1, false},
        {"{\"tags\": {\"a\\tb\": \"\\u00e9\"}}", NULL, "{\"a b\":\"\xc3\xa9\"}", -1, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        edit e;
        buf why = {0};
        if (!edit_read(&e, span_of(cases[i].body), &why)) fail_msg("%s: %s", cases[i].body, why.p);
        assert_int_equal(e.note != NULL, cases[i].note != NULL);
        if (e.note) assert_string_equal(e.note, cases[i].note);
        assert_int_equal(e.tags != NULL, cases[i].tags != NULL);
        if (e.tags) assert_string_equal(e.tags, cases[i].tags);
        assert_true(e.pinned == cases[i].pinned && e.revive == cases[i].revive);
        edit_free(&e);
    }
}

static void expect_refused(const char *body, size_t n, const char *says)
{
    edit e;
    buf why = {0};
    if (edit_read(&e, (span){body, n}, &why)) fail_msg("%.60s was taken", body);
    if (!strstr(why.p, says)) fail_msg("%.60s: %s", body, why.p);
    assert_true(!e.note && !e.tags);
    buf_free(&why);
}

static void what_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body, *says;
    } cases[] = {
        {"", "JSON object"},
        {"null", "JSON object"},
        {"[]", "JSON object"},
        {"{", "JSON object"},
        {"{} {}", "JSON object"},
        {"{\"note\": \"a\", \"note\": \"b\"}", "once"},
        {"{\"note\": null}", "\"note\" must be"},
        {"{\"note\": \"\\u0000\"}", "JSON object"},
        {"{\"note\": \"\\ud800\"}", "JSON object"},
        {"{\"note\": \"\xff\"}", "JSON object"},
        {"{\"note\": 1}", "\"note\" must be"},
        {"{\"pinned\": 1}", "\"pinned\" must be"},
        {"{\"deleted\": true}", "DELETE"},
        {"{\"deleted\": 0}", "DELETE"},
        {"{\"tags\": null}", "\"tags\" must be"},
        {"{\"tags\": [\"a\"]}", "\"tags\" must be"},
        {"{\"tags\": {\"a\": 1}}", "tag's value"},
        {"{\"tags\": {\"a\": {\"b\": \"c\"}}}", "tag's value"},
        {"{\"tags\": {\"\": \"x\"}}", "a name"},
        {"{\"note\": \"fine\", \"tags\": {\"a\": \"1\", \"b\": 2}}", "tag's value"},
        {"{\"app\": \"other\"}", "no such member"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) expect_refused(cases[i].body, strlen(cases[i].body), cases[i].says);
    expect_refused(NULL, 0, "JSON object");
    expect_refused("{}\0", 3, "JSON object");
}

static void what_is_too_long(void **state)
{
    (void)state;
    char body[4096], text[2000];
    edit e;
    buf why = {0};
    memset(text, 'x', sizeof text);
    snprintf(body, sizeof body, "{\"note\": \"%.1000s\"}", text);
    assert_true(edit_read(&e, span_of(body), &why));
    edit_free(&e);
    snprintf(body, sizeof body, "{\"note\": \"%.1001s\"}", text);
    expect_refused(body, strlen(body), "1000 bytes");
    snprintf(body, sizeof body, "{\"tags\": {\"%.200s\": \"%.1000s\"}}", text, text);
    assert_true(edit_read(&e, span_of(body), &why));
    edit_free(&e);
    snprintf(body, sizeof body, "{\"tags\": {\"%.201s\": \"\"}}", text);
    expect_refused(body, strlen(body), "200 bytes");
    snprintf(body, sizeof body, "{\"tags\": {\"a\": \"%.1001s\"}}", text);
    expect_refused(body, strlen(body), "longer than 1000");
    buf deep = {0};
    for (int i = 0; i < 20000; i++) buf_text(&deep, "[");
    expect_refused(deep.p, deep.n, "JSON object");
    buf_free(&deep);
}

/* ---- tags ---- */

static run_info *tagged_run(void)
{
    run_info *r = sample_run(1);
    r->tags = mem_calloc(2, sizeof *r->tags);
    r->tags[0] = (run_tag){mem_strdup("branch"), mem_strdup("main")};
    r->tags[1] = (run_tag){mem_strdup("host"), mem_strdup("box")};
    r->tag_count = 2;
    return r;
}

/* As "name=value …". */
static void assert_tags(const run_info *r, const char *expected)
{
    buf text = {0};
    size_t count;
    run_tag *tags = edit_tags(r, &count);
    buf_text(&text, "");
    for (size_t i = 0; i < count; i++) buf_printf(&text, "%s%s=%s", i ? " " : "", tags[i].name, tags[i].value);
    assert_string_equal(count ? text.p : "", expected);
    edit_tags_free(tags, count);
    buf_free(&text);
}

static void tags_are_merged(void **state)
{
    (void)state;
    static const struct {
        const char *patch, *stored, *seen;
    } steps[] = {
        {"{}", "", "branch=main host=box"},
        {"{\"who\": \"me\"}", "{\"who\":\"me\"}", "branch=main host=box who=me"},
        {"{\"branch\": \"fix\"}", "{\"branch\":\"fix\",\"who\":\"me\"}", "branch=fix host=box who=me"},
        {"{\"branch\": null}", "{\"branch\":null,\"who\":\"me\"}", "host=box who=me"},
        {"{\"who\": null, \"nobody\": null}", "{\"branch\":null}", "host=box"},
        {"{\"branch\": \"main\", \"a\": \"1\"}", "{\"a\":\"1\",\"branch\":\"main\"}", "branch=main host=box a=1"},
        {"{\"a\": null}", "{\"branch\":\"main\"}", "branch=main host=box"},
    };
    run_info *r = tagged_run();
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        buf why = {0};
        char *merged = edit_merge(r, steps[i].patch, &why);
        assert_non_null(merged);
        assert_string_equal(merged, steps[i].stored);
        free(r->user_tags);
        r->user_tags = merged;
        assert_tags(r, steps[i].seen);
    }
    run_info_free(r);
}

static void there_are_at_most_64(void **state)
{
    (void)state;
    run_info *r = tagged_run();
    buf patch = {0}, why = {0};
    for (int i = 0; i < MAX_TAGS - 2; i++) buf_printf(&patch, "%s\"t%d\":\"\"", i ? "," : "{", i);
    size_t n = patch.n;
    buf_text(&patch, "}");
    char *merged = edit_merge(r, patch.p, &why);
    assert_non_null(merged);
    free(merged);
    patch.n = n;
    buf_text(&patch, ",\"more\":\"\"}");
    assert_null(edit_merge(r, patch.p, &why));
    assert_non_null(strstr(why.p, "64"));
    patch.n = n;
    buf_text(&patch, ",\"more\":\"\",\"host\":null}"); /* one goes for it */
    merged = edit_merge(r, patch.p, &why);
    assert_non_null(merged);
    free(merged);
    buf_free(&patch);
    buf_free(&why);
    run_info_free(r);
}

/* Whatever is stored does no harm. */
static void odd_tags_in_the_store(void **state)
{
    (void)state;
    static const char *const odd[] = {"", "[", "[1]", "null", "{\"a\":1}", "{\"branch\":{}}", "{\"branch\":7}"};
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        run_info *r = tagged_run();
        free(r->user_tags);
        r->user_tags = mem_strdup(odd[i]);
        assert_tags(r, "branch=main host=box");
        run_info_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken),        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(what_is_too_long),     cmocka_unit_test(tags_are_merged),
        cmocka_unit_test(there_are_at_most_64), cmocka_unit_test(odd_tags_in_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
