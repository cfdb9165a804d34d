// SPDX-License-Identifier: MIT OR Unlicense
// save: hands a picture of a chart to the reader, as an SVG or a PNG file.

import { theme } from './colours.js';
import { el } from './dom.js';
import { date, span } from './format.js';
import { FILE, svgOf } from './picture.js';

const SHARP = 2; // pixels of a PNG for one of the drawing

/** @param {import('./card.js').Card} card @param {import('./feed.js').Feed} feed @param {'svg' | 'png'} kind */
export async function savePicture(card, feed, kind) {
  if (!card.trace) return;
  const { run, range, gaps, marks } = feed;
  const title = card.rate ? `${card.column.name} per second` : card.column.name;
  const svg = svgOf({ title, about: `${run.app}, ${span(range.from, range.to, 0)}`, unit: card.shownUnit, log: card.log,
    trace: card.trace, range, gaps, marks, colours: theme }, FILE);
  const blob = kind === 'svg' ? new Blob([svg], { type: 'image/svg+xml' }) : await pngOf(svg);
  const href = URL.createObjectURL(blob);
  el('a', { href, download: `${`${run.app}-${title}-${date(range.from)}`.replace(/[^\p{L}\p{N}.-]+/gu, '_')}.${kind}` }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60e3);
}

/** @param {string} svg @returns {Promise<Blob>} */
async function pngOf(svg) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = el('canvas', { width: String(FILE.width * SHARP), height: String(FILE.height * SHARP) });
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The picture could not be made.'))), 'image/png'));
}
