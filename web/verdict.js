// SPDX-License-Identifier: MIT OR Unlicense
// verdict: what the server found of a column, in words. Pure.

import { duration, number, scaleOf, text } from './format.js';

/** As the API describes them.
 *  @typedef {'rising' | 'falling' | 'steady' | 'unclear'} Verdict
 *  @typedef {{time: number, before: number, after: number}} Shift
 *  @typedef {{from: number, to: number, value: number, usual: number, score: number}} Outlier
 *  @typedef {{name: string, unit: string, kind: 'gauge' | 'counter' | 'histogram', verdict: Verdict, points: number, independent: number | null,
 *    hours: number, slope: number | null, low: number | null, high: number | null, change: number | null, level: number | null,
 *    noise: number | null, shifts: Shift[], outliers_found: number, outliers: Outlier[]}} Drift
 *  @typedef {{from: number, to: number, columns: Drift[]}} Drifts */

const MINUS = '\u2212';
const HOUR = 3600e3;
const FEWEST = 24; // values: with fewer there is no verdict (server/README.md)

/** What the numbers of a verdict are counted in. @param {Drift} d */
export const unitOf = (d) => (d.kind === 'counter' ? `${d.unit}/s` : d.unit);

/** "+3.1" with so many digits: more would claim what is not known. @param {number} v @param {number} digits */
function brief(v, digits) {
  if (v === 0) return '0';
  const size = Math.abs(v);
  const words = size >= 10 ** digits ? number(Math.round(size)) : size < 1e-6 ? size.toExponential(digits - 1) : size.toPrecision(digits);
  return (v < 0 ? MINUS : '+') + words;
}

/** "MB/h", "/h", "/s per h" @param {string} unit @param {Drift} d */
function hourly(unit, d) {
  if (d.kind === 'counter') return `${unit.startsWith('/') ? '' : ' '}${unit} per h`;
  return unit ? ` ${unit}/h` : '/h';
}

/** "+3.1 MB/h"; of a counter's rate "+3.1/s per h". @param {number} v @param {Drift} d */
export function perHour(v, d) {
  const { by, unit } = scaleOf(unitOf(d), v);
  return `${brief(v / by, 2)}${hourly(unit, d)}`;
}

/** "+2.94 … +3.05", in the unit of the slope; '' where it is not sure at all. @param {Drift} d */
export function intervalWords(d) {
  if (d.slope === null || d.low === null || d.high === null) return '';
  const { by } = scaleOf(unitOf(d), d.slope);
  return `${brief(d.low / by, 3)} … ${brief(d.high / by, 3)}`;
}

/** @param {Drift | undefined} d @returns {d is Drift & {slope: number}} */
export const drifts = (d) => d !== undefined && d.slope !== null && (d.verdict === 'rising' || d.verdict === 'falling');

/** "+3.1 MB/h over 40 h", "steady", "unclear". @param {Drift} d */
export function verdictWords(d) {
  if (!drifts(d)) return d.verdict;
  return `${perHour(d.slope, d)} over ${spanWords(d.hours)}`;
}

/** "40 h", "2.5 h", "12 min". @param {number} hours */
export function spanWords(hours) {
  if (hours >= 48) return `${Math.round(hours / 24 * 10) / 10} d`;
  if (hours >= 1) return `${Math.round(hours * 10) / 10} h`;
  return hours >= 1 / 60 ? `${Math.round(hours * 60)} min` : duration(hours * HOUR);
}

/** Why, for whoever wants to know. @param {Drift} d */
export function reason(d) {
  if (d.points === 0) return 'It has no value here.';
  if (d.slope === null) return `${d.points} values are too few to tell: ${FEWEST} are needed.`;
  const interval = intervalWords(d);
  const sure = interval ? `${perHour(d.slope, d)}, 99 % sure within ${interval}` : drifts(d) ? 'It hardly ever turns back' : 'How fast is not sure at all';
  const worth = d.independent === null ? '' : ` ${d.points} values, worth ${Math.round(d.independent)} independent ones.`;
  return `${sure}.${worth}${d.verdict === 'unclear' ? ' It swings as slowly as this time is long: look at more.' : ''}`;
}

const LEAST_HOURS = 1 / 12; // in a program's first minutes everything is news
const MOST = 3;             // of each kind: where all is marked, nothing is

/** What a chart shows of what was found: the farthest off and the greatest shifts of some minutes at least. Health tells all of it.
 *  @param {Drift} d @returns {Drift | undefined} */
export function onChart(d) {
  if (d.hours < LEAST_HOURS) return undefined;
  const shifts = [...d.shifts].sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before)).slice(0, MOST);
  const outliers = [...d.outliers].sort((a, b) => Math.abs(b.score) - Math.abs(a.score)).slice(0, MOST);
  return { ...d, shifts, outliers };
}

/** How many columns drift or went to another level, as charts show it. @param {Drift[]} all */
export const concerns = (all) => all.map(onChart).filter((d) => d && (drifts(d) || d.shifts.length > 0)).length;

/** What a ring is, to one who points at it. @param {Drift} d @param {Outlier} o */
export const outlierWords = (d, { value, usual }) => `Outlier: ${text(value, unitOf(d))}, usual here is ${text(usual, unitOf(d))}`;

/** What the two bars are. @param {Drift} d @param {Shift} s */
export const shiftWords = (d, { before, after }) => `New level: ${text(before, unitOf(d))} before, ${text(after, unitOf(d))} after`;

/** Those that drift first, the surest of them first; the others as the run has them. @param {Drift[]} all */
export function byConcern(all) {
  /** @param {Drift} d */
  const concern = (d) => (drifts(d) ? 2 : d.shifts.length > 0 ? 1 : 0);
  /** @param {Drift} d */
  const size = (d) => Math.abs(d.change ?? 0) / Math.max(d.noise ?? 0, Math.abs(d.level ?? 0) * 1e-3, Number.MIN_VALUE);
  return all.map((d, i) => ({ d, i })).sort((a, b) => concern(b.d) - concern(a.d) || (concern(a.d) === 2 ? size(b.d) - size(a.d) : 0) || a.i - b.i)
    .map(({ d }) => d);
}

/** "Of 12 columns 1 drifts, 1 shifted and 2 are unclear." @param {Drift[]} all */
export function tally(all) {
  const drifting = all.filter(drifts).length;
  const unclear = all.filter((d) => d.verdict === 'unclear').length;
  const shifted = all.filter((d) => d.shifts.length > 0).length;
  const parts = [drifting > 0 ? `${drifting} drift${drifting === 1 ? 's' : ''}` : 'none drifts'];
  if (shifted > 0) parts.push(`${shifted} went to another level`);
  if (unclear > 0) parts.push(`${unclear} ${unclear === 1 ? 'is' : 'are'} unclear`);
  const hours = Math.max(0, ...all.map((d) => d.hours ?? 0));
  return `Of ${all.length} ${all.length === 1 ? 'column' : 'columns'} ${parts.join(', ')}, over ${spanWords(hours)}.`;
}
