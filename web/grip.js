// SPDX-License-Identifier: MIT OR Unlicense
// grip: the lower edge of a chart, by which it is made taller: with the pointer, or by arrow keys. Shift: all charts.

import { el, setAttribute } from './dom.js';
import { HEIGHT } from './look.js';

/** @param {string} name @param {(height: number, all: boolean) => void} tall */
export function makeGrip(name, tall) {
  let height = HEIGHT.usual;
  const node = el('div', { class: 'grip', role: 'separator', tabindex: '0', 'aria-orientation': 'horizontal', 'aria-label': `Height of ${name}`,
    'aria-valuemin': String(HEIGHT.least), 'aria-valuemax': String(HEIGHT.most), title: 'Drag to resize; with Shift all charts; double-click for the usual height' });

  node.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    node.setPointerCapture(event.pointerId);
    const above = event.clientY - height;
    const move = (/** @type {PointerEvent} */ e) => tall(e.clientY - above, e.shiftKey);
    node.addEventListener('pointermove', move);
    node.addEventListener('lostpointercapture', () => node.removeEventListener('pointermove', move), { once: true });
  });
  node.addEventListener('dblclick', (event) => tall(HEIGHT.usual, event.shiftKey));
  node.addEventListener('keydown', (event) => {
    const step = { ArrowUp: -HEIGHT.step, ArrowDown: HEIGHT.step }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    tall(height + step, event.shiftKey);
  });
  return {
    node,
    /** @param {number} pixels */
    set(pixels) {
      height = pixels;
      setAttribute(node, 'aria-valuenow', String(pixels));
    },
  };
}
