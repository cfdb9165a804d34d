// SPDX-License-Identifier: MIT OR Unlicense
// The page while the server goes away and comes back.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inked, launch, open, summary, summaryHas } from './browser.mjs';
import { Program, startMnemic, until } from './mnemic.mjs';

let server, browser, program;

before(async () => {
  server = await startMnemic();
  browser = await launch();
  program = new Program(server, ['level']);
  await program.announce(Date.now() - 30e3);
  await program.history(30, (i) => [i]);
  await until('rows are stored', async () => (await program.stored())?.rows === 30);
});

after(async () => {
  program?.close();
  await browser?.close();
  await server?.remove();
});

test('it says so, keeps what it has, comes back by itself and fills the hole', async () => {
  const { page } = await open(browser, server.url);
  await summaryHas(page, 'level', 'latest 29');
  await until('a line is drawn', async () => (await inked(page, 'level')) > 50);
  assert.equal(await server.stop(), 0);
  await until('the notice', async () => /lost/.test(await page.locator('#notice').textContent()));
  assert.match(await summary(page, 'level'), /latest 29/);
  assert.ok((await inked(page, 'level')) > 50, 'the line stays');

  const outage = Date.now();
  server = await startMnemic(server);
  program.server = server;
  await program.announce(outage - 30e3);
  await program.row([777], outage + 1); // may come before the page is back: only asking again brings it
  await program.row([5], outage + 2);
  await summaryHas(page, 'level', 'greatest 777');
  await until('the notice goes', async () => (await page.locator('#notice').textContent()) === '');
  await program.row([6]);
  await summaryHas(page, 'level', 'latest 6');
});
