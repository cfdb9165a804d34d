// SPDX-License-Identifier: MIT OR Unlicense
// early: asks for what is shown first, before the larger part of the page has begun to run. index.html loads it before anything
// is painted, and the theme with it, so that a chosen one never flashes in the other.

import { getApps, getFirstSeries, getRun, getStatus } from './api.js';
import { usualRun, usualView } from './model.js';
import { wearTheme } from './theme.js';
import { parse } from './url.js';

/** `columns`: which of the run were asked for, as far as there are, at `points`.
 *  @typedef {{columns: number[], points: number, series: Promise<import('./model.js').Series>}} First
 *  @typedef {{run: import('./model.js').RunDetail, view: import('./model.js').View, first: First}} Opening */

const COLUMNS = 12; // as many charts as a large window shows at once
const POINTS = 300; // as wide as most charts are; one that differs much asks for its own

const place = parse(location.hash);
/** @type {Promise<import('./model.js').App[]> | null} */
let apps = getApps();
/** @type {Promise<import('./model.js').Status> | null} */
let status = getStatus();
/** @type {Promise<Opening | null> | null} */
let opening = open(apps);
for (const answer of [apps, status, opening]) answer.catch(() => {}); // what went wrong main tells
wearTheme(); // may wait for the disk: what was asked for is on its way meanwhile
start();

async function start() {
  if (document.readyState === 'loading') await new Promise((parsed) => document.addEventListener('DOMContentLoaded', parsed));
  await import('./main.js');
}

/** The run and its rows are asked for side by side: the page has one turn less to wait. @param {Promise<import('./model.js').App[]>} listed
 *  @returns {Promise<Opening | null>} */
async function open(listed) {
  const chosen = place.run !== null && place.view ? { id: place.run, view: place.view } : await usual(listed);
  if (!chosen) return null;
  const points = Math.round(POINTS * Math.min(devicePixelRatio, 2));
  const first = { columns: [...Array(COLUMNS).keys()], points, series: getFirstSeries(chosen.id, chosen.view, points, COLUMNS) };
  first.series.catch(() => {});
  return { run: await getRun(chosen.id), view: chosen.view, first };
}

/** What the address leaves open. @param {Promise<import('./model.js').App[]>} listed */
async function usual(listed) {
  const all = await listed;
  const run = place.run === null ? usualRun(all) : all.flatMap((app) => app.runs).find(({ id }) => id === place.run);
  return run ? { id: run.id, view: place.view ?? usualView(run.state) } : null;
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
