// SPDX-License-Identifier: MIT OR Unlicense
// page: what the page costs, in a real Chromium with software rendering, as lines of the bench table (run.sh).
// CPU is the operating system's count of whole processes, by Chromium's SystemInfo.getProcessInfo.

import { Program, startMnemic, until } from '../e2e/mnemic.mjs';
import { card, launch, open, summaryHas } from '../e2e/browser.mjs';

const CHARTS = 50;
const ROWS_PER_SECOND = 10;
const SECONDS = Number(process.env.SECONDS ?? 10);
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

const server = await startMnemic();
const browser = await launch();
try {
  for (const [view, name] of [['last=600', '10 minutes'], ['last=60', 'a minute']]) {
    const { shown, used } = await live(browser, server, view);
    line(`page: ${shown} live charts of ${name}, ${ROWS_PER_SECOND} rows/s`, used.all.toFixed(1), '% of a core',
      Object.entries(used).filter(([type]) => type !== 'all').map(([type, p]) => `${type} ${p.toFixed(1)}`).join(', '), '<= 25');
  }
} finally {
  await browser.close();
  await server.remove();
}
