// SPDX-License-Identifier: MIT OR Unlicense
// The views beside the charts: health, correlation, compare; by mouse, by keyboard, by address, on a phone, as pictures.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { complaints } from './axe.mjs';
import { card, dragOver, inked, inkedIn, launch, open, place, shoot, summary, summaryHas } from './browser.mjs';
import { startMnemic, until } from './mnemic.mjs';
import { ROWS, soak } from './soak.mjs';

let server, browser, run, old, other;

before(async () => {
  server = await startMnemic();
  browser = await launch();
  old = await soak(server, { leak: 0.05, end: Date.now() - 86400e3, build: 'a91f', args: './server', marks: [[120, 'warm']] });
  other = await soak(server, { app: 'other', leak: -1, rows: ROWS / 2 });
  run = await soak(server, { build: 'c04d', marks: [[180, 'warm']] });
});

after(async () => {
  await browser?.close();
  await server?.remove();
});

/** The page at a place of the run. */
const at = (rest, options) => open(browser, `${server.url}#run=${run.id}&last=all${rest}`, options);
const view = (page, name) => page.locator('#views').getByRole('button', { name });
/** A chart of the comparison; those of the run itself are out of sight. */
const overlay = (page, name) => page.locator('.compare figure', { has: page.locator('.name', { hasText: new RegExp(`^${name}$`) }) }).locator('.plot');
const row = (page, name) => page.locator('.figures tr', { has: page.locator('th', { hasText: new RegExp(`^${name}$`) }) }).first();

test('a chart says that its column drifts; shifts and outliers are drawn on it', async () => {
  const { page, problems, context } = await at('');
  await summaryHas(page, 'memory', 'rising by +3.0 MB/h');
  assert.match(await card(page, 'memory').locator('.verdict').getAttribute('title'), /\+3\.0 MB\/h over 10 h.*99 % sure within/);
  assert.equal(await card(page, 'cpu').locator('.verdict').textContent(), '');
  assert.doesNotMatch(await summary(page, 'cpu'), /rising|falling/);
  for (const name of ['cpu', 'threads']) await until(`a finding on ${name}`, async () => (await inked(page, name, '--lost')) > 5);
  assert.equal(await inked(page, 'latency', '--lost'), 0);
  assert.match(await summary(page, 'cpu'), /, 1 outlier with a ring/);
  assert.match(await summary(page, 'threads'), /, a new level once/);
  for (const [name, words] of [['threads', /^New level: 8 before, 12 after$/], ['cpu', /^Outlier: 99 %, usual here is 3\d/]]) {
    const box = await card(page, name).locator('.u-over').boundingBox();
    const note = card(page, name).locator('.note');
    await until(`${name} tells its finding where it is pointed at`, async () => {
      for (let x = 3; x < box.width; x += 7) {
        await page.mouse.move(box.x + x, box.y + box.height / 2);
        if (words.test(await note.textContent())) return true;
      }
      return false;
    });
    await shoot(page, `finding-${name}`);
    await page.mouse.move(2, 2);
    await until('and no more', async () => (await note.textContent()) === '');
  }
  assert.deepEqual(problems, []);
  await context.close();
});

test('health: a verdict a column, what drifts first; a click leads to the chart, or to the moment', async () => {
  const { page, problems, context } = await at('');
  await view(page, 'Health').click();
  await until('the verdicts', async () => (await page.locator('.health tbody tr').count()) === 6);
  assert.equal(place(page).show, 'health');
  assert.equal(await view(page, 'Health').getAttribute('aria-current'), 'true');
  assert.equal(await page.locator('#charts').isVisible(), false);
  assert.equal(await page.locator('.health .lead').textContent(), 'Of 6 columns 1 drifts, 1 went to another level, over 10 h.');
  assert.deepEqual(await page.locator('.health tbody th').allTextContents(), ['memory', 'threads', 'cpu', 'requests', 'latency', 'mirror']);
  assert.match(await row(page, 'memory').locator('td').first().textContent(), /^\+3\.0 MB\/h over 10 h$/);
  assert.match(await row(page, 'memory').innerText(), /\+2\.\d\d … \+3\.\d\d/);
  assert.match(await row(page, 'threads').innerText(), /steady.*8 → 12, /s);
  assert.match(await row(page, 'cpu').innerText(), /steady.*99 %, /s);
  assert.equal(await page.locator('.health .verdict').evaluateAll((all) => all.filter((node) => node.getBoundingClientRect().height > 26).length), 0, 'no verdict is broken');

  await row(page, 'threads').getByTitle('Zoom to it').click();
  await until('the charts around the shift', () => place(page).from && !place(page).show);
  const middle = (Number(place(page).from) + Number(place(page).to)) / 2;
  assert.ok(Math.abs(middle - (run.started + (run.last - run.started) / 2)) < 300e3);
  await page.goBack();
  await until('the verdicts again', () => place(page).show === 'health');
  await row(page, 'latency').getByRole('button', { name: 'latency' }).press('Enter'); // the table may be told anew between a mouse's press and release
  await until('its chart has the focus', () => card(page, 'latency').locator('.plot').evaluate((plot) => plot === document.activeElement));
  assert.deepEqual(problems, []);
  await context.close();
});

test('health follows the time shown', async () => {
  const { page, context } = await open(browser, `${server.url}#run=${run.id}&show=health`);
  await until('the whole run is judged', async () => /over 10 h/.test(await page.locator('.health .lead').textContent()));
  await page.locator('#bar select').selectOption('3600');
  await until('the last hour is judged', async () => /over (1 h|5\d min)/.test(await page.locator('.health .lead').textContent()));
  await context.close();
});

test('correlation: signed, with n, similar columns side by side; Enter on a cell shows the points', async () => {
  const { page, problems, context } = await at('');
  await view(page, 'Correlation').click();
  const cell = (i, j) => page.locator(`.matrix td[data-row="${i}"][data-column="${j}"]`);
  await until('the map', async () => (await page.locator('.matrix tbody td').count()) === 36);
  const names = await page.locator('.matrix tbody th').allTextContents();
  const [i, j] = [names.indexOf('cpu'), names.indexOf('mirror')];
  assert.equal(Math.abs(i - j), 1);
  assert.equal(await cell(i, j).textContent(), '\u22121.00');
  assert.equal(await cell(i, j).getAttribute('aria-label'), `cpu and mirror: r = \u22121.00 (very strong, opposite ways), n = ${ROWS}`);
  assert.equal(await page.locator('.matrix [tabindex="0"]').count(), 1);
  assert.match(await page.locator('.strongest').textContent(), /cpu.*mirror|mirror.*cpu/);

  await page.locator('.matrix [tabindex="0"]').focus();
  const [row0, column0] = await page.evaluate(() => [Number(document.activeElement.dataset.row), Number(document.activeElement.dataset.column)]);
  for (let k = row0; k !== i; k += Math.sign(i - row0)) await page.keyboard.press(i > row0 ? 'ArrowDown' : 'ArrowUp');
  for (let k = column0; k !== j; k += Math.sign(j - column0)) await page.keyboard.press(j > column0 ? 'ArrowRight' : 'ArrowLeft');
  assert.match(await page.locator('.told').textContent(), /^cpu and mirror: r = \u22121\.00/);
  assert.equal(place(page).from, undefined); // the charts did not pan meanwhile
  await page.keyboard.press('Enter');
  await until('the points', async () => /r = \u22121\.00, n = 600/.test(await page.locator('.scatter h3').textContent()));
  assert.deepEqual(new Set([place(page).x, place(page).y]), new Set(['cpu', 'mirror']));
  assert.match(await page.locator('.scatter canvas').getAttribute('aria-label'), /600 points from/);
  const colours = await page.locator('.scatter canvas').evaluate((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let n = 0;
    for (let k = 0; k < data.length; k += 4) if (data[k + 3] > 0 && data[k] > data[k + 2] + 60) n++;
    return n;
  });
  assert.ok(colours > 50, `${colours} points of a late colour`);

  await page.getByLabel('Changes from point to point').click();
  const [m, t] = [names.indexOf('memory'), names.indexOf('threads')];
  assert.ok(m >= 0 && t >= 0);
  await until('they rose together, but do not move together', async () => {
    const now = await page.locator('.matrix tbody th').allTextContents();
    const label = await cell(now.indexOf('memory'), now.indexOf('threads')).getAttribute('aria-label');
    return /r = \S?0\.[01]\d .*n = 599/.test(label);
  });
  assert.equal(place(page).changes, '1');
  assert.deepEqual(problems, []);
  await context.close();
});

test('compare: ticked in the list or added here; figures, differences, facts, charts over each other', async () => {
  const { page, problems, context } = await at('');
  await view(page, 'Compare').click();
  await until('the choice', async () => (await page.getByLabel('Add a run').locator('option').count()) === 3);
  await page.getByLabel('Add a run').selectOption(old.id);
  await until('the address has it', () => place(page).compare === old.id);
  await until('the figures', async () => (await page.locator('.compared tbody tr').count()) === 6);
  const memory = await row(page, 'memory').locator('td').allInnerTexts();
  assert.match(memory[0], /^21\d\.\d MB$/);
  assert.match(memory[2], /^\+3\.0 MB\/h$/);
  assert.match(memory[3], /^20\d\.\d MB\s*\u2212[67]\.\d %$/);
  assert.match(memory[5], /^\(.*\/h\)\s*\u22122\.9 MB\/h$|^\(.*\/h\)\s*\u22123\.0 MB\/h$/);
  assert.doesNotMatch((await row(page, 'latency').locator('td').allInnerTexts())[5], /\)\s*\S/, 'where neither is sure no difference is told');
  const facts = await page.locator('.facts').innerText();
  assert.match(facts, /build\s+c04d\s+a91f/);
  assert.match(facts, /command\s+\.\/server --fast\s+\.\/server/);
  assert.doesNotMatch(facts, /host/, 'only what differs');
  assert.match(await page.locator('.same-facts').textContent(), /^The same in all: .*host box/);
  await page.evaluate(() => document.querySelector('.compare .card').scrollIntoView());
  await overlay(page, 'memory').locator('canvas').waitFor();
  for (const colour of ['--series-1', '--series-2']) await until(`a line of ${colour}`, async () => (await inkedIn(overlay(page, 'memory').locator('canvas'), colour)) > 50);

  const box = await overlay(page, 'memory').locator('.u-over').boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const told = page.locator('.compare figure', { has: page.locator('.name', { hasText: /^memory$/ }) }).locator('.now');
  await until('the values of both under the cursor', async () => /h[^]*2\d\d\.\d MB[^]*20\d\.\d MB$/.test(await told.innerText()));
  await page.mouse.move(2, 2);
  await until('they go', async () => (await told.innerText()) === '');

  await page.locator('.compared thead button').nth(3).click();
  await until('sorted by what differs most', async () => (await page.locator('.compared tbody th').first().textContent()) === 'memory');
  assert.equal(await page.locator('.compared [aria-sort]').count(), 1);
  await page.getByLabel('laid on each other').selectOption('=warm');
  await until('the address has the mark', () => place(page).mark === 'warm');
  await until('time runs from the mark', async () => /from \u22123 h to /.test(await overlay(page, 'memory').getAttribute('aria-label')));
  await overlay(page, 'memory').locator('canvas').waitFor();
  await overlay(page, 'memory').scrollIntoViewIfNeeded();
  await dragOver(page, overlay(page, 'memory').locator('.u-over'), 0.5, 0.75);
  await until('the address has the range', () => place(page).span);
  await until('the range is told', async () => /^From .* to /.test(await page.locator('.compare .lead').textContent()));
  await page.getByRole('button', { name: 'Whole runs' }).click();
  await until('whole again', () => !place(page).span);

  await page.getByRole('button', { name: /^make baseline/ }).click();
  await until('the other one is the baseline', () => place(page).base === old.id && place(page).run === run.id);
  await until('it comes first', async () => (await page.locator('.sides li').first().innerText()).includes('baseline') && /a91f/.test(await page.locator('.facts tbody tr', { hasText: 'build' }).locator('td').first().textContent()));
  assert.equal(await page.getByRole('button', { name: /^Leave .* out/ }).count(), 1, 'but not the run that is shown');
  await page.getByRole('button', { name: /^Leave .* out/ }).click();
  await until('alone again', () => !place(page).compare && !place(page).base && place(page).show === 'compare');
  assert.deepEqual(problems, []);
  await context.close();
});

test('a run to compare with that is not there is said, and can be left out', async () => {
  const { page, context } = await at('&show=compare&compare=00000000-0000-4000-8000-000000000000');
  await until('it is said', async () => (await page.locator('.compare .lead').textContent()) === 'These runs cannot be compared: there is no such run.');
  await page.locator('#tree a').first().waitFor(); // with the list the choice of runs is made anew
  await page.getByRole('button', { name: /^Leave .* out/ }).click();
  await until('the choice', async () => /^Add a run/.test(await page.locator('.compare .lead').textContent()));
  await context.close();
});

test('ticking a run in the list compares it', async () => {
  const { page, problems, context } = await at('');
  await summaryHas(page, 'memory', 'latest ');
  const item = page.locator(`#tree a[href*="${other.id}"]`);
  await item.hover();
  await item.locator('.pick').click();
  await until('the comparison', () => place(page).show === 'compare' && place(page).compare === other.id);
  await until('the figures', async () => (await page.locator('.compared tbody tr').count()) === 6);
  await page.reload();
  await until('the same after a reload', async () => (await page.locator('.compared tbody tr').count()) === 6);
  assert.equal(await item.getAttribute('aria-checked'), 'true');
  await item.locator('.pick').click();
  await until('and not any more', () => !place(page).compare);
  assert.deepEqual(problems, []);
  await context.close();
});

test('pictures, light, dark and on a phone; no sideways scrolling of the page, and nothing for axe to find', async () => {
  for (const [kind, options] of [['light', {}], ['dark', { colorScheme: 'dark' }], ['phone', { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 }]]) {
    const { page, problems, context } = await at(`&show=health&x=cpu&y=memory&compare=${old.id},${other.id}`, options);
    for (const [name, there] of [['Health', '.health tbody tr'], ['Correlation', '.scatter:not([hidden]) canvas'], ['Compare', '.compared tbody tr']]) {
      await view(page, name).click();
      await until(name, async () => (await page.locator(there).count()) > 0);
      const { scroll, client } = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth }));
      assert.ok(scroll <= client, `${name}, ${kind}: ${scroll} of ${client}`);
      assert.deepEqual(await complaints(page), [], `${name}, ${kind}`);
      await shoot(page, `${name.toLowerCase()}-${kind}`);
    }
    assert.deepEqual(problems, []);
    await context.close();
  }
});

test('names are text in every view', async () => {
  const EVIL = '<img src=x onerror=alert(1)>';
  const evil = await soak(server, { app: EVIL, rows: 60, host: EVIL, tags: { [EVIL]: EVIL }, marks: [[3, EVIL]] });
  const { page, problems, context } = await open(browser, `${server.url}#run=${evil.id}&last=all&show=compare&compare=${run.id}`);
  await until('the figures', async () => (await page.locator('.compared tbody tr').count()) === 6);
  assert.match(await page.locator('.facts').innerText(), /tag <img src=x onerror=alert\(1\)>/);
  assert.match(await page.locator('.facts').innerText(), /application\s+<img/);
  assert.equal(await page.locator('main img').count(), 0);
  assert.deepEqual(problems, []);
  await context.close();
});
