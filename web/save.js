// SPDX-License-Identifier: MIT OR Unlicense
// save: hands a picture of a chart to the reader, as an SVG or a PNG file.

import { theme } from './colours.js';
import { el } from './dom.js';
import { date, span } from './format.js';
import { FILE, svgOf } from './picture.js';

const HEAD = 28; // CSS pixels above a chart that is saved as it is
const SHARP = 2; // pixels of a PNG for one of the drawing

/** @param {import('./card.js').Card} card @param {import('./feed.js').Feed} feed @param {'svg' | 'png'} kind */
export async function savePicture(card, feed, kind) {
  if (!card.trace) return;
  const { run, range, gaps, marks } = feed;
  const title = card.rate ? `${card.column.name} per second` : card.column.name;
  const svg = svgOf({ title, about: `${run.app}, ${span(range.from, range.to, 0)}`, unit: card.shownUnit, log: card.log,
    trace: card.trace, range, gaps, marks, colours: theme }, FILE);
  const blob = kind === 'svg' ? new Blob([svg], { type: 'image/svg+xml' }) : await pngOf(svg);
  hand(blob, `${run.app}-${title}-${date(range.from)}`, kind);
}

/** A chart as it is on the screen, with a line of words on top. @param {HTMLCanvasElement} chart @param {string} words @param {string} name */
export async function saveCanvas(chart, words, name) {
  const px = devicePixelRatio;
  const canvas = el('canvas', { width: String(chart.width), height: String(chart.height + HEAD * px) });
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  ctx.fillStyle = theme.ground;
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.fillStyle = theme.ink;
  ctx.font = `${12 * px}px system-ui, sans-serif`;
  ctx.fillText(words, 8 * px, 18 * px, canvas.width - 16 * px);
  ctx.drawImage(chart, 0, HEAD * px);
  hand(await blobOf(canvas), name, 'png');
}

/** @param {Blob} blob @param {string} name @param {string} kind */
function hand(blob, name, kind) {
  const href = URL.createObjectURL(blob);
  el('a', { href, download: `${name.replace(/[^\p{L}\p{N}.-]+/gu, '_')}.${kind}` }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60e3);
}

/** @param {string} svg @returns {Promise<Blob>} */
async function pngOf(svg) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = el('canvas', { width: String(FILE.width * SHARP), height: String(FILE.height * SHARP) });
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return blobOf(canvas);
}

/** @param {HTMLCanvasElement} canvas @returns {Promise<Blob>} */
function blobOf(canvas) {
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The picture could not be made.'))), 'image/png'));
}
