// SPDX-License-Identifier: MIT OR Unlicense
// picture: a chart as an SVG drawing made from its data, to be put into a report, or on paper. Pure.

import { TIME_STEPS, logLabels, logRange, logTicks, positive } from './axes.js';
import { axis, increments, number, text, timeAxis } from './format.js';
import { extent, reduced, valueRange } from './model.js';
import { placeLabels } from './overlay.js';

/** @typedef {import('./model.js').Trace} Trace
 *  @typedef {import('./model.js').Range} Range */
/** `about`: the line below the title. `colours`: by the names of colours.js.
 *  @typedef {{title: string, about: string, unit: string, log: boolean, trace: Trace, range: Range,
 *    gaps: import('./model.js').Gap[], marks: import('./model.js').Mark[], colours: Record<string, string>}} Picture */
/** How large a drawing is, where in it the plot lies, how large its labels are, how many ticks there are at most; `alone`: it
 *  says itself what it shows, and has a ground.
 *  @typedef {{width: number, height: number, left: number, right: number, top: number, bottom: number, font: number,
 *    times: number, values: number, alone: boolean}} Form */

/** A file. @type {Form} */
export const FILE = { width: 960, height: 400, left: 76, right: 932, top: 78, bottom: 364, font: 12, times: 8, values: 6, alone: true };
/** Below the name of its column, among others. @type {Form} */
export const PAPER = { width: 340, height: 140, left: 46, right: 330, top: 14, bottom: 122, font: 9, times: 6, values: 5, alone: false };
const FONT = 'system-ui, -apple-system, Segoe UI, DejaVu Sans, sans-serif';
const CHARACTER = 0.58; // of a label's size, about; where a drawing is shown is not known here

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

/** Round moments of local time; days as the calendar has them, whatever their length. @param {Range} range
 *  @param {number} most @returns {number[]} */
export function timeTicks({ from, to }, most) {
  const step = TIME_STEPS.find((s) => (to - from) / s <= most) ?? to - from;
  const at = new Date(from).setHours(0, 0, 0, 0);
  const ticks = [];
  for (let i = Math.max(0, Math.floor((from - at) / step) - 1), t = at; t <= to; i++) {
    t = step >= 86400e3 ? new Date(at).setDate(new Date(at).getDate() + i * Math.round(step / 86400e3)) : at + i * step;
    if (t >= from && t <= to) ticks.push(t);
  }
  return ticks;
}

/** @param {number} min @param {number} max @param {string} unit @param {number} most @returns {number[]} */
function valueTicks(min, max, unit, most) {
  const steps = increments(unit, Math.max(Math.abs(min), Math.abs(max)));
  const step = steps.find((s) => (max - min) / s <= most) ?? max - min;
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

/** Where things are in a drawing: its scales, and the ticks with their names. @param {Picture} p @param {Form} form */
function layOut({ trace, log, unit, range }, form) {
  const { left, right, top, bottom } = form;
  const seen = extent(trace, range);
  const [low, high] = log ? logRange(seen.min, seen.max) : valueRange(seen.min, seen.max);
  const scale = log ? Math.log : (/** @type {number} */ v) => v;
  const times = timeTicks(range, form.times);
  const values = log ? logTicks(low, high, unit, form.values) : valueTicks(low, high, unit, form.values);
  const x = (/** @type {number} */ t) => left + (t - range.from) / (range.to - range.from) * (right - left);
  return {
    seen, times, values, x,
    y: (/** @type {number} */ v) => bottom - (scale(v) - scale(low)) / (scale(high) - scale(low)) * (bottom - top),
    inside: (/** @type {number} */ t) => Math.max(left, Math.min(right, x(t))),
    timeNames: timeAxis(times),
    valueNames: log ? logLabels(values, unit) : axis(values, unit),
  };
}
/** @typedef {ReturnType<typeof layOut>} Layout */

/** The line of the mean, and the band around it where a point stands for several rows. @param {Picture} p @param {Form} form
 *  @param {Layout} at */
function drawTrace(p, { font }, { x, y }) {
  const { trace, colours: c } = p;
  /** @param {(number | null)[]} column @returns {(i: number) => [number, number] | null} */
  const points = (column) => (i) => {
    const v = column[i] ?? null;
    return v === null ? null : [x(/** @type {number} */ (trace.time[i])), y(v)];
  };
  const tops = pieces(p, points(trace.max));
  const feet = pieces(p, points(trace.min));
  const band = reduced(trace) && tops.length === feet.length ? tops.map((piece, i) => `${path([...piece, ...(feet[i] ?? []).slice().reverse()])}Z`).join('') : '';
  const line = pieces(p, points(trace.mean)).map((piece) => path(piece.length > 1 ? piece : [...piece, ...piece])).join('');
  return [
    band && node('path', { d: band, fill: c.band ?? '' }),
    node('path', { d: line, fill: 'none', stroke: c.accent ?? '', 'stroke-width': font / 8, 'stroke-linejoin': 'round', 'stroke-linecap': 'round' }),
  ];
}

/** Name and figures above the plot. @param {Picture} p @param {Form} form @param {Layout} at */
function drawTitle({ title, about, unit, colours: c }, { width, height, left, right, font }, { seen }) {
  const large = { fill: c.ink ?? '', 'font-size': font * 1.5, 'font-weight': 600 };
  const small = { fill: c.muted ?? '', 'font-size': font };
  return [
    node('title', {}, escape(title)),
    node('rect', { width, height, fill: c.ground ?? '' }),
    label(left, 30, title, large),
    label(left, 50, about, small),
    label(right, 30, text(seen.latest, unit), { ...large, 'text-anchor': 'end' }),
    label(right, 50, `${text(seen.min, unit)} to ${text(seen.max, unit)}`, { ...small, 'text-anchor': 'end' }),
  ];
}

/** @param {Picture} p @param {Form} form @param {Layout} at */
function drawMarks({ marks, range, colours: c }, { left, right, top, bottom, font }, { x }) {
  const seen = marks.filter((m) => m.time >= range.from && m.time <= range.to);
  if (seen.length === 0) return [];
  const labelled = placeLabels(seen.map((m) => ({ x: x(m.time), text: m.text, count: m.count, more: m.count - 1 })),
    { left, right, air: 8, align: 0 }, (item) => item.text.length * CHARACTER * font);
  return [
    node('path', { d: seen.map((m) => `M${px(x(m.time))} ${top}V${bottom}`).join(''), stroke: c.mark ?? '', 'stroke-dasharray': '3 3' }),
    ...labelled.map((m) => label(m.at, top - 5, m.more > 0 ? `${m.text} +${m.more}` : m.text, { fill: c.mark ?? '', 'font-size': font })),
  ];
}

/** With room for the longest name of a value. @param {Picture} p @param {Form} form @returns {Form} */
function fitted(p, form) {
  const longest = Math.max(0, ...layOut(p, form).valueNames.map((name) => name.length));
  return { ...form, left: Math.max(form.left, longest * CHARACTER * form.font + 8) };
}

/** @param {Picture} picture @param {Form} usual @returns {string} */
export function svgOf(picture, usual) {
  const { range, gaps, colours: c } = picture;
  const p = { ...picture, trace: picture.log ? positive(picture.trace) : picture.trace };
  const form = fitted(p, usual);
  const { width, height, left, right, top, bottom, font } = form;
  const at = layOut(p, form);
  const { x, y, inside, times, values } = at;
  const seenGaps = gaps.filter((g) => g[1] > range.from && g[0] < range.to);
  const muted = { fill: c.muted ?? '', 'font-size': font };
  return node('svg', { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${height}`, width, height, 'font-family': FONT }, [
    ...(form.alone ? drawTitle(p, form, at) : []),
    node('path', { stroke: c.grid ?? '', fill: 'none', d: [...times.map((t) => `M${px(x(t))} ${top}V${bottom}`), ...values.map((v) => `M${left} ${px(y(v))}H${right}`)].join('') }),
    ...seenGaps.map(([from, to]) => node('rect', { x: inside(from), y: top, width: Math.max(1, inside(to) - inside(from)), height: bottom - top, fill: c.gap ?? '' })),
    ...drawTrace(p, form, at),
    ...drawMarks(p, form, at),
    ...seenGaps.map(([from, to, rows]) => label((inside(from) + inside(to)) / 2, bottom - 5, `${number(rows)} lost`, { fill: c.lost ?? '', 'font-size': font, 'text-anchor': 'middle' })),
    ...times.map((t, i) => label(x(t), bottom + font * 1.6, at.timeNames[i] ?? '', { ...muted, 'text-anchor': 'middle' })),
    ...values.map((v, i) => label(left - 8, y(v) + font / 3, at.valueNames[i] ?? '', { ...muted, 'text-anchor': 'end' })),
  ].join(''));
}
