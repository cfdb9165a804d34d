// SPDX-License-Identifier: MIT OR Unlicense
// matrix: the heat map of correlations: a grid that the arrow keys walk, Enter or a click opens the pair.

import { arrange, el, setText } from './dom.js';
import { number } from './format.js';
import { coefficient, pairOf, strength } from './relation.js';

/** @typedef {import('./relation.js').Correlation} Correlation */

const ROOM_FOR_R = 16;   // columns: with more, the cells are too small for a number
const MOVES = new Map([['ArrowUp', [-1, 0]], ['ArrowDown', [1, 0]], ['ArrowLeft', [0, -1]], ['ArrowRight', [0, 1]]]);

/** @param {(x: string, y: string) => void} open */
export function makeMatrix(open) {
  const told = el('p', { class: 'told', 'aria-hidden': 'true' });
  const table = el('table', { class: 'matrix', role: 'grid', 'aria-label': 'Correlation of each two columns' });
  const node = el('div', {}, el('div', { class: 'scroll' }, table), el('div', { class: 'under' }, told, scale()));
  /** @type {Correlation | null} */
  let shown = null;
  let at = [1, 0];
  let opened = '';

  /** @param {HTMLElement} cell @returns {[number, number]} */
  const placeOf = (cell) => [Number(cell.dataset.row), Number(cell.dataset.column)];

  /** @param {EventTarget | null} target */
  const cellOf = (target) => /** @type {HTMLElement | null} */ (target instanceof Element ? target.closest('td[data-row]') : null);

  /** @param {HTMLElement | null} cell */
  function tell(cell) {
    setText(told, cell && shown ? sentence(shown, ...placeOf(cell)) : 'Point at a cell, or walk there with the arrow keys; Enter shows the points.');
  }

  /** @param {HTMLElement} cell */
  function choose(cell) {
    const [i, j] = placeOf(cell);
    const [x, y] = [shown?.columns[j], shown?.columns[i]];
    if (x !== undefined && y !== undefined && i !== j) open(x, y);
  }

  /** @param {number} row @param {number} column */
  function focus(row, column) {
    const next = /** @type {HTMLElement | null} */ (table.querySelector(`td[data-row="${row}"][data-column="${column}"]`));
    if (!next) return;
    table.querySelector('td[tabindex="0"]')?.setAttribute('tabindex', '-1');
    next.setAttribute('tabindex', '0');
    next.focus();
    at = [row, column];
  }

  table.addEventListener('click', (event) => {
    const cell = cellOf(event.target);
    if (!cell) return;
    focus(...placeOf(cell));
    choose(cell);
  });
  table.addEventListener('keydown', (event) => {
    const cell = cellOf(event.target);
    const move = MOVES.get(event.key);
    if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
    const [row, column] = placeOf(cell);
    if (move) focus(row + /** @type {number} */ (move[0]), column + /** @type {number} */ (move[1]));
    else if (event.key === 'Enter' || event.key === ' ') choose(cell);
    else return;
    event.preventDefault();
    event.stopPropagation(); // these keys mean something for the charts, too
  });
  table.addEventListener('mouseover', (event) => tell(cellOf(event.target)));
  table.addEventListener('mouseleave', () => tell(null));
  table.addEventListener('focusin', (event) => tell(cellOf(event.target)));
  table.addEventListener('focusout', () => tell(null));
  tell(null);

  /** @param {Correlation} c */
  function build(c) {
    const had = table.contains(document.activeElement);
    shown = c;
    at = at.map((i) => Math.min(i, c.columns.length - 1));
    table.style.setProperty('--columns', String(c.columns.length));
    table.classList.toggle('dense', c.columns.length > ROOM_FOR_R);
    arrange(table, [head(c), body(c, at)]);
    if (had) focus(/** @type {number} */ (at[0]), /** @type {number} */ (at[1]));
  }

  /** @param {Correlation} c @param {[string, string] | null} pair */
  function render(c, pair) {
    const open = JSON.stringify(pair);
    if (shown === c && open === opened) return;
    opened = open;
    if (shown !== c) build(c);
    for (const cell of /** @type {NodeListOf<HTMLElement>} */ (table.querySelectorAll('tbody td'))) {
      const [i, j] = placeOf(cell);
      const names = [c.columns[i], c.columns[j]];
      cell.classList.toggle('open', pair !== null && i !== j && pair.every((name) => names.includes(name)));
    }
  }
  return { node, render };
}

/** @param {Correlation} c */
function head(c) {
  return el('thead', {}, el('tr', {}, el('td'),
    ...c.columns.map((name) => el('th', { scope: 'col' }, el('span', { text: name, title: name })))));
}

/** @param {Correlation} c @param {number[]} at */
function body(c, at) {
  return el('tbody', {}, ...c.columns.map((name, i) => el('tr', {}, el('th', { scope: 'row', text: name, title: name }),
    ...c.columns.map((_, j) => cell(c, i, j, at[0] === i && at[1] === j)))));
}

/** @param {Correlation} c @param {number} i @param {number} j @param {boolean} first to be reached by the tab key */
function cell(c, i, j, first) {
  const { r } = pairOf(c, i, j);
  const few = c.columns.length <= ROOM_FOR_R;
  const td = el('td', { 'data-row': String(i), 'data-column': String(j), tabindex: first ? '0' : '-1', 'aria-label': sentence(c, i, j),
    ...(i === j && { class: 'same' }) }, i === j || !few ? '' : coefficient(r));
  if (r !== null && i !== j) {
    td.style.setProperty('--r', `${Math.round(Math.abs(r) * 100)}%`);
    td.dataset.sign = r < 0 ? 'minus' : 'plus';
  }
  return td;
}

/** @param {Correlation} c @param {number} i @param {number} j */
function sentence(c, i, j) {
  if (i === j) return `${c.columns[i]} with itself`;
  const { r, n } = pairOf(c, i, j);
  return `${c.columns[i]} and ${c.columns[j]}: r = ${coefficient(r)} (${strength(r)}), n = ${number(n)}`;
}

function scale() {
  return el('div', { class: 'scale', 'aria-hidden': 'true' }, el('span', { text: '\u22121' }), el('span', { class: 'ramp' }), el('span', { text: '+1' }));
}
