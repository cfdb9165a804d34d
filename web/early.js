// SPDX-License-Identifier: MIT OR Unlicense
// early: asks for what is shown first, before the larger part of the page has begun to run; and puts the theme on, so that a chosen
// one never flashes in the other. Nothing is painted before main.js has begun: an empty frame would only be in the way of a full one.

import { getApps, getFirstSeries, getRun } from './api.js';
import { usualRun, usualView } from './model.js';
import { wearTheme } from './theme.js';
import { parse } from './url.js';

/** `columns`: which of the run were asked for, as far as there are, at `points`.
 *  @typedef {{columns: number[], points: number, series: Promise<import('./model.js').Series>}} First
 *  @typedef {{run: import('./model.js').RunDetail, view: import('./model.js').View, first: First}} Opening */

const COLUMNS = 12; // as many charts as a large window shows at once
const POINTS = 300; // as wide as most charts are; one that differs much asks for its own

const place = parse(location.hash);
/** Which run it is the list tells, if the address doesn't. @type {Promise<import('./model.js').App[]> | null} */
let apps = place.run === null ? getApps() : null;
/** @type {Promise<Opening | null> | null} */
let opening = open();
for (const answer of [apps, opening]) answer?.catch(() => {}); // what went wrong main tells
wearTheme(); // may wait for the disk: what was asked for is on its way meanwhile

/** The run and its rows are asked for side by side, if the address names both: the page has one turn less to wait.
 *  @returns {Promise<Opening | null>} */
async function open() {
  const known = place.view ? null : await (place.run === null ? apps?.then(usualRun) : getRun(place.run));
  const id = place.run ?? known?.id;
  if (!id) return null;
  const view = place.view ?? usualView(known?.state ?? 'ended');
  const points = Math.round(POINTS * Math.min(devicePixelRatio, 2));
  const first = { columns: [...Array(COLUMNS).keys()], points, series: getFirstSeries(id, view, points, COLUMNS) };
  first.series.catch(() => {});
  return { run: await getRun(id), view, first };
}

/** This can be had once; after that the server is asked anew. */
export function earlyApps() {
  const had = apps;
  apps = null;
  return had ?? getApps();
}

/** The run that the page was opened on, if it is this one. @param {string} id @returns {Promise<Opening | null>} */
export async function earlyOpening(id) {
  const had = opening;
  opening = null;
  const found = await had;
  return found?.run.id === id ? found : null;
}
