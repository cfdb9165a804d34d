// SPDX-License-Identifier: MIT OR Unlicense
// groups: which charts stand together, and which columns are one profiled function's. Pure.

/** @typedef {import('./model.js').Column} Column
 *  @typedef {{title: string, columns: number[], kind: 'pinned' | 'built-in' | 'gauges' | 'counters' | 'function'}} Group */
/** A function's columns by what they hold: 'hits', 'active_instances', 'average_time' always; 'mean', 'p50', 'p99', 'max'
 *  (of the last interval) where the program reports them. @typedef {{name: string, parts: Map<string, number>}} Profiled */

/** The names of the probes that dolon.h brings along. */
const BUILT_IN = new Set(['mem_allocation', 'active_tasks', 'cpu_percent', 'virtual_memory_percent', 'memory_use',
  'process_cpu_percent', 'page_faults', 'major_page_faults', 'context_switches', 'involuntary_switches', 'open_descriptors',
  'io_read_bytes', 'io_write_bytes', 'disk_read_bytes', 'disk_write_bytes']);

/** @param {string} name @returns {[base: string, part: string]} */
function split(name) {
  const [, base = '', part = ''] = /^(.+)_(hits|active_instances|average_time|mean|p\d+|max)$/s.exec(name) ?? [];
  return [base, part];
}

/** The profiled functions: what has both hits and an average time. @param {Column[]} columns @returns {Profiled[]} */
export function functionsOf(columns) {
  /** @type {Map<string, Profiled>} */
  const found = new Map();
  columns.forEach((column, i) => {
    const [name, part] = split(column.name);
    if (!part) return;
    const it = found.get(name) ?? { name, parts: new Map() };
    found.set(name, it);
    it.parts.set(part, i);
  });
  return [...found.values()].filter(({ parts }) => parts.has('hits') && parts.has('average_time'));
}

/** The column that has a function's histogram, if the program sends any. @param {Column[]} columns @param {Group} group */
export const histogramOf = (columns, { kind, columns: of }) => (kind === 'function' ? of.find((i) => columns[i]?.kind === 'histogram') : undefined);

/** The same of all functions. @param {Column[]} columns @param {Profiled[]} functions @returns {number[]} */
export const histogramsOf = (columns, functions) => functions.flatMap(({ parts }) => [...parts.values()].filter((i) => columns[i]?.kind === 'histogram'));

/** The charts in groups, each chart once, those hidden in none.
 *  @param {Column[]} columns @param {import('./look.js').Look} look @returns {Group[]} */
export function groupsOf(columns, look) {
  const functions = functionsOf(columns);
  const inFunction = new Set(functions.flatMap(({ parts }) => [...parts.values()]));
  const pinned = look.pin.map((name) => columns.findIndex((c) => c.name === name)).filter((i) => i >= 0);
  /** @param {(column: Column) => boolean} test */
  const rest = (test) => [...columns.keys()].filter((i) => !inFunction.has(i) && test(/** @type {Column} */ (columns[i])));
  /** @type {Group[]} */
  const all = [
    { title: 'Process and machine', kind: 'built-in', columns: rest((c) => BUILT_IN.has(c.name)) },
    { title: 'Gauges', kind: 'gauges', columns: rest((c) => !BUILT_IN.has(c.name) && c.kind !== 'counter') },
    { title: 'Counters', kind: 'counters', columns: rest((c) => !BUILT_IN.has(c.name) && c.kind === 'counter') },
    ...functions.map(({ name, parts }) => /** @type {Group} */ ({ title: `${name}()`, kind: 'function', columns: [...parts.values()] })),
  ];
  const taken = new Set(pinned);
  const shown = all.map((group) => ({ ...group, columns: group.columns.filter((i) => !taken.has(i)) }));
  const hidden = new Set(look.hide);
  return [/** @type {Group} */ ({ title: 'Pinned', kind: 'pinned', columns: pinned }), ...shown]
    .map((group) => ({ ...group, columns: group.columns.filter((i) => !hidden.has(/** @type {Column} */ (columns[i]).name)) }))
    .filter((group) => group.columns.length > 0);
}
