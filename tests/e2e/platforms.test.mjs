// SPDX-License-Identifier: MIT OR Unlicense
// Programs of other systems, traced by the server on this one: Windows by Wine, a big-endian processor by qemu, 32 bits, musl.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PATIENCE, ROOT, start, startMnemic, until } from './mnemic.mjs';
import { exported, runsOf } from './traced.mjs';

const WINE = ['/usr/lib/wine/wine64', '/usr/bin/wine64', '/usr/bin/wine'].find(existsSync) ?? 'wine64';
const ASM = ['-idirafter', `/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`];
const WARN = ['-Wall', '-Wextra', '-Wconversion', '-Werror'];
// What they do not count.
const WINE_ZEROS = ['open_descriptors', 'page_faults'];
const QEMU_ZEROS = ['active_tasks', 'memory_use'];
const WINDOWS = { flags: [...WARN, '-O2', '-static', '-lws2_32'], run: [WINE], zeros: WINE_ZEROS, windows: true };
const LINUX = { flags: [...WARN, '-static', '-pthread'], run: [] };
const PLATFORMS = {
  'Windows, C': { ...WINDOWS, build: ['x86_64-w64-mingw32-gcc', '-std=c99'] },
  'Windows, C++': { ...WINDOWS, build: ['x86_64-w64-mingw32-g++', '-xc++', '-std=c++11'] },
  'big-endian (s390x)': { ...LINUX, build: ['s390x-linux-gnu-gcc', '-std=c99'], run: ['qemu-s390x-static'], zeros: QEMU_ZEROS },
  '32 bits': { ...LINUX, build: ['gcc', '-m32', '-std=c99', ...ASM] },
  musl: { ...LINUX, build: ['musl-gcc', '-std=c99'] },
};
// What a column must be at the last row.
const VALUES = {
  number: (v) => v > 0 && v % 1024 === 0, answer: (v) => v === 42, active_tasks: (v) => v >= 2,
  virtual_memory_percent: (v) => v > 0 && v < 100, memory_use: (v) => v > 0 && v < 4,
  process_cpu_percent: (v) => v >= 0, cpu_percent: (v) => v >= 0 && v <= 100, open_descriptors: (v) => v >= 3,
  page_faults: (v) => v > 0, work_hits: (v) => v === 2000, work_active_instances: (v) => v === 0,
  work_average_time: (v) => v > 0 && v < 0.1, bytes: (v) => v === 6000, level: (v) => v === 2.5,
  'in a probe_hits': (v) => v > 5,
};

let server, dir;
before(async () => {
  server = await startMnemic();
  dir = mkdtempSync(join(tmpdir(), 'dolon-abroad-'));
});
after(async () => {
  if (existsSync(join(dir, 'wine'))) spawnSync('/usr/lib/wine/wineserver64', ['-k', '-w'], { env: wineEnv() });
  await server.remove();
  rmSync(dir, { recursive: true, force: true });
});

/** Wine in a folder of its own, quiet, and without its debugger. */
const wineEnv = () =>
  ({ ...process.env, WINEPREFIX: join(dir, 'wine'), WINEDEBUG: '-all', WINEDLLOVERRIDES: 'winedbg.exe=' });

/** The program, built; or null if the platform is not to be had here. */
function build(name, { build: [compiler, ...language], flags, run }) {
  const out = join(dir, `${name.replace(/\W/g, '_')}.exe`);
  const missing = [compiler, ...run].find((tool) => spawnSync(tool, ['--version']).error);
  if (missing) return null;
  execFileSync(compiler, [...language, `-I${ROOT}`, join(ROOT, 'tests/programs/abroad.c'), '-o', out, ...flags],
    { stdio: ['ignore', 'ignore', 'inherit'] });
  return out;
}

let apps = 0;

/** Runs it to its `end`; returns the run as the server has it then. */
async function trace(platform, program, end) {
  const app = `abroad-${++apps}`;
  const [command, ...args] = [...platform.run, program, '20', end];
  const env = { ...wineEnv(), DOLON_HOST: '127.0.0.1', DOLON_PORT: `${server.udp}`, DOLON_APP_NAME: app };
  const child = start(command, args, { env });
  const code = await child.ended;
  const state = end === 'crash' || end === 'abort' ? 'crashed' : 'ended';
  if (state === 'ended') assert.equal(code, 0, child.log());
  else assert.notEqual(code, 0);
  const run = await until(`${app} is ${state}: ${child.log()}`,
    async () => (await runsOf(server, app)).find((r) => r.state === state));
  return server.get(`/api/v1/runs/${run.id}`);
}

for (const [name, platform] of Object.entries(PLATFORMS)) {
  test(name, async (t) => {
    const program = build(name, platform);
    if (!program) return t.skip('its compiler or emulator is not installed');
    const run = await trace(platform, program, 'stop');
    const names = run.columns;
    const rows = await exported(server, run.id);
    assert.ok(rows.length >= 21 && run.lost === 0, `${rows.length} rows, ${run.lost} lost`);
    rows.forEach((row, i) => assert.equal(row.values[0], 1024 * i));
    for (const [column, good] of Object.entries(VALUES)) {
      const value = rows.at(-1).values[names.indexOf(column)];
      assert.ok(good(value) || (value === 0 && platform.zeros?.includes(column)), `${column} is ${value}`);
    }
    assert.equal(run.tags.where, 'abroad');
    assert.ok(Math.abs(run.started - Date.now()) < 300_000);
    const { marks } = await server.get(`/api/v1/runs/${run.id}/series?points=20000&columns=`); // so many that no mark is taken for its neighbour
    assert.equal(JSON.stringify(marks).includes('both have worked'), true);
    if (platform.windows) assert.match(run.build, /^[0-9a-f]{9,16}$/);
    await Promise.all(['return', 'crash', 'abort'].map((end) => trace(platform, program, end)));
  });
}

test('Windows, a DLL that is loaded late and unloaded', (t) => {
  const [compiler] = PLATFORMS['Windows, C'].build;
  if ([compiler, WINE].some((tool) => spawnSync(tool, ['--version']).error)) return t.skip('MinGW-w64 or Wine is not installed');
  const compile = (...args) => execFileSync(compiler, [`-I${ROOT}`, join(ROOT, 'tests/compile/library.c'), ...WARN, ...args]);
  compile('-std=c99', '-DLIBRARY', '-shared', '-o', join(dir, 'traced.dll'), '-static', '-lws2_32');
  compile('-std=c99', '-o', join(dir, 'loader.exe'));
  const { status, stdout } = spawnSync(WINE, ['loader.exe', 'traced.dll'], { cwd: dir, env: wineEnv(), encoding: 'utf8', timeout: PATIENCE });
  assert.equal(status, 0, stdout);
});
