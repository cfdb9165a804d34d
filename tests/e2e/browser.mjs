// SPDX-License-Identifier: MIT OR Unlicense
// browser: helpers around a real Chromium, one for a test file.

import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PATIENCE, ROOT, until } from './mnemic.mjs';

const require = createRequire(join(process.env.NODE_MODULES ?? join(ROOT, 'web/node_modules'), 'e2e.js'));
const { chromium } = require('playwright-core');
/** Of a package that the tests use. */
export const modulePath = (name) => require.resolve(name);
const SCREENSHOTS = join(ROOT, 'build/screenshots');

/** Playwright gives it a fresh profile. */
export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});

/** A page that notes in `problems` what no reader should cause: errors, dialogs, broken rules of the content policy. */
export async function open(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const problems = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`error: ${error.stack}`));
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.exposeFunction('noteViolation', (text) => problems.push(`policy: ${text}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => window.noteViolation(`${e.violatedDirective} ${e.blockedURI}`));
  });
  await page.goto(url);
  return { page, problems, context };
}

export const card = (page, name) => page.locator('figure', { has: page.locator('.name', { hasText: new RegExp(`^${escape(name)}$`) }) });
export const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The text summary of a chart, which tells what it shows. */
export const summary = async (page, name) => (await card(page, name).locator('.plot').getAttribute('aria-label')) ?? '';

export const summaryHas = (page, name, text) => until(`the chart ${name} says "${text}"`, async () => (await summary(page, name)).includes(text));

/** How many pixels of a chart's canvas have the colour of its line, or another: one of the style's, or one that is written out;
 *  a thin line has no pixel all to itself. */
export const inked = (page, name, colour = '--accent') => inkedIn(card(page, name).locator('canvas'), colour);
export const inkedIn = (canvases, colour) => canvases.evaluate((canvas, property) => {
  const copy = Object.assign(document.createElement('canvas'), { width: canvas.width, height: canvas.height }).getContext('2d', { willReadFrequently: true });
  copy.fillStyle = property.startsWith('--') ? getComputedStyle(document.documentElement).getPropertyValue(property).trim() : property;
  copy.fillRect(0, 0, 1, 1);
  const [r, g, b] = copy.getImageData(0, 0, 1, 1).data;
  copy.clearRect(0, 0, 1, 1);
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  let n = 0;
  const close = (a, b) => Math.abs(a - b) < 4;
  for (let i = 0; i < data.length; i += 4) if (close(data[i], r) && close(data[i + 1], g) && close(data[i + 2], b) && data[i + 3] > 100) n++;
  return n;
}, colour);

export const shoot = (page, name) => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  return page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
};

/** Charts are made a few a frame, the nearest first; what is made can widen the axes of all. */
export const allDrawn = (page) => until('the charts near the window are drawn', () => page.evaluate(() => {
  const far = ({ top, bottom }) => top > innerHeight + 299 || bottom < -299;
  return [...document.querySelectorAll('#charts .card:not(.heat)')].every((node) =>
    far(node.getBoundingClientRect()) || / from /.test(node.querySelector('.plot').ariaLabel));
}));

/** Drags over a chart from one to another share of its width. */
export const drag = (page, name, from, to) => dragOver(page, card(page, name).locator('.u-over'), from, to);
export async function dragOver(page, place, from, to) {
  const box = await place.boundingBox();
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * from, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * to, y, { steps: 8 });
  await page.mouse.up();
}

export const place = (page) => Object.fromEntries(new URLSearchParams(new URL(page.url()).hash.slice(1)));
