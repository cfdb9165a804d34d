// SPDX-License-Identifier: MIT OR Unlicense
// picture: a chart as an SVG drawing made from its data, to be put into a report. Pure.

import { TIME_STEPS, logLabels, logRange, logTicks, positive } from './axes.js';
import { axis, increments, number, text, timeAxis } from './format.js';
import { extent, reduced, valueRange } from './model.js';
import { placeLabels } from './overlay.js';

/** @typedef {import('./model.js').Trace} Trace
 *  @typedef {import('./model.js').Range} Range */
/** `about`: the line below the title. `colours`: by the names of colours.js.
 *  @typedef {{title: string, about: string, unit: string, log: boolean, trace: Trace, range: Range,
 *    gaps: import('./model.js').Gap[], marks: import('./model.js').Mark[], colours: Record<string, string>}} Picture */

export const SIZE = { width: 960, height: 400 };
const PLOT = { left: 76, right: SIZE.width - 28, top: 78, bottom: SIZE.height - 36 };
const FONT = 'system-ui, -apple-system, Segoe UI, DejaVu Sans, sans-serif';
const CHARACTER = 7; // of a label of 12 pixels, about; where a drawing is shown is not known here
const TICKS = { time: 8, value: 6 };

/** Names come from strangers; and XML takes no control characters. @param {string} s */
const escape = (s) => s.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
  .replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** @param {number} v */
const px = (v) => String(Math.round(v * 10) / 10);

/** @param {string} tag @param {Record<string, string | number>} set @param {string} [inside] already escaped */
function node(tag, set, inside = '') {
  const attributes = Object.entries(set).map(([k, v]) => ` ${k}="${escape(typeof v === 'number' ? px(v) : v)}"`).join('');
  return inside ? `<${tag}${attributes}>${inside}</${tag}>` : `<${tag}${attributes}/>`;
}

/** @param {number} x @param {number} y @param {string} s @param {Record<string, string | number>} [set] */
const label = (x, y, s, set = {}) => node('text', { x, y, ...set }, escape(s));

/** Round moments of local time; days as the calendar has them, whatever their length. @param {Range} range @returns {number[]} */
export function timeTicks({ from, to }) {
  const step = TIME_STEPS.find((s) => (to - from) / s <= TICKS.time) ?? to - from;
  const at = new Date(from).setHours(0, 0, 0, 0);
  const ticks = [];
  for (let i = Math.max(0, Math.floor((from - at) / step) - 1), t = at; t <= to; i++) {
    t = step >= 86400e3 ? new Date(at).setDate(new Date(at).getDate() + i * Math.round(step / 86400e3)) : at + i * step;
    if (t >= from && t <= to) ticks.push(t);
  }
  return ticks;
}

/** @param {number} min @param {number} max @param {string} unit @returns {number[]} */
function valueTicks(min, max, unit) {
  const steps = increments(unit, Math.max(Math.abs(min), Math.abs(max)));
  const step = steps.find((s) => (max - min) / s <= TICKS.value) ?? max - min;
  const first = Math.ceil(min / step);
  return Array.from({ length: Math.floor(max / step) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** The pieces of a line, broken where a value or a row is missing; as SVG's path data.
 *  @param {Picture} p @param {(i: number) => [number, number] | null} pointOf */
function pieces({ trace, gaps }, pointOf) {
  /** @type {[number, number][][]} */
  const found = [];
  let open = false;
  trace.time.forEach((time, i) => {
    const point = pointOf(i);
    const before = trace.time[i - 1] ?? time;
    const torn = gaps.some(([from, to]) => from >= before && to <= time + 1 && to > before);
    if (!point) open = false;
    else if (open && !torn) found.at(-1)?.push(point);
    else {
      found.push([point]);
      open = true;
    }
  });
  return found;
}

/** @param {[number, number][]} points */
const path = (points) => points.map(([x, y], i) => `${i ? 'L' : 'M'}${px(x)} ${px(y)}`).join('');

/** @param {Picture} picture @returns {string} */
export function svgOf(picture) {
  const { title, about, unit, log, range, gaps, marks, colours: c } = picture;
  const trace = log ? positive(picture.trace) : picture.trace;
  const p = { ...picture, trace };
  const seen = extent(trace, range);
  const [low, high] = log ? logRange(seen.min, seen.max) : valueRange(seen.min, seen.max);
  const scale = log ? Math.log : (/** @type {number} */ v) => v;
  const x = (/** @type {number} */ t) => PLOT.left + (t - range.from) / (range.to - range.from) * (PLOT.right - PLOT.left);
  const y = (/** @type {number} */ v) => PLOT.bottom - (scale(v) - scale(low)) / (scale(high) - scale(low)) * (PLOT.bottom - PLOT.top);
  const inside = (/** @type {number} */ t) => Math.max(PLOT.left, Math.min(PLOT.right, x(t)));
  const times = timeTicks(range);
  const values = log ? logTicks(low, high, unit, TICKS.value) : valueTicks(low, high, unit);
  const names = log ? logLabels(values, unit) : axis(values, unit);
  const timeNames = timeAxis(times);
  const muted = { fill: c.muted ?? '', 'font-size': 12 };

  /** @param {(number | null)[]} column @returns {(i: number) => [number, number] | null} */
  const points = (column) => (i) => {
    const v = column[i] ?? null;
    return v === null ? null : [x(/** @type {number} */ (trace.time[i])), y(v)];
  };
  const tops = pieces(p, points(trace.max));
  const feet = pieces(p, points(trace.min));
  const band = reduced(trace) && tops.length === feet.length ? tops.map((piece, i) => `${path([...piece, ...(feet[i] ?? []).slice().reverse()])}Z`).join('') : '';
  const line = pieces(p, points(trace.mean)).map((piece) => path(piece.length > 1 ? piece : [...piece, ...piece])).join('');
  const seenGaps = gaps.filter((g) => g[1] > range.from && g[0] < range.to);
  const seenMarks = marks.filter((m) => m.time >= range.from && m.time <= range.to);
  const labelled = placeLabels(seenMarks.map((m) => ({ x: x(m.time), text: m.text, count: m.count, more: m.count - 1 })),
    { left: PLOT.left, right: PLOT.right, air: 8, align: 0 }, (item) => item.text.length * CHARACTER);

  return node('svg', { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, width: SIZE.width, height: SIZE.height, 'font-family': FONT }, [
    node('title', {}, escape(title)),
    node('rect', { width: SIZE.width, height: SIZE.height, fill: c.ground ?? '' }),
    label(PLOT.left, 30, title, { fill: c.ink ?? '', 'font-size': 18, 'font-weight': 600 }),
    label(PLOT.left, 50, about, { ...muted, 'font-size': 13 }),
    label(PLOT.right, 30, text(seen.latest, unit), { fill: c.ink ?? '', 'font-size': 18, 'font-weight': 600, 'text-anchor': 'end' }),
    label(PLOT.right, 50, `${text(seen.min, unit)} to ${text(seen.max, unit)}`, { ...muted, 'text-anchor': 'end' }),
    node('path', { stroke: c.grid ?? '', fill: 'none', d: [...times.map((t) => `M${px(x(t))} ${PLOT.top}V${PLOT.bottom}`), ...values.map((v) => `M${PLOT.left} ${px(y(v))}H${PLOT.right}`)].join('') }),
    ...seenGaps.map(([from, to]) => node('rect', { x: inside(from), y: PLOT.top, width: Math.max(1, inside(to) - inside(from)), height: PLOT.bottom - PLOT.top, fill: c.gap ?? '' })),
    band && node('path', { d: band, fill: c.band ?? '' }),
    node('path', { d: line, fill: 'none', stroke: c.accent ?? '', 'stroke-width': 1.5, 'stroke-linejoin': 'round', 'stroke-linecap': 'round' }),
    seenMarks.length > 0 ? node('path', { d: seenMarks.map((m) => `M${px(x(m.time))} ${PLOT.top}V${PLOT.bottom}`).join(''), stroke: c.mark ?? '', 'stroke-dasharray': '3 3' }) : '',
    ...labelled.map((m) => label(m.at, PLOT.top - 5, m.more > 0 ? `${m.text} +${m.more}` : m.text, { fill: c.mark ?? '', 'font-size': 12 })),
    ...seenGaps.map(([from, to, rows]) => label((inside(from) + inside(to)) / 2, PLOT.bottom - 5, `${number(rows)} lost`, { fill: c.lost ?? '', 'font-size': 12, 'text-anchor': 'middle' })),
    ...times.map((t, i) => label(x(t), PLOT.bottom + 20, timeNames[i] ?? '', { ...muted, 'text-anchor': 'middle' })),
    ...values.map((v, i) => label(PLOT.left - 8, y(v) + 4, names[i] ?? '', { ...muted, 'text-anchor': 'end' })),
  ].join(''));
}
