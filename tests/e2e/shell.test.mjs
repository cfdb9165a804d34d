// SPDX-License-Identifier: MIT OR Unlicense
// What is around the charts: search, theme, downloads, pictures, a connection that breaks, and what it all weighs.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { get } from 'node:http';
import { after, before, test } from 'node:test';
import { complaints } from './axe.mjs';
import { card, launch, open, place, shoot, summary, summaryHas } from './browser.mjs';
import { Program, startMnemic, until } from './mnemic.mjs';

const ROWS = 200;
let server, browser, program, start;

before(async () => {
  server = await startMnemic();
  browser = await launch();
  start = Date.now() - ROWS * 1000;
  program = new Program(server, ['queue', 'sent'], { app_name: 'gateway', units: ['', 'B'], kinds: ['gauge', 'counter'], tags: { branch: 'main' } });
  await program.live(start);
  await program.history(ROWS, (i) => [5 + (i % 7), i * 1024], { end: start + (ROWS - 1) * 1000 });
  await until('the rows are stored', async () => (await program.stored())?.rows === ROWS);
});

after(async () => {
  program?.close();
  await browser?.close();
  await server?.remove();
});

const notice = (page) => page.locator('#notice').textContent();

test('the help of the search writes what it shows', async () => {
  const { page, context } = await open(browser, server.url);
  await page.getByRole('button', { name: 'How to search' }).click();
  await page.getByRole('button', { name: 'state:crashed' }).click();
  assert.equal(await page.locator('#search').inputValue(), 'state:crashed');
  await page.getByText('No run matches.').waitFor();
  await until('the address has it', () => place(page).find === 'state:crashed');
  await page.reload();
  await page.getByText('No run matches.').waitFor();
  await page.locator('#search').focus();
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'search');
  await context.close();
});

test('a theme that was chosen stays, and charts follow it', async () => {
  const { page, context } = await open(browser, server.url);
  await summaryHas(page, 'queue', 'latest ');
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const corner = () => card(page, 'queue').locator('canvas').evaluate((c) => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].reduce((a, b) => (a * 31 + b) | 0, 7));
  const [light, drawn] = [await ground(), await corner()];
  await page.getByLabel('Theme').selectOption('dark');
  await until('it is dark', async () => (await ground()) !== light);
  await until('the charts are drawn anew', async () => (await corner()) !== drawn);
  const dark = await ground();
  await page.reload();
  await until('it is still dark', async () => (await ground()) === dark);
  await context.close();
});

test('what is shown, or the whole run, goes into a file', async () => {
  const { page, context } = await open(browser, `${server.url}#run=${program.uuid}&from=${start + 20_000}&to=${start + 29_000}`);
  await summaryHas(page, 'queue', 'latest ');
  await page.getByRole('button', { name: 'Download' }).click();
  const lines = async (name) => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name, exact: true }).click()]);
    return readFileSync(await download.path(), 'utf8').trim().split(/\r?\n/);
  };
  assert.equal((await lines('What is shown: CSV')).length - 1, 10);
  assert.equal((await lines('Whole run: CSV')).length - 1, (await program.stored()).rows);
  const whole = await lines('Whole run: NDJSON');
  assert.deepEqual(JSON.parse(whole[0]).values, { queue: 5, sent: 0 });
  await context.close();
});

test('a chart becomes a picture: SVG from its data, PNG of it', async () => {
  const { page, problems, context } = await open(browser, server.url);
  await summaryHas(page, 'queue', 'latest ');
  const save = async (kind) => {
    const item = page.getByRole('menuitem', { name: `Save as ${kind}` });
    await until('the menu is open', async () => { // a click just after it closed is taken for the one that closed it
      await card(page, 'queue').getByRole('button', { name: 'Options for queue' }).click();
      return item.isVisible();
    });
    const [download] = await Promise.all([page.waitForEvent('download'), item.click()]);
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
  };
  const svg = await save('SVG');
  assert.match(svg.name, /^gateway-queue-\d{4}-\d\d-\d\d\.svg$/);
  const seen = await page.evaluate((text) => {
    const doc = new DOMParser().parseFromString(text, 'image/svg+xml');
    return { errors: doc.querySelectorAll('parsererror').length, texts: [...doc.querySelectorAll('text')].map((t) => t.textContent),
      points: Math.max(...[...doc.querySelectorAll('path')].map((p) => (p.getAttribute('d').match(/L/g) ?? []).length)), images: doc.querySelectorAll('image').length };
  }, svg.bytes.toString());
  assert.equal(seen.errors + seen.images, 0);
  assert.ok(seen.points > 100 && seen.texts.includes('queue'), JSON.stringify(seen));
  const png = await save('PNG');
  assert.deepEqual([...png.bytes.subarray(1, 4)], [...Buffer.from('PNG')]);
  assert.equal(png.bytes.readUInt32BE(16), 1920, 'as wide as it should be');
  assert.ok(png.bytes.length > 5000);
  assert.deepEqual(problems, []);
  await context.close();
});

/** A run of `rows` that has ended. */
async function ended(app_name, rows = 20) {
  const run = new Program(server, ['a'], { app_name, tags: { branch: 'main', who: 'me' } });
  await run.announce(Date.now() - 3600e3);
  await run.history(rows, (i) => [i], { end: Date.now() - 60e3 });
  await run.row([rows], Date.now(), { end: 'stopped' });
  run.close();
  await until('it has ended', async () => (await run.stored())?.state === 'ended');
  return run;
}

test('note, tags and pin are kept, and seen in the tree', async () => {
  const run = await ended('edited');
  const { page, problems, context } = await open(browser, `${server.url}#run=${run.uuid}`);
  await page.getByRole('button', { name: 'Note and tags' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Note').fill('leaks <b>3 MB</b> an hour');
  await dialog.getByRole('button', { name: 'Remove this tag' }).last().click();
  await dialog.getByLabel('Value').first().fill('fix-leak');
  await dialog.getByRole('button', { name: 'Add a tag' }).click();
  await page.keyboard.type('ticket');
  await page.keyboard.press('Tab');
  await page.keyboard.type('#12');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await until('the note is shown', async () => (await page.locator('#facts .note').textContent()) === 'leaks <b>3 MB</b> an hour');
  assert.deepEqual((await run.stored()).tags, { branch: 'fix-leak', ticket: '#12' });
  const pin = page.getByRole('button', { name: 'Pin', exact: true });
  await pin.click();
  await until('it is pinned', async () => (await run.stored()).pinned);
  await until('the tree says so', async () => /pinned.*leaks/.test(await page.locator('#tree .run[data-app=edited]').textContent()));
  assert.deepEqual(problems, []);
  await context.close();
});

test('a run is deleted, undone, deleted, and brought back from the list; a live one says why not', async () => {
  const run = await ended('doomed');
  const { page, problems, context } = await open(browser, `${server.url}#run=${run.uuid}&last=all`);
  await summaryHas(page, 'a', 'latest 20');
  const remove = page.getByRole('button', { name: 'Delete', exact: true });
  const listed = async () => (await page.locator('#tree .run[data-app=doomed]').count()) === 1;
  await remove.click();
  await page.getByText('doomed was deleted.').waitFor();
  await page.getByRole('button', { name: 'Undo' }).focus(); // as long as it has the focus it does not go away
  await until('it is listed no more', async () => !(await listed()));
  await page.getByRole('button', { name: 'Undo' }).click();
  await until('it is listed again', listed);
  await until('nothing is told of it', async () => (await notice(page)) === '');
  await remove.click();
  await until('it is told', async () => /This run was deleted/.test(await notice(page)));
  assert.match(await summary(page, 'a'), /latest 20/, 'its charts stay');
  await page.getByText('Deleted just now (1)').click();
  assert.deepEqual(await complaints(page), []);
  await shoot(page, 'deleted');
  await page.getByRole('button', { name: /^Bring back doomed/ }).click();
  await until('it is listed again', listed);
  await until('the list is gone', async () => !(await page.locator('#deleted').isVisible()));
  await page.locator('#tree .run[data-app=gateway]').click();
  await until('the live run is shown', async () => (await remove.getAttribute('aria-disabled')) === 'true');
  await remove.focus();
  await page.keyboard.press('Enter');
  await page.getByText('A live run cannot be deleted. End the program first.').waitFor();
  assert.ok(await program.stored());
  assert.deepEqual(problems, []);
  await context.close();
});

test('a store that is behind is told calmly, and no more once it is not', async () => {
  const { page, context } = await open(browser, 'about:blank');
  let behind = true;
  await page.route('**/api/v1/status', (route) => route.fulfill({ json: { version: '0.1.0', store: 'postgresql', behind, waiting_bytes: behind ? 12582912 : 0, rows_dropped: 0, retain_seconds: null } }));
  await page.route('**/api/v1/apps', (route) => (behind ? route.fulfill({ status: 503, json: { error: 'the store does not answer' } }) : route.continue()));
  await page.goto(`${server.url}#run=${program.uuid}`);
  await until('it is told', async () => /storage is behind/.test(await notice(page)));
  assert.equal(await page.locator('#foot .hint').textContent(), '12 MiB wait for storage');
  behind = false;
  await until('it is no more', async () => (await notice(page)) === '');
  assert.equal(await page.locator('#foot .hint').textContent(), '0.1.0 · PostgreSQL');
  await context.close();
});

test('a link to a run that is not there yet says so, and shows it as soon as it is', async () => {
  const late = new Program(server, ['a'], { app_name: 'late' });
  const { page, context } = await open(browser, `${server.url}#run=${late.uuid}`);
  await until('it is said', async () => /no such run/.test(await notice(page)));
  await late.live();
  await late.row([42]);
  await summaryHas(page, 'a', 'latest 42');
  await until('nothing more is said', async () => (await notice(page)) === '');
  late.close();
  await context.close();
});

/** A door to the server that can be shut: what passed is cut, what knocks is turned away. */
async function makeDoor() {
  const through = new Set();
  let open = true;
  const door = createServer((from) => {
    if (!open) return from.destroy();
    const to = connect(server.http, '127.0.0.1');
    for (const [a, b] of [[from, to], [to, from]]) {
      through.add(a);
      a.pipe(b);
      a.on('error', () => b.destroy());
      a.on('close', () => { through.delete(a); b.destroy(); });
    }
  });
  await new Promise((resolve) => door.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${door.address().port}/`,
    shut: () => { open = false; for (const socket of through) socket.destroy(); },
    open: () => { open = true; },
    close: () => { door.close(); for (const socket of through) socket.destroy(); },
  };
}

/** Every text that the notice has within this time. */
const told = (page, ms) => page.locator('#notice').evaluate((node, time) => new Promise((resolve) => {
  const texts = new Set([node.textContent]);
  const watch = new MutationObserver(() => texts.add(node.textContent));
  watch.observe(node, { childList: true, characterData: true, subtree: true });
  setTimeout(() => { watch.disconnect(); resolve([...texts]); }, time);
}), ms);

/** How many streams are opened at once when a button is pressed: those that time would have opened anyway don't count. */
const attemptsOf = (button) => button.evaluate((node) => {
  const { EventSource } = window;
  let attempts = 0;
  window.EventSource = class extends EventSource {
    constructor(url) {
      super(url);
      attempts++;
    }
  };
  node.click();
  window.EventSource = EventSource;
  return attempts;
});

test('a connection that breaks is told, what was received stays, and what was missed is fetched', async (t) => {
  const door = await makeDoor();
  t.after(() => door.close());
  const { page, context } = await open(browser, `${door.url}#run=${program.uuid}`);
  await summaryHas(page, 'queue', 'latest ');
  await page.locator('#tree .run').first().waitFor();
  door.shut();
  await until('it is told', async () => /Connection lost/.test(await notice(page)));
  assert.deepEqual(await told(page, 4000), [await notice(page)], 'and goes on being told when the next poll fails, too');
  assert.match(await summary(page, 'queue'), /latest /);
  assert.equal(await page.locator('#facts .state').textContent(), 'live when last heard of');
  assert.ok((await page.locator('#tree .run').count()) > 0);
  assert.deepEqual(await complaints(page), []);
  await shoot(page, 'lost');
  await program.row([4242, 1]);
  const rows = (await program.stored()).rows;
  await program.row([6, 2]);
  await until('the rows are stored', async () => (await program.stored()).rows > rows);
  assert.equal(await attemptsOf(page.getByRole('button', { name: 'Try now' })), 1);
  door.open();
  await summaryHas(page, 'queue', `greatest 4\u202f242`);
  await until('nothing more is told', async () => (await notice(page)) === '');
  await program.row([7777, 3]);
  await summaryHas(page, 'queue', `latest 7\u202f777`);
  await context.close();
});

test('the whole page weighs less than 150 kB, as sent, and keeps to its policy', async () => {
  const fetched = (path) => new Promise((resolve, reject) => {
    get(new URL(path, server.url), { headers: { 'accept-encoding': 'gzip' } }, (response) => {
      let size = 0;
      const parts = [];
      response.on('data', (part) => { size += part.length; parts.push(part); });
      response.on('end', () => resolve({ size, headers: response.headers, body: Buffer.concat(parts) }));
    }).on('error', reject);
  });
  const index = await fetched('/');
  const html = await (await fetch(server.url)).text();
  const paths = new Set([...html.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map((m) => m[1]));
  const sizes = await Promise.all([...paths].map(async (path) => (await fetched(path)).size));
  const sum = index.size + sizes.reduce((a, b) => a + b);
  assert.ok(sum < 150_000, `${sum} bytes`);
  assert.match(index.headers['content-security-policy'], /^default-src 'none'; script-src 'self'; style-src 'self';/);
});
