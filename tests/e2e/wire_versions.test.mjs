// SPDX-License-Identifier: MIT OR Unlicense
// The binary wire between ends of different versions, and with strangers: clear words, never garbage.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { socket } from './proxy.mjs';
import { assertWhole, metric, pause, runsOf, sideBySide } from './traced.mjs';
import { ownPort, until } from './mnemic.mjs';

const HEADER = 20;

const header = (version, kind, run) => Buffer.concat([Buffer.from([0xd0, 0x10, version, kind]), run]);

/** An acknowledgement of version 1, as server/WIRE.md has it. */
function ack(run, { flags = 1, holes = [], columns = 0, marks = 0, rows = 0n, seen = 0n, top = 0n, count = holes.length }) {
  const bytes = Buffer.alloc(52 + 12 * holes.length);
  header(1, 0x81, run).copy(bytes);
  bytes.writeUInt8(flags, 20);
  bytes.writeUInt8(count, 21);
  bytes.writeUInt16LE(columns, 22);
  bytes.writeUInt32LE(marks, 24);
  bytes.writeBigUInt64LE(rows, 28);
  bytes.writeBigUInt64LE(seen, 36);
  bytes.writeBigUInt64LE(top, 44);
  for (const [i, [first, n]] of holes.entries()) {
    bytes.writeBigUInt64LE(first, 52 + 12 * i);
    bytes.writeUInt32LE(n, 60 + 12 * i);
  }
  return bytes;
}

/** A stand-in for the server at a port of its own: answers each datagram with what `answers(run, datagram)` says. */
async function standIn(scene, answers) {
  const it = await socket(ownPort()).catch(() => socket(ownPort()));
  const heard = [];
  let open = true;
  it.on('message', (bytes, from) => {
    heard.push(bytes);
    for (const answer of answers(bytes.subarray(4, HEADER), bytes)) it.send(answer, from.port, from.address, () => {});
  });
  const close = () => new Promise((resolve) => {
    if (!open) return resolve();
    open = false;
    it.close(resolve);
  });
  scene.later(close);
  return { port: it.address().port, heard, close };
}

const PROGRAM = ['interval=0.02', 'columns=3', 'goodbye=60'];

/** A program that meets a stand-in first, and then, at the same port, the real server. */
async function upgraded(scene, answers, says) {
  const other = await standIn(scene, answers);
  const program = scene.trace(other.port, PROGRAM);
  await until('it asks again and again', async () => other.heard.length >= 8);
  if (says) await until('it says so', async () => says.test(program.log()));
  await other.close();
  const server = await scene.server({ udp: other.port });
  await until('it has found the server', async () => (await runsOf(server, program.app))[0]?.rows > 50);
  await assertWhole(server, program.app, await program.sampled(), { columns: 3 });
  return program;
}

sideBySide({
  'a client of a later version: counted and told, nothing of it is stored': async (scene) => {
    const server = await scene.server();
    const client = await scene.stranger(server);
    const run = randomBytes(16);
    for (let kind = 1; kind <= 5; kind++)
      for (let i = 0; i < 4; i++) await client.send(Buffer.concat([header(2, kind, run), randomBytes(40)]));
    await until('they are counted', async () =>
      (await metric(server, 'mnemic_datagrams_refused_total{reason="version"}')) === 20);
    assert.match(server.log(), /refused a datagram of 60 bytes from 127\.0\.0\.1 port \d+: .*version/);
    assert.equal(server.log().match(/refused a datagram/g).length, 1, 'told once');
    assert.deepEqual(await server.get('/api/v1/apps'), []);
    assert.equal(await metric(server, 'mnemic_ingest_rows_total'), 0);
    for (const answer of client.heard) { // silence, or: this is what I speak
      assert.deepEqual([answer.length, answer[2], answer[3], answer[20]], [HEADER + 1, 1, 0x82, 1]);
      assert.deepEqual(answer.subarray(4, HEADER), run);
    }
  },

  'a server of a later version refuses: the client says so once, goes on, and is there when it is understood': async (scene) => {
    const program = await upgraded(scene, (run) => [Buffer.concat([header(2, 0x82, run), Buffer.from([1])])],
      /^-10 .*version/m);
    assert.equal(program.log().match(/^-10 /gm).length, 1);
  },

  'a server of a later version acknowledges in its own way: nothing is forgotten': (scene) =>
    upgraded(scene, (run) => [Buffer.concat([header(2, 0x81, run), Buffer.alloc(60, 0xff)])]),

  'answers that are noise, or lie about what there is: nothing is forgotten': (scene) => {
    const far = 1n << 62n;
    return upgraded(scene, (run) => [
      randomBytes(1 + Math.floor(Math.random() * 250)),
      Buffer.concat([header(1, 0x81, run), randomBytes(Math.floor(Math.random() * 230))]),
      ack(run, { rows: far, seen: far, top: far }),
      ack(run, { rows: 2n ** 64n - 1n, seen: 2n ** 64n - 1n, top: 2n ** 64n - 1n, flags: 3 }),
      ack(run, { columns: 65535 }),
      ack(run, { marks: 4294967295 }),
      ack(run, { count: 255 }),
      ack(run, { count: 17, holes: Array.from({ length: 17 }, (_, i) => [BigInt(2 * i), 1]) }),
      ack(run, { top: far, holes: Array.from({ length: 16 }, (_, i) => [2n ** 64n - 1n - BigInt(i), 4294967295]) }),
      ack(run, { flags: 3 }), // a goodbye that was never said
      ack(randomBytes(16), { flags: 3 }),
    ]);
  },

  'rows of a run that nobody announced: asked for, not stored': async (scene) => {
    const server = await scene.server();
    const client = await scene.stranger(server);
    const run = randomBytes(16);
    const rows = Buffer.concat([header(1, 3, run), Buffer.alloc(40), Buffer.alloc(16)]);
    rows.writeBigUInt64LE(1n, 28); // next
    rows.writeUInt16LE(1, 44); // columns
    rows.writeUInt16LE(1, 48); // slice
    rows.writeUInt16LE(1, 50); // count
    const answer = await until('an answer', async () => {
      await client.send(rows);
      return client.heard[0];
    });
    assert.deepEqual(answer, ack(run, { flags: 0 }));
    await pause(1000);
    assert.deepEqual(await server.get('/api/v1/apps'), []);
    assert.equal(await metric(server, 'mnemic_ingest_rows_total'), 0);
  },
});
