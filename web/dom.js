// SPDX-License-Identifier: MIT OR Unlicense
// dom: making elements. Text is always set as text: names come from strangers.

/** @template {keyof HTMLElementTagNameMap} K
 *  @param {K} tag @param {{class?: string, text?: string, [attribute: string]: string | undefined}} [set]
 *  @param {...(Node | string)} children @returns {HTMLElementTagNameMap[K]} */
export function el(tag, set = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(set)) {
    if (value === undefined) continue;
    if (name === 'text') node.textContent = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Writes only what differs, so that nothing is laid out, or read aloud, anew for nothing.
 *  @param {Node} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {Element} node @param {string} name @param {string | null} value null removes it */
export function setAttribute(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** Makes `parent` hold exactly these, in this order, moving only what is out of place: focus and scroll stay.
 *  @param {Element} parent @param {Element[]} children */
export function arrange(parent, children) {
  const keep = new Set(children);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  let at = parent.firstElementChild;
  for (const child of children) {
    if (at === child) at = at.nextElementSibling;
    else parent.insertBefore(child, at);
  }
}

/** Must be in index.html. @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`index.html has no #${id}`);
  return node;
}
