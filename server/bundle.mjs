// SPDX-License-Identifier: MIT OR Unlicense
// bundle: joins and shortens the page's modules and styles with esbuild.    node bundle.mjs NODE_MODULES FROM TO
//
// early.js takes in what it imports, main.js all else: the small one asks for what is shown first while the browser still reads the
// large one. A module is in one of them only, so main.js imports those of early.js from there.

import { createRequire } from 'node:module';
import { basename, join, resolve } from 'node:path';

const [modules, from, to] = process.argv.slice(2).map((path) => resolve(path));
if (!modules || !from || !to) throw new Error('usage: node bundle.mjs NODE_MODULES FROM TO');
const { build } = createRequire(join(modules, 'bundle.js'))('esbuild');

/** @type {import('esbuild').BuildOptions} */
const always = {
  absWorkingDir: from, bundle: true, minify: true, format: 'esm', target: ['es2022', 'chrome123', 'firefox128', 'safari17.5'], logLevel: 'warning',
};

const alone = await build({ ...always, entryPoints: ['early.js'], metafile: true, write: false });
const shared = Object.keys(alone.metafile.inputs);

await build({ ...always, stdin: { contents: shared.map((name) => `export * from './${name}';`).join('\n'), resolveDir: from }, outfile: join(to, 'early.js') });
await build({
  ...always,
  stdin: { contents: "import './main.js';", resolveDir: from },
  outfile: join(to, 'main.js'),
  inject: ['intl.js'],
  define: { 'Intl.NumberFormat': 'NumberFormat', 'Intl.DateTimeFormat': 'DateTimeFormat' },
  plugins: [{
    name: 'shared',
    setup: ({ onResolve }) => onResolve({ filter: /^\.\// }, ({ path }) => (shared.includes(basename(path)) ? { path: './early.js', external: true } : undefined)),
  }],
});
await build({ ...always, entryPoints: ['page.css'], outfile: join(to, 'page.css') });
