// SPDX-License-Identifier: MIT OR Unlicense
// dom: making elements, and fitting them in. Text is always set as text: names come from strangers.

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

const PAPER = 680; // CSS pixels between the margins of A4 or Letter

/** For what stands side by side where there is room, and below one another where there is not: draws into `node`, and anew as
 *  its width changes. What has the focus is found again by its data-key.
 *  @param {HTMLElement} node @param {(narrow: boolean) => void} draw @returns {(again?: boolean) => void} to be called when
 *  there is something new to draw; `again`: which needs as much room as before */
export function makeFit(node, draw) {
  let narrow = false;
  let needs = 0; // CSS pixels, side by side
  let begun = false;

  /** @param {boolean} how */
  function lay(how) {
    narrow = how;
    draw(how);
  }

  function settle() {
    if (!begun || node.clientWidth === 0 || (narrow && node.clientWidth < needs)) return;
    if (narrow) lay(false);
    needs = node.scrollWidth;
    if (needs > node.clientWidth) lay(true);
  }

  /** @param {() => void} change */
  function keepingFocus(change) {
    const active = document.activeElement;
    const key = active instanceof HTMLElement && node.contains(active) ? active.dataset.key : undefined;
    change();
    if (key === undefined || node.contains(document.activeElement)) return;
    const same = /** @type {HTMLElement | null} */ (node.querySelector(`[data-key="${CSS.escape(key)}"]`));
    same?.focus({ preventScroll: true });
  }

  new ResizeObserver(() => keepingFocus(settle)).observe(node);
  window.addEventListener('beforeprint', () => {
    if (begun && !narrow && [...node.children].some((child) => child.clientWidth > PAPER)) lay(true);
  });
  window.addEventListener('afterprint', () => {
    needs = 0; // as far as is known of the screen
    settle();
  });
  return (again = false) => keepingFocus(() => {
    begun = true;
    lay(again && narrow);
    if (!again) settle();
  });
}

/** Scrolls there, at once for those who want no motion. @param {Element} node @param {ScrollLogicalPosition} block */
export function bring(node, block) {
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  node.scrollIntoView({ behavior: still ? 'auto' : 'smooth', block });
}

/** Must be in index.html. @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`index.html has no #${id}`);
  return node;
}
