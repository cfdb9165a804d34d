// SPDX-License-Identifier: MIT OR Unlicense
// traced: starts traced programs (tests/programs), and compares what the server holds of a run with what was sampled.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { ROOT, start, startMnemic, until } from './mnemic.mjs';
import { Proxy, socket } from './proxy.mjs';

const PROGRAMS = process.env.PROGRAMS ?? join(ROOT, 'build/programs');
let apps = 0;

/** Servers, proxies and programs of one test; all are ended and cleared away with it. */
class Scene {
  #ends = [];

  async server(like) {
    const server = await startMnemic(like);
    this.#ends.push(() => server.remove());
    return server;
  }

  async proxy(server, seed, conditions) {
    const proxy = await Proxy.open(server.udp, seed, conditions);
    this.#ends.push(() => proxy.close());
    return proxy;
  }

  /** Says to the server whatever it is told to; what is answered is gathered. */
  async stranger(server) {
    const it = await socket();
    const heard = [];
    it.on('message', (bytes) => heard.push(bytes));
    this.#ends.push(() => it.close());
    return { heard, send: (bytes) => new Promise((done) => it.send(bytes, server.udp, '127.0.0.1', done)) };
  }

  /** Whatever else is to be closed. */
  later(end) {
    this.#ends.push(end);
  }

  /** Starts a program under a name of its own, or `app`. `words`: see the program. */
  trace(port, words, { program = 'rows', app = `app-${++apps}`, env: more = {} } = {}) {
    const env = { ...process.env, DOLON_HOST: '127.0.0.1', DOLON_PORT: `${port}`, DOLON_APP_NAME: app, ...more };
    const child = start(join(PROGRAMS, program), words, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    child.child.stdout.on('data', (text) => { out += text; });
    const closed = new Promise((resolve) => child.child.on('close', resolve));
    this.#ends.push(() => child.stop('SIGKILL'));
    return {
      ...child, app,
      /** Waits for its end, or brings it about, and returns how many rows it sampled. */
      sampled: async () => {
        child.child.stdin.end();
        await closed;
        assert.equal(child.child.exitCode, 0, child.log());
        return Number(/^sampled (\d+)$/m.exec(out)[1]);
      },
      /** How many of them left the ring unacknowledged, by the program's own count; once it has ended. */
      lost: () => Number(/^lost (\d+)$/m.exec(out)[1]),
    };
  }

  async close() {
    for (const end of this.#ends.reverse()) await end();
  }
}

/** Tests that spend their time waiting, all at once; each reports for itself. { name: async (scene) => … } */
export function sideBySide(tests) {
  const running = new Map();
  before(() => {
    for (const [name, run] of Object.entries(tests)) {
      const scene = new Scene();
      const result = (async () => run(scene))().finally(() => scene.close());
      result.catch(() => {}); // its test tells
      running.set(name, result);
    }
  });
  for (const name of Object.keys(tests)) test(name, () => running.get(name));
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** None, too, while the store does not answer. */
export async function runsOf(server, app) {
  const apps = await server.get('/api/v1/apps');
  return (Array.isArray(apps) ? apps : []).find((a) => a.app === app)?.runs ?? [];
}

/** The one run of a program, once it holds at least `rows`, durable or lost. */
export const runWith = (server, app, rows) =>
  until(`${rows} rows of ${app}`, async () => (await runsOf(server, app)).find((r) => r.rows + r.lost >= rows));

export async function metric(server, name) {
  const text = await (await fetch(new URL('/metrics', server.url))).text();
  const escaped = name.replace(/[{}]/g, '\\$&');
  return Number(new RegExp(`^${escaped} (\\d+)$`, 'm').exec(text)[1]);
}

/** The rows as exported: { time, seq, values }, an empty field is null. */
export async function exported(server, id) {
  const answer = await until(`an answer of ${id}`, async () => {
    const it = await fetch(new URL(`/api/v1/runs/${id}.csv`, server.url));
    return it.status !== 503 && it; // "try again"
  });
  const text = await answer.text().catch((cut) => assert.fail(`the export of ${id} was cut: ${cut.cause ?? cut}; the server (${server.child.exitCode ?? server.child.signalCode ?? 'alive'}) says: ${server.log()}`));
  assert.equal(answer.status, 200, text);
  return text.trim().split('\r\n').slice(1).map((line) => {
    const [time, seq, ...values] = line.split(',');
    return { time, seq: Number(seq), values: values.map((v) => (v === '' ? null : Number(v))) };
  });
}

/** Every row once, in order, with its own values: 1024 × its number + the column's, from when that one began. */
export function assertContent(rows, id) {
  const begun = new Set();
  for (const [i, row] of rows.entries()) {
    if (i > 0) {
      assert.ok(row.seq > rows[i - 1].seq, `${id}: row ${row.seq} after ${rows[i - 1].seq}`);
      assert.ok(row.time > rows[i - 1].time, `${id}: ${row.time} after ${rows[i - 1].time}`);
    }
    for (const [c, value] of row.values.entries()) {
      if (value === null && !begun.has(c)) continue;
      begun.add(c);
      assert.equal(value, row.seq * 1024 + c, `${id}: row ${row.seq}, column ${c}`);
    }
  }
}

/** Waits until the server has all of a run that said goodbye; then compares numbers, content and gaps, and returns the
 *  run and its rows. */
export async function assertWhole(server, app, sampled, { columns = 1, lost = 0, state = 'ended' } = {}) {
  const run = await until(`the end of ${app}`, async () => (await runsOf(server, app)).find((r) => r.state === state));
  const rows = await exported(server, run.id);
  assert.equal(run.rows + run.lost, sampled, `${run.rows} rows and ${run.lost} lost of ${sampled}`);
  if (lost !== null) assert.equal(run.lost, lost);
  assert.equal(rows.length, run.rows);
  assert.equal(run.columns.length, columns);
  assertContent(rows, app);
  for (const row of rows) assert.notEqual(row.values[0], null);
  const series = await server.get(`/api/v1/runs/${run.id}/series?points=20000`);
  assert.equal(series.gaps.reduce((sum, [, , n]) => sum + n, 0), run.lost);
  return { run, rows, series };
}
