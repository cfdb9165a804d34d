// SPDX-License-Identifier: MIT OR Unlicense
// finder: the search box, and what may be written into it.

import { el, setAttribute, setText } from './dom.js';
import { makePanel } from './panel.js';
import { KEYS, compile } from './search.js';

/** @param {HTMLElement} place @param {() => void} changed called when something else is searched
 *  @returns {{hide: (hidden: boolean) => void, query: () => string, search: (query: string) => void,
 *    test: (now: number) => import('./search.js').Test | null}} */
export function makeFinder(place, changed) {
  const input = el('input', { type: 'search', id: 'search', placeholder: 'Find runs', 'aria-label': 'Find runs',
    'aria-describedby': 'searchtrouble', autocomplete: 'off', spellcheck: 'false' });
  const trouble = el('p', { class: 'hint', id: 'searchtrouble' });
  const button = el('button', { type: 'button', class: 'quiet round', 'aria-label': 'How to search', text: '?' });
  const help = makePanel(button, 'How to search');
  place.append(el('div', { class: 'searchline' }, input, button), help, trouble);
  input.addEventListener('input', changed);

  help.addEventListener('beforetoggle', () => help.append(el('ul', { class: 'searchhelp' }, ...KEYS.map(([example, meaning]) => {
    const use = el('button', { type: 'button', class: 'code', text: example });
    use.addEventListener('click', () => {
      input.value = example;
      help.hidePopover();
      input.focus();
      changed();
    });
    return el('li', {}, use, el('span', { text: meaning }));
  }))), { once: true });
  return {
    hide: (hidden) => { place.hidden = hidden; },
    query: () => input.value.trim(),
    search: (query) => { if (query !== input.value.trim()) input.value = query; },
    test(now) {
      const { test, trouble: what } = compile(input.value, now);
      setText(trouble, what);
      setAttribute(input, 'aria-invalid', what ? 'true' : null);
      return test;
    },
  };
}
