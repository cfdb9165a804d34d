// SPDX-License-Identifier: MIT OR Unlicense
// index.html and the modules beside it fit together, and keep to what the content policy and hostile names ask for.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { test } from 'node:test';

const folder = new URL('../../web/', import.meta.url);
const read = (name) => readFileSync(new URL(name, folder), 'utf8');
const modules = readdirSync(folder).filter((name) => name.endsWith('.js'));

test('every module is preloaded, so that they arrive at once and not one after another', () => {
  const preloaded = [...read('index.html').matchAll(/modulepreload" href="\/assets\/(.*?)"/g)].map((m) => m[1]);
  assert.deepEqual(preloaded.sort(), [...modules.filter((name) => name !== 'early.js'), 'uPlot.esm.js'].sort());
});

test('nothing is inline, from elsewhere, or made of markup in text', () => {
  assert.doesNotMatch(read('index.html'), /\sstyle=|\son\w+=|<style|<script(?![^>]*src=)|https?:/);
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.css'))) assert.doesNotMatch(read(name), /@import|url\(/, name);
  for (const name of modules) assert.doesNotMatch(read(name), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/, name);
});

test('all of it together is less than 150 kB as it travels', (t) => {
  const built = new URL('../../build/web/', import.meta.url);
  if (!existsSync(new URL('index.html.gz', built))) return t.skip('the page is not built');
  const bytes = readdirSync(built).filter((name) => name.endsWith('.gz')).reduce((sum, name) => sum + statSync(new URL(name, built)).size, 0);
  assert.ok(bytes < 150e3, `${bytes} bytes`);
});
