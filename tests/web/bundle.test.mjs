// SPDX-License-Identifier: MIT OR Unlicense
// bundle: the joined modules do what the single ones do, and what the bundler does not know it refuses.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const BUNDLER = fileURLToPath(new URL('../../server/bundle.mjs', import.meta.url));

/** Bundles these files; gives the folder to `use`. */
async function bundled(files, use) {
  const folder = mkdtempSync(join(tmpdir(), 'bundle-'));
  try {
    const all = { 'package.json': '{"type": "module"}', 'index.html': '', 'uPlot.esm.js': 'export default class U {}\n', ...files };
    for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text);
    execFileSync(process.execPath, [BUNDLER, folder], { stdio: 'pipe' });
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('each module runs once, in the order of imports, with names of its own', () => bundled({
  'main.js': "import { a, shared as other } from './a.js';\nimport {\n  b,\n} from './b.js';\nimport U from './uPlot.esm.js';\nglobalThis.result = [a(), b, other, U.name];\n",
  'a.js': "import { b } from './b.js';\nconst mine = 1;\nexport const shared = mine + b;\nexport function a() {\n  return mine;\n}\n",
  'b.js': "const mine = 10;\nglobalThis.times = (globalThis.times ?? 0) + 1;\nexport const b = mine;\nexport async function later() {}\nexport class C {}\n",
}, async (folder) => {
  await import(pathToFileURL(join(folder, 'main.js')).href);
  assert.deepEqual(globalThis.result, [1, 10, 11, 'U']);
  assert.equal(globalThis.times, 1);
  assert.equal(existsSync(join(folder, 'a.js')), false);
}));

test('what early.js takes in, main.js has from there; index.html names only what is left', () => bundled({
  'early.js': "import { when } from './both.js';\nimport './effect.js';\nglobalThis.early = when;\nglobalThis.later = import('./main.js');\n",
  'main.js': "import { when } from './both.js';\nimport { late } from './late.js';\nglobalThis.main = [when === globalThis.early, late];\n",
  'both.js': 'export const when = {};\n',
  'effect.js': "import { when } from './both.js';\nglobalThis.effect = when;\n",
  'late.js': "import { when } from './both.js';\nexport const late = when === globalThis.effect;\n",
  'one.css': 'a { color: red }\n',
  'style.css': 'b { color: blue }\n',
  'index.html': ['one.css', 'style.css'].map((name) => `<link rel="stylesheet" href="/assets/${name}">\n`).join('')
    + ['both.js', 'main.js', 'uPlot.esm.js'].map((name) => `<link rel="modulepreload" href="/assets/${name}">\n`).join(''),
}, async (folder) => {
  await import(pathToFileURL(join(folder, 'early.js')).href);
  await import(pathToFileURL(join(folder, 'main.js')).href);
  assert.deepEqual(globalThis.main, [true, true]);
  assert.deepEqual(readdirSync(folder).sort(), ['early.js', 'index.html', 'main.js', 'package.json', 'style.css', 'uPlot.esm.js']);
  assert.match(readFileSync(join(folder, 'style.css'), 'utf8'), /red[^]*blue/);
  assert.equal(readFileSync(join(folder, 'index.html'), 'utf8'), '<link rel="stylesheet" href="/assets/style.css">\n'
    + '<link rel="modulepreload" href="/assets/main.js">\n<link rel="modulepreload" href="/assets/uPlot.esm.js">\n');
}));

test('circles, and forms that it does not know, end the build', async () => {
  for (const [files, why] of [
    [{ 'main.js': "import { a } from './a.js';\n", 'a.js': "import { b } from './b.js';\nexport const a = 1;\n", 'b.js': "import { a } from './a.js';\nexport const b = 1;\n" }, /a\.js → b\.js → a\.js/],
    [{ 'main.js': "import * as a from './a.js';\n", 'a.js': '' }, /import \* as a/],
    [{ 'main.js': 'export default 1;\n' }, /export default/],
    [{ 'main.js': 'export let x = 1;\n' }, /export let/],
  ]) await assert.rejects(() => bundled(files, () => {}), why);
});
