// SPDX-License-Identifier: MIT OR Unlicense
// The views beside the charts where there is little room: six runs beside each other, a phone's width; nothing is scrolled sideways.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { complaints } from './axe.mjs';
import { launch, open, place, shoot } from './browser.mjs';
import { startMnemic, until } from './mnemic.mjs';
import { COLUMNS, soak } from './soak.mjs';

const DAY = 86400e3;
const RUNS = 6;
const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
let server, browser, runs; // the newest first

before(async () => {
  server = await startMnemic();
  browser = await launch();
  runs = [];
  for (let i = 0; i < RUNS; i++) {
    runs.push(await soak(server, { leak: 3 - i, end: Date.now() - i * DAY, rows: i < 2 ? 600 : 120, build: `b${i}`, args: i < 3 ? './server --pool=new --workers 16' : './server' }));
  }
  await soak(server, { app: 'other', end: Date.now() - DAY / 2, rows: 60 });
});

after(async () => {
  await browser?.close();
  await server?.remove();
});

const at = (rest, options) => open(browser, `${server.url}#run=${runs[0].id}&last=all${rest}`, options);
/** The run with so many others. */
const compared = (count, options) => at(`&show=compare&compare=${runs.slice(1, count).map(({ id }) => id)}`, options);
const view = (page, name) => page.locator('#views').getByRole('button', { name });

/** What is wider than its place: the page, or a table in it. */
const tooWide = (page) => page.evaluate(() => [document.documentElement, ...document.querySelectorAll('#insight .scroll, #insight td, #insight th')]
  .filter((node) => node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 0).map((node) => `${node.tagName} ${node.textContent.slice(0, 40)}`));

const blocks = (page) => page.locator('.compared.stacked tbody');
const sideBySide = (page) => page.locator('.compared:not(.stacked)');
/** What is told of a column in each run: figures and differences. */
const told = (page, name, i) => blocks(page).filter({ has: page.getByRole('rowheader', { name, exact: true }) }).locator('tr').nth(i + 1).locator('td').allInnerTexts();
const plain = (texts) => texts.map((text) => text.replace(/\s+/g, ' ').trim());

for (const [count, width] of [[2, 360], [3, 360], [6, 360], [6, 700], [4, 1280], [6, 1280]]) {
  test(`${count} runs compared at ${width} pixels: a block a column, a line a run, and nothing is cut off`, async () => {
    const { page, problems, context } = await compared(count, width === 360 ? PHONE : { viewport: { width, height: 860 } });
    await until('a block for each column', async () => (await blocks(page).count()) === COLUMNS.length);
    assert.deepEqual(await tooWide(page), []);
    const swatches = await blocks(page).first().locator('.swatch').evaluateAll((all) => all.map((node) => node.dataset.series));
    assert.deepEqual(swatches, Array.from({ length: count }, (_, i) => String(i + 1)));
    assert.deepEqual(await complaints(page), []);
    await page.locator('.compared').scrollIntoViewIfNeeded();
    await shoot(page, `compare-${count}-${width}`);
    assert.deepEqual(problems, []);
    await context.close();
  });
}

test('three runs of a few columns stand side by side at 1,280 pixels; blocks say the same, and take turns with them as the window is resized', async () => {
  const { page, problems, context } = await compared(3);
  await sideBySide(page).locator('tbody tr').first().waitFor();
  assert.deepEqual(await tooWide(page), []);
  const wide = plain(await sideBySide(page).locator('tbody tr', { hasText: 'memory' }).locator('td').allInnerTexts());
  await page.setViewportSize({ width: 500, height: 740 });
  await until('blocks', async () => (await blocks(page).count()) === COLUMNS.length);
  const stacked = [];
  for (const i of [0, 1, 2]) stacked.push(...await told(page, 'memory', i));
  assert.deepEqual(plain(stacked), wide);
  await page.setViewportSize({ width: 1280, height: 740 });
  await until('side by side again', async () => (await sideBySide(page).count()) === 1);
  assert.deepEqual(problems, []);
  await context.close();
});

test('on paper, which is narrower, three runs are blocks; then they stand side by side again', async () => {
  const { page, problems, context } = await compared(3);
  await sideBySide(page).locator('tbody tr').first().waitFor();
  await page.evaluate(() => window.addEventListener('beforeprint', () => {
    window.printed = document.querySelector('.compared').classList.contains('stacked');
  }));
  await page.pdf({ format: 'A4' });
  assert.equal(await page.evaluate(() => window.printed), true);
  await until('side by side', async () => (await sideBySide(page).count()) === 1);
  assert.deepEqual(problems, []);
  await context.close();
});

test('blocks are sorted by how far a column is from the baseline in any run, by keys too; the focus stays', async () => {
  const { page, context } = await compared(4, PHONE);
  await until('blocks', async () => (await blocks(page).count()) === COLUMNS.length);
  const names = () => blocks(page).locator('.name').allTextContents();
  assert.deepEqual(await names(), COLUMNS);
  const head = page.getByRole('columnheader', { name: 'slope' });
  await head.getByRole('button').focus();
  await page.keyboard.press('Enter');
  await until('what leaks differently comes first', async () => (await names())[0] === 'memory' && (await head.getAttribute('aria-sort')) === 'descending');
  await page.getByRole('columnheader', { name: 'mean' }).getByRole('button').focus();
  await page.keyboard.press('Enter');
  await until('sorted by the mean', async () => (await page.locator('.compared [aria-sort]').textContent()) === 'mean');
  await page.keyboard.press('Enter'); // it has the focus still
  await until('as the runs have them', async () => (await page.locator('.compared [aria-sort]').count()) === 0);
  assert.deepEqual(await names(), COLUMNS);
  await blocks(page).getByRole('button', { name: 'latency' }).click();
  await until('its chart has the focus', () => page.evaluate(() => document.activeElement?.querySelector('.name')?.textContent === 'latency'));
  await context.close();
});

test('health on a phone: name and verdict, the rest with labels; moments are buttons', async () => {
  const { page, problems, context } = await at('&show=health', PHONE);
  const block = (name) => page.locator('.health tbody').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
  await until('the verdicts', async () => (await page.locator('.health .stacked tbody').count()) === COLUMNS.length);
  assert.deepEqual(await tooWide(page), []);
  assert.match(await block('memory').locator('tr').first().innerText(), /^memory\s+\+3\.0 MB\/h over 10 h$/);
  assert.deepEqual(await block('memory').getByRole('rowheader').allTextContents(), ['memory', 'Slope', 'Level']);
  assert.deepEqual(await block('threads').getByRole('rowheader').allTextContents(), ['threads', 'Slope', 'Level', 'Shifts']);
  assert.match(await block('cpu').innerText(), /Outliers\s+99 %, /);
  assert.deepEqual(await complaints(page), []);
  await shoot(page, 'health-narrow');
  await block('threads').getByTitle('Zoom to it').click();
  await until('the charts around the shift', () => place(page).from && !place(page).show);
  assert.deepEqual(problems, []);
  await context.close();
});

test('the tab of Health tells how many columns drift or went to another level in the time shown', async () => {
  const { page, context } = await at('');
  await until('two', async () => (await view(page, 'Health').textContent()) === 'Health 2');
  assert.equal(await view(page, 'Health').getAttribute('title'), '2 columns drift, or went to another level');
  const where = await view(page, 'Correlation').boundingBox();
  await page.evaluate((range) => { location.hash += range; }, `&from=${runs[0].started}&to=${runs[0].started + 3600e3}`);
  await until('in the first hour fewer do', async () => /^Health( 1)?$/.test(await view(page, 'Health').textContent()));
  assert.equal((await view(page, 'Correlation').boundingBox()).x, where.x, 'what stands beside it does not move');
  await context.close();
});

test('one button compares with the run before, of the same application; the first run has none', async () => {
  const { page, problems, context } = await at('&show=compare', PHONE);
  const button = page.getByRole('button', { name: /^Compare with the run before/ });
  assert.match(await button.textContent(), /^Compare with the run before \((\w{3} \d+, \d\d:\d\d|\d{4}-\d\d-\d\d)\)$/);
  assert.deepEqual(await tooWide(page), []);
  assert.deepEqual(await complaints(page), []);
  await button.click();
  await until('it is compared', () => place(page).compare === runs[1].id);
  assert.equal(place(page).base, runs[1].id, 'what is newer is held against what is older');
  await until('the button is gone', async () => !(await button.isVisible()));
  await until('the figures', async () => (await blocks(page).count()) === COLUMNS.length);
  const order = await page.locator('.compare h3').allTextContents();
  assert.deepEqual(order, ['What differs', 'Columns', 'Charts']);
  assert.deepEqual((await page.locator('.facts tbody th').allTextContents()).slice(0, 1), ['build']);
  await page.goto(`${server.url}#run=${runs.at(-1).id}&show=compare`);
  await until('the choice of all others', async () => (await page.getByLabel('Add a run').locator('option').count()) === RUNS + 1);
  await until('no button', async () => !(await button.isVisible()));
  assert.deepEqual(problems, []);
  await context.close();
});

for (const [reducedMotion, behavior] of [['reduce', 'auto'], ['no-preference', 'smooth']]) {
  test(`on a phone the points of a pair come into view, and the cell keeps the focus; motion: ${reducedMotion}`, async () => {
    const { page, problems, context } = await at('&show=correlation', { ...PHONE, reducedMotion });
    const cell = page.locator('.matrix td[data-row="0"][data-column="1"]');
    await cell.waitFor();
    await page.evaluate(() => {
      const { scrollIntoView } = Element.prototype;
      window.moves = [];
      Element.prototype.scrollIntoView = function noted(how) {
        if (this.matches('.scatter')) window.moves.push(how);
        return scrollIntoView.call(this, how);
      };
    });
    await cell.tap();
    await until('it is in view', () => page.locator('.scatter').evaluate((node) => {
      const { top, bottom } = node.getBoundingClientRect();
      return !node.hidden && top >= 0 && bottom <= innerHeight + 1;
    }));
    assert.deepEqual(await page.evaluate(() => window.moves), [{ behavior, block: 'nearest' }]);
    assert.equal(await cell.evaluate((node) => node === document.activeElement), true);
    assert.deepEqual(await tooWide(page), []);
    assert.deepEqual(problems, []);
    await context.close();
  });
}
