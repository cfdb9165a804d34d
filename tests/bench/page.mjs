// SPDX-License-Identifier: MIT OR Unlicense
// page: what the page costs, in a real Chromium with software rendering, as lines of the bench table (run.sh).
// CPU is the operating system's count of whole processes, by Chromium's SystemInfo.getProcessInfo.

import { createServer } from 'node:http';
import { crowd } from '../e2e/crowd.mjs';
import { Program, startMnemic } from '../e2e/mnemic.mjs';
import { launch, open, summaryHas } from '../e2e/browser.mjs';

const CHARTS = 50;
const ROWS_PER_SECOND = 10;
const SECONDS = 10;
const RUNS = 5000;
const SCREEN = { width: 2560, height: 1760 }; // all of the charts are seen at once

const line = (...fields) => console.log(fields.join('\t'));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** CPU seconds so far of each kind of process, and of all. */
async function cpu(session) {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const sum = { all: 0 };
  for (const { type, cpuTime } of processInfo) {
    sum[type] = (sum[type] ?? 0) + cpuTime;
    sum.all += cpuTime;
  }
  return sum;
}

/** Percent of a core that each kind of process takes in SECONDS. */
async function load(session) {
  const [begun, before] = [performance.now(), await cpu(session)];
  await pause(SECONDS * 1000);
  const [after, seconds] = [await cpu(session), (performance.now() - begun) / 1000];
  return Object.fromEntries(Object.keys(after).map((type) => [type, (after[type] - (before[type] ?? 0)) / seconds * 100]));
}

const wave = (i, c) => 50 + 30 * Math.sin((i + c * 9) / (20 + c)) + 10 * Math.sin(i * c);

async function live(browser, server, view) {
  const program = new Program(server, Array.from({ length: CHARTS }, (_, i) => `column_${i}`), { app_name: 'live', interval: 1 / ROWS_PER_SECOND });
  let i = 0;
  const values = () => program.columns.map((_, c) => wave(i, c));
  const begin = Date.now() - 660e3;
  await program.live(begin);
  for (; i < 6500; i++) {
    await program.row(values(), begin + i * 100);
    if (i % 50 === 0) await pause(2);
  }
  const timer = setInterval(() => { program.row(values()); i++; }, 1000 / ROWS_PER_SECOND);
  const { page, context } = await open(browser, `${server.url}#run=${program.uuid}&${view}`, { viewport: SCREEN });
  await summaryHas(page, `column_${CHARTS - 1}`, 'latest ');
  const shown = await page.locator('figure canvas').count();
  const session = await browser.newBrowserCDPSession();
  await pause(3000);
  const used = await load(session);
  clearInterval(timer);
  program.close();
  await context.close();
  return { shown, used };
}

const CHART = '.plot[aria-label*="latest"]:not([data-old])';

/** A page whose `first` is when, by the browser's own clock, the frame is painted that has its first chart: a task that is asked for
 *  while a frame is made comes after it. */
async function watched(browser) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  const page = await context.newPage();
  await page.addInitScript((chart) => {
    window.waitForChart = () => new Promise((done) => {
      const look = () => {
        if (!document.querySelector(chart)) return;
        watch.disconnect();
        const task = new MessageChannel();
        task.port1.onmessage = () => done(performance.now());
        task.port2.postMessage(null);
      };
      const watch = new MutationObserver(look);
      watch.observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['aria-label', 'data-old'] });
      look();
    });
    window.first = window.waitForChart();
  }, CHART);
  return { page, context };
}

/** The limit: a page of one script that draws one rectangle. Milliseconds. */
async function barePage(browser) {
  const script = `const c = document.createElement('canvas'); c.className = 'plot'; c.getContext('2d').fillRect(0, 0, 9, 9);
    document.body.append(c); c.setAttribute('aria-label', 'latest')`;
  const server = createServer(({ url }, answer) => {
    answer.setHeader('content-type', url === '/' ? 'text/html' : 'text/javascript');
    answer.end(url === '/' ? '<!doctype html><title>bare</title><body><script type="module" src="/s.js"></script>' : script);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const { page, context } = await watched(browser);
  await page.goto(`http://127.0.0.1:${server.address().port}/`, { waitUntil: 'commit' });
  const opened = await page.evaluate(() => window.first);
  await context.close();
  server.close();
  return opened;
}

/** Milliseconds until a chart shows `to`: from asking for the page; and from choosing it while `from` is shown. */
async function firstChart(browser, server, from, to) {
  const { page, context } = await watched(browser);
  await page.goto(`${server.url}#run=${to.id}&last=all`, { waitUntil: 'commit' });
  const opened = await page.evaluate(() => window.first);
  await page.goto(`${server.url}#run=${from.id}&last=all`);
  await page.locator(`#tree a[aria-current][href*="${from.id}"]`).waitFor();
  await page.evaluate(() => window.waitForChart());
  const chosen = await page.evaluate(async (id) => {
    for (const plot of document.querySelectorAll('.plot')) plot.dataset.old = '';
    const begun = performance.now();
    location.hash = `#run=${id}&last=all`;
    return await window.waitForChart() - begun;
  }, to.id);
  await context.close();
  return { opened, chosen, bare: await barePage(browser) };
}

async function long(browser, file) {
  const server = await startMnemic({ args: ['--store', `sqlite:${file}`] });
  try {
    const runs = (await server.get('/api/v1/apps')).flatMap((a) => a.runs).sort((a, b) => a.rows - b.rows);
    const [small, run] = [runs[0], runs.at(-1)];
    const times = [];
    for (let i = 0; i < 9; i++) times.push(await firstChart(browser, server, small, run));
    const other = await firstChart(browser, server, run, small);
    const sorted = (key) => times.map((t) => t[key]).sort((a, b) => a - b);
    for (const [key, what] of [['chosen', 'from choosing the run'], ['opened', 'from opening the page, an empty cache']]) {
      const [ms, bare] = [sorted(key), sorted('bare')];
      const beside = key === 'opened' ? `; a page of one script that draws a rectangle: ${bare[4].toFixed(0)} ms` : '';
      line(`page: first chart of ${(run.rows / 1e6).toFixed(0)} M rows x ${run.columns.length} columns, ${what}`, ms[4].toFixed(0), 'ms',
        `the fastest of 9: ${ms[0].toFixed(0)} ms; a run of ${(small.rows / 1e6).toFixed(0)} M rows: ${other[key].toFixed(0)} ms${beside}`, '<= 300 ms');
    }
  } finally {
    await server.remove();
  }
}

/** The tree on a server of many runs: until they are told; from a key in the search box to what it leaves; frames while it scrolls. */
async function many(browser) {
  const server = await startMnemic();
  try {
    const [newest] = await crowd(server, RUNS);
    const told = [];
    for (let i = 0; i < 9; i++) {
      const begun = performance.now();
      await (await fetch(new URL('/api/v1/apps', server.url))).arrayBuffer();
      told.push(performance.now() - begun);
    }
    const { page, context } = await open(browser, `${server.url}#run=${newest}`);
    await summaryHas(page, 'load', 'latest ');
    await page.getByRole('treeitem', { name: 'more' }).first().click();
    const { found, frames } = await page.evaluate(async () => {
      const frame = () => new Promise((done) => requestAnimationFrame(done));
      const [tree, search] = ['tree', 'search'].map((id) => document.getElementById(id));
      const frames = [];
      let last = await frame();
      for (let i = 0; i < 120; i++) {
        tree.scrollTop += 300;
        const now = await frame();
        frames.push(now - last);
        last = now;
      }
      const found = [];
      for (const text of ['f', 'fi', 'fix', 'fix 9', 'fix 98', 'fix', 'fi', 'f', '']) {
        const begun = performance.now();
        search.value = text;
        search.dispatchEvent(new Event('input', { bubbles: true }));
        await frame();
        await frame();
        await frame();
        found.push(performance.now() - begun);
      }
      return { found, frames };
    });
    await context.close();
    const middle = (all) => all.sort((a, b) => a - b)[all.length >> 1].toFixed(0);
    line(`page: the list of ${RUNS} runs, as the server tells it`, middle(told), 'ms', `the slowest of ${told.length}: ${told.at(-1).toFixed(0)} ms`, '<= 100 ms');
    line(`page: ${RUNS} runs searched, from a key to the picture`, middle(found), 'ms', `the slowest of ${found.length}: ${found.at(-1).toFixed(0)} ms`, '<= 100 ms');
    line('page: a frame while they are scrolled', middle(frames), 'ms', `the slowest of ${frames.length}: ${frames.at(-1).toFixed(0)} ms`, '<= 17 ms');
  } finally {
    await server.remove();
  }
}

/** Of all that the page loads, as sent. */
async function weight(browser, server) {
  const { page, context } = await open(browser, server.url);
  await page.locator('#charts').waitFor({ state: 'attached' });
  const bytes = await page.evaluate(() => performance.getEntriesByType('resource').filter((e) => e.name.includes('/assets/'))
    .concat(performance.getEntriesByType('navigation')).reduce((sum, e) => sum + e.encodedBodySize, 0));
  await context.close();
  line('page: all of it, compressed', (bytes / 1000).toFixed(0), 'kB', '-', '<= 150 kB');
}

const browser = await launch();
const server = await startMnemic();
try {
  await weight(browser, server);
  await many(browser);
  if (process.argv[2]) await long(browser, process.argv[2]);
  for (const [view, name] of [['last=600', '10 minutes'], ['last=60', 'a minute']]) {
    const { shown, used } = await live(browser, server, view);
    line(`page: ${shown} live charts of ${name}, ${ROWS_PER_SECOND} rows/s, drawn in software`, used.all.toFixed(1), '% of a core',
      `of that the renderer ${used.renderer.toFixed(1)}, the compositor ${used.GPU.toFixed(1)}`, '<= 25 %');
  }
} finally {
  await browser.close();
  await server.remove();
}
