// SPDX-License-Identifier: MIT OR Unlicense
// A newcomer's way: nothing there, the lines that the page offers, then examples/hello twice.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { inked, launch, open, shoot, summary } from './browser.mjs';
import { HELLO, ROOT, start, startMnemic, until } from './mnemic.mjs';

let server, browser;
const children = [];

const run = (command) => {
  const env = { ...process.env, DOLON_HOST: '127.0.0.1', DOLON_PORT: String(server.udp), DOLON_INTERVAL: '0.1' };
  const child = start(command, [], { env });
  child.child.stdout.resume();
  children.push(child);
  return child;
};
const states = (page) => page.locator('#tree .state').allTextContents();

before(async () => {
  server = await startMnemic();
  browser = await launch();
});

after(async () => {
  for (const child of children) await child.stop('SIGKILL');
  await browser?.close();
  await server?.remove();
});

test('an empty store teaches the first run: what is copied compiles, runs, and appears by itself', async () => {
  const { page, problems, context } = await open(browser, server.url);
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('heading', { name: 'No run yet' }).waitFor();
  await shoot(page, 'empty');
  await page.getByRole('button', { name: 'Copy first.c' }).click();
  const code = await until('it is copied', () => page.evaluate(() => navigator.clipboard.readText()));
  const source = join(server.dir, 'first.c');
  writeFileSync(source, code);
  execFileSync('cc', ['-pthread', '-I', ROOT, source, '-o', join(server.dir, 'first')]);
  const first = run(join(server.dir, 'first'));
  await until('its charts', async () => (await page.locator('figure canvas').count()) > 3);
  assert.equal(await page.locator('#facts h2').textContent(), 'first');
  await page.getByRole('heading', { name: 'work()' }).waitFor();
  await first.stop();
  assert.deepEqual(problems, []);
  await context.close();
});

test('hello lives, grows, and ends; a second one stands beside it', async () => {
  const hello = run(HELLO);
  const app = await until('hello is known', async () => (await server.get('/api/v1/apps')).find((a) => a.app.includes('hello')));
  const { page, problems, context } = await open(browser, `${server.url}#run=${app.runs[0].id}`);
  await until('live', async () => (await page.locator('#facts .state').textContent()) === 'live');
  const name = await page.locator('figure .name').first().textContent();
  await until('a line', async () => (await page.locator('figure canvas').count()) > 0 && (await inked(page, name)) > 10);
  const before = await summary(page, name);
  await until('it grows', async () => (await summary(page, name)) !== before);

  await hello.stop('SIGTERM');
  await until('ended', async () => (await page.locator('#facts .state').textContent()) === 'ended');
  const runs = page.locator(`#tree .run[data-app="${app.app}"]`);
  assert.equal(await runs.count(), 1);
  const again = run(HELLO);
  await until('a second run', async () => (await runs.count()) === 2);
  assert.deepEqual((await runs.locator('.state').allTextContents()), ['live', 'ended']);
  assert.match(page.url(), new RegExp(app.runs[0].id), 'the reader stays where he is');
  await runs.first().click();
  await until('the second is shown', async () => (await page.locator('#facts .state').textContent()) === 'live');
  await again.stop('SIGTERM');
  await until('both ended', async () => (await states(page)).filter((s) => s === 'ended').length >= 2);
  assert.deepEqual(problems, []);
  await context.close();
});
