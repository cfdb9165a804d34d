/* SPDX-License-Identifier: MIT OR Unlicense
   test_wire_manual: the session that server/WIRE.md shows byte by byte is what both ends really say. If it is not, the
   real one is printed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOLON_IMPLEMENTATION
#define DOLON_STATIC
#include "../dolon.h"

#include "../server/ingest/decode.h"
#include "../server/runs/runs.h"

#define MS      NS_PER_MS
#define STARTED INT64_C(1769860800000000000)
#define END     900 /* ms: the goodbye; rows are sampled at 0 and 300 */

typedef struct {
    runs *r;
    dolon__session session;
    uint8_t ring[4096], facts[512], scratch[64];
    int64_t now; /* since the start */
    size_t length;
    bool asked, cut;
    run_info *stored;
    buf said; /* the session as text: "> 0.000 lost d01001…\n" */
} stage;

static void want(void *ctx, const uuid *id)
{
    (void)id;
    ((stage *)ctx)->asked = true;
}

static void take(void *ctx, const record *rec)
{
    static const peer client = {.bytes = {1}, .size = 1};
    stage *s = ctx;
    runs_take_from(s->r, rec, &client, s->length, STARTED + s->now);
}

static void note(stage *s, char direction, const uint8_t *bytes, size_t n, bool lost)
{
    buf_printf(&s->said, "%c %.3f%s ", direction, (double)s->now / 1e9, lost ? " lost" : "");
    for (size_t i = 0; i < n; i++) buf_printf(&s->said, "%02x", bytes[i]);
    buf_text(&s->said, "\n");
}

static size_t column(void *ctx, uint32_t i, uint8_t *out)
{
    static const char *const entries[] = {"\0\2\3MBrss", "\1\0\10requests", "\2\1\11swork_mean"};
    static const size_t bytes[] = {8, 11, 13};
    (void)ctx;
    memcpy(out, entries[i], bytes[i]);
    return bytes[i];
}

static void begin(stage *s)
{
    static const uint8_t run[16] = {0x1e, 0x7c, 0x35, 0x6f, 0x16, 0xb3, 0x48, 0x5c,
                                    0xa4, 0xf0, 0x06, 0x87, 0x29, 0x19, 0x28, 0x5e};
    static dolon__passport p = {.app = "hello", .host = "box", .place = "", .build = "a1b2c3", .args = "./hello"};
    snprintf(p.tag_names[0], sizeof p.tag_names[0], "branch");
    snprintf(p.tag_values[0], sizeof p.tag_values[0], "main");
    p.tag_count = 1, p.pid = 4711, p.born = 86400, p.time = STARTED, p.interval = 300 * MS;
    memcpy(s->session.run, run, sizeof run);
    s->session.datagram = 1200;
    s->session.facts = s->facts;
    s->session.facts_bytes = dolon__link_facts(&p, s->facts, sizeof s->facts);
    s->session.column = column;
    s->session.columns = 3;
    s->session.linger = 100 * MS;
    s->session.ring.bytes = s->ring;
    s->session.ring.size = sizeof s->ring;
    dolon__session_start(&s->session, 0);
    s->r = runs_new(NULL, want, s);
}

/* What the client says; the first rows are lost on their way. */
static void say(stage *s)
{
    uint8_t out[1200];
    for (size_t n; (n = dolon__session_next(&s->session, s->now, out)) > 0;) {
        bool lost = out[3] == 3 && !s->cut;
        if (lost) s->cut = true;
        note(s, '>', out, n, lost);
        s->length = n;
        if (!lost) assert_int_equal(decode_datagram(out, n, take, s), DECODE_OK);
    }
}

static void answer(stage *s)
{
    uint8_t ack[RUNS_ACK_BYTES];
    peer to;
    for (size_t n; (n = runs_next_ack(s->r, ack, &to)) > 0;) {
        note(s, '<', ack, n, false);
        dolon__session_take(&s->session, s->now, ack, n);
    }
}

static void commit(stage *s)
{
    batch *b = runs_flush(s->r, STARTED + s->now, false);
    for (size_t i = 0; b && i < b->count; i++) {
        const run_info *info = b->parts[i].info;
        runs_durable(s->r, &(receipt){.id = info->id,
                                      .rows = info->next_seq,
                                      .marks = info->next_mark,
                                      .columns = (uint32_t)info->column_count,
                                      .ended = info->state != RUN_LIVE});
    }
    batch_free(b);
}

/* The second row brings that work() took 12.3 ms 41 times, and 250 ms once. */
static void sample(stage *s, int64_t ms)
{
    static const uint8_t words[16] = {3, 2, 0xc9, 0xf8, 7, 41, 0xb6, 4, 1};
    const double values[] = {1.5 + (double)ms, (double)ms, ms ? 0.018 : dolon__nan()};
    dolon__session_row(&s->session, s->now, STARTED + s->now, values, (dolon__cells){3, ms ? 2 : 0}, words,
                       s->scratch);
}

static char *real_session(void)
{
    static stage s;
    begin(&s);
    for (; !dolon__session_done(&s.session); s.now += 10 * MS) {
        int64_t ms = s.now / MS;
        assert_true(ms < 10 * END);
        if (ms == 0 || ms == 300) sample(&s, ms);
        if (ms == 600) dolon__session_mark(&s.session, s.now, &(dolon__mark){STARTED + s.now, "cache flushed"});
        if (ms == END) dolon__session_bye(&s.session, s.now, STARTED + s.now, 0);
        say(&s);
        if (s.asked) {
            uuid id;
            memcpy(id.b, s.session.run, 16);
            runs_answer(s.r, &id, NULL, STARTED + s.now);
            s.asked = false;
        }
        if (ms % 250 == 200) commit(&s);
        answer(&s);
    }
    runs_free(s.r);
    return s.said.p;
}

/* The lines of the section "## A session, byte by byte" that are indented: "    > 0.000 …" begins a datagram, hex in
   groups follows on lines that are indented further, up to two spaces and a comment. */
static char *shown_session(void)
{
    static buf shown;
    char line[512];
    bool within = false;
    FILE *f = fopen("server/WIRE.md", "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '#') within = strcmp(line, "## A session, byte by byte\n") == 0;
        if (!within || strncmp(line, "    ", 4) != 0) continue;
        const char *p = line + 4;
        if (*p == '>' || *p == '<') {
            size_t n = strcspn(p, ",\n");
            if (shown.n) buf_text(&shown, "\n");
            buf_append(&shown, p, n);
            buf_text(&shown, " ");
            continue;
        }
        for (p += strspn(p, " "); *p && *p != '\n' && strncmp(p, "  ", 2) != 0; p++)
            if (*p != ' ') buf_append(&shown, p, 1);
    }
    fclose(f);
    buf_append(&shown, "\n", 2);
    return shown.p;
}

static void the_manual_shows_the_truth(void **unused)
{
    (void)unused;
    char *real = real_session(), *shown = shown_session();
    if (strcmp(real, shown) != 0) fprintf(stderr, "the real session:\n%s", real); /* cmocka cuts long texts */
    assert_string_equal(real, shown);
    free(real);
    free(shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manual_shows_the_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
