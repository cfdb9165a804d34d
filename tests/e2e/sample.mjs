// SPDX-License-Identifier: MIT OR Unlicense
// sample: what a team's server may hold on a weekday: a gateway that has run since this morning's build, its earlier runs, and two
// other programs. For pictures, and for tests that want a page with everything on it.

import { Program, until } from './mnemic.mjs';
import { randomNormal } from './soak.mjs';

const MINUTE = 60e3;
const HOUR = 3600e3;
const FUNCTIONS = ['parse_request', 'authorize', 'handle'];
const PARTS = ['hits', 'active_instances', 'average_time', 'mean', 'p50', 'p99', 'max'];
const SHAPE = [
  ['memory_use', 'GiB', 'gauge'], ['cpu_percent', '%', 'gauge'], ['active_tasks', '', 'gauge'],
  ['queue_depth', '', 'gauge'], ['connections', '', 'gauge'], ['cache_hit_ratio', '%', 'gauge'],
  ['requests', '', 'counter'], ['bytes_sent', 'B', 'counter'], ['timeouts', '', 'counter'],
  ...FUNCTIONS.flatMap((name) => PARTS.map((part) => [`${name}_${part}`, part === 'hits' || part === 'active_instances' ? '' : 's', part === 'hits' ? 'counter' : 'gauge'])),
];
const COST = { parse_request: 0.00004, authorize: 0.0003, handle: 0.0021 }; // seconds a call

/** A gateway's rows: load comes in waves, caches warm up, a burst makes the queue grow; `leak` in GiB an hour. */
function gateway(seed, { leak = 0, burst = Infinity } = {}) {
  const noise = randomNormal(seed);
  const sums = { requests: 0, bytes: 0, timeouts: 0, hits: Object.fromEntries(FUNCTIONS.map((f) => [f, 0])) };
  return (i) => {
    const wave = 1 + 0.35 * Math.sin(i / 190) + 0.12 * Math.sin(i / 37);
    const peak = i >= burst ? 2.6 * Math.exp(-(i - burst) / 130) : 0;
    const load = Math.max(0.2, wave + peak + 0.05 * noise());
    const calls = Math.round(420 * load);
    sums.requests += calls;
    sums.bytes += calls * (18e3 + 900 * noise());
    sums.timeouts += peak > 0.8 ? Math.round(peak * 3) : Number(noise() > 2.2);
    const functions = FUNCTIONS.flatMap((name) => {
      const n = name === 'authorize' ? Math.round(calls * 0.4) : calls;
      const mean = COST[name] * (1 + 0.5 * peak + 0.06 * noise());
      sums.hits[name] += n;
      return [sums.hits[name], Math.max(0, Math.round(n * mean)), mean, mean, mean * 0.82, mean * (2.6 + 0.3 * noise() + peak), mean * (5 + Math.abs(noise()))];
    });
    return [0.86 + leak * i / 3600 + 0.11 * (1 - Math.exp(-i / 400)) + 0.004 * noise(), Math.min(100, 21 * load + 3 * noise()), 24 + Math.round(3 * load),
      Math.max(0, Math.round(6 * load + 70 * peak + 2 * noise())), Math.round(180 + 60 * load + 5 * noise()), Math.min(99.5, 97 - 34 * Math.exp(-i / 300) + 0.6 * noise()),
      sums.requests, sums.bytes, sums.timeouts, ...functions];
  };
}

/** @returns {Program} that has sent its history, and stays live or has ended. */
async function run(server, rows, values, { age = 0, end, skip, marks = [], ...more }) {
  const program = new Program(server, SHAPE.map(([name]) => name), { app_name: 'gateway', units: SHAPE.map(([, unit]) => unit), kinds: SHAPE.map(([, , kind]) => kind),
    host: 'eu-west-2', args: './gateway --config prod.toml --workers 24', ...more });
  const last = Date.now() - age;
  const first = last - rows * 1000;
  if (end) await program.announce(first);
  else await program.live(first);
  await program.history(rows, values, { skip, end: last });
  await program.row(values(rows), last + 1000, { marks: marks.map(([second, text]) => [(first + second * 1000) * 1e6, text]), ...(end ? { end } : {}) });
  return program;
}

/** Some small runs of another program: `count` of them, about a day apart, half an hour to some hours long. */
async function others(server, app_name, count, tags) {
  const programs = [];
  for (let i = 0; i < count; i++) {
    const step = (1 + (i * 7) % 11) * MINUTE;
    const rows = 30 + (i * 13) % 29;
    const program = new Program(server, ['fps', 'players'], { app_name, tags: tags(i), host: 'lab', interval: step / 1000 });
    const begin = Date.now() - (i + 1) * 23 * HOUR - (i * 37) % 180 * MINUTE;
    await program.announce(begin);
    for (let k = 0; k < rows; k++) await program.row([60 + Math.sin(k), k % 12], begin + k * step);
    await program.row([60, 0], begin + rows * step, { end: 'stopped' });
    programs.push(program);
  }
  return programs;
}

const say = (server, { uuid }, edit) => fetch(new URL(`/api/v1/runs/${uuid}`, server.url),
  { method: 'PATCH', headers: { 'content-type': 'application/json' }, body: JSON.stringify(edit) });

/** Fills a server; `shown` is the live run. */
export async function fill(server, { rows = 2400 } = {}) {
  const lost = (from, to) => (i) => i >= from && i < to;
  const shown = await run(server, rows, gateway(7, { leak: 0.02, burst: Math.round(rows * 0.62) }), { pid: 48213, build: '1.8.0+4f1c2ab', tags: { branch: 'main', version: '1.8.0' },
    skip: lost(Math.round(rows * 0.31), Math.round(rows * 0.31) + 45), marks: [[Math.round(rows * 0.2), 'reload'], [Math.round(rows * 0.62), 'failover']] });
  const before = await run(server, 900, gateway(11), { age: 20 * HOUR, end: 'stopped', pid: 31990, build: '1.7.2+90be11d', tags: { branch: 'main', version: '1.7.2' } });
  const crashed = await run(server, 600, gateway(13, { leak: 1.8 }), { age: 43 * HOUR, end: 'crashed', pid: 2207, build: '1.8.0-rc1', tags: { branch: 'pool-rewrite', version: '1.8.0-rc1' }, skip: lost(300, 312) });
  const rest = [...await others(server, 'game-server', 14, (i) => ({ branch: i % 3 ? 'main' : 'netcode' })), ...await others(server, 'robot-arm', 3, () => ({ cell: 'B2' }))];
  const all = [shown, before, crashed, ...rest];
  await until('everything is stored', async () => {
    const stored = await Promise.all([shown, before, crashed].map((p) => p.stored()));
    return stored[0]?.rows + stored[0]?.lost === rows + 1 && stored[1]?.rows === 901 && stored[2]?.rows + stored[2]?.lost === 601
      && stored[1].state === 'ended' && stored[2].state === 'crashed';
  });
  await say(server, before, { pinned: true, note: 'baseline for 1.8' });
  await say(server, crashed, { note: 'the new pool leaks' });
  return { shown, before, crashed, close: () => all.forEach((p) => p.close()) };
}
