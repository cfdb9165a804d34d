// SPDX-License-Identifier: MIT OR Unlicense
// Who does not see, or does not use a mouse, gets everything: axe-core finds nothing in any state of the page, the tree is
// walked by keyboard, dialogs take the focus and give it back. And what streams in moves nothing.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { complaints } from './axe.mjs';
import { inked, launch, open, place, summary, summaryHas } from './browser.mjs';
import { startMnemic, until } from './mnemic.mjs';
import { fill } from './sample.mjs';

let server, browser, sample;

before(async () => {
  server = await startMnemic();
  browser = await launch();
  sample = await fill(server, { rows: 600 });
});

after(async () => {
  sample?.close();
  await browser?.close();
  await server?.remove();
});

const shown = (options) => open(browser, `${server.url}#run=${sample.shown.uuid}&last=all`, options)
  .then(async (it) => {
    await summaryHas(it.page, 'memory_use', 'latest ');
    return it;
  });

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

const LINE = { light: '#1f5fbf', dark: '#74a9f7' }; // --accent of either theme (style.css)

const button = (page, name) => page.getByRole('button', { name, exact: true });

test('axe finds nothing: light, with each panel and dialog', async () => {
  const { page, context } = await shown();
  assert.deepEqual(await complaints(page), []);
  for (const name of ['How to search', 'Download', 'Note and tags']) {
    await button(page, name).click();
    assert.deepEqual(await complaints(page), [], name);
    await page.keyboard.press('Escape');
  }
  await context.close();
});

test('axe finds nothing: dark', async () => {
  const { page, context } = await shown({ colorScheme: 'dark' });
  await button(page, 'Note and tags').click();
  assert.deepEqual(await complaints(page), []);
  await page.keyboard.press('Escape');
  assert.deepEqual(await complaints(page), []);
  await context.close();
});

test('axe finds nothing: on a phone, with the runs unfolded', async () => {
  const { page, context } = await shown(PHONE);
  await button(page, 'Runs').click();
  assert.deepEqual(await complaints(page), []);
  await context.close();
});

test('axe finds nothing on an empty server, and where a run is not there', async () => {
  const own = await startMnemic();
  const { page, context } = await open(browser, own.url);
  await page.getByRole('heading', { name: 'No run yet' }).waitFor();
  assert.deepEqual(await complaints(page), []);
  await page.goto(`${own.url}#run=00000000-0000-4000-8000-000000000000`);
  await until('a notice', async () => (await page.locator('#notice').textContent()) !== '');
  assert.deepEqual(await complaints(page), []);
  await context.close();
  await own.remove();
});

test('the tree is one tab stop; arrows walk it, fold it, and Enter opens a run', async () => {
  const { page, context } = await shown();
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('data-key') ?? document.activeElement?.tagName);
  await page.locator('#tree [tabindex="0"]').focus();
  assert.equal(await page.locator('#tree [tabindex="0"]').count(), 1);
  assert.equal(await focused(), sample.shown.uuid);
  await page.keyboard.press('ArrowLeft');
  assert.equal(await focused(), 'app gateway');
  await page.keyboard.press('ArrowLeft');
  await until('folded', async () => (await page.locator('#tree .run[data-app=gateway]').count()) === 0);
  assert.equal(await page.locator('#tree .app').first().getAttribute('aria-expanded'), 'false');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowUp');
  assert.notEqual(await focused(), 'BODY', 'the focus is kept far down');
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  const next = await focused();
  await page.keyboard.press('Space');
  assert.equal(await page.locator(`#tree [data-key="${next}"]`).getAttribute('aria-checked'), 'true');
  await page.keyboard.press('Space');
  await page.keyboard.press('Enter');
  await until('the run is shown', () => place(page).run === next);
  await context.close();
});

test('a dialog takes the focus, keeps it, and gives it back', async () => {
  const { page, context } = await shown();
  const button = page.getByRole('button', { name: 'Note and tags' });
  await button.focus();
  await page.keyboard.press('Enter');
  await until('the note has the focus', () => page.evaluate(() => document.activeElement?.tagName === 'TEXTAREA'));
  await page.keyboard.press('Escape');
  await until('the button has it again', () => button.evaluate((node) => node === document.activeElement));
  await context.close();
});

test('everything that takes the focus shows it', async () => {
  const { page, context } = await shown();
  await page.keyboard.press('Tab');
  for (let i = 0; i < 14; i++) {
    const bare = await page.evaluate(() => {
      const { activeElement: node } = document;
      const style = getComputedStyle(node);
      return style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 1 ? node.outerHTML.slice(0, 120) : null;
    });
    assert.equal(bare, null);
    await page.keyboard.press('Tab');
  }
  await context.close();
});

test('rows that stream in shift nothing, and are not read aloud', async () => {
  const { page, context } = await open(browser, `${server.url}#run=${sample.shown.uuid}`);
  await summaryHas(page, 'memory_use', 'latest ');
  await page.evaluate(() => {
    window.shift = 0;
    window.spoken = [];
    new PerformanceObserver((list) => list.getEntries().forEach((e) => { window.shift += e.value; })).observe({ type: 'layout-shift' });
    for (const live of document.querySelectorAll('[role=status], [role=alert], [aria-live]')) {
      new MutationObserver(() => { window.spoken.push(live.textContent); }).observe(live, { childList: true, characterData: true, subtree: true });
    }
  });
  const before = await summary(page, 'memory_use');
  const rows = (await sample.shown.stored()).rows;
  for (let i = 0; i < 20; i++) await sample.shown.row(sample.shown.columns.map((_, c) => 10 ** (i % 7) * (c + 1)));
  await until('they are stored', async () => (await sample.shown.stored()).rows >= rows + 20);
  await until('the charts follow', async () => (await summary(page, 'memory_use')) !== before);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  assert.ok((await page.evaluate(() => window.shift)) < 0.01, `shift ${await page.evaluate(() => window.shift)}`);
  assert.deepEqual((await page.evaluate(() => window.spoken)).filter((said) => !/^$|storage is behind/.test(said.trim())), [], 'but for a slow disk, if it is');
  await context.close();
});

test('motion is reduced where it is asked for', async () => {
  const { page, context } = await shown({ reducedMotion: 'reduce' });
  const moving = await page.evaluate(() => [...document.querySelectorAll('*')].filter((n) => {
    const { animationName, transitionDuration } = getComputedStyle(n);
    return animationName !== 'none' || parseFloat(transitionDuration) > 0;
  }).length);
  assert.equal(moving, 0);
  await context.close();
});

/** What paper would show, asked while it is being printed. */
const onPaper = () => {
  window.addEventListener('beforeprint', () => {
    const all = (selector) => [...document.querySelectorAll(selector)];
    window.printed = { figures: all('#charts figure').length, charts: all('#charts figure .paper').length,
      told: all('#charts figure .value').filter((value) => /\d/.test(value.textContent)).length,
      functions: all('.functions tbody tr').length, theme: document.documentElement.dataset.theme,
      lines: [...new Set(all('.paper path[stroke-width]').map((line) => line.getAttribute('stroke')))].join() };
  });
};

test('what is printed is light, and has every chart; the screen is then as it was', async () => {
  const { page, problems, context } = await open(browser, `${server.url}#run=${sample.before.uuid}&last=all`, { colorScheme: 'dark', viewport: { width: 1280, height: 500 } });
  await summaryHas(page, 'memory_use', 'latest ');
  // Of which theme the chart's ink is: that holds whatever else is drawn anew meanwhile.
  const dark = async () => (await inked(page, 'memory_use', LINE.dark)) > 50 && (await inked(page, 'memory_use', LINE.light)) === 0;
  await until('charts are drawn for a dark screen', dark);
  await page.evaluate(onPaper);
  const pdf = (await page.pdf({ format: 'A4' })).toString('latin1');
  const { columns } = await server.get(`/api/v1/runs/${sample.before.uuid}`);
  assert.deepEqual(await page.evaluate(() => window.printed),
    { figures: columns.length, charts: columns.length, told: columns.length, functions: 3, theme: 'light', lines: 'rgb(31, 95, 191)' });
  const pages = pdf.match(/\/Type \/Page\b(?!s)/g).length;
  assert.ok(pages >= 3 && pages <= 6, `${pages} pages`);
  await until('charts are drawn for a dark screen again', dark);
  assert.equal(await page.locator('.paper').count(), 0);
  assert.equal(await page.locator('.side').isVisible(), true);
  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.locator('.side').isVisible(), false);
  assert.equal(await page.locator('#facts h2').isVisible(), true);
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(255, 255, 255)');
  assert.deepEqual(problems, []);
  await context.close();
});

test('a comparison is printed with all of its charts', async () => {
  const { page, context } = await open(browser, `${server.url}#run=${sample.before.uuid}&show=compare&compare=${sample.crashed.uuid}`);
  await page.locator('.compare .card .plot').first().waitFor({ state: 'attached' });
  await page.evaluate(() => window.addEventListener('beforeprint', () => {
    window.printed = ['.compare .plot canvas', '.compare .plot'].map((selector) => document.querySelectorAll(selector).length);
  }));
  await page.pdf({ format: 'A4' });
  const [drawn, charts] = await page.evaluate(() => window.printed);
  assert.equal(charts, sample.before.columns.length);
  assert.equal(drawn, charts);
  await context.close();
});
