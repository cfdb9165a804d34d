// SPDX-License-Identifier: MIT OR Unlicense
// The tree on a server that holds thousands of runs: drawn, searched, scrolled, walked by keys, and the one that is asked for found.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { APPS, crowd } from './crowd.mjs';
import { launch, open, place, shoot, summaryHas } from './browser.mjs';
import { startMnemic, until } from './mnemic.mjs';

const RUNS = 5000;
const DEEP = 4321;
let server, browser, ids;

before(async () => {
  server = await startMnemic();
  browser = await launch();
  ids = await crowd(server, RUNS);
  const said = await fetch(new URL(`/api/v1/runs/${ids[DEEP]}`, server.url),
    { method: 'PATCH', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ note: 'the one that leaks' }) });
  assert.equal(said.status, 200);
});

after(async () => {
  await browser?.close();
  await server?.remove();
});

const runsOf = (test) => ids.filter((_, i) => test(i)).length;
const app = (page, name) => page.locator('#tree .app', { hasText: name });
const drawn = (page) => page.locator('#tree .run').count();
/** Of how many runs of an application the tree knows. */
const listed = (page, name) => page.locator(`#tree .run[data-app="${name}"]`).first().getAttribute('aria-setsize');
const focused = (page) => page.evaluate(() => document.activeElement?.getAttribute('data-key'));

async function show(id = ids[0]) {
  const opened = await open(browser, `${server.url}#run=${id}`);
  await summaryHas(opened.page, 'load', 'latest ');
  await until('the tree', async () => (await drawn(opened.page)) > 0);
  return opened;
}

test('of thousands of runs only those in view are drawn, and wherever one scrolls there are some', async () => {
  const { page, problems, context } = await show();
  assert.ok((await drawn(page)) < 60);
  await page.getByRole('treeitem', { name: 'more' }).first().click();
  await until('all runs of one application are listed', async () => Number(await listed(page, 'app-0')) === runsOf((i) => i % APPS === 0));
  const blank = await page.locator('#tree').evaluate(async (tree) => {
    const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const box = tree.getBoundingClientRect();
    let [empty, most] = [0, 0];
    for (let top = 0; top < tree.scrollHeight; top += tree.clientHeight * 3) {
      tree.scrollTop = top;
      await frame();
      most = Math.max(most, tree.querySelectorAll('.run').length);
      const seen = document.elementFromPoint(box.x + box.width / 2, box.y + 40)?.closest('[role=treeitem]');
      if (!seen) empty++;
    }
    return { empty, many: most > 60 };
  });
  assert.deepEqual(blank, { empty: 0, many: false });
  assert.deepEqual(problems, []);
  await context.close();
});

test('any run is found by what is known of it', async () => {
  const { page, problems, context } = await show();
  const search = page.locator('#search');
  await search.fill('app:app-3 tag:branch=fix');
  await until('those are left', async () => (await page.locator('#tree .app').count()) === 1
    && Number(await listed(page, 'app-3')) === runsOf((i) => i % APPS === 3 && i % 3 === 0));
  await search.fill('state:crashed app:app-1');
  await until('those that crashed', async () => Number(await listed(page, 'app-1')) === runsOf((i) => i % 50 === 0 && i % APPS === 1));
  await search.fill('leaks since:1y');
  await until('what it needs is told', async () => /since: needs a date/.test(await page.locator('#searchtrouble').textContent()));
  await search.fill('leaks since:2020 -state:live');
  await until('one is left', async () => (await drawn(page)) === 1);
  assert.match(await page.locator('#tree .run').textContent(), /the one that leaks/);
  assert.equal(await page.locator('#searchtrouble').textContent(), '');
  await shoot(page, 'search');
  await page.locator('#tree .run').click();
  await until('it is shown', () => place(page).run === ids[DEEP]);
  await summaryHas(page, 'load', `latest ${DEEP % 100}`);
  assert.deepEqual(problems, []);
  await context.close();
});

test('an address of one of the oldest shows it in the tree', async () => {
  const { page, context } = await show(ids[DEEP]);
  const link = page.locator('#tree a[aria-current=page]');
  await until('it is listed', async () => (await link.getAttribute('data-key')) === ids[DEEP]);
  const inside = await link.evaluate((node) => {
    const [row, tree] = [node, node.closest('#tree')].map((it) => it.getBoundingClientRect());
    return row.top >= tree.top && row.bottom <= tree.bottom;
  });
  assert.equal(inside, true);
  await context.close();
});

test('keys walk it from end to end, and fold what is in the way', async () => {
  const { page, context } = await show();
  await page.locator('#tree [tabindex="0"]').focus();
  await page.keyboard.press('End');
  await until('at the last row', async () => /more app-/.test(await focused(page)));
  await page.keyboard.press('Enter');
  await page.keyboard.press('End');
  const { runs } = (await server.get('/api/v1/apps')).at(-1);
  await until('at the last run', async () => (await focused(page)) === runs.at(-1).id);
  for (let i = 0; i < 3; i++) await page.keyboard.press('PageUp');
  assert.equal(await focused(page), runs.at(-31).id);
  await page.keyboard.press('Home');
  assert.match(await focused(page), /^app /);
  await page.keyboard.press('ArrowLeft');
  await until('folded', async () => (await app(page, (await focused(page)).slice(4)).getAttribute('aria-expanded')) === 'false');
  await context.close();
});
