// SPDX-License-Identifier: MIT OR Unlicense
// keys: what the keyboard does on the charts, and the dialog that lists it, made of the same table.

import { el } from './dom.js';

/** `keys` as KeyboardEvent.key names them, `label` as people do. @typedef {{keys: string[], label: string, text: string, run: () => void}} Binding */

/** What the pointer does, for the same dialog. @type {[label: string, text: string][]} */
const POINTER = [
  ['drag', 'zoom to a range'],
  ['double-click', 'back to what was shown before, live if the run is'],
  ['Shift or Alt + drag', 'pan; so does the middle button'],
  ['Ctrl + wheel, pinch', 'zoom where the pointer is; the wheel alone does, too, on a chart that was clicked'],
  ['Shift + wheel, sideways', 'pan; so does one finger'],
  ['lower edge of a chart', 'drag to make it taller, with Shift all charts'],
  ['⋯ on a chart', 'logarithmic, rate, pin, hide, table of its values'],
];

/** What the tree does (tree.js). @type {[label: string, text: string][]} */
const RUNS = [
  ['↑ ↓ ← →', 'from run to run; fold and unfold an application'],
  ['Enter', 'show the run'],
  ['Space', 'compare it with the one that is shown'],
];

/** @param {Binding[]} bindings @returns {() => void} shows the dialog */
export function watchKeys(bindings) {
  let dialog = /** @type {HTMLDialogElement | null} */ (null);
  function show() {
    if (!dialog) document.body.append(dialog = makeDialog(bindings));
    if (!dialog.open) dialog.showModal();
  }
  const all = [...bindings, { keys: ['?'], label: '?', text: '', run: show }];
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || takesKeys(event.target)) return;
    const binding = all.find(({ keys }) => keys.includes(event.key));
    if (!binding) return;
    event.preventDefault();
    binding.run();
  });
  return show;
}

/** Where one types, chooses or reads, keys have their usual meaning. @param {EventTarget | null} target */
const takesKeys = (target) => target instanceof Element &&
  (target.matches('.scroll') || target.closest('input, select, textarea, [contenteditable], dialog, [role=menu]') !== null);

/** @param {Binding[]} bindings */
function makeDialog(bindings) {
  const close = el('button', { type: 'button', class: 'quiet', text: 'Close' });
  /** @param {string} title @param {[label: string, text: string][]} lines */
  const list = (title, lines) => [el('h3', { text: title }),
    el('dl', {}, ...lines.map(([label, text]) => el('div', {}, el('dt', { text: label }), el('dd', { text }))))];
  const dialog = el('dialog', { class: 'keys', 'aria-labelledby': 'keys-title' },
    el('header', {}, el('h2', { id: 'keys-title', text: 'Moving about' }), close),
    ...list('Keys', [...bindings.map(({ label, text }) => /** @type {[string, string]} */ ([label, text])), ['?', 'this list']]),
    ...list('In the list of runs', RUNS), ...list('Pointer and touch', POINTER));
  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  return dialog;
}
