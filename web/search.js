// SPDX-License-Identifier: MIT OR Unlicense
// search: which runs a reader means by `leak tag:branch=main state:crashed since:2026-11-01`. Pure.

import { clock, date } from './format.js';

/** @typedef {import('./model.js').Run} Run
 *  @typedef {import('./model.js').App} App
 *  @typedef {(run: Run) => boolean} Test */

const MS = { m: 60e3, h: 3600e3, d: 86400e3, w: 7 * 86400e3 };

/** What the keys mean; shown beside the search box. @type {[example: string, meaning: string][]} */
export const KEYS = [
  ['leak 2026-11', 'words: in name, tags, note, state or date'],
  ['"cache off"', 'exactly this'],
  ['state:crashed', 'or live, ended, lost'],
  ['tag:branch=main', 'or tag:branch with any value'],
  ['note:leak', 'in the note'],
  ['app:server', 'in the application’s name'],
  ['since:7d', 'started within; or since:2026-11-01'],
  ['until:2026-11-30', 'started by the end of that day'],
  ['is:pinned', 'pinned runs'],
  ['-state:ended', 'a minus: not those'],
];

/** The moments a date covers: a year, a month, a day or a minute of local time, or an age before now.
 *  @param {string} text @param {number} now @returns {{from: number, to: number} | null} */
export function period(text, now) {
  const age = /^(\d{1,6})([mhdw])$/.exec(text);
  if (age) {
    const at = now - Number(age[1]) * MS[/** @type {keyof MS} */ (age[2])];
    return { from: at, to: at };
  }
  if (text === 'today' || text === 'yesterday') return dayBefore(now, text === 'today' ? 0 : 1);
  const parts = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d))?)?)?$/i.exec(text);
  return parts && between(parts.slice(1).map((part) => (part === undefined ? null : Number(part))));
}

/** @param {number} now @param {number} days */
function dayBefore(now, days) {
  const d = new Date(now);
  return between([d.getFullYear(), d.getMonth() + 1, d.getDate() - days]);
}

/** From the first to the last millisecond of [year, month, day, hour, minute], the rest null.
 *  @param {(number | null)[]} parts */
function between(parts) {
  const [y = 0, mo, d, h, mi] = /** @type {number[]} */ (parts.filter((part) => part !== null));
  const from = new Date(y, (mo ?? 1) - 1, d ?? 1, h ?? 0, mi ?? 0);
  const to = mi !== undefined ? new Date(y, (mo ?? 1) - 1, d, h, mi + 1)
    : d !== undefined ? new Date(y, (mo ?? 1) - 1, d + 1)
    : mo !== undefined ? new Date(y, mo, 1) : new Date(y + 1, 0, 1);
  return { from: from.getTime(), to: to.getTime() - 1 };
}

/** Each makes a test of its value, or tells what it needs. @type {Record<string, (value: string, now: number) => Test | string>} */
const makers = {
  app: (value) => (run) => run.app.toLowerCase().includes(value),
  note: (value) => (run) => run.note.toLowerCase().includes(value),
  state: (value) => (run) => run.state.startsWith(value),
  tag: (value) => (run) => Object.entries(run.tags).some(([k, v]) => {
    const [key, text] = [k.toLowerCase(), `${k}=${v}`.toLowerCase()];
    return value.includes('=') ? text === value : key === value;
  }),
  is: (value) => (value === 'pinned' ? (run) => run.pinned : 'is: knows only is:pinned'),
  since: (value, now) => {
    const p = period(value, now);
    return p ? (run) => run.started >= p.from : 'since: needs a date like 2026-11-01, or an age like 7d';
  },
  until: (value, now) => {
    const p = period(value, now);
    return p ? (run) => run.started <= p.to : 'until: needs a date like 2026-11-01, or an age like 7d';
  },
};

/** @param {string} word @returns {Test} */
const holds = (word) => (run) => {
  const tags = Object.entries(run.tags).map(([k, v]) => `${k}=${v}`);
  const hay = [run.app, run.state, `${date(run.started)} ${clock(run.started)}`, run.note, run.id, ...tags];
  return hay.join('\n').toLowerCase().includes(word);
};

/** A test for a query, and what of the query could not be understood ('' if all was).
 *  @param {string} query @param {number} now ms @returns {{test: Test | null, trouble: string}} */
export function compile(query, now) {
  /** @type {Test[]} */
  const tests = [];
  let trouble = '';
  for (const [, not, key = '', quoted, plain = ''] of query.toLowerCase().matchAll(/(?<!\S)(-?)(?:([a-z]+):)?(?:"([^"]*)"?|(\S+))/g)) {
    const value = quoted ?? plain;
    const make = Object.hasOwn(makers, key) ? makers[key] : undefined;
    const made = make ? make(value, now) : holds(key ? `${key}:${value}` : value);
    if (typeof made === 'string') trouble ||= made;
    else tests.push(not ? (run) => !made(run) : made);
  }
  return { test: tests.length > 0 ? (run) => tests.every((t) => t(run)) : null, trouble };
}

/** The applications with the runs that pass; those without any are left out. @param {App[]} apps @param {Test | null} test */
export function filterApps(apps, test) {
  if (!test) return apps;
  return apps.map(({ app, runs }) => ({ app, runs: runs.filter(test) })).filter(({ runs }) => runs.length > 0);
}
