// SPDX-License-Identifier: MIT OR Unlicense
// gestures: wheel, pinch and drag on any chart move all of them. (A plain drag, which marks a range, is uPlot's.)

import { panned, zoomed } from './navigate.js';

/** @typedef {import('./model.js').Range} Range
 *  @typedef {import('./navigate.js').Bounds} Bounds
 *  @typedef {{range: Range, bounds: Bounds}} Scene what is shown, of what there is */

const REST_MS = 300;     // after which a gesture has ended
const LINE = 16;         // pixels of a wheel that counts lines
const PER_PIXEL = 0.002; // of the wheel: its share of a zoom (exponent)
const PINCH = 5;         // a touch pad's pinch comes as a wheel with Ctrl, in small steps
const SLACK = 8;         // pixels that a finger may tremble

/** @param {HTMLElement} place @param {() => Scene | null} scene @param {(range: Range) => void} move */
export function watchGestures(place, scene, move) {
  /** @type {{range: Range, time: number} | null} */
  let last = null;

  /** Where the gesture is by now: what is shown snaps to the newest row, which small steps could never leave. */
  function now() {
    const shown = scene();
    if (shown && last && performance.now() - last.time < REST_MS) return { ...shown, range: last.range };
    return shown;
  }

  /** @param {(range: Range, bounds: Bounds) => Range} change @param {Scene | null} [from] */
  function go(change, from = now()) {
    if (!from) return;
    const range = change(from.range, from.bounds);
    last = { range, time: performance.now() };
    move(range);
  }

  place.addEventListener('wheel', (event) => turn(event, go), { passive: false });
  place.addEventListener('pointerdown', (event) => {
    const over = plotOf(event);
    const pan = event.button === 1 || (event.button === 0 && (event.shiftKey || event.altKey));
    if (over && event.pointerType !== 'touch' && pan) dragPan(over, event, now(), go);
  });
  watchFingers(place, now, go);
}

/** @typedef {(change: (range: Range, bounds: Bounds) => Range, from?: Scene | null) => void} Go */

/** @param {Event} event @returns {HTMLElement | null} */
const plotOf = (event) => (event.target instanceof Element ? event.target.closest('.u-over') : null);

/** The moment under a place of the window. @param {HTMLElement} over @param {number} x @param {Range} range */
function momentAt(over, x, { from, to }) {
  const { left, width } = over.getBoundingClientRect();
  return from + (to - from) * Math.min(1, Math.max(0, (x - left) / width));
}

/* ---- the wheel ---- */

/** Sideways, or with Shift: pan. With Ctrl, or on a chart that was clicked, or where there is nothing to scroll: zoom.
 *  Else the page scrolls, as one expects of a page. @param {WheelEvent} event @param {Go} go */
function turn(event, go) {
  const over = plotOf(event);
  if (!over) return;
  const scale = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1;
  const [x, y] = [event.deltaX * scale, event.deltaY * scale];
  if (event.shiftKey || Math.abs(x) > 1.5 * Math.abs(y)) {
    event.preventDefault();
    return go((range, bounds) => panned(range, (x || y) / over.clientWidth, bounds));
  }
  const page = document.documentElement;
  const taken = over.closest('.plot') === document.activeElement || page.scrollHeight <= page.clientHeight;
  if (!event.ctrlKey && !taken) return;
  event.preventDefault();
  const factor = Math.exp(y * PER_PIXEL * (event.ctrlKey && Math.abs(y) < 50 ? PINCH : 1));
  go((range, bounds) => zoomed(range, momentAt(over, event.clientX, range), factor, bounds));
}

/* ---- drags ---- */

/** @param {HTMLElement} over @param {PointerEvent} begin @param {Scene | null} from @param {Go} go */
function dragPan(over, begin, from, go) {
  begin.preventDefault();
  over.setPointerCapture(begin.pointerId);
  over.classList.add('panning');
  const drag = (/** @type {PointerEvent} */ event) =>
    go((range, bounds) => panned(range, (begin.clientX - event.clientX) / over.clientWidth, bounds), from);
  over.addEventListener('pointermove', drag);
  over.addEventListener('lostpointercapture', () => {
    over.removeEventListener('pointermove', drag);
    over.classList.remove('panning');
  }, { once: true });
}

/** One finger sideways pans, two zoom; up and down scrolls the page (touch-action in charts.css).
 *  @param {HTMLElement} place @param {() => Scene | null} now @param {Go} go */
function watchFingers(place, now, go) {
  /** Where each finger is. @type {Map<number, number>} */
  const fingers = new Map();
  /** What there was when the number of fingers last changed. @type {{scene: Scene | null, x: number[], moving: boolean}} */
  let begun = { scene: null, x: [], moving: false };
  const begin = () => { begun = { scene: now(), x: [...fingers.values()], moving: fingers.size > 1 }; };

  place.addEventListener('pointerdown', (event) => {
    if (event.pointerType !== 'touch' || !plotOf(event) || fingers.size === 2) return;
    fingers.set(event.pointerId, event.clientX);
    begin();
  });
  place.addEventListener('pointermove', (event) => {
    const over = plotOf(event);
    if (!over || !fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, event.clientX);
    const x = [...fingers.values()];
    begun.moving ||= Math.abs(/** @type {number} */ (x[0]) - /** @type {number} */ (begun.x[0])) > SLACK;
    if (begun.moving) go((range, bounds) => (x.length > 1 ? pinched(over, range, begun.x, x, bounds) : slid(over, range, begun.x, x, bounds)), begun.scene);
  });
  for (const end of /** @type {const} */ (['pointerup', 'pointercancel'])) {
    place.addEventListener(end, (event) => fingers.delete(event.pointerId) && begin());
  }
}

/** @param {HTMLElement} over @param {Range} range @param {number[]} before @param {number[]} x @param {Bounds} bounds */
const slid = (over, range, [before = 0], [x = 0], bounds) => panned(range, (before - x) / over.clientWidth, bounds);

/** What was between the fingers stays between them. @param {HTMLElement} over @param {Range} range @param {number[]} before
 *  @param {number[]} x @param {Bounds} bounds */
function pinched(over, range, [a = 0, b = 0], [x = 0, y = 0], bounds) {
  const factor = Math.max(Math.abs(b - a), 1) / Math.max(Math.abs(y - x), 1);
  const middle = momentAt(over, (a + b) / 2, range);
  return panned(zoomed(range, middle, factor, bounds), ((a + b) / 2 - (x + y) / 2) / over.clientWidth, bounds);
}
