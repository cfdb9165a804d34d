// SPDX-License-Identifier: MIT OR Unlicense
// picture: a drawing made from the data, whatever names are in it. Local time is made UTC before the first Date.
process.env.TZ = 'UTC';

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FILE, PAPER, svgOf as drawn, timeTicks } from '../../web/picture.js';

const svgOf = (picture, form = FILE) => drawn(picture, form);
const T = Date.UTC(2026, 10, 23, 12);
const time = Array.from({ length: 60 }, (_, i) => T + i * 1000);
const column = (f) => time.map((_, i) => f(i));
const trace = (f, rows = 1) => ({ time, rows: column(() => rows), mean: column(f), min: column((i) => f(i) && f(i) - 1), max: column((i) => f(i) && f(i) + 1) });
const picture = (more = {}) => ({ title: 'queue', about: 'server', unit: 'MB', log: false, trace: trace((i) => 10 + i), range: { from: T, to: T + 60e3 }, gaps: [], marks: [],
  colours: { accent: '#00f', band: '#0f0', ground: '#fff', ink: '#000', muted: '#666', grid: '#eee', gap: '#fa0', lost: '#a50', mark: '#707' }, ...more });
const line = (svg) => /d="([^"]*)" fill="none" stroke="#00f"/.exec(svg)[1];

test('every value is a point of the line, and the numbers are told', () => {
  const svg = svgOf(picture());
  assert.equal(line(svg).match(/[ML]/g).length, 60);
  for (const text of ['>queue<', '>server<', '>69 MB<', '>12:00:30<']) assert.ok(svg.includes(text), `${text} in ${svg}`);
  assert.ok(!svg.includes('#0f0'), 'no band where each point is a row');
  assert.ok(svgOf(picture({ trace: trace((i) => 10 + i, 5) })).includes('#0f0'));
});

test('on paper it is smaller, and its name stands above it', () => {
  const svg = svgOf(picture(), PAPER);
  assert.equal(line(svg).match(/[ML]/g).length, 60);
  for (const text of ['>queue<', '>server<']) assert.ok(!svg.includes(text), `${text} in ${svg}`);
  assert.ok(svg.includes('>12:00:30<'));
});

test('the names of values have the room they need', () => {
  const memory = picture({ unit: 'B', trace: trace((i) => (1.3 + i / 200) * 2 ** 20) });
  const svg = svgOf(memory, PAPER);
  const [, x, name] = /<text x="([\d.]+)"[^>]*text-anchor="end"[^>]*>([^<]* MiB)</.exec(svg);
  assert.ok(name.length > 7 && Number(x) >= name.length * 0.55 * PAPER.font, `${name} ends at ${x}`);
  assert.ok(svgOf(picture(), PAPER).includes(`M${PAPER.left} `), 'short ones leave it where it was');
});

test('a line is broken where a value is missing, and where rows were lost', () => {
  assert.equal(line(svgOf(picture({ trace: trace((i) => (i === 30 ? null : i + 1)) }))).match(/M/g).length, 2);
  const svg = svgOf(picture({ gaps: [[T + 20_200, T + 20_800, 12]] }));
  assert.equal(line(svg).match(/M/g).length, 2);
  assert.ok(svg.includes('>12 lost<'));
});

test('names are text, and the drawing is well-formed whatever they say', () => {
  const evil = '<img src=x onerror="alert(1)">&\u0000\ud800';
  const svg = svgOf(picture({ title: evil, about: evil, unit: evil, marks: [{ time: T + 5000, text: evil, count: 1 }] }));
  assert.ok(!svg.includes('<img') && !svg.includes('\u0000'));
  assert.ok(svg.includes('&#60;img src=x onerror=&#34;alert(1)&#34;&#62;&#38;\ufffd\ufffd'));
});

test('a logarithmic axis, no value at all, one value only: nothing is drawn out of place', () => {
  for (const form of [FILE, PAPER]) for (const more of [{ log: true }, { trace: trace(() => null) }, { trace: trace(() => 0) }, { log: true, trace: trace(() => 0) }, { trace: trace(() => 5) }])
    assert.doesNotMatch(svgOf(picture(more), form), /NaN|Infinity|undefined/);
});

test('ticks of time are round, from milliseconds to years', () => {
  for (const span of [50, 1000, 60e3, 3600e3, 86400e3, 30 * 86400e3, 3 * 365 * 86400e3]) {
    const ticks = timeTicks({ from: T, to: T + span }, 8);
    assert.ok(ticks.length >= 2 && ticks.length <= 10, `${span}: ${ticks.length}`);
    assert.ok(ticks.every((t) => t >= T && t <= T + span));
  }
});
