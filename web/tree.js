// SPDX-License-Identifier: MIT OR Unlicense
// tree: applications and their runs, as nested lists of links: any keyboard and screen reader knows them.

import { arrange, el, setAttribute, setText } from './dom.js';
import { date, moment, number, roughly } from './format.js';
import { format } from './url.js';

const FEW = 30; // runs of an application that are listed at first

/** @typedef {import('./model.js').App} App
 *  @typedef {import('./model.js').Run} Run */

/** @param {Element} place @returns {(apps: App[], selected: string | null, now: number) => void} render */
export function makeTree(place) {
  /** @type {Map<string, ReturnType<typeof makeApp>>} */
  const parts = new Map();
  const nothing = el('p', { class: 'hint', text: 'No run matches.' });
  return (apps, selected, now) => {
    const names = new Set(apps.map((a) => a.app));
    for (const name of parts.keys()) if (!names.has(name)) parts.delete(name);
    const nodes = apps.map((app) => {
      const part = parts.get(app.app) ?? makeApp(app.app);
      parts.set(app.app, part);
      part.render(app.runs, selected, now);
      return part.node;
    });
    arrange(place, nodes.length > 0 ? nodes : [nothing]);
  };
}

/** @param {string} name */
function makeApp(name) {
  const count = el('span', { class: 'count' });
  const list = el('ul');
  const node = el('details', { class: 'app', open: '' },
    el('summary', {}, el('span', { class: 'name', text: name, title: name }), count), list);
  /** @type {Map<string, ReturnType<typeof makeRun>>} */
  const items = new Map();
  const more = el('button', { type: 'button', class: 'more' });
  const rest = el('li', {}, more);
  let all = false;
  let again = () => {};
  more.addEventListener('click', () => {
    all = true;
    again();
  });
  /** @param {Run[]} runs @param {string | null} selected @param {number} now */
  function render(runs, selected, now) {
    again = () => render(runs, selected, now);
    all ||= runs.findIndex((r) => r.id === selected) >= FEW;
    const live = runs.filter((r) => r.state === 'live').length;
    setText(count, live > 0 ? `${live} live of ${runs.length}` : String(runs.length));
    const ids = new Set(runs.map((r) => r.id));
    for (const id of items.keys()) if (!ids.has(id)) items.delete(id);
    const nodes = runs.slice(0, all ? runs.length : FEW).map((run) => {
      const item = items.get(run.id) ?? makeRun(run.id);
      items.set(run.id, item);
      item.render(run, run.id === selected, now);
      return item.node;
    });
    setText(more, `${runs.length - FEW} more`);
    arrange(list, nodes.length < runs.length ? [...nodes, rest] : nodes);
  }
  return { node, render };
}

/** @param {string} id */
function makeRun(id) {
  const dot = el('span', { class: 'dot', 'aria-hidden': 'true' });
  const when = el('span', { class: 'when' });
  const state = el('span', { class: 'state' });
  const long = el('span', { class: 'long' });
  const link = el('a', { href: format({ run: id, view: null }) }, dot, when, state, long);
  const node = el('li', {}, link);
  /** @param {Run} run @param {boolean} selected @param {number} now */
  function render(run, selected, now) {
    setAttribute(dot, 'data-state', run.state);
    setText(when, moment(run.started, now));
    setText(state, run.state);
    setText(long, run.state === 'live' ? '' : roughly(run.last - run.started));
    setAttribute(link, 'aria-current', selected ? 'page' : null);
    setAttribute(link, 'title', `started ${date(run.started)}, ${number(run.rows)} rows${run.note ? ` – ${run.note}` : ''}`);
  }
  return { node, render };
}
