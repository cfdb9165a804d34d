// SPDX-License-Identifier: MIT OR Unlicense
// menu: a chart's options, as a list that opens beside its button. One for the whole page.

import { el } from './dom.js';

/** `on`: checked or not, absent for a plain command. @typedef {{text: string, title: string, on?: boolean, run: () => void}} Item */

const PRESS_MS = 50;

/** @returns {(press: MouseEvent, items: Item[]) => void} opens it beside the button that was pressed */
export function makeMenu() {
  const node = el('div', { class: 'options', role: 'menu', popover: 'auto' });
  document.body.append(node);
  /** @type {HTMLElement | null} */
  let opener = null;
  let closed = -Infinity; // when; a press beside the menu closes it, and the click of that press must not open it anew

  node.addEventListener('keydown', (event) => {
    const items = [...node.querySelectorAll('button')];
    const at = items.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === 'Tab') node.hidePopover();
    event.stopPropagation(); // the page's own keys rest while a menu is open
    if (to === undefined) return;
    event.preventDefault();
    items[(to + items.length) % items.length]?.focus();
  });
  node.addEventListener('beforetoggle', (event) => {
    const open = /** @type {ToggleEvent} */ (event).newState === 'open';
    opener?.setAttribute('aria-expanded', String(open));
    if (!open) closed = event.timeStamp;
    if (!open && node.contains(document.activeElement)) opener?.focus();
  });

  return (press, items) => {
    const button = /** @type {HTMLElement} */ (press.currentTarget);
    if (opener === button && press.timeStamp - closed < PRESS_MS) return;
    opener = button;
    node.setAttribute('aria-label', button.getAttribute('aria-label') ?? '');
    node.replaceChildren(...items.map((item) => entry(item, () => {
      node.hidePopover();
      button.focus();
      item.run();
    })));
    node.showPopover();
    stand(node, button);
    node.querySelector('button')?.focus();
  };
}

/** @param {Item} item @param {() => void} run */
function entry({ text, title, on }, run) {
  const button = el('button', { type: 'button', title, text, role: on === undefined ? 'menuitem' : 'menuitemcheckbox',
    'aria-checked': on === undefined ? undefined : String(on) });
  button.addEventListener('click', run);
  return button;
}

/** Below the button, or above it where there is more room, within the window. @param {HTMLElement} node @param {HTMLElement} button */
function stand(node, button) {
  const [box, own] = [button.getBoundingClientRect(), node.getBoundingClientRect()];
  const below = box.bottom + own.height + 8 <= innerHeight || box.top < own.height;
  node.style.setProperty('left', `${Math.max(8, Math.min(box.right - own.width, innerWidth - own.width - 8))}px`);
  node.style.setProperty('top', `${below ? box.bottom + 2 : box.top - own.height - 2}px`);
}
