// SPDX-License-Identifier: MIT OR Unlicense
// The heat map of a function's calls: drawn, told, zoomed as the other charts, as a table and a picture; with answers of the histogram
// that are made up, and so known.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { complaints } from './axe.mjs';
import { card, dragOver, inked, inkedIn, launch, open, place, shoot, summaryHas } from './browser.mjs';
import { Program, ROOT, start, startMnemic, until } from './mnemic.mjs';

const ROWS = 400;
const EDGES = Array.from({ length: 41 }, (_, i) => 1e-5 * 2 ** (i / 2)); // 10 µs … 10 s
const COLUMNS = { work_hits: ['', 'counter'], work_active_instances: ['', 'gauge'], work_average_time: ['s', 'gauge'], work_mean: ['s', 'gauge'], work_p99: ['s', 'gauge'] };
let server, browser, program, begin;

before(async () => {
  server = await startMnemic();
  browser = await launch();
  program = new Program(server, Object.keys(COLUMNS), { app_name: 'timed', units: Object.values(COLUMNS).map(([unit]) => unit), kinds: Object.values(COLUMNS).map(([, kind]) => kind) });
  begin = Date.now() - ROWS * 1000;
  await program.announce(begin);
  await program.history(ROWS, (i) => [i * 100, 1, 0.001, 0.001, 0.01], { end: begin + (ROWS - 1) * 1000 });
  await program.row([ROWS * 100, 0, 0.001, 0.001, 0.01], begin + ROWS * 1000, { end: 'stopped' });
  await until('it has ended', async () => (await program.stored())?.state === 'ended');
});

after(async () => {
  program?.close();
  await browser?.close();
  await server?.remove();
});

/** In each part 90 calls of a millisecond or so, 9 of about ten, one of about a hundred. */
function answer(url) {
  const q = new URL(url).searchParams;
  const [from, to] = [Number(q.get('from') ?? begin), Number(q.get('to') ?? begin + ROWS * 1000)];
  const points = Number(q.get('points'));
  const width = (to - from) / points;
  const time = Array.from({ length: points }, (_, i) => from + i * width);
  const all = (v) => time.map(() => v);
  return { from, to, width, time, columns: { work_mean: { unit: 's', edges: EDGES, cells: all([13, 90, 20, 9, 26, 1]), count: all(100), mean: all(0.0029), p50: all(0.001),
    p90: all(0.0012), p99: all(0.011), max: all(0.09), total: { count: 100 * points, mean: 0.0029, p50: 0.001, p90: 0.0012, p99: 0.011, p999: 0.09, min: 0.0009, max: 0.09 } } } };
}

/** The page, with a column that is a histogram. @returns what was asked of it, too */
async function show(options = {}, hash = 'last=all') {
  const opened = await open(browser, 'about:blank', options);
  const asked = [];
  await opened.page.route(`**/api/v1/runs/${program.uuid}`, async (route) => {
    const response = await route.fetch();
    const run = await response.json();
    run.column_info.find(({ name }) => name === 'work_mean').kind = 'histogram';
    await route.fulfill({ response, json: run });
  });
  await opened.page.route('**/histogram?*', (route) => {
    asked.push(new URL(route.request().url()).searchParams);
    return route.fulfill({ json: answer(route.request().url()) });
  });
  await opened.page.goto(`${server.url}#run=${program.uuid}&${hash}`);
  await summaryHas(opened.page, 'work_hits', 'latest ');
  await opened.page.locator('.functions').scrollIntoViewIfNeeded();
  await opened.page.locator('.functions tbody tr').first().waitFor(); // it grows, and what is below it moves
  await opened.page.locator('.heat').scrollIntoViewIfNeeded();
  await opened.page.locator('.heat canvas').waitFor();
  return { ...opened, asked };
}

const NAME = 'Latency of all calls';
const OF_ALL = '1'; // part: what the table of functions asks for

test('a function begins with its heat map: drawn, told in words, its place under the pointer', async () => {
  const { page, problems, context, asked } = await show();
  assert.equal(await page.locator('section[aria-label="work()"] figure .name').first().textContent(), NAME);
  await until('cells are drawn', async () => (await inked(page, NAME)) > 500);
  assert.match(await page.locator('.heat .plot').getAttribute('aria-label'), /^How long the calls of work\(\) took, \S+ to \S+: p50 1 ms, p99 11 ms, p99.9 90 ms, greatest 90 ms, \d/);
  const first = asked.find((q) => q.get('points') !== OF_ALL);
  assert.equal(first.get('columns'), '3');
  assert.ok(Number(first.get('points')) <= ROWS, 'no part is shorter than a second');
  const told = page.locator('.heat .told-cell');
  assert.match(await told.textContent(), /^p50 1 ms · p99 11 ms/);
  const box = await page.locator('.heat .u-over').boundingBox();
  const high = Math.log(EDGES[27] / EDGES[13]);
  await page.mouse.move(box.x + box.width / 2, box.y + box.height * (1 - Math.log(EDGES[20] * 1.2 / EDGES[13]) / high));
  await until('the cell is told', async () => /^10\.2\d ms … 14\.5\d ms: 9 of 100 calls \(9\.0 %\), 99 % at or below$/.test(await told.textContent()));
  await until('the others follow', () => card(page, 'work_hits').evaluate((node) => node.classList.contains('hover')));
  await page.mouse.move(2, 2);
  await until('the whole again', async () => /^p50/.test(await told.textContent()));
  assert.deepEqual(problems, []);
  await context.close();
});

test('a drag zooms all charts, and the new range is asked for', async () => {
  const { page, context, asked } = await show();
  const box = await page.locator('.heat .u-over').boundingBox();
  await page.mouse.move(box.x + box.width * 0.25, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.75, box.y + 20, { steps: 6 });
  await page.mouse.up();
  await until('the address has the range', () => place(page).from);
  const { from, to } = place(page);
  assert.ok(Math.abs((to - from) / (ROWS * 1000) - 0.5) < 0.02);
  await until('it is asked for', () => asked.some((q) => q.get('from') === from && q.get('to') === to));
  await context.close();
});

test('its numbers as a table, and as a picture', async () => {
  const { page, problems, context } = await show();
  const options = page.getByRole('button', { name: 'Options for the latency of work()' });
  await options.click();
  await page.getByRole('menuitem', { name: 'Table of values' }).click();
  const dialog = page.getByRole('dialog', { name: 'Latency of work()' });
  assert.deepEqual(await dialog.locator('tbody tr').first().locator('td').allTextContents(), ['100', '2.900 ms', '1 ms', '1.200 ms', '11 ms', '90 ms']);
  assert.deepEqual(await complaints(page), []);
  await dialog.getByRole('button', { name: 'Close' }).click();
  await until('the dialog is closed', async () => (await dialog.count()) === 0);
  const item = page.getByRole('menuitem', { name: 'Save as PNG' });
  await until('the menu is open', async () => {
    await options.click();
    return item.isVisible();
  });
  const [download] = await Promise.all([page.waitForEvent('download'), item.click()]);
  assert.match(download.suggestedFilename(), /^timed-work_-latency-\d{4}-\d\d-\d\d\.png$/);
  assert.deepEqual([...readFileSync(await download.path()).subarray(1, 4)], [...Buffer.from('PNG')]);
  assert.deepEqual(problems, []);
  await context.close();
});

test('light, dark, on a phone: nothing for axe, no sideways scrolling, nothing moves', async () => {
  for (const [name, options] of [['heat', {}], ['heat-dark', { colorScheme: 'dark' }], ['heat-phone', { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }]]) {
    const { page, problems, context } = await show(options);
    const height = () => page.locator('.heat').evaluate((node) => node.offsetHeight);
    const before = await height();
    await until('cells are drawn', async () => (await inked(page, NAME)) > 200);
    assert.equal(await height(), before);
    assert.deepEqual(await complaints(page), []);
    const { scroll, client } = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth }));
    assert.ok(scroll <= client, `${name}: ${scroll} of ${client}`);
    await shoot(page, name);
    assert.deepEqual(problems, []);
    await context.close();
  }
});

test('a real program, live: the card counts the calls that the server has, and goes on; the table has the same p99', async () => {
  const own = await startMnemic();
  const { page, problems, context } = await open(browser, own.url); // before there is a run: it does not last
  const traced = start(join(ROOT, 'build/examples/functions'), ['30'],
    { env: { ...process.env, DOLON_HOST: '127.0.0.1', DOLON_PORT: String(own.udp), DOLON_INTERVAL: '0.1' } });
  traced.child.stdout.resume();
  const listed = async () => (await own.get('/api/v1/apps'))[0]?.runs[0];
  const { id, columns } = await until('some rows', async () => {
    const run = await listed();
    return run?.rows > 10 && run;
  });
  const index = columns.indexOf('request_mean');
  const total = async () => (await own.get(`/api/v1/runs/${id}/histogram?points=1&columns=${index}`)).columns.request_mean.total.count;
  const told = page.locator('section[aria-label="request()"] .told-cell');
  const counted = async () => Number(/([\d\u202f]+) calls?$/.exec(await told.textContent())?.[1].replaceAll('\u202f', ''));
  await told.scrollIntoViewIfNeeded();

  const least = await total();
  const seen = await until('it counts as many', async () => {
    const n = await counted();
    return n >= least && n;
  });
  assert.equal((await listed()).state, 'live');
  assert.ok(seen <= await total());
  await until('it goes on', async () => (await counted()) > seen);
  assert.ok((await inkedIn(page.locator('section[aria-label="request()"] .heat canvas'), '--accent')) > 50);

  await traced.ended;
  await until('the run has ended', async () => (await listed()).state === 'ended');
  const { column_info: info } = await own.get(`/api/v1/runs/${id}`);
  const all = info.find(({ name }) => name === 'request_hits').last;
  assert.equal(await total(), all);
  await until('every call is counted', async () => (await counted()) === all);
  const p99 = / p99 (\S+ \S+) /.exec(await told.textContent())[1];
  await page.locator('.functions').scrollIntoViewIfNeeded();
  await until('the table says the same', async () => (await page.locator('.functions tr', { hasText: 'request()' }).locator('td').nth(3).textContent()) === p99);
  await page.evaluate(() => document.querySelector('.functions tbody').replaceChildren());
  await page.pdf(); // paper asks for itself: what is printed may never have been seen
  assert.equal(await page.locator('.functions tr', { hasText: 'request()' }).locator('td').nth(3).textContent(), p99);
  assert.deepEqual(problems, []);
  await context.close();
  await own.remove();
});

const cellsOf = (page) => page.locator('.functions tbody td').allTextContents();
const titleOfP99 = (page) => page.locator('.functions thead').getByRole('button', { name: 'p99' }).getAttribute('title');

test('the table of functions tells mean and p99 of all calls in the range', async () => {
  const { page, context, asked } = await show();
  await page.locator('.functions').scrollIntoViewIfNeeded();
  await until('they are told', async () => (await cellsOf(page)).slice(2, 4).join() === '2.900 ms,11 ms');
  assert.equal(await titleOfP99(page), '99 % of all calls in the range shown took no longer');
  const whole = () => asked.filter((q) => q.get('points') === OF_ALL);
  assert.ok(whole().every((q) => q.get('columns') === '3'));
  await dragOver(page, page.locator('.heat .u-over'), 0.25, 0.75);
  await until('the address has the range', () => place(page).from);
  const { from, to } = place(page);
  await page.locator('.functions').scrollIntoViewIfNeeded();
  await until('it is asked for', () => whole().some((q) => q.get('from') === from && q.get('to') === to));
  await context.close();
});

test('a run without histograms has no heat map; the table tells the worst of an interval, and says so', async () => {
  const { page, context } = await open(browser, `${server.url}#run=${program.uuid}&last=all`);
  await summaryHas(page, 'work_hits', 'latest ');
  assert.equal(await page.locator('.heat').count(), 0);
  await page.locator('.functions').scrollIntoViewIfNeeded();
  await until('the table is filled', async () => (await cellsOf(page))[3] === '10 ms');
  assert.match(await titleOfP99(page), /^The worst /);
  await context.close();
});
