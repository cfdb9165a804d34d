// SPDX-License-Identifier: MIT OR Unlicense
// options: what can be done with one chart, as the items of its menu.

import { showTable } from './datatable.js';
import { marked } from './look.js';
import { savePicture } from './save.js';

/** @typedef {import('./card.js').Card} Card
 *  @typedef {import('./menu.js').Item} Item
 *  @typedef {{look: import('./look.js').Look, feed: import('./feed.js').Feed | null,
 *    on: {dress: (look: import('./look.js').Look) => void}}} Around the board */

/** @param {Card} card @param {Around} board @returns {Item[]} */
export function optionsOf(card, board) {
  const { name, kind } = card.column;
  /** @param {import('./look.js').Mark} mark @param {string} text @param {string} title @returns {Item} */
  const toggle = (mark, text, title) => {
    const on = board.look[mark].includes(name);
    return { text, title, on, run: () => board.on.dress(marked(board.look, mark, [name], !on)) };
  };
  return [
    toggle('rate', kind === 'counter' ? 'Rate per second' : 'Change per second', 'How fast the value grows, in place of the value'),
    toggle('log', 'Logarithmic axis', 'Equal distances are equal factors; values that are not above 0 cannot be shown'),
    toggle('pin', 'Pin to the top', 'Among the first charts, for other runs of the program too'),
    { text: 'Table of values', title: 'What the chart shows, as numbers', run: () => board.feed && showTable(card, board.feed.range, Date.now()) },
    { text: 'Save as PNG', title: 'This chart as a picture', run: () => board.feed && savePicture(card, board.feed, 'png') },
    { text: 'Save as SVG', title: 'This chart as a drawing that stays sharp at any size', run: () => board.feed && savePicture(card, board.feed, 'svg') },
    { text: 'Hide', title: 'A button below the charts brings it back', run: () => board.on.dress(marked(board.look, 'hide', [name], true)) },
  ];
}
