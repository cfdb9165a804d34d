// SPDX-License-Identifier: MIT OR Unlicense
// format: numbers with units, times and durations as text. Pure; local time is the machine's.

/** A number's text and the unit to put beside it. @typedef {{value: string, unit: string}} Shown */
/** Divide by `by`, then call it `unit`. @typedef {{by: number, unit: string}} Scale */

const KIBI = 1024;
/** Each ladder runs from the smallest step to the largest. @type {Record<string, Scale[]>} */
const LADDERS = {
  decimal: ['B', 'kB', 'MB', 'GB', 'TB', 'PB'].map((unit, i) => ({ by: 1000 ** i, unit })),
  bytes: ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'].map((unit, i) => ({ by: KIBI ** i, unit })),
  seconds: [
    { by: 1e-9, unit: 'ns' }, { by: 1e-6, unit: 'µs' }, { by: 1e-3, unit: 'ms' }, { by: 1, unit: 's' },
    { by: 60, unit: 'min' }, { by: 3600, unit: 'h' }, { by: 86400, unit: 'd' },
  ],
  count: ['', 'k', 'M', 'G', 'T'].map((unit, i) => ({ by: 1000 ** i, unit })),
};

/** How a column's unit is written by programs → its ladder, and how many of the ladder's base one of it is. A `kept`
 *  unit stays as the program named it while that reads well. @typedef {{ladder: string, factor: number, suffix?: string, kept?: boolean}} Unit */
const UNITS = new Map(/** @type {[string, Unit][]} */ ([
  ...['bytes', 'decimal'].flatMap((ladder) => /** @type {Scale[]} */ (LADDERS[ladder]).slice(1)
    .map(({ by, unit }) => [unit.toLowerCase(), { ladder, factor: by, kept: true }])),
  ['b', { ladder: 'bytes', factor: 1 }], ['byte', { ladder: 'bytes', factor: 1 }],
  ['bytes', { ladder: 'bytes', factor: 1 }],
  ['s', { ladder: 'seconds', factor: 1 }], ['seconds', { ladder: 'seconds', factor: 1 }],
  ['ms', { ladder: 'seconds', factor: 1e-3 }], ['us', { ladder: 'seconds', factor: 1e-6 }],
  ['µs', { ladder: 'seconds', factor: 1e-6 }], ['ns', { ladder: 'seconds', factor: 1e-9 }],
]));

const PLAIN = new Map([['percent', '%'], ['count', ''], ['1', '']]);

/** "MB/s" is what MB is, per second. @param {string} unit @returns {Unit | undefined} */
function known(unit) {
  const name = unit.toLowerCase();
  const of = UNITS.get(name.replace(/\/s$/, ''));
  return UNITS.get(name) ?? (of && { ...of, suffix: '/s' });
}

/** @param {string} unit */
const plain = (unit) => PLAIN.get(unit.toLowerCase()) ?? unit.replace(/^(count|1)(?=\/s$)/i, '');

/** What to divide by, and the name of the result, so that a value of this size reads well.
 *  Counts stay whole here: a reader wants all digits of "latest".
 *  @param {string} unit @param {number} size @returns {Scale} */
export function scaleOf(unit, size) {
  const u = known(unit);
  if (!u || (u.kept && readsWell(size))) return { by: 1, unit: plain(unit) };
  const { by, unit: name } = step(/** @type {Scale[]} */ (LADDERS[u.ladder]), Math.abs(size) * u.factor);
  return { by: by / u.factor, unit: name + (u.suffix ?? '') };
}

/** @param {number} size */
const readsWell = (size) => size === 0 || (Math.abs(size) >= 0.01 && Math.abs(size) < 1e5);

/** The largest step that is not above `size`; for nothing at all the one called 1.
 *  @param {Scale[]} ladder @param {number} size @returns {Scale} */
function step(ladder, size) {
  let best = ladder.find((s) => s.by === 1) ?? ladder[0];
  if (size > 0) best = ladder.findLast((s) => s.by <= size * (1 + 1e-9)) ?? ladder[0];
  return /** @type {Scale} */ (best);
}

const THIN = '\u202f'; // narrow no-break space, the thousands separator of ISO 80000-1

/** @param {string} digits */
const grouped = (digits) => digits.replace(/\B(?=(\d{3})+(?!\d))/g, THIN);

/** Whole numbers whole, others with four significant digits. @param {number} v @returns {string} */
export function number(v) {
  const size = Math.abs(v);
  if (size !== 0 && (size >= 1e15 || size < 1e-6)) return v.toExponential(3);
  if (Number.isInteger(v)) return grouped(String(v));
  const rounded = Number(v.toPrecision(12)); // 250.00000000000003 is what a division made of 250
  if (Number.isInteger(rounded)) return grouped(String(rounded));
  const decimals = Math.max(0, Math.min(9, 3 - Math.floor(Math.log10(size))));
  const [whole = '', part] = v.toFixed(decimals).split('.');
  return grouped(whole) + (part ? `.${part}` : '');
}

/** @param {number | null | undefined} v @param {string} unit @returns {Shown} */
export function shown(v, unit) {
  if (v === null || v === undefined || !Number.isFinite(v)) return { value: '–', unit: '' };
  const scale = scaleOf(unit, v);
  return { value: number(v / scale.by), unit: scale.unit };
}

/** One string, for sentences. @param {number | null | undefined} v @param {string} unit */
export function text(v, unit) {
  const s = shown(v, unit);
  return s.unit ? `${s.value} ${s.unit}` : s.value;
}

/** Labels of an axis: all in the unit of the largest, with the decimals that tell neighbours apart.
 *  @param {number[]} ticks @param {string} unit @returns {string[]} */
export function axis(ticks, unit) {
  const size = Math.max(0, ...ticks.map(Math.abs));
  const u = known(unit);
  const scale = u ? scaleOf(unit, size) : step(/** @type {Scale[]} */ (LADDERS.count), size >= 1e4 ? size : 0);
  const gap = ticks.length > 1 ? Math.abs(/** @type {number} */ (ticks[1]) - /** @type {number} */ (ticks[0])) : size;
  const decimals = decimalsOf(gap / scale.by);
  const suffix = u?.kept && scale.by === 1 ? '' : u ? ` ${scale.unit.replace(/\/s$/, '')}` : scale.unit; // the title says "per second"; here is no room
  return ticks.map((t) => {
    if (t === 0) return '0';
    return size >= 1e16 ? t.toExponential(1) : (t / scale.by).toFixed(decimals) + suffix;
  });
}

/** How many decimals write a step exactly, up to six. @param {number} stepSize */
function decimalsOf(stepSize) {
  for (let d = 0; d < 6; d++) {
    const scaled = stepSize * 10 ** d;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * scaled) return d;
  }
  return 6;
}

const TENS = Array.from({ length: 40 }, (_, i) => [1, 2, 5].map((m) => Number(`${m}e${i - 20}`))).flat();
const TWOS = Array.from({ length: 60 }, (_, i) => 2 ** i);
const SECONDS = [...TENS.filter((s) => s < 10), 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200,
  ...TENS.filter((s) => s >= 1).map((days) => days * 86400)];

/** Steps between ticks that look round for values of this size in this unit.
 *  @param {string} unit @param {number} size @returns {number[]} */
export function increments(unit, size) {
  const u = known(unit);
  if (!u || u.ladder === 'decimal' || (u.kept && readsWell(size))) return TENS;
  return (u.ladder === 'bytes' ? TWOS : SECONDS).map((s) => s / u.factor);
}

/** @param {number} n */
const two = (n) => String(n).padStart(2, '0');
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** "14:03:07", with milliseconds when asked for. @param {number} ms @param {boolean} [fraction] */
export function clock(ms, fraction = false) {
  const d = new Date(ms);
  const seconds = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
  return fraction ? `${seconds}.${String(d.getMilliseconds()).padStart(3, '0')}` : seconds;
}

/** "2026-01-31". @param {number} ms */
export function date(ms) {
  const d = new Date(ms);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

/** As short as it is clear now: the time if today, else the day with it, else the date. @param {number} ms @param {number} now */
export function moment(ms, now) {
  const d = new Date(ms);
  if (date(ms) === date(now)) return clock(ms);
  if (d.getFullYear() !== new Date(now).getFullYear()) return date(ms);
  return `${MONTHS[d.getMonth()]} ${d.getDate()}, ${two(d.getHours())}:${two(d.getMinutes())}`;
}

const DAY = 86400e3;

/** "14:00:00 – 14:10:00", with the dates where they are not today's. @param {number} from @param {number} to @param {number} now */
export function span(from, to, now) {
  const fine = to - from < 10e3;
  /** @param {number} ms */
  const dayOf = (ms) => (new Date(ms).getFullYear() === new Date(now).getFullYear() ? `${MONTHS[new Date(ms).getMonth()]} ${new Date(ms).getDate()},` : date(ms));
  const day = date(from) === date(now) ? '' : `${dayOf(from)} `;
  const until = date(to) === date(from) ? '' : `${dayOf(to)} `;
  return `${day}${clock(from, fine)} – ${until}${clock(to, fine)}`;
}

/** Two units at most: "45 s", "12 min 05 s", "3 h 12 min", "2 d 4 h". @param {number} ms */
export function duration(ms) {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}

/** One unit, for narrow places: "45 s", "90 min", "30 h", "12 d". @param {number} ms */
export function roughly(ms) {
  const s = Math.max(0, ms) / 1000;
  if (s < 120) return `${Math.round(s)} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  return s < 48 * 3600 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} d`;
}

/** Labels of a time axis: the time to the tick's precision, the day where a day begins.
 *  @param {number[]} ticks in ms @returns {string[]} */
export function timeAxis(ticks) {
  const gap = ticks.length > 1 ? /** @type {number} */ (ticks[1]) - /** @type {number} */ (ticks[0]) : 1000;
  return ticks.map((ms) => {
    const d = new Date(ms);
    const midnight = d.getHours() + d.getMinutes() + d.getSeconds() + d.getMilliseconds() === 0;
    if (gap > 27 * DAY && d.getDate() === 1) return d.getMonth() ? /** @type {string} */ (MONTHS[d.getMonth()]) : String(d.getFullYear());
    if (midnight) return `${MONTHS[d.getMonth()]} ${d.getDate()}`;
    if (gap < 1000) return clock(ms, true).slice(3);
    return gap < 60e3 ? clock(ms) : clock(ms).slice(0, 5);
  });
}
