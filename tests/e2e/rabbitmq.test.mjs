// SPDX-License-Identifier: MIT OR Unlicense
// The probes of a message broker, against a real one: what examples/rabbitmq.c shows of its connections, channels, queues
// and bindings, and that it shows nothing for who may not look, and of one that is gone.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { HELLO, ROOT, start, startMnemic, until } from './mnemic.mjs';
import { exported, runsOf } from './traced.mjs';

const COLUMNS = ['connections', 'channels', 'queues', 'bindings'].map((what) => `rabbitmq_${what}`);

const u16 = (n) => Buffer.from([n >> 8, n & 255]);
const u32 = (n) => Buffer.concat([u16(n >>> 16), u16(n & 0xFFFF)]);
const short = (text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
const long = (text) => Buffer.concat([u32(text.length), Buffer.from(text)]);

/** A client of AMQP 0-9-1 that opens a connection with so many channels, and then is there until it is closed. */
function connect(port, channels) {
  const socket = net.connect(port, '127.0.0.1');
  const send = (channel, kind, method, ...fields) => {
    const payload = Buffer.concat([u16(kind), u16(method), ...fields]);
    socket.write(Buffer.concat([Buffer.from([1]), u16(channel), u32(payload.length), payload, Buffer.from([0xCE])]));
  };
  let opened = 0;
  const answers = {
    '10.10': () => send(0, 10, 11, u32(0), short('PLAIN'), long('\0guest\0guest'), short('en_US')),
    '10.30': (fields) => {
      send(0, 10, 31, fields.subarray(0, 6), u16(0)); // as the broker wants it, without heartbeats
      send(0, 10, 40, short('/'), short(''), Buffer.from([0]));
    },
    '10.41': () => { for (let i = 1; i <= channels; i++) send(i, 20, 10, short('')); },
    '20.11': () => { opened++; },
  };
  let rest = Buffer.alloc(0);
  socket.on('data', (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 7 && rest.length >= 8 + rest.readUInt32BE(3)) {
      const payload = rest.subarray(7, 7 + rest.readUInt32BE(3));
      rest = rest.subarray(8 + payload.length);
      answers[`${payload.readUInt16BE(0)}.${payload.readUInt16BE(2)}`]?.(payload.subarray(4));
    }
  });
  socket.on('error', () => {});
  socket.write(Buffer.from('AMQP\0\0\x09\x01', 'latin1'));
  return { isOpen: () => opened === channels, close: () => socket.destroy() };
}

/** A broker of the test's own, or null where none is installed. */
async function startBroker(t) {
  const folder = mkdtempSync(join(tmpdir(), 'rabbitmq-'));
  const broker = (word) => new Promise((resolve) => {
    execFile('bash', [join(ROOT, 'tests/rabbitmq.sh'), word, folder], (error, out, log) => {
      resolve({ status: error ? error.code : 0, out, log });
    });
  });
  const begun = await broker('start');
  let running = begun.status === 0;
  const stop = async () => {
    if (running) await broker('stop');
    running = false;
  };
  t.after(async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });
  if (begun.status === 77) return null;
  assert.equal(begun.status, 0, begun.log);
  const [url, port] = begun.out.trim().split(' ');
  const { origin, host } = new URL(url);
  const authorization = `Basic ${Buffer.from('guest:guest').toString('base64')}`;
  const call = async (method, path, body) => {
    const answer = await fetch(`${origin}/api/${path}`, { method, body: JSON.stringify(body), headers: { authorization } });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  };
  return { url, host, port: Number(port), call, stop };
}

/** Runs the example. Returns each column's values. */
async function run(t, server, seconds, address) {
  const env = { ...process.env, DOLON_HOST: '127.0.0.1', DOLON_PORT: `${server.udp}`, RMQ_SERVER: address };
  const before = (await runsOf(server, 'rabbitmq')).length;
  const child = start(join(dirname(HELLO), 'rabbitmq'), [`${seconds}`], { env });
  t.after(() => child.stop('SIGKILL'));
  assert.equal(await child.ended, 0, child.log());
  const ended = await until('the end of the run', async () => {
    const runs = await runsOf(server, 'rabbitmq');
    return runs.length > before && runs[0].state === 'ended' ? runs[0] : null;
  });
  const rows = await exported(server, ended.id);
  return COLUMNS.map((column) => rows.map((row) => row.values[ended.columns.indexOf(column)]));
}

test('a broker: what it has, and no value for who may not look or when it is gone', async (t) => {
  const broker = await startBroker(t);
  if (!broker) return t.skip('no RabbitMQ is installed');
  const server = await startMnemic();
  t.after(() => server.remove());
  for (const queue of ['one', 'two', 'three']) await broker.call('PUT', `queues/%2F/${queue}`, {});
  await broker.call('PUT', 'exchanges/%2F/news', { type: 'fanout' });
  await broker.call('POST', 'bindings/%2F/e/news/q/one', {});
  const clients = [connect(broker.port, 1), connect(broker.port, 2)];
  await until('open channels', async () => clients.every((client) => client.isOpen()));
  const shown = await run(t, server, 8, broker.url);
  clients.forEach((client) => client.close());
  const last = (values) => values.filter((value) => value !== null).at(-1);
  assert.deepEqual(shown.map(last), [2, 3, 3, 4]); // each queue is bound to the default exchange, too

  const stranger = await run(t, server, 1.5, `http://guest:wrong@${broker.host}`);
  assert.ok(stranger.flat().every((value) => value === null), 'refused');
  await broker.stop();
  const gone = await run(t, server, 1.5, broker.url);
  assert.ok(gone.flat().every((value) => value === null), 'gone');
});
