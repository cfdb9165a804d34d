// SPDX-License-Identifier: MIT OR Unlicense
// treerows: the tree as a list of rows with places, of which only those in view are drawn. Pure.

/** @typedef {import('./model.js').App} App
 *  @typedef {import('./model.js').Run} Run */
/** `place` of `of`: among its siblings, from 1. `top`, `height`: CSS pixels.
 *  @typedef {{key: string, app: string, place: number, of: number, top: number, height: number}} Placed
 *  @typedef {Placed & {kind: 'app', open: boolean, live: number, total: number}} AppRow
 *  @typedef {Placed & {kind: 'run', run: Run}} RunRow
 *  @typedef {Placed & {kind: 'more', hidden: number}} MoreRow
 *  @typedef {AppRow | RunRow | MoreRow} Row
 *  @typedef {{app: number, run: number, more: number}} Heights
 *  @typedef {{folded: Set<string>, whole: Set<string>, few: number, heights: Heights}} Shape */

/** Pinned runs first, then as they come: newest first. @param {Run[]} runs */
const pinnedFirst = (runs) => [...runs.filter((r) => r.pinned), ...runs.filter((r) => !r.pinned)];

/** Of an application that is not `whole`, only a `few` runs are listed. @param {App[]} apps @param {Shape} shape @returns {Row[]} */
export function rowsOf(apps, { folded, whole, few, heights }) {
  /** @type {Row[]} */
  const rows = [];
  let top = 0;
  /** @template {Row['kind']} K @param {K} kind @param {string} key @param {object} rest */
  const add = (kind, key, rest) => {
    rows.push(/** @type {Row} */ ({ kind, key, top, height: heights[kind], ...rest }));
    top += heights[kind];
  };
  apps.forEach(({ app, runs }, i) => {
    const open = !folded.has(app);
    const live = runs.filter((r) => r.state === 'live').length;
    add('app', `app ${app}`, { app, place: i + 1, of: apps.length, open, live, total: runs.length });
    if (!open) return;
    const listed = whole.has(app) ? runs.length : Math.min(few, runs.length);
    const of = listed + (listed < runs.length ? 1 : 0);
    pinnedFirst(runs).slice(0, listed).forEach((run, k) => add('run', run.id, { app, run, place: k + 1, of }));
    if (listed < runs.length) add('more', `more ${app}`, { app, hidden: runs.length - listed, place: of, of });
  });
  return rows;
}

/** @param {Row[]} rows */
export function heightOf(rows) {
  const last = rows.at(-1);
  return last ? last.top + last.height : 0;
}

/** The first row that ends below `y`. @param {Row[]} rows @param {number} y */
function firstBelow(rows, y) {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = /** @type {Row} */ (rows[middle]);
    if (row.top + row.height > y) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Those that touch the pixels between. @param {Row[]} rows @param {number} from @param {number} to */
export function between(rows, from, to) {
  const first = firstBelow(rows, from);
  let end = first;
  while (end < rows.length && /** @type {Row} */ (rows[end]).top < to) end++;
  return rows.slice(first, end);
}

/** Where a key of the keyboard leads from a row, as the pattern for trees says (ARIA APG, "Tree View"); and whether the
 *  application there is to be folded or unfolded. @param {Row[]} rows @param {number} at @param {string} key
 *  @returns {{to: number, fold?: boolean} | null} */
export function step(rows, at, key) {
  const row = rows[at];
  const clamp = (/** @type {number} */ i) => ({ to: Math.max(0, Math.min(rows.length - 1, i)) });
  if (!row) return null;
  switch (key) {
    case 'ArrowDown': return clamp(at + 1);
    case 'ArrowUp': return clamp(at - 1);
    case 'PageDown': return clamp(at + 10);
    case 'PageUp': return clamp(at - 10);
    case 'Home': return clamp(0);
    case 'End': return clamp(rows.length - 1);
    case 'ArrowRight':
      if (row.kind !== 'app') return { to: at };
      return row.open ? clamp(at + 1) : { to: at, fold: false };
    case 'ArrowLeft':
      if (row.kind === 'app') return row.open ? { to: at, fold: true } : { to: at };
      return { to: rows.findIndex((r) => r.kind === 'app' && r.app === row.app) };
    default: return null;
  }
}
