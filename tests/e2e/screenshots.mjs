// SPDX-License-Identifier: MIT OR Unlicense
// screenshots: the pictures that README.md shows, into web/screenshots/. `make screenshots`.

import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { launch, open, summaryHas } from './browser.mjs';
import { ROOT, startMnemic } from './mnemic.mjs';
import { fill } from './sample.mjs';

const FOLDER = join(ROOT, 'web/screenshots');
const MOST = 150_000; // bytes: a README is read over slow lines, too

const server = await startMnemic();
const browser = await launch();
const sample = await fill(server);
try {
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, options] of [['light', {}], ['dark', { colorScheme: 'dark' }]]) {
    const { page, problems } = await open(browser, `${server.url}#run=${sample.shown.uuid}&last=all`, { viewport: { width: 1280, height: 800 }, ...options });
    await summaryHas(page, 'cache_hit_ratio', 'latest ');
    await page.locator('#tree .run').first().waitFor();
    await page.evaluate(() => document.fonts.ready);
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
