// SPDX-License-Identifier: MIT OR Unlicense
// deleted: the runs that were deleted here and can still be brought back. The server lists them no more; this browser does.

import { arrange, el, setText } from './dom.js';
import { clock, date } from './format.js';

/** `until`: when the server forgets it, ms. @typedef {{id: string, app: string, started: number, until: number}} Deleted */
const KEY = 'mnemic.deleted';

/** @param {HTMLDetailsElement} place @param {(run: Deleted) => void} bringBack */
export function makeDeleted(place, bringBack) {
  const title = el('summary');
  const list = el('ul');
  place.append(title, list);
  let runs = read();
  /** @type {Map<string, HTMLElement>} */
  const items = new Map();

  /** @param {Deleted[]} next */
  function keep(next) {
    runs = next;
    try {
      localStorage.setItem(KEY, JSON.stringify(runs));
    } catch {
      // A browser that keeps nothing shows them until the page is left.
    }
  }

  /** @param {Deleted} run */
  function itemOf(run) {
    const known = items.get(run.id);
    if (known) return known;
    const button = el('button', { type: 'button', class: 'link', text: 'Bring back', 'aria-label': `Bring back ${run.app} of ${date(run.started)} ${clock(run.started)}` });
    button.addEventListener('click', () => bringBack(run));
    const item = el('li', {}, el('span', { text: `${run.app}, ${date(run.started)} ${clock(run.started)}` }), button);
    items.set(run.id, item);
    return item;
  }

  window.addEventListener('storage', (event) => { if (event.key === KEY) runs = read(); });
  return {
    /** @param {Deleted} run */
    add: (run) => keep([run, ...runs.filter((r) => r.id !== run.id)]),
    /** @param {string} id */
    remove: (id) => keep(runs.filter((r) => r.id !== id)),
    /** @param {string} id @param {number} now */
    find: (id, now) => runs.find((r) => r.id === id && r.until > now),
    /** @param {number} now */
    render(now) {
      const left = runs.filter((r) => r.until > now);
      place.hidden = left.length === 0;
      setText(title, `Deleted just now (${left.length})`);
      arrange(list, left.map(itemOf));
    },
  };
}

/** @returns {Deleted[]} */
function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter((r) => typeof r?.id === 'string' && typeof r.app === 'string' && r.started > 0 && r.until > 0) : [];
  } catch {
    return [];
  }
}
