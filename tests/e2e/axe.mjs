// SPDX-License-Identifier: MIT OR Unlicense
// axe: axe-core on the page as it stands.

import { readFileSync } from 'node:fs';
import { modulePath } from './browser.mjs';

const AXE = readFileSync(modulePath('axe-core/axe.min.js'), 'utf8');

/** What axe has to say of the page as it stands: rule and elements. */
export async function complaints(page) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((n) => `${n.target} ${n.any[0]?.message ?? ''}`).join(' | ')}`);
}
