// SPDX-License-Identifier: MIT OR Unlicense
// index.html and the modules beside it fit together, and keep to what the content policy and hostile names ask for.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { test } from 'node:test';

const folder = new URL('../../web/', import.meta.url);
const read = (name) => readFileSync(new URL(name, folder), 'utf8');
const built = new URL('../../build/web/', import.meta.url);
const modules = readdirSync(folder).filter((name) => name.endsWith('.js'));

test('the page is two scripts and a style sheet: a browser takes as long to fetch sixty files as for all else', (t) => {
  const html = read('index.html');
  assert.deepEqual([...html.matchAll(/"\/assets\/(.*?)"/g)].map((m) => m[1]).sort(), ['early.js', 'icon.svg', 'main.js', 'page.css']);
  const styles = readdirSync(folder).filter((name) => name.endsWith('.css') && name !== 'page.css');
  assert.deepEqual([...read('page.css').matchAll(/@import '\.\/(.*?)'/g)].map((m) => m[1]).sort(), ['uPlot.min.css', ...styles].sort());
  if (!existsSync(built)) return t.skip('the page is not built');
  assert.deepEqual(readdirSync(built).filter((name) => !/^\.|\.gz$/.test(name)).sort(), ['early.js', 'icon.svg', 'index.html', 'main.js', 'page.css']);
});

test('nothing is inline, from elsewhere, or made of markup in text', () => {
  assert.doesNotMatch(read('index.html'), /\sstyle=|\son\w+=|<style|<script(?![^>]*src=)|https?:/);
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.css'))) assert.doesNotMatch(read(name), /@import (?!'\.\/)|url\(/, name);
  for (const name of modules) assert.doesNotMatch(read(name), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/, name);
});

test('all of it together is less than 150 kB as it travels', (t) => {
  if (!existsSync(new URL('index.html.gz', built))) return t.skip('the page is not built');
  const bytes = readdirSync(built).filter((name) => name.endsWith('.gz')).reduce((sum, name) => sum + statSync(new URL(name, built)).size, 0);
  assert.ok(bytes < 150e3, `${bytes} bytes`);
});
