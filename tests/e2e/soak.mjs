// SPDX-License-Identifier: MIT OR Unlicense
// soak: runs of many hours whose drift is known, for the tests of what the server and the page say of them.

import { Program, until } from './mnemic.mjs';

export const HOURS = 10;
const STEP = 60e3; // ms between two rows
export const ROWS = HOURS * 3600e3 / STEP;

/** The same numbers each time: xorshift32, and the sum of twelve for something like a normal distribution. */
export function randomNormal(seed) {
  let x = seed;
  const uniform = () => {
    x ^= x << 13; x ^= x >>> 17; x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
  return () => Array.from({ length: 12 }, uniform).reduce((a, b) => a + b, -6);
}

export const COLUMNS = ['memory', 'cpu', 'threads', 'requests', 'latency', 'mirror'];
export const MORE = {
  units: ['MB', '%', '', '', 's', '%'], kinds: ['gauge', 'gauge', 'gauge', 'counter', 'gauge', 'gauge'], interval: 60,
  host: 'box', pid: 4711, args: './server --fast', build: 'b0', tags: { branch: 'main' },
};

/** One row a minute: memory leaks `leak` MB/h; cpu stands, with one spike; threads go from 8 to 12 in the middle; requests
 *  count 100/s; latency stands; mirror is what cpu leaves of 100. The run ends, and is stored when this returns. */
export async function soak(server, { app = 'soak', leak = 3, end = Date.now(), marks = [], rows = ROWS, ...more } = {}) {
  const program = new Program(server, COLUMNS, { ...MORE, app_name: app, ...more });
  const normal = randomNormal(88675123);
  const begin = end - (rows - 1) * STEP;
  let requests = 0;
  await program.announce(begin);
  for (let i = 0; i < rows; i++) {
    const at = begin + i * STEP;
    const cpu = i === 400 ? 99 : 30 + 2 * normal();
    requests += Math.round(6000 + 60 * normal());
    const here = marks.filter(([row]) => row === i).map(([, text]) => [at * 1e6, text]);
    await program.row([200 + leak * i / 60 + normal(), cpu, i < rows / 2 ? 8 : 12, requests, 0.002 + 0.0001 * normal(), 100 - cpu],
      at, { ...(here.length > 0 && { marks: here }), ...(i === rows - 1 && { end: 'stopped' }) });
    if (i % 100 === 99) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  program.close();
  return until(`the run of ${app} is stored`, async () => {
    const run = await program.stored();
    return run?.rows === rows && run.state === 'ended' && run;
  });
}
