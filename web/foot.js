// SPDX-License-Identifier: MIT OR Unlicense
// foot: what the server says of itself, and the choice of light or dark, below the tree.

import { el, setAttribute, setText } from './dom.js';
import { duration, number, text } from './format.js';
import { THEMES, chooseTheme, chosenTheme, watchTheme } from './theme.js';

/** @typedef {import('./model.js').Status} Status */

/** @param {Element} place @returns {(status: Status | null) => void} render */
export function makeFoot(place) {
  const about = el('span', { class: 'hint' });
  const names = { system: 'System theme', light: 'Light theme', dark: 'Dark theme' };
  const select = el('select', { 'aria-label': 'Theme' }, ...THEMES.map((theme) => el('option', { value: theme, text: names[theme] })));
  const show = () => { select.value = chosenTheme(); };
  select.addEventListener('change', () => chooseTheme(THEMES[select.selectedIndex] ?? 'system'));
  watchTheme(show);
  show();
  place.append(about, select);
  return (status) => {
    setText(about, status ? sentence(status) : '');
    setAttribute(about, 'title', status ? details(status) : null);
  };
}

/** @param {Status} status */
function sentence({ version, store, behind, waiting_bytes: waiting }) {
  if (behind) return `${text(waiting, 'B')} wait for storage`;
  return `${version} · ${store === 'sqlite' ? 'SQLite' : store === 'postgresql' ? 'PostgreSQL' : store}`;
}

/** @param {Status} status */
function details({ version, store, waiting_bytes: waiting, rows_dropped: dropped, retain_seconds: retain }) {
  return [`mnemic ${version}, storing with ${store}`, waiting > 0 ? `${text(waiting, 'B')} wait to be written` : '',
    dropped > 0 ? `${number(dropped)} rows could not be kept` : '',
    retain === null ? 'runs are kept until they are deleted' : `runs are kept for ${duration(retain * 1000)}, pinned ones longer`].filter(Boolean).join('\n');
}
