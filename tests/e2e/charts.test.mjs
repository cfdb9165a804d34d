// SPDX-License-Identifier: MIT OR Unlicense
// The charts: moved by wheel, touch and keys; rates, logarithms, pins, hiding and heights; the table of functions; streaming.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { allDrawn, card, drag, inked, launch, open, place, summary, summaryHas } from './browser.mjs';
import { Program, startMnemic, until } from './mnemic.mjs';

const ROWS = 600;
const SPIKE = 321;
let server, browser, program, begin;

before(async () => {
  server = await startMnemic();
  browser = await launch();
  const columns = { cpu_percent: '%', queue: '', size: 'B', sent: 'B', jobs: '',
    parse_hits: '', parse_active_instances: '', parse_average_time: 's', send_hits: '', send_active_instances: '', send_average_time: 's', send_p99: 's' };
  program = new Program(server, Object.keys(columns), { app_name: 'shop', units: Object.values(columns),
    kinds: Object.keys(columns).map((name) => (name === 'sent' || name === 'jobs' ? 'counter' : 'gauge')) });
  begin = Date.now() - ROWS * 1000;
  await program.live(begin);
  await program.history(ROWS, valuesOf, { skip: (i) => i >= 200 && i < 230, end: begin + (ROWS - 1) * 1000 });
  const marks = [[at(400), 'deployed'], [at(402), 'warmed up'], [at(404), 'third']];
  await program.row(valuesOf(ROWS), begin + ROWS * 1000, { marks });
  await until('all rows are stored, and the missing ones given up', async () => {
    const run = await program.stored();
    return run?.rows === ROWS - 29 && run.lost === 30;
  });
});

after(async () => {
  program?.close();
  await browser?.close();
  await server?.remove();
});

const at = (i) => (begin + i * 1000) * 1e6;
const valuesOf = (i) => [30 + (i % 10), i === SPIKE ? 999 : 5, 10 ** (i % 7), i * 2048, i * 3, i * 10, 1, 0.001, i * 4, 0, 0.25, 0.5];

/** @returns the range in the address, ms, once it differs from `before`. The page writes it there when a gesture has rested for
 *  300 ms of its own clock, by which is waited here, too. */
async function moved(page, before) {
  await page.evaluate(() => new Promise((rested) => setTimeout(rested, 600)));
  return until('the address says where it went', () => {
    const { from, to, last } = place(page);
    const key = keyOf(page);
    return key !== before && { from: Number(from), to: Number(to), last, key };
  });
}

const keyOf = (page) => {
  const { from, to, last } = place(page);
  return JSON.stringify({ from, to, last });
};

/** Opens the shop on the whole run, or as `more` says. */
async function show(more = 'last=all', options = {}) {
  const opened = await open(browser, `${server.url}#run=${program.uuid}&${more}`, options);
  await summaryHas(opened.page, 'cpu_percent', ' from ');
  await allDrawn(opened.page);
  return opened;
}

async function plotBox(page, name) {
  const over = card(page, name).locator('.u-over');
  await over.scrollIntoViewIfNeeded();
  return over.boundingBox();
}

async function choose(page, name, option) {
  await card(page, name).getByRole('button', { name: `Options for ${name}` }).click();
  await page.getByRole('menu').getByText(option, { exact: true }).click();
}

test('groups: built in, gauges, counters, a table of functions and the charts of each', async () => {
  const { page, problems, context } = await show();
  assert.deepEqual(await page.locator('#charts section:visible h3').allTextContents(),
    ['Process and machine', 'Gauges', 'Counters', 'Functions', 'parse()', 'send()']);
  const table = page.locator('.functions table');
  await until('calls per second are told', async () => (await table.innerText()).includes('10'));
  const lines = () => table.locator('tbody tr').allInnerTexts().then((all) => all.map((text) => text.trim().split(/\s*[\t\n]\s*/)));
  assert.deepEqual(await lines(), [['parse()', '10', '1', '1 ms', '–'], ['send()', '4', '0', '250 ms', '500 ms']]);
  await table.getByRole('button', { name: 'Mean' }).click();
  assert.equal((await lines())[0][0], 'send()');
  assert.equal(await table.locator('[aria-sort=descending]').innerText(), 'Mean');
  assert.match(await table.locator('svg').first().getAttribute('aria-label'), /last 250 ms/);
  await table.getByRole('button', { name: 'send()' }).click();
  await summaryHas(page, 'send_p99', 'latest 500 ms');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'send()');
  assert.deepEqual(problems, []);
  await context.close();
});

test('at any zoom a single peak stays; lost rows and marks are drawn and told', async () => {
  const { page, context } = await show('last=all', { viewport: { width: 700, height: 860 } });
  await summaryHas(page, 'queue', 'greatest 999');
  assert.match(await summary(page, 'queue'), /30 rows lost/);
  const colours = await card(page, 'queue').locator('canvas').evaluate((canvas) => {
    const style = getComputedStyle(document.documentElement);
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const count = (name) => {
      const probe = document.createElement('canvas').getContext('2d');
      probe.fillStyle = style.getPropertyValue(name);
      probe.fillRect(0, 0, 1, 1);
      const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
      let n = 0;
      for (let i = 0; i < data.length; i += 4) if (Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 40) n++;
      return n;
    };
    return { lost: count('--lost'), mark: count('--chart-mark') };
  });
  assert.ok(colours.lost > 5 && colours.mark > 60, JSON.stringify(colours));
  await context.close();
});

test('the wheel scrolls the page; with Ctrl, or on a chart that was clicked, it zooms where the pointer is', async () => {
  const { page, problems, context } = await show('last=all', { viewport: { width: 1000, height: 500 } });
  const box = await plotBox(page, 'queue');
  const x = box.x + box.width / 4;
  await page.mouse.move(x, box.y + box.height / 2);
  const steps = await page.evaluate(() => history.length);
  const asked = [];
  page.on('request', (request) => request.url().includes('/series') && asked.push(new URL(request.url()).searchParams));
  const key = keyOf(page);
  await page.evaluate(([clientX, clientY]) => { // one gesture, however slow the machine
    const plot = document.elementFromPoint(clientX, clientY);
    for (let i = 0; i < 10; i++) plot.dispatchEvent(new WheelEvent('wheel', { deltaY: -60, ctrlKey: true, clientX, clientY, bubbles: true, cancelable: true }));
  }, [x, box.y + box.height / 2]);
  const zoomed = await moved(page, key);
  await until('the range is fetched', () => asked.some((q) => Number(q.get('from')) === zoomed.from && Number(q.get('to')) === zoomed.to));
  const share = (begin + ROWS * 250 - zoomed.from) / (zoomed.to - zoomed.from);
  assert.ok(Math.abs(share - 0.25) < 0.03, `what was under the pointer is at ${share}`);
  assert.ok(zoomed.to - zoomed.from < ROWS * 600);
  assert.equal(await page.evaluate(() => history.length), steps + 1, 'a gesture is one step of the history');

  await page.mouse.wheel(0, 120);
  await until('the page scrolls', () => page.evaluate(() => scrollY > 0));
  assert.equal(keyOf(page), zoomed.key);
  const again = await plotBox(page, 'queue');
  await page.mouse.click(again.x + again.width / 2, again.y + again.height / 2);
  const scroll = await page.evaluate(() => scrollY);
  await page.mouse.wheel(0, -200);
  const deeper = await moved(page, zoomed.key);
  assert.ok(deeper.to - deeper.from < zoomed.to - zoomed.from);
  assert.equal(await page.evaluate(() => scrollY), scroll);

  await page.mouse.wheel(-60, 0);
  const sideways = await moved(page, deeper.key);
  assert.ok(sideways.from < deeper.from && sideways.to - sideways.from - (deeper.to - deeper.from) <= 2, 'sideways pans');
  await page.goBack();
  await until('back is one gesture back', () => keyOf(page) === deeper.key);
  assert.deepEqual(problems, []);
  await context.close();
});

test('a drag with Shift pans; a plain one zooms', async () => {
  const { page, context } = await show(`from=${begin + 300e3}&to=${begin + 400e3}`);
  const before = keyOf(page);
  await page.keyboard.down('Shift');
  await drag(page, 'queue', 0.4, 0.6);
  await page.keyboard.up('Shift');
  const panned = await moved(page, before);
  assert.ok(Math.abs(panned.from - (begin + 280e3)) < 2000, `${panned.from - begin}`);
  assert.ok(Math.abs(panned.to - panned.from - 100e3) <= 2);
  await context.close();
});

test('two fingers zoom, one pans', async () => {
  const { page, problems, context } = await show('last=all', { viewport: { width: 400, height: 800 }, hasTouch: true, isMobile: true });
  const box = await plotBox(page, 'queue');
  const session = await context.newCDPSession(page);
  const touch = (type, ...xs) => session.send('Input.dispatchTouchEvent',
    { type, touchPoints: xs.map((share, id) => ({ x: box.x + box.width * share, y: box.y + box.height / 2, id })) });
  let before = keyOf(page);
  await touch('touchStart', 0.4);
  await touch('touchStart', 0.4, 0.6);
  for (let i = 1; i <= 5; i++) await touch('touchMove', 0.4 - i * 0.04, 0.6 + i * 0.04);
  await touch('touchEnd');
  const pinched = await moved(page, before);
  const length = (pinched.to - pinched.from) / 1000;
  assert.ok(Math.abs(length - ROWS / 3) < 15, `${length} s`);
  assert.ok(Math.abs((pinched.from + pinched.to) / 2 - begin - ROWS * 500) < 15e3);
  before = pinched.key;
  await touch('touchStart', 0.5);
  for (let i = 1; i <= 5; i++) await touch('touchMove', 0.5 + i * 0.05);
  await touch('touchEnd');
  const slid = await moved(page, before);
  assert.ok(slid.from < pinched.from - 30e3 && Math.abs(slid.to - slid.from - length * 1000) <= 2);
  assert.deepEqual(problems, []);
  await context.close();
});

test('keys pan, zoom, show the whole run and follow; "?" lists them; one who types is left alone', async () => {
  const { page, problems, context } = await show('last=120');
  const follow = keyOf(page);
  await page.keyboard.press('ArrowLeft');
  const left = await moved(page, follow);
  assert.ok(Math.abs(left.to - left.from - 120e3) <= 2, 'it stands still now');
  await page.keyboard.press('+');
  const near = await moved(page, left.key);
  assert.ok(Math.abs(near.to - near.from - 60e3) <= 2);
  await page.keyboard.press('-');
  const far = await moved(page, near.key);
  assert.ok(Math.abs(far.to - far.from - 120e3) <= 3);
  await page.keyboard.press('f');
  await until('it follows as it did before', () => keyOf(page) === follow);
  await page.keyboard.press('Home');
  await until('the whole run', () => place(page).last === 'all');
  await page.keyboard.press('?');
  const dialog = page.getByRole('dialog');
  for (const word of ['Home', 'End or f', 'earlier', 'pinch']) assert.ok((await dialog.innerText()).includes(word), word);
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Escape');
  await until('the dialog is closed', async () => (await dialog.count()) === 0);
  await page.locator('#search').fill('');
  await page.locator('#search').press('f');
  assert.equal(place(page).last, 'all');
  assert.deepEqual(problems, []);
  await context.close();
});

test('following pauses when one looks back, goes on by one button, and at the newest row by itself', async () => {
  const { page, context } = await show('last=60');
  const back = page.getByRole('button', { name: 'Back to live' });
  assert.equal(await back.isVisible(), false);
  const before = keyOf(page);
  await page.keyboard.press('ArrowLeft');
  const paused = await moved(page, before);
  assert.ok(paused.from > 0);
  await back.click();
  await until('it follows as before', () => place(page).last === '60');
  await page.keyboard.press('ArrowLeft');
  await moved(page, before);
  await page.keyboard.press('ArrowRight');
  await until('at the end it follows', () => place(page).last === '60');
  await context.close();
});

test('a rate, a logarithmic axis and a pin are told, are in the address, and hold for another run', async () => {
  const { page, problems, context } = await show();
  await choose(page, 'sent', 'Rate per second');
  await summaryHas(page, 'sent', 'latest 2 KiB/s');
  assert.equal(await card(page, 'sent').locator('.unit').textContent(), 'KiB/s');
  await choose(page, 'size', 'Logarithmic axis');
  await until('it is told', async () => (await card(page, 'size').locator('.tag').textContent()) === 'log');
  await until('a line', async () => (await inked(page, 'size')) > 100);
  await choose(page, 'queue', 'Pin to the top');
  await until('it is first', async () => (await page.locator('#charts figure .name').first().textContent()) === 'queue');
  assert.equal(await card(page, 'queue').count(), 1);
  await until('the address has it', () => place(page).pin === 'queue');
  const pasted = await open(browser, page.url());
  await summaryHas(pasted.page, 'sent', 'latest 2 KiB/s');
  assert.deepEqual(await pasted.page.locator('#charts h3:visible').allTextContents(), await page.locator('#charts h3:visible').allTextContents());
  await pasted.context.close();

  const other = new Program(server, ['first', 'queue'], { app_name: 'shop' });
  await other.announce();
  await other.row([1, 2]);
  await page.locator('#tree a').nth(1).waitFor();
  await page.locator('#tree a:not([aria-current])').click();
  await summaryHas(page, 'queue', 'latest 2');
  assert.equal(await page.locator('#charts figure .name').first().textContent(), 'queue');
  other.close();
  assert.deepEqual(problems, []);
  await context.close();
});

test('all counters become rates at once', async () => {
  const { page, context } = await show();
  await page.getByRole('button', { name: 'per second' }).click();
  await summaryHas(page, 'jobs', 'latest 3 /s');
  await summaryHas(page, 'sent', 'latest 2 KiB/s');
  await page.getByRole('button', { name: 'per second' }).click();
  await summaryHas(page, 'jobs', 'latest 1');
  await context.close();
});

test('a chart that is hidden can be brought back', async () => {
  const { page, context } = await show();
  await choose(page, 'queue', 'Hide');
  await until('it is gone', async () => (await card(page, 'queue').count()) === 0);
  assert.equal(place(page).hide, 'queue');
  await page.locator('.hidden-charts').getByRole('button', { name: 'queue' }).click();
  await summaryHas(page, 'queue', 'greatest 999');
  assert.equal(place(page).hide, undefined);
  await context.close();
});

test('charts are made taller by their edge and by keys, one or all', async () => {
  const { page, context } = await show();
  const height = (name) => card(page, name).locator('.plot').evaluate((node) => node.clientHeight);
  const usual = await height('queue');
  const grip = card(page, 'queue').getByRole('separator');
  const box = await grip.boundingBox();
  await page.mouse.move(box.x + 20, box.y + 4);
  await page.mouse.down();
  await page.mouse.move(box.x + 20, box.y + 84, { steps: 4 });
  await page.mouse.up();
  await until('one is taller', async () => (await height('queue')) === usual + 80);
  assert.equal(await height('size'), usual);
  assert.equal(await card(page, 'queue').locator('canvas').evaluate((node) => node.clientHeight), usual + 80);
  assert.equal(place(page).tall, `${usual + 80} queue`);
  await grip.focus();
  await page.keyboard.press('Shift+ArrowUp');
  await until('all are as tall', async () => (await height('queue')) === usual + 56 && (await height('size')) === usual + 56);
  assert.equal(place(page).height, String(usual + 56));
  await context.close();
});

test('a table holds what the chart shows', async () => {
  const { page, problems, context } = await show(`from=${begin + 319e3}&to=${begin + 323e3}`);
  await summaryHas(page, 'queue', 'greatest 999');
  await choose(page, 'queue', 'Table of values');
  const dialog = page.getByRole('dialog', { name: 'queue' });
  assert.deepEqual(await dialog.locator('td').allTextContents(), ['5', '5', '999', '5', '5']);
  assert.match(await dialog.locator('p').textContent(), /5 points, one row each/);
  await dialog.getByRole('button', { name: 'Close' }).click();
  assert.equal(await page.getByRole('dialog').count(), 0);
  assert.deepEqual(problems, []);
  await context.close();
});

test('the menu of a chart is worked by keys alone', async () => {
  const { page, context } = await show();
  const button = card(page, 'queue').getByRole('button', { name: 'Options for queue' });
  await button.focus();
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Change per second');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Pin to the top');
  await page.keyboard.press('Escape');
  assert.equal(await page.getByRole('menu').count(), 0);
  assert.equal(await button.evaluate((node) => node === document.activeElement), true);
  await button.click();
  await button.click();
  assert.equal(await page.getByRole('menu').count(), 0, 'a second click closes it');
  await context.close();
});

test('nothing moves on the page while rows stream in, and what is out of sight is not drawn', async () => {
  const { page, problems, context } = await show('last=60', { viewport: { width: 1000, height: 420 } });
  const far = await card(page, 'send_p99').locator('canvas').count();
  assert.equal(far, 0);
  await page.evaluate(() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.shifts.push(...entry.sources.map(({ node }) => node?.className ?? String(node?.nodeName)));
    }).observe({ type: 'layout-shift' });
  });
  for (let i = 1; i <= 12; i++) {
    await program.row(valuesOf(ROWS + i).map((v, c) => (c === 1 ? 10 ** (i % 8) : v)));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await summaryHas(page, 'queue', `latest 10${'\u202f'}000`);
  const numbers = ['value', 'unit', 'spread']; // of another length, they end where they ended
  assert.deepEqual((await page.evaluate(() => window.shifts)).filter((name) => !numbers.includes(name)), []);
  assert.deepEqual(problems, []);
  await context.close();
});

/** How many pixels of a canvas lie at its left edge, where a label that is too long would be cut. */
const atLeftEdge = (canvas) => canvas.evaluate((node) => {
  const copy = Object.assign(document.createElement('canvas'), { width: node.width, height: node.height }).getContext('2d');
  copy.drawImage(node, 0, 0);
  return copy.getImageData(0, 0, 1, node.height).data.filter((v, i) => i % 4 === 3 && v > 0).length;
});

test('axes are as wide as the longest label, in all charts, and get no narrower while rows stream in', async () => {
  const memory = new Program(server, ['before', 'memory_use', 'short'], { app_name: 'memory', units: ['', 'B', ''] });
  const start = Date.now() - 60e3;
  await memory.live(start);
  await memory.history(60, (i) => [5, (1.3 + i / 400) * 2 ** 20, 5]);
  await until('it is stored', async () => (await memory.stored())?.rows === 60);
  const { page, problems, context } = await open(browser, `${server.url}#run=${memory.uuid}&last=30`);
  await summaryHas(page, 'memory_use', 'MiB');
  const canvas = card(page, 'memory_use').locator('canvas');
  const left = (name) => card(page, name).locator('.u-over').evaluate((over) => over.offsetLeft);
  await until('it is drawn', () => inked(page, 'memory_use'));
  assert.equal(await atLeftEdge(canvas), 0);
  const wide = await left('memory_use');
  assert.ok(wide > 60 && wide < 100, `${wide} px`);
  await until('the same time stands at the same place in all', async () => (await left('before')) === wide && (await left('short')) === wide);
  for (let i = 0; i < 10; i++) await memory.row([5, i % 2 ? 7 * 2 ** 20 : 0, 5]);
  await summaryHas(page, 'memory_use', 'greatest 7 MiB');
  assert.equal(await left('memory_use'), wide);
  const usual = new Program(server, ['usual'], { app_name: 'usual' });
  await usual.live(start);
  await usual.history(60, () => [5]);
  await until('it is stored', async () => (await usual.stored())?.rows === 60);
  await page.goto(`${server.url}#run=${usual.uuid}&last=30`);
  await summaryHas(page, 'usual', 'latest 5');
  assert.equal(await left('usual'), 52, 'another run needs not so much');
  usual.close();
  assert.deepEqual(problems, []);
  memory.close();
  await context.close();
});

test('a run that is deleted while it is shown keeps its charts, and says so', async () => {
  const own = await startMnemic();
  const short = new Program(own, ['a'], { app_name: 'short' });
  await short.live(Date.now() - 5000);
  await short.history(5, (i) => [i]);
  const { page, context } = await open(browser, own.url);
  await summaryHas(page, 'a', 'latest 4');
  short.close();
  await own.stop();
  const empty = await startMnemic({ udp: own.udp, http: own.http });
  await until('it is told', async () => /was deleted/.test(await page.locator('#notice').textContent()));
  assert.match(await summary(page, 'a'), /latest 4/);
  assert.ok((await inked(page, 'a')) > 10);
  await context.close();
  await empty.remove();
  await own.remove();
});
