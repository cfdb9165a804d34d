// SPDX-License-Identifier: MIT OR Unlicense
// facts: what is known of the run: the line above its charts.

import { arrange, el, setAttribute, setText } from './dom.js';
import { clock, date, duration, number } from './format.js';

/** @typedef {import('./model.js').RunDetail} RunDetail */

/** @param {RunDetail} run @param {number} now @returns {[label: string, value: string][]} */
function factsOf(run, now) {
  const alive = run.state === 'live';
  const end = alive ? Math.max(now, run.last) : run.last;
  /** @type {[string, string][]} */
  const facts = [
    ['started', `${date(run.started)} ${clock(run.started)}`],
    [alive ? 'running for' : 'ran for', duration(end - run.started)],
    ['rows', number(run.rows)],
    ['lost', number(run.lost)],
    ['interval', run.interval === null ? '' : duration(run.interval * 1000)],
    ['host', run.host],
    ['pid', run.pid === null ? '' : String(run.pid)],
    ['build', run.build.length > 16 ? `${run.build.slice(0, 12)}…` : run.build],
    ['command', run.args],
    ['tags', Object.entries(run.tags).map(([k, v]) => `${k}=${v}`).join(' ')],
    ['note', run.note],
  ];
  return facts.filter(([, value]) => value !== '');
}

/** @param {Element} place @returns {(run: RunDetail, now: number) => void} render */
export function makeFacts(place) {
  const name = el('h2');
  const dot = el('span', { class: 'dot', 'aria-hidden': 'true' });
  const word = el('span');
  const list = el('dl');
  place.append(el('div', { class: 'title' }, name, el('span', { class: 'state' }, dot, word)), list);
  /** @type {Map<string, {node: HTMLElement, value: HTMLElement}>} */
  const items = new Map();
  /** @param {string} label */
  function item(label) {
    const known = items.get(label);
    if (known) return known;
    const value = el('dd');
    const made = { node: el('div', { 'data-fact': label }, el('dt', { text: label }), value), value };
    items.set(label, made);
    return made;
  }
  return (run, now) => {
    setText(name, run.app);
    setAttribute(dot, 'data-state', run.state);
    setText(word, run.state);
    arrange(list, factsOf(run, now).map(([label, value]) => {
      const { node, value: dd } = item(label);
      setText(dd, value);
      setAttribute(dd, 'title', label === 'build' ? run.build : value);
      return node;
    }));
    setAttribute(item('lost').node, 'data-alert', run.lost > 0 ? 'true' : null);
  };
}
