// SPDX-License-Identifier: MIT OR Unlicense
// bundle: joins the page's modules, and its styles: fetching sixty files took the browser as long as all else until the first chart.
//   node bundle.mjs FOLDER      early.js takes in what it imports, main.js the rest; index.html names what is left
//
// It knows the forms of import and export that web/ uses, and refuses others. Each module becomes a function that is called
// once, in the order of imports, and returns what it exports; so no name meets another, and strict mode stays.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ENTRIES = ['early.js', 'main.js']; // in the order in which they run; a later one imports modules of those before
const APART = ['uPlot.esm.js'];          // isn't ours
const STYLE = 'style.css';

const folder = process.argv[2];
if (!folder) throw new Error('usage: node bundle.mjs FOLDER');

/** Which entry holds a module. @type {Map<string, string>} */
const owner = new Map();
/** The modules of the entry at hand, in the order in which they run. @type {Map<string, string>} */
let done = new Map();
/** Its imports. @type {Set<string>} */
let outer = new Set();
let entry = '';
/** @type {string[]} */
const path = [];

/** @param {string} name */
const read = (name) => readFileSync(join(folder, name), 'utf8');

/** @param {string} name */
const variable = (name) => `$${name.replace(/\W/g, '_')}`;

/** @param {string} name */
function take(name) {
  const held = owner.get(name);
  if (held && held !== entry) outer.add(`import { ${variable(name)} } from './${held}';\n`);
  if (held) return;
  if (path.includes(name)) throw new Error(`bundle: modules import each other in a circle: ${[...path, name].join(' → ')}`);
  path.push(name);
  const exported = /** @type {string[]} */ ([]);
  const body = read(name)
    .replace(/^import (?:(\w+|\{[^}]*\}) from )?'\.\/([^']+)';$/gm, (_, names, from) => imported(names, from))
    .replace(/^export ((?:async )?function\*?|class|const) (\w+)/gm, (_, kind, it) => {
      exported.push(it);
      return `${kind} ${it}`;
    });
  const unknown = /^(?:import|export)\b.*/m.exec(body);
  if (unknown) throw new Error(`bundle: ${name}: a form that it does not know: ${unknown[0]}`);
  path.pop();
  owner.set(name, entry);
  done.set(name, `const ${variable(name)} = (() => {\n${body}return { ${exported.join(', ')} };\n})();\n`);
}

/** What stands for an import. @param {string | undefined} names none: for what it does @param {string} from */
function imported(names, from) {
  const whole = names !== undefined && !names.startsWith('{');
  if (APART.includes(from)) outer.add(`import ${whole ? '' : '* as '}${variable(from)} from './${from}';\n`);
  else take(from);
  if (names === undefined) return '';
  return whole ? `const ${names} = ${variable(from)};` : `const ${names.replace(/ as /g, ': ')} = ${variable(from)};`;
}

for (entry of ENTRIES.filter((name) => existsSync(join(folder, name)))) {
  [done, outer] = [new Map(), new Set()];
  take(entry);
  const last = entry === ENTRIES.at(-1);
  writeFileSync(join(folder, entry), [...outer, ...done.values(), last ? '' : `export { ${[...done.keys()].map(variable).join(', ')} };\n`].join(''));
}
for (const name of owner.keys()) if (!ENTRIES.includes(name)) rmSync(join(folder, name));

const index = read('index.html');
const styles = [...index.matchAll(/<link rel="stylesheet" href="\/assets\/([^"]+)">/g)].map((m) => /** @type {string} */ (m[1]));
const joined = styles.map(read).join('\n');
for (const name of styles) rmSync(join(folder, name));
if (styles.length > 0) writeFileSync(join(folder, STYLE), joined);
writeFileSync(join(folder, 'index.html'), index
  .replace(/ *<link rel="modulepreload" href="\/assets\/([^"]+)">\n/g, (line, name) => (owner.has(name) && !ENTRIES.includes(name) ? '' : line))
  .replace(/ *<link rel="stylesheet" href="\/assets\/([^"]+)">\n/g, (line, name) => (name === styles[0] ? line.replace(name, STYLE) : '')));
