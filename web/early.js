// SPDX-License-Identifier: MIT OR Unlicense
// early: asks for what is shown first, and starts the larger part of the page while that is on its way. index.html loads it
// before anything is painted, and the theme with it, so that a chosen one never flashes in the other.

import { getApps, getRun, getSeries, getStatus } from './api.js';
import { asked, rangeOf, usualRun, usualView } from './model.js';
import './theme.js';
import { parse } from './url.js';

/** `columns`: of the run, the first ones, at `points`.
 *  @typedef {{columns: number[], points: number, series: Promise<import('./model.js').Series>}} First
 *  @typedef {{run: import('./model.js').RunDetail, view: import('./model.js').View, first: First}} Opening */

const COLUMNS = 12; // as many charts as a large window shows at once
const POINTS = 300; // as wide as most charts are; one that differs much asks for its own
const SOON_MS = 80; // an answer that takes longer is not waited for: the page is shown without it

const place = parse(location.hash);
/** @type {Promise<import('./model.js').App[]> | null} */
let apps = getApps();
/** @type {Promise<import('./model.js').Status> | null} */
let status = getStatus();
/** @type {Promise<Opening | null> | null} */
let opening = open(place.run, apps);
for (const answer of [apps, status, opening]) answer.catch(() => {}); // what went wrong main tells
start(opening);

/** While scripts begin to run no answer is read: so the page waits for the run, and the rows are on their way meanwhile. uPlot takes
 *  longest to begin, and does it while the server looks for the run. @param {Promise<unknown>} run */
async function start(run) {
  import('./uPlot.esm.js').catch(() => {});
  await soon(run);
  if (document.readyState === 'loading') await new Promise((parsed) => document.addEventListener('DOMContentLoaded', parsed));
  await import('./main.js');
}

/** Waits for it, but not long. @param {Promise<unknown>} it */
export function soon(it) {
  return Promise.race([it.catch(() => {}), new Promise((resolve) => setTimeout(resolve, SOON_MS))]);
}

/** @param {string | null} asks @param {Promise<import('./model.js').App[]>} listed @returns {Promise<Opening | null>} */
async function open(asks, listed) {
  const id = asks ?? usualRun(await listed)?.id ?? null;
  if (id === null) return null;
  const run = await getRun(id);
  const view = place.view ?? usualView(run.state);
  const columns = [...run.columns.keys()].slice(0, COLUMNS);
  const points = Math.round(POINTS * Math.min(devicePixelRatio, 2));
  const range = rangeOf(view, Math.min(run.started, run.last), run.last);
  const series = getSeries(id, { ...asked(view, range), points, columns });
  series.catch(() => {});
  return { run, view, first: { columns, points, series } };
}

/** Each of these can be had once; after that the server is asked anew. */
export function earlyApps() {
  const had = apps;
  apps = null;
  return had ?? getApps();
}

export function earlyStatus() {
  const had = status;
  status = null;
  return had ?? getStatus();
}

/** The run that the page was opened on, if it is this one. @param {string} id @returns {Promise<Opening | null>} */
export async function earlyOpening(id) {
  const had = opening;
  opening = null;
  const found = await had;
  return found?.run.id === id ? found : null;
}
