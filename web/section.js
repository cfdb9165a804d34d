// SPDX-License-Identifier: MIT OR Unlicense
// section: one group of charts under its title, as wide as they need; that of counters can show all of them as rates.

import { arrange, bring, el, setAttribute } from './dom.js';

/** @typedef {import('./card.js').Card} Card
 *  @typedef {import('./groups.js').Group} Group */

/** @param {Group} group @param {(names: string[], on: boolean) => void} rate */
export function makeSection({ title, kind }, rate) {
  const grid = el('div', { class: 'grid' });
  const heading = el('h3', { text: title, tabindex: '-1' });
  const button = el('button', { type: 'button', class: 'link', text: 'per second', title: 'Show how fast these counters grow, in place of their values' });
  const node = el('section', { 'aria-label': title }, el('header', {}, heading, ...(kind === 'counters' ? [button] : [])), grid);
  let names = /** @type {string[]} */ ([]);
  let all = false;
  button.addEventListener('click', () => rate(names, !all));
  /** @param {Card[]} cards @param {Element[]} first what stands before them */
  const show = (cards, first) => {
    names = cards.map((card) => card.column.name);
    all = cards.every((card) => card.rate);
    setAttribute(button, 'aria-pressed', String(all));
    node.style.setProperty('--wide', String(widthOf(cards.length, first.length)));
    arrange(grid, [...first, ...cards.map((card) => card.node)]);
    return node;
  };
  const focus = () => {
    bring(node, 'start');
    heading.focus({ preventScroll: true });
  };
  return { show, focus };
}

/** How many columns of the board hold a group without a gap: a heat map takes two, and two rows. @param {number} cards @param {number} heats */
const widthOf = (cards, heats) => (heats > 0 ? 2 * heats + Math.ceil(cards / 2) : cards);
