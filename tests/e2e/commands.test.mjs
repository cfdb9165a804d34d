// SPDX-License-Identifier: MIT OR Unlicense
// mnemic export and mnemic import as a person calls them, beside a server that runs.

import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Program, ROOT, startMnemic, until } from './mnemic.mjs';
import { MISSING, Postgres } from './postgres.mjs';

const MNEMIC = process.env.MNEMIC ?? join(ROOT, 'build/mnemic');
let dir, server, programs;

/** Runs a command to its end, in the tests' folder. */
const mnemic = (args, options = {}) => {
  const ran = spawnSync(MNEMIC, args, { cwd: dir, encoding: 'utf8', maxBuffer: 1 << 26, ...options });
  return { status: ran.status, out: ran.stdout, err: ran.stderr };
};
const csv = async (from, run) => (await fetch(new URL(`/api/v1/runs/${run}.csv`, from.url))).text();

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'mnemic-commands-'));
  server = await startMnemic();
  programs = [];
  for (const app_name of ['one', 'two', 'two']) {
    const program = new Program(server, ['mem', 'cpu, %'], { app_name });
    await program.announce();
    await program.history(300, (i) => [i, i % 7 ? i / 3 : null]);
    programs.push(program);
    await until('its rows', async () => (await program.stored())?.rows === 300);
  }
});
after(async () => {
  for (const program of programs) program.socket.close();
  await server.remove();
  rmSync(dir, { recursive: true, force: true });
});

const store = () => ['--store', `sqlite:${join(server.dir, 'store.db')}`];

test('a backup of a store in use, into a store of another machine', async () => {
  const made = mnemic(['export', ...store(), '--all', '--out', 'all.mnemic']);
  assert.equal(made.status, 0, made.err);
  assert.equal(made.err, '3 runs with 900 rows\n');
  assert.deepEqual(readdirSync(dir), ['all.mnemic']);

  const taken = mnemic(['import', 'all.mnemic', '--store', 'sqlite:other.db']);
  assert.equal(taken.status, 0, taken.err);
  assert.equal(taken.out.match(/: 300 rows, 0 events$/gm)?.length, 3);
  assert.match(mnemic(['import', 'all.mnemic', '--store', 'sqlite:other.db']).out, /(^.*: 0 of 300 rows were not there\n){3}$/m);

  writeFileSync(join(dir, 'store.db'), readFileSync(join(dir, 'other.db')));
  const other = await startMnemic({ dir });
  for (const { uuid } of programs) assert.equal(await csv(other, uuid), await csv(server, uuid));
  await other.stop();
});

test('into PostgreSQL under a running server, and from there into SQLite', { skip: MISSING }, async () => {
  const postgres = await Postgres.create();
  let there;
  try {
    there = await startMnemic({ store: postgres.url });
    const made = mnemic(['export', ...store(), '--all'], { encoding: 'buffer' });
    const taken = mnemic(['import', '-', '--store', postgres.url], { input: made.out });
    assert.equal(taken.status, 0, taken.err);
    for (const { uuid } of programs) assert.equal(await csv(there, uuid), await csv(server, uuid));
    const back = mnemic(['export', '--all', '--out', 'back.mnemic'], { env: { POSTGRES_CONN_STR: postgres.socket } });
    assert.equal(back.status, 0, back.err);
    const home = mnemic(['import', 'back.mnemic', '--store', 'sqlite:back.db']);
    assert.equal(home.out.match(/: 300 rows, 0 events$/gm)?.length, 3);
  } finally {
    await there?.remove();
    await postgres.remove();
  }
});

test('some runs, through a pipe', () => {
  const [one, two] = programs;
  const made = mnemic(['export', ...store(), two.uuid, one.uuid], { encoding: 'buffer' });
  assert.equal(made.status, 0);
  const taken = mnemic(['import', '-', '--store', 'sqlite:pipe.db'], { input: made.out });
  assert.equal(taken.status, 0, taken.err);
  assert.equal(taken.out, `${two.uuid} two: 300 rows, 0 events\n${one.uuid} one: 300 rows, 0 events\n`);
  const app = mnemic(['export', ...store(), '--app', 'two', '--out', '-'], { encoding: 'buffer' });
  assert.equal(String(app.err), '2 runs with 600 rows\n');
});

test('what goes wrong is told in one line, and leaves nothing behind', () => {
  assert.equal(mnemic(['export', ...store(), '--all', '--out', 'good.mnemic']).status, 0);
  const bytes = readFileSync(join(dir, 'good.mnemic'));
  writeFileSync(join(dir, 'cut.mnemic'), bytes.subarray(0, bytes.length - 1));
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(join(dir, 'bad.mnemic'), bytes);
  const none = ['--store', 'sqlite:none.db'];
  for (const [args, says, options] of [
    [['import', 'cut.mnemic', ...none], /^mnemic: cut.mnemic is cut off after \d+ bytes; nothing of it was imported\n$/],
    [['import', 'bad.mnemic', ...none], /^mnemic: bad.mnemic is damaged in the block at byte \d+; nothing of it was imported\n$/],
    [['import', 'absent', ...none], /^mnemic: absent cannot be opened: No such file or directory\n$/],
    [['import', '-', ...none], /^mnemic: standard input is not a file that mnemic export wrote\n$/, { input: 'hello' }],
    [['import', 'good.mnemic', ...store()], /^mnemic: .* is in use: another mnemic writes it; stop that one/],
    [['export', ...store(), 'hello'], /^mnemic: 'hello' is no run's UUID/],
    [['export', ...store(), '--app', 'three'], /^mnemic: there is no run of an application 'three'\n$/],
    [['export', ...store(), '00000000-0000-4000-8000-000000000000', '--out', 'x'], /^mnemic: run 0.*: there is no such run\n$/],
    [['export', ...store(), '--all', '--out', 'no/such/folder'], /^mnemic: no\/such\/folder cannot be written: No such file/],
    [['export', '--store', 'sqlite:absent.db', '--all'], /^mnemic: absent.db does not exist/],
    [['export', ...store(), '--all', '--out', '/dev/full'], /^mnemic: .*cannot be written: No space left on device\n$/],
  ]) {
    const ran = mnemic(args, options);
    assert.equal(ran.status, 1, args.join(' '));
    assert.match(ran.err, says);
  }
  assert.ok(!existsSync(join(dir, 'x')));
  assert.deepEqual(readdirSync(dir).filter((name) => name.includes('.part-')), []);
  const cut = mnemic(['import', '-', ...none], { input: readFileSync(join(dir, 'cut.mnemic')) });
  assert.equal(cut.status, 1);
  assert.match(cut.err, /^mnemic: standard input is cut off after \d+ bytes\n$/); // all runs were whole: only the end is missing
  assert.equal(cut.out.match(/: 300 rows/g)?.length, 3);
});
