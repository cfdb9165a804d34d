// SPDX-License-Identifier: MIT OR Unlicense
// crowd: thousands of short runs that have ended, really sent and stored: what a server holds after a year of tests.

import dgram from 'node:dgram';
import { randomUUID } from 'node:crypto';
import { until } from './mnemic.mjs';

export const APPS = 7;
const HOUR = 3600e3;
const BURST = 25; // runs that a small socket buffer takes

/** The ith run began i hours ago, of application i modulo APPS; it has one row. */
const announced = (uuid, i, now) => ({ msg_type: 'create_trace_run', uuid, column_names: ['load'], time: (now - i * HOUR) * 1e6, interval: 60, app_name: `app-${i % APPS}`,
  host: 'ci', tags: { branch: i % 3 ? 'main' : 'fix', build: `${1000 - Math.floor(i / 10)}` } });
const ended = (uuid, i, now) => ({ msg_type: 'row', uuid, row_data: [i % 100], time: (now - i * HOUR + 60e3) * 1e6, seq: 0, end: i % 50 ? 'stopped' : 'crashed' });

/** Fills a server; what got lost on the way is sent again. @returns ids, the newest first */
export async function crowd(server, count) {
  const socket = dgram.createSocket('udp4');
  const send = (message) => new Promise((resolve, reject) => {
    socket.send(JSON.stringify(message), server.udp, '127.0.0.1', (error) => (error ? reject(error) : resolve()));
  });
  const [now, ids] = [Date.now(), Array.from({ length: count }, () => randomUUID())];
  await until(`${count} runs are stored`, async () => {
    const stored = new Set((await server.get('/api/v1/apps')).flatMap(({ runs }) => runs).filter((r) => r.rows === 1 && r.state !== 'live').map((r) => r.id));
    const missing = [...ids.keys()].filter((i) => !stored.has(ids[i]));
    for (const [k, i] of missing.entries()) {
      await send(announced(ids[i], i, now));
      await send(ended(ids[i], i, now));
      if (k % BURST === BURST - 1) await new Promise((resolve) => setTimeout(resolve, 4));
    }
    if (missing.length > 0) await new Promise((resolve) => setTimeout(resolve, 1000)); // for the writer
    return missing.length === 0;
  }, count * 100);
  socket.close();
  return ids;
}
