/* SPDX-License-Identifier: MIT OR Unlicense
   api_sample: what the tests of the API's answers share: a real server over loopback, on a real store with three
   runs of two applications, and how it is asked. Include after cmocka. */
#ifndef API_SAMPLE_H
#define API_SAMPLE_H

#include <jansson.h>
#include <math.h>
#include <signal.h>

#include "http_client.h"
#include "http_server.h"

#include "../server/store/store.h"

#define T0 (INT64_C(1769860800) * NS_PER_SECOND) /* 2026-01-31T12:00:00Z */

/* ---- a store with two applications ---- */

static char folder[64], url[128];
static live *fan;
static http *server;
static int port;
static ingest_stats ingest_numbers;
static runs_counters runs_numbers;
static writer_stats writer_numbers;

#define EVIL      "<img src=x onerror=alert(1)>"
#define LONG_ROWS 20000

static const char old_id[] = "00000000-0000-4000-8000-000000000001";
static const char new_id[] = "00000000-0000-4000-8000-000000000002";
static const char long_id[] = "00000000-0000-4000-8000-000000000003";

static inline uuid id_of(const char *text)
{
    uuid id;
    assert_true(uuid_parse(span_of(text), &id));
    return id;
}

static inline run_info *make_run(const char *id, const char *app, int64_t started, size_t columns,
                                 const char *const *names)
{
    run_info *r = mem_calloc(1, sizeof *r);
    *r = (run_info){.id = id_of(id),
                    .app = mem_strdup(app),
                    .host = mem_strdup("box"),
                    .build = mem_strdup("b1"),
                    .args = mem_strdup("./x --y"),
                    .place = mem_strdup(""),
                    .note = mem_strdup(""),
                    .user_tags = mem_strdup(""),
                    .pid = 42,
                    .offset = -1500 * NS_PER_MS,
                    .started = started,
                    .last = started,
                    .seen = clock_wall(),
                    .state = RUN_ENDED,
                    .column_count = columns};
    r->columns = mem_calloc(columns, sizeof r->columns[0]);
    for (size_t i = 0; i < columns; i++)
        r->columns[i] =
            (run_column){mem_strdup(names[i]), mem_strdup(i ? "" : "MB"), i ? COLUMN_COUNTER : COLUMN_GAUGE};
    return r;
}

/* Rows a second apart; column 0: the row's number / 4; column 1: no value in odd rows. */
static inline batch_part make_rows(const run_info *r, size_t first, size_t rows, int64_t apart)
{
    batch_part p = {.info = (run_info *)(uintptr_t)r, .rows = rows, .columns = r->column_count};
    p.time = mem_calloc(rows, sizeof p.time[0]);
    p.seq = mem_calloc(rows, sizeof p.seq[0]);
    p.values = mem_calloc(rows * p.columns, sizeof p.values[0]);
    for (size_t i = 0; i < rows; i++) {
        size_t n = first + i;
        p.time[i] = r->started + (int64_t)n * apart;
        p.seq[i] = n;
        for (size_t c = 0; c < p.columns; c++)
            p.values[i * p.columns + c] = c == 0 ? (double)n / 4 : n % 2 ? NAN : (double)(n * c);
    }
    return p;
}

static inline void free_rows(batch_part *p)
{
    free(p->time);
    free(p->seq);
    free(p->values);
}

static inline void fill(store *s, run_info *r, size_t rows, int64_t apart, const run_event *events,
                        size_t event_count)
{
    size_t n = 0;
    chunk *chunks[64];
    batch_part p = make_rows(r, 0, rows, apart);
    for (size_t at = 0; at < rows; at += CHUNK_ROWS)
        chunks[n++] = chunk_from_part(&p, at, rows - at < CHUNK_ROWS ? rows - at : CHUNK_ROWS);
    r->last = p.time[rows - 1];
    store_change change = {.info = r, .put = chunks, .put_count = n, .events = events, .event_count = event_count};
    assert_int_equal(store_write(s, &change, 1), STORE_OK);
    for (size_t i = 0; i < n; i++) chunk_free(chunks[i]);
    free_rows(&p);
    run_info_free(r);
}

static inline void fill_store(void)
{
    static const char *const plain[] = {"mem", "with \"quote\", comma"}, *const evil[] = {EVIL};
    char label[] = "cache \"flushed\"", nothing[] = "";
    run_event events[] = {{EVENT_MARK, T0 + NS_PER_SECOND, T0 + NS_PER_SECOND, 0, 0, label},
                          {EVENT_GAP, T0 + 2 * NS_PER_SECOND, T0 + 3 * NS_PER_SECOND, 100, 5, nothing}};
    buf why = {0};
    store *s = store_open(url, STORE_WRITE, &why);
    if (!s) fail_msg("%s", why.p);
    fill(s, make_run(old_id, "plain", T0, 2, plain), 4, NS_PER_SECOND, events, 2);
    fill(s, make_run(new_id, EVIL, T0 + 100 * NS_PER_SECOND, 1, evil), 1, NS_PER_SECOND, NULL, 0);
    fill(s, make_run(long_id, "plain", T0 + 50 * NS_PER_SECOND, 2, plain), LONG_ROWS, NS_PER_MS, NULL, 0);
    store_close(s);
}

/* ---- the server ---- */

static inline http_desc usual_desc(void)
{
    return (http_desc){.address = "127.0.0.1:0",
                       .store_url = url,
                       .live = fan,
                       .ingest = &ingest_numbers,
                       .runs = &runs_numbers,
                       .writer = &writer_numbers};
}

static inline int set_up(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    strcpy(folder, "/tmp/mnemic-api-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(url, sizeof url, "sqlite:%s/t.db", folder);
    fill_store();
    fan = live_new();
    http_desc desc = usual_desc();
    server = open_server(&desc, &port);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    http_stop(server, 10);
    live_free(fan);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* ---- asking ---- */

static inline char *run_path(const char *id, const char *rest)
{
    static char path[256];
    snprintf(path, sizeof path, "/api/v1/runs/%s%s", id, rest);
    return path;
}

static inline json_t *get_json(const char *path)
{
    http_answer a = client_get(port, path);
    char type[64];
    if (a.status != 200) fail_msg("%s: %d %s", path, a.status, a.body.p);
    assert_string_equal(answer_header(&a, "content-type", type, sizeof type), "application/json");
    json_t *value = json_loadb(a.body.p, a.body.n, 0, NULL);
    assert_non_null(value);
    http_answer_free(&a);
    return value;
}

/* An error has its status and a sentence. */
static inline void expect_error(const char *method, const char *path, const char *headers, int status,
                                const char *says)
{
    http_answer a = client_ask(port, method, path, headers);
    json_t *value = json_loadb(a.body.p, a.body.n, 0, NULL);
    const char *sentence = json_string_value(json_object_get(value, "error"));
    if (a.status != status || !sentence || !strstr(sentence, says))
        fail_msg("%s %s: %d %s", method, path, a.status, a.body.p);
    json_decref(value);
    http_answer_free(&a);
}

static inline double number_at(const json_t *array, size_t i)
{
    return json_number_value(json_array_get(array, i));
}

#endif
