// SPDX-License-Identifier: MIT OR Unlicense
// hidden: the names of the charts that were hidden, below the others; a click brings one back.

import { el } from './dom.js';

/** @param {(names: string[]) => void} bring */
export function makeHidden(bring) {
  const list = el('ul');
  const node = el('section', { class: 'hidden-charts', 'aria-label': 'Hidden charts' }, el('h3', { text: 'Hidden' }), list);
  /** @param {string} text @param {string[]} names */
  const button = (text, names) => {
    const it = el('button', { type: 'button', class: 'quiet', text, title: 'Show again' });
    it.addEventListener('click', () => bring(names));
    return el('li', {}, it);
  };
  return {
    /** @param {string[]} names of this run's columns */
    show(names) {
      node.hidden = names.length === 0;
      list.replaceChildren(...names.map((name) => button(name, [name])), ...(names.length > 1 ? [button('All', names)] : []));
      return node;
    },
  };
}
