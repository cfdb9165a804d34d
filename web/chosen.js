// SPDX-License-Identifier: MIT OR Unlicense
// chosen: the runs picked in the tree to stand beside the one that is shown, in the order they were picked.
// The tree has a box for each; whoever compares watches, and sets what an address says.

/** @type {string[]} */
let ids = [];
/** @type {Set<() => void>} */
const watchers = new Set();

/** @returns {readonly string[]} */
export const chosen = () => ids;

/** Does nothing if these are chosen already: an address and the tree may tell each other without end otherwise.
 *  @param {readonly string[]} next */
export function choose(next) {
  const once = [...new Set(next)];
  if (once.join() === ids.join()) return;
  ids = once;
  for (const changed of watchers) changed();
}

/** @param {string} id */
export const toggleChosen = (id) => choose(ids.includes(id) ? ids.filter((other) => other !== id) : [...ids, id]);

/** @param {() => void} changed */
export function watchChosen(changed) {
  watchers.add(changed);
}
