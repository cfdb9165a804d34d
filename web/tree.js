// SPDX-License-Identifier: MIT OR Unlicense
// tree: applications and their runs. One list of rows, of which only those in view exist, so that thousands of runs cost no
// more than thirty; an ARIA tree with one tab stop, since no reader wants to tab through them.

import { chosen, toggleChosen, watchChosen } from './chosen.js';
import { arrange, el, setAttribute, setText } from './dom.js';
import { date, clock, moment, number, roughly } from './format.js';
import { between, heightOf, rowsOf, step } from './treerows.js';
import { format } from './url.js';

const FEW = 12;    // runs of an application that are listed at first
const AHEAD = 200; // pixels drawn beyond what is in view
const FINE = { app: 32, run: 42, more: 30 };
const COARSE = { app: 44, run: 50, more: 44 }; // for fingers

/** @typedef {import('./model.js').App} App
 *  @typedef {import('./treerows.js').Row} Row
 *  @typedef {{apps: App[], selected: string | null, now: number, searching: boolean}} Shown */

/** @param {HTMLElement} place */
export function makeTree(place) {
  const list = el('div', { class: 'rows', role: 'presentation' });
  const nothing = el('p', { class: 'hint', text: 'No run matches.' });
  const fingers = matchMedia('(pointer: coarse)');
  /** @type {Map<string, ReturnType<typeof makeNode>>} */
  const nodes = new Map();
  const folded = /** @type {Set<string>} */ (new Set());
  const whole = /** @type {Set<string>} */ (new Set()); // applications of which all runs are listed
  /** @type {Shown} */
  let shown = { apps: [], selected: null, now: 0, searching: false };
  /** @type {Row[]} */
  let rows = [];
  let active = '';   // the row with the tab stop
  let revealed = ''; // the run that was scrolled to

  place.setAttribute('role', 'tree');
  place.setAttribute('aria-label', 'Runs');
  place.append(list);

  function lay() {
    const all = shown.searching;
    rows = rowsOf(shown.apps, { folded: all ? new Set() : folded, whole, few: all ? Infinity : FEW, heights: fingers.matches ? COARSE : FINE });
    list.style.height = `${heightOf(rows)}px`;
    const find = (/** @type {string | null} */ key) => rows.find((r) => r.key === key);
    if (!find(active)) active = (find(shown.selected) ?? rows[0])?.key ?? '';
  }

  function draw() {
    const from = place.scrollTop;
    const seen = between(rows, from - AHEAD, from + place.clientHeight + AHEAD);
    const held = rows.find((r) => r.key === active); // keeps the tab stop, and the focus if it has it
    if (held && !seen.includes(held)) seen[held.top < from ? 'unshift' : 'push'](held);
    const keys = new Set(seen.map((r) => r.key));
    for (const key of nodes.keys()) if (!keys.has(key)) nodes.delete(key);
    arrange(list, seen.map((row) => {
      const node = nodes.get(row.key) ?? makeNode(row);
      nodes.set(row.key, node);
      node.render(row, { ...shown, active: row.key === active });
      return node.node;
    }));
    place.classList.toggle('choosing', chosen().length > 0);
    if (rows.length === 0) place.append(nothing);
    else nothing.remove();
  }

  /** What is in view stays where it is while rows come and go above it. @param {() => void} change */
  function holding(change) {
    const anchor = place.scrollTop > 0 ? between(rows, place.scrollTop, place.scrollTop + 1)[0] : undefined;
    change();
    const after = anchor && rows.find((r) => r.key === anchor.key);
    if (after && after.top !== anchor.top) place.scrollTop += after.top - anchor.top;
    draw();
  }

  /** @param {Row} row */
  function reveal(row) {
    if (row.top < place.scrollTop) place.scrollTop = row.top;
    const below = row.top + row.height - place.clientHeight;
    if (below > place.scrollTop) place.scrollTop = below;
  }

  /** @param {Row} row @param {boolean} [fold] */
  function turn(row, fold = !folded.has(row.app)) {
    if (row.kind === 'more') {
      whole.add(row.app);
      active = rows[rows.indexOf(row) - 1]?.key ?? active;
    } else if (fold) folded.add(row.app);
    else folded.delete(row.app);
    holding(lay);
    nodes.get(active)?.node.focus({ preventScroll: true });
  }

  /** @param {Event} event */
  const rowOf = (event) => rows.find((r) => r.key === /** @type {Element} */ (event.target).closest('[role=treeitem]')?.getAttribute('data-key'));

  place.addEventListener('keydown', (event) => {
    const row = rowOf(event);
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const press = event.key === 'Enter' || event.key === ' ';
    if (press && row.kind === 'run' && event.key === 'Enter') return; // a link
    const to = step(rows, rows.indexOf(row), event.key);
    if (!press && !to) return;
    event.preventDefault();
    event.stopPropagation();
    if (press && row.kind === 'run') pick(row.run.id);
    else if (press) turn(row);
    else if (to?.fold !== undefined) turn(row, to.fold);
    else if (to) go(/** @type {Row} */ (rows[to.to]));
  });

  /** @param {string} id */
  const pick = (id) => (id !== shown.selected || chosen().includes(id)) && toggleChosen(id);

  /** @param {Row} row */
  function go(row) {
    active = row.key;
    reveal(row);
    draw();
    nodes.get(row.key)?.node.focus({ preventScroll: true });
  }

  place.addEventListener('click', (event) => {
    const row = rowOf(event);
    if (!row) return;
    active = row.key;
    if (row.kind !== 'run') return turn(row);
    if (!(/** @type {Element} */ (event.target).closest('.pick'))) return;
    event.preventDefault();
    pick(row.run.id);
  });
  place.addEventListener('focusin', (event) => {
    const row = rowOf(event);
    if (row) active = row.key;
  });
  place.addEventListener('scroll', () => requestAnimationFrame(draw), { passive: true });
  new ResizeObserver(() => draw()).observe(place);
  fingers.addEventListener('change', () => holding(lay));
  watchChosen(draw);

  /** The run that is shown is listed, wherever it is: its application unfolded, and all its runs if it is not among the few. */
  function unfold() {
    const app = shown.apps.find(({ runs }) => runs.some((r) => r.id === shown.selected));
    if (!app || rows.some((r) => r.key === shown.selected)) return;
    folded.delete(app.app);
    whole.add(app.app);
    lay();
  }

  /** @param {Shown} next */
  return (next) => {
    shown = next;
    holding(lay);
    if (!shown.selected || revealed === shown.selected) return;
    unfold();
    const selected = rows.find((r) => r.key === shown.selected);
    if (!selected) return;
    revealed = active = selected.key;
    reveal(selected);
    draw();
  };
}

/** @typedef {Shown & {active: boolean}} Around */

/** @param {Row} row */
function makeNode(row) {
  if (row.kind === 'run') return placed(makeRun(row.run.id), 2);
  return row.kind === 'app' ? placed(makeApp(row.app), 1) : placed(makeMore(), 2);
}

/** @template {Row} R @param {{node: HTMLElement, render: (row: R, around: Around) => void}} part @param {number} level */
function placed({ node, render }, level) {
  setAttribute(node, 'role', 'treeitem');
  setAttribute(node, 'aria-level', String(level));
  return {
    node,
    /** @param {Row} row @param {Around} around */
    render(row, around) {
      node.style.top = `${row.top}px`;
      node.style.height = `${row.height}px`;
      setAttribute(node, 'data-key', row.key);
      setAttribute(node, 'aria-posinset', String(row.place));
      setAttribute(node, 'aria-setsize', String(row.of));
      setAttribute(node, 'tabindex', around.active ? '0' : '-1');
      render(/** @type {R} */ (row), around);
    },
  };
}

/** @param {string} name */
function makeApp(name) {
  const count = el('span', { class: 'count' });
  const node = el('div', { class: 'app' }, el('span', { class: 'name', text: name, title: name }), count);
  return {
    node,
    /** @param {import('./treerows.js').AppRow} row */
    render(row) {
      setAttribute(node, 'aria-expanded', String(row.open));
      setText(count, row.live > 0 ? `${row.live} live of ${number(row.total)}` : number(row.total));
    },
  };
}

function makeMore() {
  const node = el('div', { class: 'more' });
  return {
    node,
    /** @param {import('./treerows.js').MoreRow} row */
    render: (row) => setText(node, `${number(row.hidden)} more`),
  };
}

/** @param {string} id */
function makeRun(id) {
  const part = (/** @type {string} */ name) => el('span', { class: name });
  const dot = el('span', { class: 'dot', 'aria-hidden': 'true' });
  const [when, long, pinned, state, count, lost, words] = [part('when'), part('long'), part('pinned'), part('state'), part('rows'), part('lost'), part('words')];
  const node = el('a', { class: 'run', href: format({ run: id, view: null }) },
    el('span', { class: 'pick', 'aria-hidden': 'true', title: 'Compare (Space)' }), dot, when, long,
    el('span', { class: 'about' }, pinned, state, count, lost, words));
  /** @param {import('./treerows.js').RunRow} row @param {Around} around */
  function render({ run }, { selected, now }) {
    setAttribute(dot, 'data-state', run.state);
    setAttribute(node, 'data-app', run.app);
    setText(when, moment(run.started, now));
    setText(long, roughly(run.last - run.started));
    setText(pinned, run.pinned ? 'pinned' : '');
    setText(state, run.state);
    setText(count, `${number(run.rows)} ${run.rows === 1 ? 'row' : 'rows'}`);
    setText(lost, run.lost > 0 ? `${number(run.lost)} lost` : '');
    setText(words, run.note || tagsOf(run));
    setAttribute(node, 'aria-current', run.id === selected ? 'page' : null);
    const [picked, shown] = [chosen().includes(run.id), run.id === selected];
    setAttribute(node, 'aria-checked', shown && !picked ? null : String(picked)); // what is shown is compared in any case
    setAttribute(node, 'title', [`started ${date(run.started)} ${clock(run.started)}`, tagsOf(run), run.note].filter(Boolean).join('\n'));
  }
  return { node, render };
}

/** @param {import('./model.js').Run} run */
const tagsOf = (run) => Object.entries(run.tags).map(([k, v]) => `${k}=${v}`).join(' ');
