// SPDX-License-Identifier: MIT OR Unlicense
// The page on a run that lives: tree, charts, zoom, address, hostile names, the download.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { allDrawn, card, drag, inked, launch, open, place, summary, summaryHas } from './browser.mjs';
import { Program, startMnemic, until } from './mnemic.mjs';

const EVIL = '<img src=x onerror=alert(1)>';
const HISTORY = 300;
let server, browser, program, evil;

before(async () => {
  server = await startMnemic();
  browser = await launch();
  evil = new Program(server, [EVIL, '"quoted"\'; DROP TABLE rows;--', '__proto__', '10'],
    { app_name: EVIL, host: EVIL, args: EVIL, build: EVIL, tags: { [EVIL]: EVIL }, units: [EVIL, '<b>', '', ''] });
  await evil.announce(Date.now() - 60e3);
  await evil.history(50, (i) => [i, i, i, i]);
  await evil.row([51, 51, 51, 51], Date.now(), { marks: [[Date.now() * 1e6, EVIL]], end: 'stopped' });
  program = new Program(server, ['ramp', 'queue', 'sent'], { units: ['MB', '', 'B'], kinds: ['gauge', 'gauge', 'counter'], pid: 4711, args: './server --fast' });
  await program.live(Date.now() - HISTORY * 1000);
  await program.history(HISTORY, (i) => [i, 5 + (i % 7), i * 1024], { skip: (i) => i >= 100 && i < 110 });
  await until('all rows are stored, and the missing ones given up', async () => {
    const [a, b] = [await program.stored(), await evil.stored()];
    return a?.rows === HISTORY - 10 && a.lost === 10 && b?.rows === 51;
  });
});

after(async () => {
  program?.close();
  evil?.close();
  await browser?.close();
  await server?.remove();
});

test('the newest live run is shown by itself: tree, facts, charts with values', async () => {
  const { page, problems } = await open(browser, server.url);
  await summaryHas(page, 'ramp', `latest ${HISTORY - 1} MB`);
  await until('a line is drawn', async () => (await inked(page, 'ramp')) > 100);
  await allDrawn(page);
  const link = page.locator('#tree a[aria-current=page]');
  assert.match(await link.textContent(), /live/);
  assert.equal(await link.getAttribute('data-app'), 'hello-world');
  assert.equal(await page.locator('#facts h2').textContent(), 'hello-world');
  const facts = await page.locator('#facts dl').innerText();
  for (const fact of ['290', '4711', './server --fast']) assert.ok(facts.replace(/\s+/g, ' ').includes(fact), `${fact} in ${facts}`);
  assert.equal(await page.locator('[data-fact=lost] dd').textContent(), '10');
  assert.equal(await card(page, 'sent').locator('.value').textContent(), '299');
  assert.equal(await card(page, 'sent').locator('.unit').textContent(), 'KiB');
  assert.match(await summary(page, 'queue'), /10 rows lost/);
  assert.equal(place(page).run, program.uuid);
  assert.deepEqual(problems, []);
  await page.context().close();
});

test('charts grow while the program runs, and a range that was chosen stands still', async () => {
  const { page, problems } = await open(browser, server.url);
  await summaryHas(page, 'ramp', 'latest ');
  await program.row([1234, 1, 1]);
  await summaryHas(page, 'ramp', 'latest 1\u202f234 MB');
  await drag(page, 'ramp', 0.2, 0.5);
  await until('the address has the range', () => place(page).from);
  await until('the range is shown', async () => (await page.locator('#bar select').inputValue()) === 'range');
  const still = await page.locator('#bar .range').textContent();
  await program.row([4321, 1, 1]);
  await until('the row is stored', async () => (await program.stored()).rows === HISTORY - 10 + 2);
  assert.equal(await page.locator('#bar .range').textContent(), still);
  await page.getByRole('button', { name: 'Back to live' }).click();
  await summaryHas(page, 'ramp', 'latest 4\u202f321 MB');
  assert.deepEqual(problems, []);
  await page.context().close();
});

test('a drag zooms all charts and changes the address; a double click, or the back button, undoes it', async () => {
  const { page, problems } = await open(browser, server.url);
  await summaryHas(page, 'ramp', 'latest ');
  const asked = [];
  page.on('request', (request) => request.url().includes('/series') && asked.push(new URL(request.url()).searchParams));
  const before = place(page);
  await drag(page, 'queue', 0.25, 0.75);
  await until('the address has the range', () => place(page).from);
  const { from, to } = place(page);
  assert.ok(Number(to) > Number(from) && Number(to) - Number(from) < HISTORY * 1000);
  await until('the range is fetched', () => asked.some((q) => q.get('from') === from && q.get('to') === to));
  const clock = (ms) => new Date(Number(ms)).toTimeString().slice(0, 8);
  for (const name of ['ramp', 'queue', 'sent']) await summaryHas(page, name, `from ${clock(from)} to ${clock(to)}`);

  const box = await card(page, 'ramp').locator('.u-over').boundingBox();
  await page.mouse.dblclick(box.x + box.width / 2, box.y + box.height / 2);
  await until('the address is as before', () => place(page).last === before.last && !place(page).from);
  await page.goBack();
  await until('the range is back', () => place(page).from === from);
  await summaryHas(page, 'ramp', `from ${clock(from)} to ${clock(to)}`);
  assert.deepEqual(problems, []);
  await page.context().close();
});

test('one cursor over all charts, with their values at that time', async () => {
  const { page } = await open(browser, server.url);
  await page.locator('#bar select').selectOption('all');
  await until('the whole run is shown', () => place(page).last === 'all');
  await summaryHas(page, 'queue', 'latest ');
  const box = await card(page, 'ramp').locator('.u-over').boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + box.height / 2);
  await until('the other chart follows', () => card(page, 'queue').evaluate((node) => node.classList.contains('hover')));
  assert.match(await page.locator('#bar .cursor').textContent(), /^\d\d:\d\d:\d\d\.\d{3}/);
  assert.ok(Number(await card(page, 'queue').locator('.value').textContent()) <= 11);
  const stored = await server.get(`/api/v1/runs/${program.uuid}/series?points=1&columns=0`);
  const [from, to] = stored.gaps[0];
  const first = Date.parse(`${await page.locator('[data-fact=started] dd').textContent()}`);
  const share = ((from + to) / 2 - first) / ((await program.stored()).last - first);
  await page.mouse.move(box.x + box.width * share, box.y + box.height / 2);
  await until('the lost rows are told', async () => /10 rows lost/.test(await page.locator('#bar .cursor').textContent()));
  await page.mouse.move(2, 2);
  await until('it goes', () => card(page, 'queue').evaluate((node) => !node.classList.contains('hover')));
  await page.context().close();
});

test('an address pasted elsewhere shows the same', async () => {
  const first = await open(browser, server.url);
  await summaryHas(first.page, 'ramp', 'latest ');
  await drag(first.page, 'ramp', 0.3, 0.6);
  await until('the address has the range', () => place(first.page).from);
  const { from } = place(first.page);
  await until('the range is shown', async () => (await first.page.locator('#bar select').inputValue()) === 'range');
  const range = await first.page.locator('#bar .range').textContent();
  const second = await open(browser, first.page.url());
  await summaryHas(second.page, 'ramp', 'latest ');
  assert.equal(await second.page.locator('#bar .range').textContent(), range);
  await first.page.reload();
  await summaryHas(first.page, 'ramp', 'latest ');
  assert.equal(place(first.page).from, from);
  await until('both say the same', async () => (await summary(first.page, 'ramp')) === (await summary(second.page, 'ramp')));
  await first.context.close();
  await second.context.close();
});

test('an address of a run that is not there says so, and the tree still works', async () => {
  const { page } = await open(browser, `${server.url}#run=00000000-0000-4000-8000-000000000000`);
  await until('a notice', async () => (await page.locator('#notice').textContent()) !== '');
  await page.locator('#tree a').first().click();
  await until('charts', async () => (await page.locator('figure canvas').count()) > 0);
  await until('the notice goes', async () => (await page.locator('#notice').textContent()) === '');
  await page.context().close();
});

test('names are text everywhere, whatever they say', async () => {
  const { page, problems } = await open(browser, `${server.url}#run=${evil.uuid}`);
  await summaryHas(page, EVIL, 'latest 51');
  assert.equal(await page.locator('#facts h2').textContent(), EVIL);
  await until('the tree has it', async () => (await page.locator('#tree .app').allTextContents()).some((text) => text.includes(EVIL)));
  assert.ok((await page.title()).includes(EVIL));
  for (const fact of ['host', 'command', 'build', 'tags']) {
    const value = page.locator(`[data-fact=${fact}] dd`);
    assert.ok((await value.getAttribute('title')).includes(EVIL), fact);
    assert.ok((await value.textContent()).includes(EVIL.slice(0, 12)), fact);
  }
  assert.equal(await card(page, EVIL).locator('.unit').textContent(), EVIL);
  for (const name of ['__proto__', '10']) await summaryHas(page, name, 'latest 51');
  await page.locator('#search').fill(EVIL);
  await until('the filter finds it', async () => (await page.locator('#tree .run').count()) === 1);
  assert.equal(await page.locator('body img').count(), 0);
  assert.equal(await page.locator('body b').count(), 0);
  assert.deepEqual(problems, []);
  await page.context().close();
});

test('the filter leaves what matches', async () => {
  const { page } = await open(browser, server.url);
  await until('both runs are listed', async () => (await page.locator('#tree .run').count()) === 2);
  await page.locator('#search').fill('hello live');
  await until('one is left', async () => (await page.locator('#tree .run').count()) === 1);
  await page.locator('#search').fill('nothing of the kind');
  await until('none is left', async () => (await page.locator('#tree .run').count()) === 0);
  await page.context().close();
});

test('every row of the run can be downloaded', async () => {
  const { page } = await open(browser, server.url);
  await page.getByRole('button', { name: 'Download' }).click();
  const button = page.getByRole('link', { name: 'Whole run: CSV' });
  const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
  const lines = readFileSync(await download.path(), 'utf8').trim().split(/\r?\n/);
  assert.equal(lines[0], 'time,seq,ramp,queue,sent');
  assert.equal(lines.length - 1, (await program.stored()).rows);
  assert.match(lines[1], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z,0,0,5,0$/);
  await page.context().close();
});
