// SPDX-License-Identifier: MIT OR Unlicense
// look: what the reader made of the charts, by names of columns: it holds for other runs of the program, too. Pure.

/** Names that are pinned to the top (in this order), hidden, drawn on a logarithmic axis, drawn as their rate;
 *  `height` of all plots in CSS pixels, and of those that differ.
 *  @typedef {{pin: string[], hide: string[], log: string[], rate: string[], height: number, heights: Record<string, number>}} Look
 *  @typedef {'pin' | 'hide' | 'log' | 'rate'} Mark */

/** @type {Mark[]} */
const MARKS = ['pin', 'hide', 'log', 'rate'];
export const HEIGHT = { usual: 152, least: 96, most: 640, step: 24 }; // CSS pixels
const MANY = 4096; // names in an address: more come from no reader

/** @returns {Look} */
export const plainLook = () => ({ pin: [], hide: [], log: [], rate: [], height: HEIGHT.usual, heights: Object.create(null) });

/** @param {Look} look @param {Mark} mark @param {string[]} names @param {boolean} on @returns {Look} */
export function marked(look, mark, names, on) {
  const rest = look[mark].filter((name) => !names.includes(name));
  return { ...look, [mark]: on ? [...rest, ...names] : rest };
}

/** @param {number} height */
const bounded = (height) => Math.round(Math.min(HEIGHT.most, Math.max(HEIGHT.least, height)));

/** @param {Look} look @param {string} name */
export const heightOf = (look, name) => look.heights[name] ?? look.height;

/** @param {Look} look @param {string | null} name null: all charts @param {number} height @returns {Look} */
export function resized(look, name, height) {
  const to = bounded(height);
  const heights = Object.assign(Object.create(null), name === null ? {} : look.heights);
  if (name === null) return { ...look, height: to, heights };
  if (to === look.height) delete heights[name];
  else heights[name] = to;
  return { ...look, heights };
}

/** Adds to an address what differs from the plain look. @param {Look} look @param {URLSearchParams} q */
export function writeLook(look, q) {
  for (const mark of MARKS) for (const name of look[mark]) q.append(mark, name);
  if (look.height !== HEIGHT.usual) q.set('height', String(look.height));
  for (const [name, height] of Object.entries(look.heights)) q.append('tall', `${height} ${name}`);
}

/** Null if the address says nothing of it. @param {URLSearchParams} q @returns {Look | null} */
export function readLook(q) {
  if (![...MARKS, 'height', 'tall'].some((key) => q.has(key))) return null;
  const look = plainLook();
  for (const mark of MARKS) look[mark] = [...new Set(q.getAll(mark).slice(0, MANY))];
  const height = Number(q.get('height'));
  if (height > 0) look.height = bounded(height);
  for (const entry of q.getAll('tall').slice(0, MANY)) {
    const [, pixels, name] = /^(\d+) (.*)$/s.exec(entry) ?? [];
    if (name !== undefined) look.heights[name] = bounded(Number(pixels));
  }
  return look;
}
