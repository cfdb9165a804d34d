// SPDX-License-Identifier: MIT OR Unlicense
// deleted: the runs that were deleted a short while ago, and can still be brought back.

import { getDeleted } from './api.js';
import { arrange, el, setText } from './dom.js';
import { clock, date } from './format.js';

/** @typedef {import('./model.js').Run} Run */
const AGAIN_MS = 30e3; // others delete, too, and the server forgets

/** @param {HTMLDetailsElement} place @param {(run: Run) => void} bringBack @param {() => void} changed */
export function makeDeleted(place, bringBack, changed) {
  const title = el('summary');
  const list = el('ul');
  place.append(title, list);
  /** @type {Run[]} */
  let runs = [];
  /** @type {Map<string, HTMLElement>} */
  const items = new Map();
  let asked = -Infinity; // when, ms

  /** @param {Run} run */
  function itemOf(run) {
    const known = items.get(run.id);
    if (known) return known;
    const when = `${date(run.started)} ${clock(run.started)}`;
    const button = el('button', { type: 'button', class: 'link', text: 'Bring back', 'aria-label': `Bring back ${run.app} of ${when}` });
    button.addEventListener('click', () => bringBack(run));
    const item = el('li', {}, el('span', { text: `${run.app}, ${when}` }), button);
    items.set(run.id, item);
    return item;
  }

  function render() {
    const ids = new Set(runs.map((r) => r.id));
    for (const id of items.keys()) if (!ids.has(id)) items.delete(id);
    place.hidden = runs.length === 0;
    setText(title, `Deleted just now (${runs.length})`);
    arrange(list, runs.map(itemOf));
    changed();
  }

  /** Asks the server, if that was long ago or `anew`. */
  async function refresh(anew = false) {
    if (!anew && performance.now() - asked < AGAIN_MS) return;
    asked = performance.now();
    try {
      runs = (await getDeleted()).flatMap((app) => app.runs);
      render();
    } catch {
      asked = -Infinity; // the next poll asks again
    }
  }

  return { refresh, find: (/** @type {string} */ id) => runs.find((r) => r.id === id) };
}
