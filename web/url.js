// SPDX-License-Identifier: MIT OR Unlicense
// url: what the page shows, as the part of its address after "#", and back. Pure.

import { readInsight, writeInsight } from './insightstate.js';
import { readLook, writeLook } from './look.js';

/** @typedef {import('./model.js').View} View
 *  @typedef {import('./look.js').Look} Look
 *  @typedef {import('./insightstate.js').Insight} Insight */
/** `view` null: the run's usual one; `look` null: as the charts look now. @typedef {{run: string | null, view: View | null, look?: Look | null,
 *  insight?: Insight | null, find?: string | null}} Place `insight` null: the charts; `find` null: as the tree is searched now */

/** @param {Place} place @returns {string} */
export function format({ run, view, look, insight, find }) {
  if (run === null) return '#';
  const q = new URLSearchParams({ run });
  if (view?.kind === 'last') q.set('last', String(view.seconds));
  if (view?.kind === 'all') q.set('last', 'all');
  if (view?.kind === 'range') {
    q.set('from', String(view.from));
    q.set('to', String(view.to));
  }
  if (look) writeLook(look, q);
  if (insight) writeInsight(insight, q);
  if (find) q.set('find', find);
  return `#${q}`;
}

/** Takes anything: what makes no sense is left out. @param {string} hash @returns {Place} */
export function parse(hash) {
  const q = new URLSearchParams(hash.replace(/^#/, ''));
  const run = q.get('run');
  if (run === null || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(run)) return { run: null, view: null, look: null, insight: null, find: null };
  return { run: run.toLowerCase(), view: viewOf(q), look: readLook(q), insight: readInsight(q), find: q.get('find') };
}

/** @param {URLSearchParams} q @returns {View | null} */
function viewOf(q) {
  const from = numberOf(q.get('from'));
  const to = numberOf(q.get('to'));
  if (from !== null && to !== null && to > from) return { kind: 'range', from, to };
  if (q.get('last') === 'all') return { kind: 'all' };
  const seconds = numberOf(q.get('last'));
  return seconds !== null && seconds > 0 ? { kind: 'last', seconds } : null;
}

/** @param {string | null} text */
function numberOf(text) {
  if (text === null || text.trim() === '') return null;
  const n = Number(text);
  return Number.isFinite(n) && Math.abs(n) < 8.64e15 ? n : null; // the range of Date
}
