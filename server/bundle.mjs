// SPDX-License-Identifier: MIT OR Unlicense
// bundle: joins the page's modules in one: fetching sixty files took the browser as long as all else until the first chart.
//   node bundle.mjs FOLDER      main.js takes in what it imports, but for APART; index.html names what is left
//
// It knows the forms of import and export that web/ uses, and refuses others. Each module becomes a function that is called
// once, in the order of imports, and returns what it exports; so no name meets another, and strict mode stays.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const APART = ['theme.js', 'uPlot.esm.js']; // the former is loaded before the page is painted, the latter isn't ours
const ENTRY = 'main.js';

const folder = process.argv[2];
if (!folder) throw new Error('usage: node bundle.mjs FOLDER');

/** By name, in the order in which they run. @type {Map<string, string>} */
const done = new Map();
/** @type {string[]} */
const path = [];
const outer = new Set();

/** @param {string} name */
const variable = (name) => `$${name.replace(/\W/g, '_')}`;

/** @param {string} name */
function take(name) {
  if (done.has(name)) return;
  if (path.includes(name)) throw new Error(`bundle: modules import each other in a circle: ${[...path, name].join(' → ')}`);
  path.push(name);
  const exported = /** @type {string[]} */ ([]);
  const body = readFileSync(join(folder, name), 'utf8')
    .replace(/^import (\w+|\{[^}]*\}) from '\.\/([^']+)';$/gm, (_, names, from) => imported(names, from))
    .replace(/^export ((?:async )?function\*?|class|const) (\w+)/gm, (_, kind, it) => {
      exported.push(it);
      return `${kind} ${it}`;
    });
  const unknown = /^(?:import|export)\b.*/m.exec(body);
  if (unknown) throw new Error(`bundle: ${name}: a form that it does not know: ${unknown[0]}`);
  path.pop();
  done.set(name, `const ${variable(name)} = (() => {\n${body}return { ${exported.join(', ')} };\n})();\n`);
}

/** What stands for an import. @param {string} names @param {string} from */
function imported(names, from) {
  const whole = !names.startsWith('{');
  if (APART.includes(from)) outer.add(`import ${whole ? '' : '* as '}${variable(from)} from './${from}';\n`);
  else take(from);
  return whole ? `const ${names} = ${variable(from)};` : `const ${names.replace(/ as /g, ': ')} = ${variable(from)};`;
}

take(ENTRY);
writeFileSync(join(folder, ENTRY), [...outer, ...done.values()].join(''));
for (const name of done.keys()) if (name !== ENTRY) rmSync(join(folder, name));
const index = join(folder, 'index.html');
writeFileSync(index, readFileSync(index, 'utf8').replace(/ *<link rel="modulepreload" href="\/assets\/([^"]+)">\n/g, (line, name) => (done.has(name) ? '' : line)));
