/* SPDX-License-Identifier: MIT OR Unlicense
   store_postgres_sql: the statements of the PostgreSQL store, but those of the schema. Prepared when a connection was made.
   Each but RUNS, UNMERGED and RUNS_TO_SWEEP concerns one run, which Citus finds in one place. */
#include "store/postgres/store_postgres.h"

#define RUN_FIELDS                                                                                                   \
    "run, app, host, build, args, place, pid, born, started, last, seen, interval, state, rows, lost, next_seq,"     \
    " next_mark, clock_offset, counter, note, user_tags, pinned, deleted, removed,"                                  \
    " column_names, column_units, column_kinds, tag_names, tag_values"

/* Time and number of row i (from 1) of a chunk; see store_postgres_schema.c. */
#define ROW_TIME "c.time_base + (i - 1) * c.time_step + coalesce(c.time_small[i], c.time_rest[i], 0)"
#define ROW_SEQ  "c.first_seq + (i - 1) + coalesce(c.seq_rest[i], 0)"

/* Where columns $7 … $8 lie in an ascending array of columns. */
#define PLACES(columns, as)                                                                                          \
    "LATERAL (SELECT count(*) FILTER (WHERE k < $7::integer)::integer + 1 AS lo, count(*) FILTER (WHERE k <= "       \
    "$8::integer)::integer "                                                                                         \
    "AS hi"                                                                                                          \
    " FROM unnest(c." columns ") k) " as

const char *const pg_statements[PG_SQL_COUNT] = {
    [PG_BEGIN_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    [PG_BEGIN_WRITE] = "BEGIN ISOLATION LEVEL READ COMMITTED",
    [PG_COMMIT] = "COMMIT",
    [PG_ROLLBACK] = "ROLLBACK",
    [PG_PIN] = "SELECT 1",
    [PG_FETCH] = "FETCH FORWARD 512 FROM c",
    [PG_CLOSE] = "CLOSE c",
    [PG_LOCK] =
        "SELECT facts, last, seen, state, rows, lost, next_seq, next_mark, clock_offset, counter, small, loose,"
        " max_gap, summed_time, summed_seq, removed, pinned, deleted, max_spans FROM mnemic.run WHERE run = $1"
        " FOR UPDATE",
    [PG_RUN_INSERT] =
        "INSERT INTO mnemic.run (run, facts, app, host, build, args, place, pid, born, started, interval,"
        " column_names, column_units, column_kinds, tag_names, tag_values, last, seen)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $10, $10)"
        " ON CONFLICT DO NOTHING",
    [PG_RUN_FACTS] =
        "UPDATE mnemic.run SET facts = $2, app = $3, host = $4, build = $5, args = $6, place = $7, pid = $8, born = "
        "$9,"
        " started = $10, interval = $11, column_names = $12 || column_names[cardinality($12::text[]) + 1:],"
        " column_units = $13 || column_units[cardinality($13::text[]) + 1:],"
        " column_kinds = $14 || column_kinds[cardinality($14::smallint[]) + 1:],"
        " tag_names = $15, tag_values = $16 WHERE run = $1",
    [PG_RUN_GROW] =
        "UPDATE mnemic.run SET last = $2, seen = $3, state = $4, rows = $5, lost = $6, next_seq = $7, next_mark = $8,"
        " clock_offset = $9, counter = $10, small = $11, loose = $12, max_gap = $13, summed_time = $14,"
        " summed_seq = $15, removed = $16, max_spans = $17 WHERE run = $1",
    [PG_RUN_EDIT] = "UPDATE mnemic.run SET note = coalesce($2, note), user_tags = coalesce($3, user_tags),"
                    " pinned = coalesce($4, pinned), deleted = coalesce($5, deleted) WHERE run = $1",
    [PG_ROW_FIND] = "SELECT EXISTS (SELECT 1 FROM mnemic.chunk c, generate_series(1, c.rows) i"
                    " WHERE c.run = $1 AND c.level = 0 AND c.first_time BETWEEN $4 AND $2 AND c.last_time >= $2"
                    " AND c.first_seq <= $3 AND c.last_seq >= $3"
                    " AND " ROW_TIME " = $2 AND " ROW_SEQ " = $3)",
    [PG_CHUNK_PUT] =
        "INSERT INTO mnemic.chunk (run, level, first_time, first_seq, last_time, last_seq, rows, columns, summary,"
        " time_base, time_step, time_small, time_rest, seq_rest, doubles, double_columns,"
        " ints, int_columns, int_bases, int_scales, smalls, small_columns, small_bases, small_scales, histograms,"
        " histogram_sums)"
        " VALUES ($1, 0, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,"
        " $22, $23, $24, $25) ON CONFLICT DO NOTHING",
    [PG_SUMMARY_PUT] =
        "WITH below AS (SELECT * FROM (SELECT coalesce(until_time, first_time) AS time, coalesce(until_seq, "
        "first_seq)"
        " AS seq, (sum(rows) OVER w)::bigint AS total, max(last_time) OVER w AS last_time, max(last_seq) OVER w AS "
        "last_seq,"
        " row_number() OVER w AS entries FROM mnemic.chunk"
        " WHERE run = $1 AND level = $2::smallint - 1 AND (first_time, first_seq) >= ($3, $4)"
        " WINDOW w AS (ORDER BY first_time, first_seq ROWS UNBOUNDED PRECEDING)) s WHERE total >= $7 LIMIT 1),"
        " put AS (INSERT INTO mnemic.chunk (run, level, first_time, first_seq, last_time, last_seq, rows, columns,"
        " summary, histogram_sums, until_time, until_seq) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10::bytea, time, seq"
        " FROM below"
        " WHERE total = $7 AND last_time = $5 AND last_seq = $6 ON CONFLICT DO NOTHING RETURNING 1)"
        " SELECT (SELECT count(*) FROM put), (SELECT count(*) FROM mnemic.chunk WHERE run = $1 AND level = $2"
        " AND first_time = $3 AND first_seq = $4), (SELECT time FROM below), (SELECT seq FROM below),"
        " (SELECT entries FROM below)",
    /* Removes the summaries that stand for what lies at the places given; of those that are there already and are not to be dropped, none. A level without a summary at or before a place has none above it either. */
    [PG_SUMMARIES_DROP] =
        "DELETE FROM mnemic.chunk c USING (SELECT DISTINCT l AS level, s.first_time, s.first_seq"
        " FROM unnest($2::smallint[], $3::bigint[], $4::bigint[], $5::boolean[]) AS p (level, time, seq, dropped),"
        " LATERAL generate_series(p.level + 1, $6::integer - 1) AS l, LATERAL (SELECT first_time, first_seq, "
        "until_time,"
        " until_seq FROM mnemic.chunk WHERE run = $1 AND level = l AND (first_time, first_seq) <= (p.time, p.seq)"
        " ORDER BY first_time DESC, first_seq DESC LIMIT 1) AS s"
        " WHERE (s.until_time, s.until_seq) >= (p.time, p.seq) AND (p.dropped OR NOT EXISTS (SELECT 1 FROM "
        "mnemic.chunk"
        " WHERE run = $1 AND level = p.level AND first_time = p.time AND first_seq = p.seq))) AS d"
        " WHERE c.run = $1 AND c.level = d.level AND c.first_time = d.first_time AND c.first_seq = d.first_seq"
        " RETURNING CASE WHEN c.level > 1 THEN 0 ELSE (SELECT count(*) FROM mnemic.chunk b WHERE b.run = $1"
        " AND b.level = 0 AND (b.first_time, b.first_seq) >= (c.first_time, c.first_seq)"
        " AND (b.first_time, b.first_seq) <= (c.until_time, c.until_seq)) END",
    [PG_CHUNKS_DROP] =
        "DELETE FROM mnemic.chunk c USING unnest($2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[],"
        " $6::bigint[], $7::bigint[]) AS d (level, first_time, first_seq, last_time, last_seq, rows) WHERE c.run = $1"
        " AND c.level = d.level AND c.first_time = d.first_time AND c.first_seq = d.first_seq"
        " AND c.last_time = d.last_time AND c.last_seq = d.last_seq AND c.rows = d.rows",
    [PG_EVENTS_PUT] =
        "INSERT INTO mnemic.event (run, time, kind, seq, until, count, text) SELECT $1, * FROM unnest($2::bigint[],"
        " $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[]) ON CONFLICT DO NOTHING"
        " RETURNING kind, time, until, count",
    /* The next runs, and whether something may have to go of them: $2 is when a run was deleted, $3 how old rows are. */
    [PG_RUNS_TO_SWEEP] =
        "SELECT r.run, CASE WHEN r.deleted > 0 AND r.deleted < $2 THEN true WHEN r.pinned THEN false"
        " ELSE r.rows = 0 AND r.seen < $3 OR EXISTS (SELECT 1 FROM mnemic.chunk c WHERE c.run = r.run AND c.level = 0"
        " AND c.first_time < $3 AND c.last_time < $3) OR EXISTS (SELECT 1 FROM mnemic.event e WHERE e.run = r.run"
        " AND e.time < $3 AND e.until < $3) END FROM mnemic.run r WHERE r.run > $1 ORDER BY r.run LIMIT 256",
    [PG_OLD_CHUNKS] =
        "SELECT first_time, first_seq, last_time, last_seq, rows FROM mnemic.chunk WHERE run = $1"
        " AND level = 0 AND first_time <= $2 AND last_time <= $2 ORDER BY first_time, first_seq LIMIT $3",
    [PG_EVENTS_DROP] =
        "DELETE FROM mnemic.event WHERE run = $1 AND (time, kind, seq) IN (SELECT time, kind, seq"
        " FROM mnemic.event WHERE run = $1 AND time <= $2 AND until <= $2 ORDER BY time, kind, seq LIMIT $3)",
    [PG_RUN_DROP] = "DELETE FROM mnemic.run WHERE run = $1"
                    " AND NOT EXISTS (SELECT 1 FROM mnemic.chunk WHERE run = $1 AND level = 0)"
                    " AND NOT EXISTS (SELECT 1 FROM mnemic.event WHERE run = $1)",
    [PG_RUN_GET] = "SELECT " RUN_FIELDS " FROM mnemic.run WHERE run = $1",
    [PG_RUNS] =
        "DECLARE c NO SCROLL CURSOR FOR SELECT " RUN_FIELDS " FROM mnemic.run ORDER BY started DESC, run DESC",
    [PG_UNMERGED] = "SELECT run FROM mnemic.run WHERE small >= 16 OR loose >= 64",
    [PG_SPANS] = "SELECT max_spans, max_gap FROM mnemic.run WHERE run = $1",
    /* Of each stretch, in the order given. The inner ORDER BY makes a nested loop of it, in the key's order. */
    [PG_ENTRIES] = "DECLARE c NO SCROLL CURSOR FOR SELECT e.* FROM unnest($3::bigint[], $4::bigint[], $5::bigint[],"
                   " $6::bigint[]) AS r (lo_time, lo_seq, hi_time, hi_seq), LATERAL (SELECT first_time, first_seq,"
                   " last_time, last_seq, rows, until_time, until_seq, columns, summary FROM mnemic.chunk"
                   " WHERE run = $1 AND level = $2 AND (first_time, first_seq) >= (r.lo_time, r.lo_seq)"
                   " AND (first_time, first_seq) <= (r.hi_time, r.hi_seq) AND last_time >= $7"
                   " ORDER BY first_time, first_seq) AS e",
    /* Of each matrix the rows that are columns $7 … $8: they lie together, since its columns ascend. */
    [PG_CHUNK_GET] =
        "SELECT c.columns, c.time_base, c.time_step, c.time_small, c.time_rest, c.seq_rest,"
        " CASE WHEN c.double_columns IS NULL THEN c.doubles[$7:$8][:] ELSE c.doubles[d.lo:d.hi][:] "
        "END,"
        " c.double_columns[d.lo:d.hi],"
        " c.ints[i.lo:i.hi][:], c.int_columns[i.lo:i.hi], c.int_bases[i.lo:i.hi], c.int_scales[i.lo:i.hi],"
        " c.smalls[s.lo:s.hi][:], c.small_columns[s.lo:s.hi], c.small_bases[s.lo:s.hi], c.small_scales[s.lo:s.hi],"
        " CASE WHEN $9::boolean THEN c.histograms END"
        " FROM mnemic.chunk c, " PLACES("double_columns", "d") ", " PLACES("int_columns", "i") ", " PLACES(
            "small_columns", "s") " WHERE c.run = $1 AND c.level = 0 AND c.first_time = $2 AND c.first_seq = $3"
                                  " AND c.last_time = $4 AND c.last_seq = $5 AND c.rows = $6",
    [PG_SUMS_GET] = "SELECT histogram_sums FROM mnemic.chunk WHERE run = $1 AND level = $7::smallint AND first_time = $2"
                    " AND first_seq = $3 AND last_time = $4 AND last_seq = $5 AND rows = $6",
    [PG_EVENTS] = "DECLARE c NO SCROLL CURSOR FOR SELECT kind, time, until, seq, count, text FROM mnemic.event"
                  " WHERE run = $1 AND time BETWEEN $2 AND $4 AND until >= $3 ORDER BY time, kind, seq",
};
