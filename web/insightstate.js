// SPDX-License-Identifier: MIT OR Unlicense
// insightstate: what is looked at beside the charts, as part of the page's address. Pure.

/** `panel` null: the charts. `pair`: names of two columns. `compare`: runs beside the one that is shown; `base`: which of
 *  them they are all held against; null: the one that is shown. `mark`: the label of
 *  the mark that runs are laid on each other by; null: their beginnings. `span`: what of them, ms from there; null: all.
 *  @typedef {'health' | 'correlation' | 'compare'} Panel
 *  @typedef {{panel: Panel | null, changes: boolean, pair: [string, string] | null, compare: string[], base: string | null,
 *    mark: string | null, span: [number, number] | null}} Insight */

/** @type {Panel[]} */
const PANELS = ['health', 'correlation', 'compare'];
export const MOST_RUNS = 6; // beside each other: as many as there are colours
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** @returns {Insight} */
export const plainInsight = () => ({ panel: null, changes: false, pair: null, compare: [], base: null, mark: null, span: null });

/** Adds to an address what differs from the plain charts. @param {Insight} insight @param {URLSearchParams} q */
export function writeInsight({ panel, changes, pair, compare, base, mark, span }, q) {
  if (panel) q.set('show', panel);
  if (changes) q.set('changes', '1');
  if (pair) {
    q.set('x', pair[0]);
    q.set('y', pair[1]);
  }
  if (compare.length > 0) q.set('compare', compare.join());
  if (base !== null) q.set('base', base);
  if (mark !== null) q.set('mark', mark);
  if (span) q.set('span', span.join());
}

const KEYS = ['show', 'changes', 'x', 'compare', 'mark', 'span'];

/** Takes anything: what makes no sense is left out. Null if the address says nothing of it.
 *  @param {URLSearchParams} q @returns {Insight | null} */
export function readInsight(q) {
  if (!KEYS.some((key) => q.has(key))) return null;
  const [x, y] = [q.get('x'), q.get('y')];
  const ids = (q.get('compare') ?? '').toLowerCase().split(',').filter((id) => UUID.test(id));
  const compare = [...new Set(ids)].slice(0, MOST_RUNS - 1);
  const base = (q.get('base') ?? '').toLowerCase();
  const [from = NaN, to = NaN] = (q.get('span') ?? '').split(',').map(Number);
  return {
    panel: PANELS.find((p) => p === q.get('show')) ?? null,
    changes: q.get('changes') === '1',
    pair: x !== null && y !== null ? [x, y] : null,
    compare,
    base: compare.includes(base) ? base : null,
    mark: q.get('mark'),
    span: Number.isFinite(from) && to > from ? [from, to] : null,
  };
}
