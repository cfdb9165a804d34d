// SPDX-License-Identifier: MIT OR Unlicense
// main: wiring. Lists the runs.

/** @type {import('./model.js').App[]} */
const apps = await (await fetch('/api/v1/apps')).json();
const tree = document.createElement('ul');
for (const run of apps.flatMap((a) => a.runs)) {
  const item = document.createElement('li');
  item.textContent = `${run.app}: ${run.state}`;
  tree.append(item);
}
document.getElementById('tree')?.replaceChildren(tree);
