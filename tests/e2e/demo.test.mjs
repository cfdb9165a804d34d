// SPDX-License-Identifier: MIT OR Unlicense
// The newcomer's first command, without a person: `make demo` is started, its page read, Ctrl-C pressed; twice.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open, shoot } from './browser.mjs';
import { ROOT, start, until } from './mnemic.mjs';

let browser;
const demos = [];

before(async () => { browser = await launch(); });

after(async () => {
  for (const { child } of demos) if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGINT');
  await browser?.close();
});

/** In a process group of its own, which gets what Ctrl-C sends. */
function startDemo() {
  const env = { ...process.env, DEMO_UDP: '127.0.0.1:0', DEMO_HTTP: '127.0.0.1:0', MAKEFLAGS: '' };
  const demo = start('make', ['demo'], { cwd: ROOT, env, detached: true });
  let said = '';
  demo.child.stdout.on('data', (text) => { said += text; });
  demos.push(demo);
  return {
    said: () => said,
    url: () => until(`the page's address; so far: ${said} ${demo.log()}`, () => /Open (http:\S+)/.exec(said)?.[1]),
    ctrlC: () => {
      process.kill(-demo.child.pid, 'SIGINT');
      return demo.ended;
    },
  };
}

async function lookAt(url) {
  await until('it is listed', async () => (await (await fetch(new URL('/api/v1/apps', url))).json())
    .some(({ app, runs }) => app === 'hello-world' && runs.some(({ state }) => state === 'live')));
  const { page, problems, context } = await open(browser, url);
  await page.locator('figure canvas').first().waitFor();
  await until('a live run', async () => (await page.locator('#facts .state').textContent()) === 'live');
  const apps = await (await fetch(new URL('/api/v1/apps', url))).json();
  await shoot(page, 'demo');
  assert.deepEqual(problems, []);
  await context.close();
  return apps.find((a) => a.app === 'hello-world').runs;
}

test('it runs, shows its charts, ends cleanly; again, a second run stands beside the first', async () => {
  const first = startDemo();
  const runs = await lookAt(await first.url());
  await first.ctrlC();
  assert.match(first.said(), /^Ended\. /m);

  const second = startDemo();
  const more = await lookAt(await second.url());
  await second.ctrlC();
  assert.match(second.said(), /^Ended\. /m);
  assert.equal(more.length, runs.length + 1);
  assert.equal(more.find((r) => r.id === runs[0].id).state, 'ended');
});
