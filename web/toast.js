// SPDX-License-Identifier: MIT OR Unlicense
// toast: a sentence about what was just done, and how to undo it, for some seconds.

import { el } from './dom.js';

const SECONDS = 10;

/** @typedef {(text: string, undo?: {label: string, run: () => void}) => void} Toast */

/** One at a time: what is new takes the old one's place. @param {HTMLElement} place in a live region @returns {Toast} */
export function makeToast(place) {
  let timer = 0;
  const clear = () => place.replaceChildren();
  const wait = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => (place.matches(':hover, :focus-within') ? wait() : clear()), SECONDS * 1000);
  };
  return (text, undo) => {
    clear();
    const parts = [el('span', { text })];
    if (undo) {
      const button = el('button', { type: 'button', class: 'link', text: undo.label });
      button.addEventListener('click', () => {
        clear();
        undo.run();
      });
      parts.push(button);
    }
    place.append(el('p', { class: 'toast' }, ...parts));
    wait();
  };
}
