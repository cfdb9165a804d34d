// SPDX-License-Identifier: MIT OR Unlicense
// The page on many columns, on a phone, by keyboard, and as pictures in build/screenshots/.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { card, inked, launch, open, place, shoot, summary, summaryHas } from './browser.mjs';
import { Program, startMnemic, until } from './mnemic.mjs';

const COLUMNS = 300;
let server, browser, wide, usual, grouped;

before(async () => {
  server = await startMnemic();
  browser = await launch();
  wide = new Program(server, Array.from({ length: COLUMNS }, (_, i) => `column_${i}`), { app_name: 'wide' });
  await wide.announce(Date.now() - 30e3);
  await wide.history(30, (i) => wide.columns.map((_, c) => Math.sin((i + c) / 5) * c));
  usual = new Program(server,
    ['mem_allocation', 'active_tasks', 'cpu_percent', 'memory_use', 'io_read_bytes', 'requests', 'handle_hits', 'handle_active_instances', 'handle_average_time'],
    { units: ['MB', '', '%', 'GiB', 'B', '', '', '', 's'], kinds: ['gauge', 'gauge', 'gauge', 'gauge', 'counter', 'counter', 'counter', 'gauge', 'gauge'],
      host: 'box', pid: 4711, args: './server --fast', tags: { branch: 'main' } });
  const begin = Date.now() - 1500e3;
  await usual.announce(begin);
  await usual.history(1500, (i) => [40 + i / 300 + Math.sin(i / 20), 8 + Math.round(3 * Math.sin(i / 40)), 30 + 20 * Math.sin(i / 60) + 10 * Math.sin(i * 7),
    1.2 + i / 5e4, i * 81920, i * 14, i * 5, i % 9 ? 0 : 1, 0.0012 + 0.0003 * Math.sin(i / 33)], { skip: (i) => i >= 1100 && i < 1150 });
  await usual.row([45, 8, 30, 1.2, 1500 * 81920, 21000, 7500, 0, 0.0012], Date.now(), { marks: [[(begin + 1000e3) * 1e6, 'cache flushed']] });
  const columns = { memory_use: 'gauge', cpu_percent: 'gauge', queue: 'gauge', requests: 'counter', work_hits: 'counter', work_active_instances: 'gauge', work_average_time: 'gauge' };
  grouped = new Program(server, Object.keys(columns), { app_name: 'grouped', kinds: Object.values(columns) });
  await grouped.announce(Date.now() - 60e3);
  await grouped.history(60, (i) => [40, 30, i % 7, i * 3, i * 9, 1, 0.01]);
  await until('rows are stored, and the missing ones given up', async () => {
    const [a, b, c] = await Promise.all([usual, wide, grouped].map((program) => program.stored()));
    return a?.rows === 1451 && a.lost === 50 && b?.rows === 30 && c?.rows === 60;
  });
});

after(async () => {
  wide?.close();
  usual?.close();
  grouped?.close();
  await browser?.close();
  await server?.remove();
});

test('of hundreds of columns only those near the window are fetched and drawn', async () => {
  const { page, problems, context } = await open(browser, `${server.url}#run=${wide.uuid}&last=all`);
  await summaryHas(page, 'column_0', 'latest ');
  assert.equal(await page.locator('figure').count(), COLUMNS);
  assert.ok((await page.locator('canvas').count()) < 60);
  assert.equal(await summary(page, `column_${COLUMNS - 1}`), `column_${COLUMNS - 1}`);
  await page.locator('figure').last().scrollIntoViewIfNeeded();
  await summaryHas(page, `column_${COLUMNS - 1}`, 'latest ');
  assert.ok((await page.locator('canvas').count()) < 60);
  await wide.row(wide.columns.map((_, c) => 1000 + c));
  await summaryHas(page, `column_${COLUMNS - 1}`, `greatest 1\u202f299`);
  await shoot(page, 'wide');
  assert.deepEqual(problems, []);
  await context.close();
});

test('pictures: desktop, dark, phone; a phone of 360 px needs no sideways scrolling', async () => {
  for (const [name, options] of [
    ['desktop', {}],
    ['dark', { colorScheme: 'dark' }],
    ['phone', { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 }],
  ]) {
    const { page, problems, context } = await open(browser, `${server.url}#run=${usual.uuid}&last=all`, options);
    await summaryHas(page, 'mem_allocation', 'latest 45 MB');
    await until('lines are drawn', async () => (await inked(page, 'mem_allocation')) > 100);
    const { scroll, client } = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth }));
    assert.ok(scroll <= client, `${name}: ${scroll} of ${client}`);
    await shoot(page, name);
    assert.deepEqual(problems, []);
    await context.close();
  }
});

/** Where the groups of charts are, by their titles, and the widths that charts have. */
const laidOut = (page) => page.evaluate(() => {
  const boxOf = (node) => node.getBoundingClientRect().toJSON();
  const groups = [...document.querySelectorAll('#charts > section:not([hidden])')].map((node) =>
    [node.getAttribute('aria-label'), { ...boxOf(node), first: node.querySelector('.card') && boxOf(node.querySelector('.card')).top }]);
  const { scrollWidth, clientWidth } = document.documentElement;
  return { groups: Object.fromEntries(groups), widths: [...new Set([...document.querySelectorAll('#charts .card')].map((node) => Math.round(node.getBoundingClientRect().width)))],
    fits: scrollWidth <= clientWidth && groups.every(([, { right }]) => right <= clientWidth) };
});

/** Titles of the groups, a list a row. */
function rowsOf(groups) {
  const rows = [];
  let above = { top: -Infinity };
  for (const [title, box] of Object.entries(groups)) {
    if (box.top !== above.top) rows.push([]);
    else assert.ok(box.left >= above.right, `${title} is to the right of the one before`);
    if (rows.at(-1).length > 0 && box.first !== null && above.first !== null) assert.equal(box.first, above.first, `the charts of ${title} begin as high as their neighbours`);
    rows.at(-1).push(title);
    above = box;
  }
  return rows;
}

const [MACHINE, WORK] = ['Process and machine', 'work()'];
for (const [width, look, expected] of [
  [1920, '', [[MACHINE, 'Gauges', 'Counters'], ['Functions', WORK]]],
  [1280, '', [[MACHINE, 'Gauges'], ['Counters', 'Functions'], [WORK]]],
  [640, '', [[MACHINE], ['Gauges', 'Counters'], ['Functions'], [WORK]]],
  [360, '', [[MACHINE], ['Gauges'], ['Counters'], ['Functions'], [WORK]]],
  [1920, '&pin=requests&hide=cpu_percent&tall=300+queue', [['Pinned', MACHINE, 'Gauges', 'Functions'], [WORK], ['Hidden charts']]],
]) {
  test(`small groups stand side by side where there is room, in their order: ${width} pixels${look}`, async () => {
    const { page, problems, context } = await open(browser, `${server.url}#run=${grouped.uuid}&last=all${look}`, { viewport: { width, height: 900 } });
    await summaryHas(page, 'memory_use', 'latest ');
    const { groups, widths, fits } = await laidOut(page);
    assert.deepEqual(rowsOf(groups), expected);
    assert.equal(widths.length, 1, `one width: ${widths}`);
    assert.ok(fits, 'nothing is wider than the window');
    assert.equal(await card(page, 'memory_use').locator('canvas').evaluate((canvas) => Math.round(canvas.getBoundingClientRect().width)), widths[0]);
    assert.deepEqual(problems, []);
    await context.close();
  });
}

test('on a phone the tree unfolds, and folds when a run is chosen', async () => {
  const { page, context } = await open(browser, `${server.url}#run=${usual.uuid}&last=all`, { viewport: { width: 360, height: 740 } });
  await summaryHas(page, 'mem_allocation', 'latest ');
  const link = page.locator('#tree .run[data-app=wide]');
  assert.equal(await link.isVisible(), false);
  await page.getByRole('button', { name: 'Runs' }).click();
  await link.click();
  await until('the other run', () => place(page).run === wide.uuid);
  await until('folded', async () => !(await link.isVisible()));
  await context.close();
});

test('the keyboard reaches search, tree and controls', async () => {
  const { page, context } = await open(browser, `${server.url}#run=${usual.uuid}&last=all`);
  await summaryHas(page, 'mem_allocation', 'latest ');
  await page.locator('#tree a[aria-current=page]').waitFor(); // comes after the charts
  await page.locator('#search').focus();
  const reached = [];
  for (let i = 0; i < 8; i++) {
    await page.keyboard.press('Tab');
    reached.push(await page.evaluate(() => document.activeElement?.tagName.toLowerCase()));
  }
  assert.deepEqual(reached.slice(0, 2), ['button', 'a']);
  await page.locator('#tree .run[data-app=wide]').focus();
  await page.keyboard.press('Enter');
  await until('the other run', () => place(page).run === wide.uuid);
  await context.close();
});

test('of an application with many runs the newest are listed, and the rest when asked for', async () => {
  const programs = Array.from({ length: 40 }, () => new Program(server, ['a'], { app_name: 'busy' }));
  for (const program of programs) {
    await program.announce(Date.now() - 3600e3);
    await program.row([1]);
  }
  await until('all are known', async () => (await server.get('/api/v1/apps')).find((a) => a.app === 'busy')?.runs.length === 40);
  const { page, context } = await open(browser, `${server.url}#run=${usual.uuid}`);
  await page.locator('#tree .run').first().waitFor();
  await page.locator('#tree').evaluate((tree) => tree.scrollTo(0, tree.scrollHeight));
  await page.getByRole('treeitem', { name: '28 more' }).click();
  await until('all forty are counted', async () => (await page.locator('#tree .run[data-app=busy]').first().getAttribute('aria-setsize')) === '40');
  for (const program of programs) program.close();
  await context.close();
});
