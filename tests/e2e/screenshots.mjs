// SPDX-License-Identifier: MIT OR Unlicense
// screenshots: the pictures that README.md shows, into web/screenshots/. `make screenshots`.

import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { launch, open, summaryHas } from './browser.mjs';
import { ROOT, startMnemic } from './mnemic.mjs';
import { fill } from './sample.mjs';

const FOLDER = join(ROOT, 'web/screenshots');
const MOST = 150_000; // bytes: a README is read over slow lines, too

/** Lays another run over the one that is shown. */
async function compare(page, other) {
  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await page.locator(`#tree [data-key="${other.uuid}"]`).focus();
  await page.keyboard.press('Space');
  await page.locator('.compared').getByText('+29 %').waitFor();
  await page.mouse.move(0, 0);
}

const server = await startMnemic();
const browser = await launch();
const sample = await fill(server);
try {
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, run, options] of [
    ['light', sample.shown, { viewport: { width: 1280, height: 690 } }],
    ['dark', sample.before, { viewport: { width: 1280, height: 712 }, colorScheme: 'dark' }],
  ]) {
    const { page, problems } = await open(browser, `${server.url}#run=${run.uuid}&last=all`, options);
    await summaryHas(page, 'queue_depth', 'latest ');
    await page.locator('.card .verdict', { hasText: '/h' }).first().waitFor();
    if (name === 'dark') await compare(page, sample.crashed);
    const path = join(FOLDER, `${name}.png`);
    await page.screenshot({ path });
    const { size } = statSync(path);
    console.log(`${path}  ${size} bytes`);
    if (size > MOST || problems.length > 0) throw new Error(`${name}: ${size} bytes; ${problems.join('; ')}`);
  }
} finally {
  sample.close();
  await browser.close();
  await server.remove();
}
