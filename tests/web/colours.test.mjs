// SPDX-License-Identifier: MIT OR Unlicense
// style.css's colours: text and lines stand out from their ground, and series are told apart with any colour vision.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const style = readFileSync(new URL('../../web/style.css', import.meta.url), 'utf8');
const themes = ['light', 'dark'];
const SERIES = [1, 2, 3, 4, 5, 6].map((i) => `series-${i}`);

/** @returns {number[]} linear RGB, 0 … 1 */
function colour(name, theme) {
  const [, ...both] = new RegExp(`--${name}: light-dark\\(#([0-9a-f]{6}), #([0-9a-f]{6})\\)`).exec(style);
  const bytes = both[themes.indexOf(theme)].match(/../g).map((pair) => parseInt(pair, 16) / 255);
  return bytes.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
}

/** WCAG 2.2, "contrast ratio". */
function contrast(a, b) {
  const [x, y] = [a, b].map(([r, g, blue]) => 0.2126 * r + 0.7152 * g + 0.0722 * blue + 0.05);
  return Math.max(x, y) / Math.min(x, y);
}

/** What people see who lack one kind of cone: Machado, Oliveira, Fernandes 2009, severity 1. */
const VISION = {
  usual: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
};
const times = (matrix, v) => matrix.map((row) => row.reduce((sum, m, i) => sum + m * v[i], 0));

/** Ottosson's Oklab, where equal distances look about equally far. */
function oklab(linear) {
  const cones = times([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005]], linear.map((c) => Math.min(1, Math.max(0, c)))).map(Math.cbrt);
  return times([[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.808675766]], cones);
}

for (const theme of themes) {
  test(`${theme}: text has a contrast of 4.5, lines of charts one of 3`, () => {
    for (const ground of ['ground', 'side', 'chosen'])
      for (const ink of ['ink', 'muted', 'accent', 'live', 'lost', 'crashed'])
        assert.ok(contrast(colour(ink, theme), colour(ground, theme)) >= 4.5,
          `${ink} on ${ground}: ${contrast(colour(ink, theme), colour(ground, theme))}`);
    for (const line of ['chart-accent', 'chart-mark', ...SERIES])
      assert.ok(contrast(colour(line, theme), colour('ground', theme)) >= 3, line);
  });

  test(`${theme}: no two series look alike to anyone`, () => {
    for (const [vision, matrix] of Object.entries(VISION)) {
      const seen = SERIES.map((name) => oklab(times(matrix, colour(name, theme))));
      seen.forEach((a, i) => seen.slice(i + 1).forEach((b, j) => {
        const apart = Math.hypot(...a.map((x, k) => x - b[k]));
        assert.ok(apart >= 0.07, `${vision}: series ${i + 1} and ${i + 2 + j} are ${apart} apart`);
      }));
    }
  });
}
