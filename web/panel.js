// SPDX-License-Identifier: MIT OR Unlicense
// panel: a small sheet that a button opens beneath itself; the browser closes it by Esc or a click elsewhere.

import { el } from './dom.js';

let made = 0;

/** The button and its panel, which is to be put beside it. @param {HTMLElement} button @param {string} label
 *  @param {...Node} children @returns {HTMLElement} the panel */
export function makePanel(button, label, ...children) {
  const id = `panel${++made}`;
  const panel = el('div', { id, popover: '', class: 'panel', role: 'group', 'aria-label': label }, ...children);
  button.setAttribute('popovertarget', id);
  panel.addEventListener('toggle', (event) => {
    if (/** @type {ToggleEvent} */ (event).newState === 'open') place(panel, button);
  });
  return panel;
}

const EDGE = 8; // pixels that stay free at the edges of the window

/** Beneath the button, or above it where there is more room; within the window. @param {HTMLElement} panel @param {HTMLElement} button */
function place(panel, button) {
  const at = button.getBoundingClientRect();
  const width = document.documentElement.clientWidth;
  const below = innerHeight - at.bottom;
  const left = Math.max(EDGE, Math.min(at.left, width - panel.offsetWidth - EDGE));
  const top = panel.offsetHeight + EDGE <= below || at.top < below ? at.bottom + 4 : Math.max(EDGE, at.top - panel.offsetHeight - 4);
  panel.style.left = `${left}px`;
  panel.style.top = `${top}px`;
  panel.style.maxHeight = `${innerHeight - top - EDGE}px`;
}
