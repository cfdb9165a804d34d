// SPDX-License-Identifier: MIT OR Unlicense
// facts: what is known of the run, above its charts, and what can be done with it.

import { arrange, el, setAttribute, setText } from './dom.js';
import { clock, date, duration, number } from './format.js';

/** @typedef {import('./model.js').RunDetail} RunDetail
 *  @typedef {{edit: (run: RunDetail) => void, pin: (run: RunDetail) => void, remove: (run: RunDetail) => void}} Handlers */

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
  ];
  return facts.filter(([, value]) => value !== '');
}

/** `away`: since when nothing was heard of the server, ms, or null.
 *  @param {Element} place @param {Handlers} on @returns {(run: RunDetail, now: number, away: number | null) => void} render */
export function makeFacts(place, on) {
  const name = el('h2');
  const dot = el('span', { class: 'dot', 'aria-hidden': 'true' });
  const word = el('span');
  const note = el('p', { class: 'note' });
  const list = el('dl');
  // On a narrow screen some facts are folded away.
  const more = el('button', { type: 'button', class: 'quiet more-facts', text: 'More', 'aria-expanded': 'false' });
  more.addEventListener('click', () => setAttribute(more, 'aria-expanded', String(place.classList.toggle('whole'))));
  const actions = makeActions(on, more);
  place.append(el('div', { class: 'title' }, name, el('span', { class: 'state' }, dot, word), actions.node), note, list);
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
  return (run, now, away) => {
    const unsure = away !== null && run.state === 'live';
    setText(name, run.app);
    setAttribute(dot, 'data-state', unsure ? 'unsure' : run.state);
    setText(word, unsure ? 'live when last heard of' : run.state);
    setText(note, run.note);
    actions.render(run);
    arrange(list, factsOf(run, away ?? now).map(([label, value]) => {
      const { node, value: dd } = item(label);
      setText(dd, value);
      setAttribute(dd, 'title', label === 'build' ? run.build : value);
      return node;
    }));
    setAttribute(item('lost').node, 'data-alert', run.lost > 0 ? 'true' : null);
  };
}

/** @param {Handlers} on @param {...Node} more */
function makeActions(on, ...more) {
  const edit = el('button', { type: 'button', class: 'quiet', text: 'Note and tags' });
  const pin = el('button', { type: 'button', class: 'quiet', text: 'Pin', title: 'Pinned runs are listed first, and are never cleared away for their age' });
  const remove = el('button', { type: 'button', class: 'quiet', text: 'Delete' });
  /** @type {RunDetail | null} */
  let shown = null;
  edit.addEventListener('click', () => shown && on.edit(shown));
  pin.addEventListener('click', () => shown && on.pin(shown));
  remove.addEventListener('click', () => shown && on.remove(shown));
  /** @param {RunDetail} run */
  const render = (run) => {
    shown = run;
    setText(pin, run.pinned ? 'Pinned' : 'Pin');
    setAttribute(pin, 'aria-pressed', String(run.pinned));
    const live = run.state === 'live';
    setAttribute(remove, 'aria-disabled', live ? 'true' : null); // it stays in reach, and says why
    setAttribute(remove, 'title', live ? 'A live run cannot be deleted: end the program first' : 'It can be brought back for 10 minutes');
  };
  return { node: el('div', { class: 'actions', role: 'group', 'aria-label': 'This run' }, edit, pin, remove, ...more), render };
}
