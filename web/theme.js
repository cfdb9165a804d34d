// SPDX-License-Identifier: MIT OR Unlicense
// theme: light or dark, as the system is or as the reader chose; the choice is kept in this browser.

const KEY = 'mnemic.theme';
const system = matchMedia('(prefers-color-scheme: dark)');
/** @type {Set<() => void>} */
const watchers = new Set();

/** @typedef {'system' | 'light' | 'dark'} Theme */
/** @type {Theme[]} */
export const THEMES = ['system', 'light', 'dark'];

let chosen = /** @type {Theme} */ ('system');
export const chosenTheme = () => chosen;

/** @param {Theme} theme */
export function chooseTheme(theme) {
  apply(theme);
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // A browser that keeps nothing shows the choice until the page is left.
  }
}

/** Colours that a script has read from the style are out of date when this calls. @param {() => void} changed */
export function watchTheme(changed) {
  watchers.add(changed);
}

/** @param {string | null} theme */
function apply(theme) {
  chosen = THEMES.find((t) => t === theme) ?? 'system';
  wear(chosen);
}

/** @param {Theme} theme */
function wear(theme) {
  document.documentElement.dataset.theme = theme;
  for (const changed of watchers) changed();
}

/** @returns {string | null} */
function kept() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** Once, at the beginning. */
export function wearTheme() {
  apply(kept());
  system.addEventListener('change', () => watchers.forEach((changed) => changed()));
  window.addEventListener('storage', (event) => event.key === KEY && apply(event.newValue)); // another tab chose
  window.addEventListener('beforeprint', () => wear('light')); // paper is white
  window.addEventListener('afterprint', () => wear(chosen));
}
