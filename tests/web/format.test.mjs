// SPDX-License-Identifier: MIT OR Unlicense
// format: numbers with units, axes, times and durations. Local time is made UTC before the first Date.
process.env.TZ = 'UTC';

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as f from '../../web/format.js';

const N = '\u202f';
const T = Date.UTC(2026, 0, 31, 12, 3, 7, 45);

test('a value keeps the unit that the program names, and scales bytes and seconds', () => {
  for (const [value, unit, expected] of [
    [0.4123456, 'MB', '0.4123 MB'],
    [1.5, 'GiB', '1.500 GiB'],
    [0.25, 'GiB', '0.2500 GiB'],
    [0.003426, 'GiB', '3.508 MiB'],
    [0.0005, 'MB', '500 B'],
    [0, 'GiB', '0 GiB'],
    [3.2, '%', '3.200 %'],
    [3.2, 'percent', '3.200 %'],
    [1536, 'B', '1.500 KiB'],
    [1536, 'bytes', '1.500 KiB'],
    [1023, 'B', `1${N}023 B`],
    [5 * 2 ** 30, 'bytes', '5 GiB'],
    [-2048, 'B', '-2 KiB'],
    [2048, 'B/s', '2 KiB/s'],
    [0.0012, 's', '1.200 ms'],
    [2.5e-7, 's', '250 ns'],
    [90, 's', '1.500 min'],
    [1500, 'ms', '1.500 s'],
    [3, 'us', '3 µs'],
    [0, 's', '0 s'],
    [0, 'ms', '0 s'],
    [0, 'B', '0 B'],
    [1234567, '', `1${N}234${N}567`],
    [12, 'count', '12'],
    [7, 'widgets', '7 widgets'],
    [null, 'MB', '–'],
    [Number.NaN, 'MB', '–'],
    [undefined, '', '–'],
  ]) assert.equal(f.text(value, unit), expected, `${value} ${unit}`);
});

test('a number shows four significant digits, whole numbers all of them', () => {
  for (const [value, expected] of [
    [0, '0'], [4, '4'], [-4, '-4'], [0.1, '0.1000'], [12.345678, '12.35'], [123456.789, `123${N}457`],
    [0.000123456, '0.0001235'], [1e-9, '1.000e-9'], [1e20, '1.000e+20'], [999.96, `1${N}000.0`],
  ]) assert.equal(f.number(value), expected);
});

test('an axis has one unit, and the decimals that tell its ticks apart', () => {
  for (const [ticks, unit, expected] of [
    [[0, 5, 10], '', ['0', '5', '10']],
    [[0, 0.5, 1], '%', ['0', '0.5', '1.0']],
    [[1.255, 1.26, 1.265], 'GiB', ['1.255', '1.260', '1.265']],
    [[0, 1 / 512, 1 / 256], 'GiB', ['0', '2 MiB', '4 MiB']],
    [[0, 10000, 20000], '', ['0', '10k', '20k']],
    [[0, 2500, 5000], '', ['0', '2500', '5000']],
    [[0, 2 ** 20, 2 ** 21], 'B', ['0', '1 MiB', '2 MiB']],
    [[0, 0.001, 0.002], 's', ['0', '1 ms', '2 ms']],
    [[0, 0.0005, 0.001], 's', ['0', '0.5 ms', '1.0 ms']],
    [[-1, 0, 1], 'V', ['-1', '0', '1']],
    [[0], '', ['0']],
    [[0, 2 ** 19], 'B/s', ['0', '512 KiB']],
    [[], '', []],
  ]) assert.deepEqual(f.axis(ticks, unit), expected);
});

test('steps of a byte axis are powers of two, those of a time axis rise', () => {
  assert.ok(f.increments('bytes', 5000).every((s) => Number.isInteger(Math.log2(s))));
  assert.ok(f.increments('GiB', 1.2).includes(0.02), 'as long as GiB are shown');
  assert.ok(f.increments('GiB', 0.003).includes(1 / 1024), 'once MiB are');
  for (const unit of ['', 's', 'ms', 'B', 'MB', 'GiB']) {
    const steps = f.increments(unit, 1);
    assert.ok(steps.every((s, i) => i === 0 || s > steps[i - 1]), unit);
  }
  assert.ok(f.increments('s', 1).includes(60) && f.increments('s', 1).includes(3600));
});

test('moments are as short as they are clear', () => {
  assert.equal(f.clock(T), '12:03:07');
  assert.equal(f.clock(T, true), '12:03:07.045');
  assert.equal(f.date(T), '2026-01-31');
  assert.equal(f.moment(T, T + 60e3), '12:03:07');
  assert.equal(f.moment(T, T + 86400e3), 'Jan 31, 12:03');
  assert.equal(f.moment(T, T + 400 * 86400e3), '2026-01-31');
  assert.equal(f.span(T, T + 60e3, T), '12:03:07 – 12:04:07');
  assert.equal(f.span(T, T + 86400e3, T + 86400e3), 'Jan 31, 12:03:07 – Feb 1, 12:03:07');
  assert.equal(f.span(T, T + 86400e3, T + 400 * 86400e3), '2026-01-31 12:03:07 – 2026-02-01 12:03:07');
  assert.equal(f.span(T, T + 500, T), '12:03:07.045 – 12:03:07.545');
});

test('durations have two units at most', () => {
  for (const [ms, long, short] of [
    [0, '0 ms', '0 s'], [-5, '0 ms', '0 s'], [250, '250 ms', '0 s'], [45e3, '45 s', '45 s'], [754e3, '12 min 34 s', '13 min'],
    [3 * 3600e3 + 5 * 60e3, '3 h 05 min', '3 h'], [52 * 3600e3, '2 d 4 h', '2 d'], [600e3, '10 min 00 s', '10 min'],
  ]) assert.deepEqual([f.duration(ms), f.roughly(ms)], [long, short]);
});

test('a time axis says what changes between its ticks', () => {
  const at = (h, m = 0, s = 0, ms = 0) => Date.UTC(2026, 0, 31, h, m, s, ms);
  assert.deepEqual(f.timeAxis([at(12), at(12, 5)]), ['12:00', '12:05']);
  assert.deepEqual(f.timeAxis([at(12, 0, 10), at(12, 0, 20)]), ['12:00:10', '12:00:20']);
  assert.deepEqual(f.timeAxis([at(12, 0, 1, 100), at(12, 0, 1, 200)]), ['00:01.100', '00:01.200']);
  assert.deepEqual(f.timeAxis([at(18), at(24), at(30)]), ['18:00', 'Feb 1', '06:00']);
  assert.deepEqual(f.timeAxis([Date.UTC(2026, 11, 1), Date.UTC(2027, 0, 1)]), ['Dec', '2027']);
  assert.deepEqual(f.timeAxis([]), []);
});
