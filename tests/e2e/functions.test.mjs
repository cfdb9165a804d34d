// SPDX-License-Identifier: MIT OR Unlicense
// A program of a hundred profiled functions, each with its histogram: the page stays usable; charts follow the window's width; paper
// has every heat map.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { card, inked, inkedIn, launch, open, shoot } from './browser.mjs';
import { ROOT, start, startMnemic, until } from './mnemic.mjs';

const PROGRAMS = process.env.PROGRAMS ?? join(ROOT, 'build/programs');
const FUNCTIONS = 100;
const FEW = 60; // canvases: what three windows hold
let server, browser, hundred, some;

/** A run of a program that has ended. */
async function run(program, app) {
  const traced = start(program, ['3'], { env: { ...process.env, DOLON_HOST: '127.0.0.1', DOLON_PORT: String(server.udp), DOLON_APP_NAME: app } });
  traced.child.stdout.resume();
  assert.equal(await traced.ended, 0, traced.log());
  return until(`the end of ${app}`, async () => (await server.get('/api/v1/apps')).find((a) => a.app === app)?.runs.find((r) => r.state === 'ended'));
}

before(async () => {
  server = await startMnemic();
  browser = await launch();
  hundred = await run(join(PROGRAMS, 'functions'), 'hundred');
  some = await run(join(ROOT, 'build/examples/functions'), 'some');
});

after(async () => {
  await browser?.close();
  await server?.remove();
});

/** The page, and which columns' heat maps it asked for. */
async function show(id, more = '', options = {}) {
  const opened = await open(browser, 'about:blank', options);
  const asked = [];
  opened.page.on('request', (request) => {
    const { pathname, searchParams: q } = new URL(request.url());
    if (pathname.endsWith('/histogram') && q.get('points') !== '1') asked.push(...q.get('columns').split(',').map(Number)); // 1: the table of functions
  });
  await opened.page.goto(`${server.url}#run=${id}&last=all${more}`);
  await opened.page.locator('#charts figure').first().waitFor();
  return { ...opened, asked };
}

const heatOf = (page, name) => page.locator(`section[aria-label="${name}()"] .heat`);
const canvases = (page) => page.locator('#charts canvas').count();

test('of a hundred functions only those near the window are drawn and asked for; the last is when it comes there', async () => {
  const { page, problems, context, asked } = await show(hundred.id);
  await until('the table has all of them', async () => (await page.locator('.functions tbody tr').count()) === FUNCTIONS);
  assert.equal(await page.locator('.heat').count(), FUNCTIONS);
  const indexOf = (name) => hundred.columns.indexOf(`${name}_mean`);
  const last = (await page.locator('#charts section:has(.heat)').last().getAttribute('aria-label')).slice(0, -2);
  assert.ok(await canvases(page) < FEW);
  assert.ok(new Set(asked).size < 10 && !asked.includes(indexOf(last)), `${asked}`);

  await page.locator('.functions').getByRole('button', { name: `${last}()` }).click();
  await until('its heat map is drawn', async () => (await heatOf(page, last).locator('canvas').count()) === 1 && (await inkedIn(heatOf(page, last).locator('canvas'), '--accent')) > 20);
  assert.ok(asked.includes(indexOf(last)));
  await until('what is far is let go', async () => (await canvases(page)) < FEW);
  assert.ok(new Set(asked).size < FUNCTIONS / 2, `${new Set(asked).size} were asked for`); // those that it scrolled past
  await heatOf(page, last).scrollIntoViewIfNeeded();
  await shoot(page, 'functions-hundred');
  assert.deepEqual(problems, []);
  await context.close();
});

/** How wide charts of each kind and their canvases are at one moment, CSS pixels, each pair once; of those that have one. */
const widthsOf = (page, ...selectors) => page.evaluate((kinds) => kinds.map((of) => {
  const pairs = [...document.querySelectorAll(`#charts ${of}:has(canvas)`)].map((node) =>
    ['.plot', 'canvas'].map((part) => Math.round(node.querySelector(part).getBoundingClientRect().width)));
  return [...new Map(pairs.map((pair) => [pair.join(), pair])).values()];
}), selectors);

test('charts and heat maps follow the width of the window', async () => {
  const { page, problems, context } = await show(some.id, '&hide=process_cpu_percent');
  const [CHART, HEAT] = ['.card:not(.heat)', '.heat'];
  const heat = heatOf(page, 'request');
  await heat.scrollIntoViewIfNeeded();
  await until('it is drawn', async () => (await heat.locator('canvas').count()) === 1);
  const seen = [];
  for (const width of [1280, 1000, 1920, 500]) {
    await page.setViewportSize({ width, height: 860 });
    await heat.scrollIntoViewIfNeeded();
    const [chart, wide] = await until(`every chart is as wide as its place at ${width}`, async () => {
      const [charts, heats] = await widthsOf(page, CHART, HEAT);
      const fit = charts.length === 1 && heats.length === 1 && [...charts, ...heats].every(([plot, canvas]) => Math.abs(plot - canvas) <= 1);
      return fit && [charts[0][0], heats[0][0]];
    });
    assert.ok(width < 940 ? wide === chart : Math.abs(wide - 2 * chart - 16) <= 1, `${wide} of ${chart} at ${width}`);
    seen.push(chart);
    await until('both are drawn', async () => (await inkedIn(heat.locator('canvas'), '--accent')) > 20 && (await inked(page, 'request_hits')) > 20);
  }
  assert.equal(new Set(seen).size, seen.length, `${seen}`);
  assert.deepEqual(problems, []);
  await context.close();
});

test('heat maps decide no width: a run of which only functions are shown', async () => {
  const names = some.columns.filter((name) => !/^request_/.test(name));
  const { page, context } = await show(some.id, `&${names.map((name) => `hide=${name}`).join('&')}`);
  const heat = heatOf(page, 'request');
  await heat.locator('canvas').waitFor();
  await card(page, 'request_hits').locator('canvas').waitFor();
  const [[[chart, canvas]]] = await widthsOf(page, '.card:not(.heat)');
  assert.ok(Math.abs(chart - canvas) <= 1, `${canvas} in ${chart}`);
  await context.close();
});

test('what is printed has every heat map, drawn for paper; the screen is then as it was', async () => {
  const { page, problems, context } = await show(some.id, '', { colorScheme: 'dark', viewport: { width: 1280, height: 400 } });
  const heats = await page.locator('.heat').count();
  assert.ok(heats >= 5);
  const drawn = await page.locator('.heat canvas').count();
  assert.ok(drawn < heats);
  await page.evaluate(() => window.addEventListener('beforeprint', () => {
    window.printed = [...document.querySelectorAll('.heat')].map((node) => {
      const canvas = node.querySelector('canvas');
      if (!canvas) return null;
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let blue = 0; // of the light theme, with more or less of it
      for (let i = 0; i < data.length; i += 4) if (data[i] === 31 && data[i + 1] === 95 && data[i + 2] === 191 && data[i + 3] > 200) blue++;
      return { blue, told: node.querySelector('.told-cell').textContent };
    });
  }));
  await page.pdf({ format: 'A4' });
  const printed = await page.evaluate(() => window.printed);
  assert.equal(printed.length, heats);
  for (const [i, it] of printed.entries()) {
    assert.ok(it?.blue > 20, `the ${i}th: ${JSON.stringify(it)}`);
    assert.match(it.told, /^p50 .* calls?$/);
  }
  await until('those far from the window are let go', async () => (await page.locator('.heat canvas').count()) === drawn);
  assert.deepEqual(problems, []);
  await context.close();
});
