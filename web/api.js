// SPDX-License-Identifier: MIT OR Unlicense
// api: the only module that talks to the server and knows its addresses.

/** @typedef {import('./model.js').App} App
 *  @typedef {import('./model.js').Run} Run
 *  @typedef {import('./model.js').RunDetail} RunDetail
 *  @typedef {import('./model.js').Series} Series */

/** The server answered, but not with what was asked for; `message` is its own sentence. */
export class Refusal extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @param {string} path @param {AbortSignal} [signal] @returns {Promise<any>} */
const get = (path, signal) => ask(path, { cache: 'no-cache', signal: signal ?? null });

/** @param {string} path @param {RequestInit} how @returns {Promise<any>} */
async function ask(path, how) {
  const response = await fetch(path, how);
  if (response.ok) return response.json();
  const body = await response.json().catch(() => null);
  throw new Refusal(response.status, body?.error ?? `The server answered with status ${response.status}.`);
}

/** @param {string} id */
const path = (id) => `/api/v1/runs/${encodeURIComponent(id)}`;

/** @returns {Promise<App[]>} */
export const getApps = () => get('/api/v1/apps');

/** Those that were deleted and can still be brought back. @returns {Promise<App[]>} */
export const getDeleted = () => get('/api/v1/apps?deleted=1');

/** @param {string} id @returns {Promise<RunDetail>} */
export const getRun = (id) => get(path(id));

/** `from`, `to` null: from the run's first, to its last row.
 *  @typedef {{from: number | null, to: number | null, points: number, columns: number[]}} Asked */

/** @param {string} id @param {Asked} what @param {'series' | 'histogram'} kind */
function seriesPath(id, { from, to, points, columns }, kind = 'series') {
  const q = new URLSearchParams({ points: String(points), columns: columns.join() });
  if (from !== null) q.set('from', String(from));
  if (to !== null) q.set('to', String(to));
  return `${path(id)}/${kind}?${q}`;
}

/** @param {string} id @param {Asked} what @param {AbortSignal} [signal] @returns {Promise<Series>} */
export const getSeries = (id, what, signal) => get(seriesPath(id, what), signal);

/** The same for one who cannot wait, as a page that is about to be printed: nothing else goes on until the answer is there.
 *  @param {string} id @param {Asked} what @returns {Series} */
export const getSeriesNow = (id, what) => getNow(seriesPath(id, what));

/** @param {string} path @returns {any} */
function getNow(path) {
  const request = new XMLHttpRequest();
  request.open('GET', path, false);
  request.send();
  if (request.status !== 200) throw new Refusal(request.status, `The server answered with status ${request.status}.`);
  return JSON.parse(request.responseText);
}

/** Of a run of which no more is known than its id: its first columns, as many as there are of `count`.
 *  @param {string} id @param {import('./model.js').View} view @param {number} points @param {number} count @returns {Promise<Series>} */
export function getFirstSeries(id, view, points, count) {
  const q = new URLSearchParams({ points: String(points), first: String(count) });
  if (view.kind === 'last') q.set('last', String(view.seconds));
  if (view.kind === 'range') {
    q.set('from', String(view.from));
    q.set('to', String(view.to));
  }
  return get(`${path(id)}/series?${q}`);
}

/** How long calls took, of columns of kind 'histogram'. @param {string} id @param {Asked} what @param {AbortSignal} signal
 *  @returns {Promise<import('./heat.js').Histogram>} */
export const getHistogram = (id, what, signal) => get(seriesPath(id, what, 'histogram'), signal);

/** @param {string} id @param {Asked} what @returns {import('./heat.js').Histogram} */
export const getHistogramNow = (id, what) => getNow(seriesPath(id, what, 'histogram'));

/** @returns {Promise<import('./model.js').Status>} */
export const getStatus = () => get('/api/v1/status');

/** @param {string} id @param {import('./model.js').Edit} edit @returns {Promise<Run>} */
export const editRun = (id, edit) => ask(path(id), { method: 'PATCH', headers: { 'content-type': 'application/json' }, body: JSON.stringify(edit) });

/** @param {string} id @returns {Promise<{undo_seconds: number}>} */
export const deleteRun = (id) => ask(path(id), { method: 'DELETE' });

/** Where the rows of a run, or of a range of it, are to be had as a file. @param {string} id @param {'csv' | 'ndjson' | 'trace.json'} kind
 *  @param {import('./model.js').Range | null} range */
export function fileAddress(id, kind, range) {
  const q = range ? `?${new URLSearchParams({ from: String(range.from), to: String(range.to) })}` : '';
  return `${path(id)}.${kind}${q}`;
}

/** `range` null: the whole run. @param {string} id @param {import('./model.js').Range | null} range @param {AbortSignal} signal
 *  @returns {Promise<import('./verdict.js').Drifts>} */
export const getDrift = (id, range, signal) =>
  get(`${path(id)}/drift${range ? `?${new URLSearchParams({ from: String(range.from), to: String(range.to) })}` : ''}`, signal);

/** @param {string} id @param {{from: number, to: number, columns: number[], differenced: boolean}} what
 *  @param {AbortSignal} signal @returns {Promise<import('./relation.js').Correlation>} */
export const getCorrelation = (id, { from, to, columns, differenced }, signal) =>
  get(`${path(id)}/correlation?${new URLSearchParams({ from: String(from), to: String(to), columns: columns.join(), differenced: differenced ? '1' : '0' })}`, signal);


const RETRY_MS = [500, 1000, 2000, 5000];

/** Follows a run until closed. EventSource gives up for good on some failures, so reconnecting is done here.
 *  @param {string} id
 *  @param {{hello: (run: Run, again: boolean) => void, rows: (news: Series) => void, run: (run: Run) => void,
 *    dropped: () => void, storage: (news: {behind: boolean}) => void, lost: () => void}} on @returns {() => void} closes it */
export function follow(id, on) {
  /** @type {EventSource} */
  let source;
  let timer = 0;
  let failures = 0;
  let again = false;

  function open() {
    source = new EventSource(`${path(id)}/live`);
    listen('hello', (run) => {
      failures = 0;
      on.hello(run, again);
      again = true;
    });
    listen('rows', on.rows);
    listen('run', on.run);
    listen('dropped', on.dropped);
    listen('storage', on.storage);
    source.onerror = () => {
      source.close();
      timer = window.setTimeout(open, RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]);
      on.lost();
    };
  }

  /** @param {string} type @param {(data: any) => void} handle */
  function listen(type, handle) {
    source.addEventListener(type, (event) => handle(JSON.parse(/** @type {MessageEvent} */ (event).data)));
  }

  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
