// SPDX-License-Identifier: MIT OR Unlicense
// take: the rows of the run, or of what is shown of it, as files to take along.

import { fileAddress } from './api.js';
import { el, setAttribute, setText } from './dom.js';
import { span } from './format.js';
import { makePanel } from './panel.js';

/** @typedef {'csv' | 'ndjson' | 'trace.json'} Kind */
/** @type {[kind: Kind, text: string, title: string][]} */
const KINDS = [['csv', 'CSV', 'A line a row, for spreadsheets and scripts'], ['ndjson', 'NDJSON', 'A JSON object a row'],
  ['trace.json', 'Trace', 'Opens in Perfetto (ui.perfetto.dev) and chrome://tracing']];

/** The button goes to `place`. @param {Element} place */
export function makeTake(place) {
  const button = el('button', { type: 'button', class: 'quiet', text: 'Download' });
  const when = el('span', { class: 'hint' });
  /** @type {((id: string, range: import('./model.js').Range) => void)[]} */
  const updates = [];
  /** @param {string} title @param {Node} beside @param {boolean} whole */
  const line = (title, beside, whole) => el('div', {}, el('h3', { text: title }), beside, el('p', {}, ...KINDS.map(([kind, text, about]) => {
    const link = el('a', { class: 'quiet', download: '', text, title: about, 'aria-label': `${title}: ${text}` });
    updates.push((id, range) => setAttribute(link, 'href', fileAddress(id, kind, whole ? null : range)));
    return link;
  })));
  place.append(button, makePanel(button, 'Download', el('div', { class: 'take' },
    line('What is shown', when, false), line('Whole run', el('span', { class: 'hint', text: 'every row, at full precision' }), true))));
  /** @param {string} id @param {import('./model.js').Range} range @param {number} now */
  return (id, range, now) => {
    setText(when, span(range.from, range.to, now));
    for (const update of updates) update(id, { from: Math.floor(range.from), to: Math.ceil(range.to) });
  };
}
