// SPDX-License-Identifier: MIT OR Unlicense
// bar: what the charts show, said in words, and the controls that change it.

import { el, setText } from './dom.js';
import { clock, duration, span } from './format.js';
import { makeTake } from './take.js';

/** @typedef {import('./model.js').View} View
 *  @typedef {{id: string, live: boolean, view: View, range: import('./model.js').Range, now: number}} Shown */

/** @type {[value: string, label: string][]} */
const WINDOWS = [['60', 'last minute'], ['600', 'last 10 minutes'], ['3600', 'last hour'], ['21600', 'last 6 hours'],
  ['86400', 'last day'], ['604800', 'last week'], ['all', 'whole run']];

/** @param {View} view */
const valueOf = (view) => (view.kind === 'last' ? String(view.seconds) : view.kind);

/** @param {Element} place @param {{show: (view: View) => void, resume: () => void, help: () => void}} steer */
export function makeBar(place, { show, resume, help }) {
  const when = el('span', { class: 'range' });
  const cursor = el('span', { class: 'cursor', 'aria-hidden': 'true' });
  const back = el('button', { type: 'button', class: 'quiet', title: 'Keys: f or End' });
  const select = el('select', { 'aria-label': 'Time shown' });
  const other = el('option', { hidden: '' });
  const keys = el('button', { type: 'button', class: 'quiet keys-button', text: '?', title: 'Keys, wheel and touch', 'aria-label': 'Keys, wheel and touch' });
  const files = el('span');
  const take = makeTake(files);
  for (const [value, label] of WINDOWS) select.append(el('option', { value, text: label }));
  select.append(other);
  place.append(el('div', { class: 'times' }, when, cursor), back, select, files, keys);

  back.addEventListener('click', resume);
  keys.addEventListener('click', help);
  let pressed = false; // with the pointer: then the next key is meant for the charts, not for the list
  select.addEventListener('pointerdown', () => { pressed = true; });
  select.addEventListener('keydown', () => { pressed = false; });
  select.addEventListener('change', () => {
    if (pressed) select.blur();
    show(select.value === 'all' ? { kind: 'all' } : { kind: 'last', seconds: Number(select.value) });
  });

  /** @param {Shown} shown */
  const render = ({ id, live, view, range, now }) => {
    const long = view.kind === 'last' ? '' : ` · ${duration(range.to - range.from)}`;
    setText(when, span(range.from, range.to, now) + long);
    const value = valueOf(view);
    if (!WINDOWS.some(([known]) => known === value)) {
      other.value = value;
      setText(other, view.kind === 'last' ? `last ${duration(view.seconds * 1000)}` : 'chosen range');
    }
    if (select.value !== value) select.value = value;
    setText(back, live ? 'Back to live' : 'Whole run');
    back.classList.toggle('gone', view.kind !== 'range');
    take(id, range, now);
  };
  /** @param {number | null} time of the row pointed at @param {string} event what happened there */
  const point = (time, event) => {
    setText(cursor, time === null ? '' : `${clock(time, true)}${event && ` · ${event}`}`);
  };
  return { render, point };
}
