// SPDX-License-Identifier: MIT OR Unlicense
// empty: what a newcomer sees before the first run: the lines that make it.

import { el, setText } from './dom.js';

const PROGRAM = `#define DOLON_IMPLEMENTATION
#include "dolon.h"
#include <unistd.h>

int main(void)
{
    dolon_tracer *t = dolon_start(NULL);
    for (int i = 0; i < 600; i++) {
        DOLON_SCOPE("work");
        DOLON_COUNT("rounds", 1);
        usleep(100000);
    }
    dolon_stop(t);
}
`;
const COMMAND = 'cc -pthread first.c -o first && ./first\n';

/** @returns {HTMLElement} */
export function makeEmpty() {
  return el('section', { class: 'empty', 'aria-label': 'Getting started' },
    el('h2', { text: 'No run yet' }),
    el('p', { text: 'mnemic listens. Put dolon.h beside this program, and its first run appears here by itself.' }),
    sample('first.c', PROGRAM),
    sample('in a terminal', COMMAND));
}

/** @param {string} title @param {string} code */
function sample(title, code) {
  const button = el('button', { type: 'button', class: 'quiet', text: 'Copy', 'aria-label': `Copy ${title}` });
  const pre = el('pre', { tabindex: '0', text: code });
  button.addEventListener('click', async () => {
    setText(button, (await copy(code, pre)) ? 'Copied' : 'Press Ctrl-C');
    setTimeout(() => setText(button, 'Copy'), 2000);
  });
  return el('div', { class: 'sample' }, el('div', { class: 'samplehead' }, el('span', { text: title }), button), pre);
}

/** Browsers give the clipboard to https and localhost only; elsewhere the text is selected for the reader to copy.
 *  @param {string} code @param {Node} node */
async function copy(code, node) {
  try {
    await navigator.clipboard.writeText(code);
    return true;
  } catch {
    getSelection()?.selectAllChildren(node);
    return false;
  }
}
