// SPDX-License-Identifier: MIT OR Unlicense
// steer: where keys, wheel, fingers and buttons take the view, and what of it becomes history.

import { watchGestures } from './gestures.js';
import { watchKeys } from './keys.js';
import { usualView } from './model.js';
import { panned, viewOf, zoomed } from './navigate.js';

/** @typedef {import('./feed.js').Feed} Feed
 *  @typedef {import('./model.js').View} View
 *  @typedef {import('./model.js').Range} Range
 *  @typedef {import('./navigate.js').Bounds} Bounds */

const STEP = 0.25; // of the range, by an arrow key
const ZOOM = 2;    // times, by + and −
const REST_MS = 300; // a move that goes on becomes one step of the history once it rests

/** @param {HTMLElement} charts @param {() => Feed | null} shown @param {(feed: Feed, view: View) => string} address */
export function makeSteering(charts, shown, address) {
  let timer = 0;
  /** How the run was followed last. @type {View | null} */
  let followed = null;
  /** The moment under the pointer. @type {number | null} */
  let pointed = null;

  /** @param {View} view */
  function show(view) {
    clearTimeout(timer);
    const feed = shown();
    if (feed) location.hash = address(feed, view);
  }

  /** Shows it at once, and in the address when the move is over. @param {Range} range */
  function move(range) {
    const feed = shown();
    if (!feed) return;
    const view = viewOf(range, feed.bounds);
    clearTimeout(timer);
    feed.look(view);
    timer = window.setTimeout(() => show(view), REST_MS);
  }

  /** @param {(range: Range, bounds: Bounds) => Range} change */
  function go(change) {
    const feed = shown();
    if (feed) move(change(feed.range, feed.bounds));
  }

  /** A zoom by key is about the moment pointed at, else the newest. @param {number} factor */
  const zoom = (factor) => go((range, bounds) => zoomed(range, pointed ?? range.to, factor, bounds));

  /** Back to following the run as before one looked back; an ended one is shown whole. */
  function resume() {
    const feed = shown();
    if (feed) show(feed.run.state === 'live' ? followed ?? usualView('live') : { kind: 'all' });
  }

  const help = watchKeys([
    { keys: ['ArrowLeft'], label: '←', text: 'earlier', run: () => go((range, bounds) => panned(range, -STEP, bounds)) },
    { keys: ['ArrowRight'], label: '→', text: 'later', run: () => go((range, bounds) => panned(range, STEP, bounds)) },
    { keys: ['+', '='], label: '+', text: 'zoom in, where the pointer is', run: () => zoom(1 / ZOOM) },
    { keys: ['-', '_'], label: '−', text: 'zoom out', run: () => zoom(ZOOM) },
    { keys: ['Home'], label: 'Home', text: 'the whole run', run: () => show({ kind: 'all' }) },
    { keys: ['End', 'f'], label: 'End or f', text: 'follow the newest rows', run: resume },
  ]);
  watchGestures(charts, () => {
    const feed = shown();
    return feed && { range: feed.range, bounds: feed.bounds };
  }, move);

  return {
    show, resume, help,
    /** The address has this now. @param {View} view */
    settle(view) {
      clearTimeout(timer);
      if (view.kind !== 'range') followed = view;
    },
    /** @param {number | null} moment */
    point(moment) {
      pointed = moment;
    },
  };
}
