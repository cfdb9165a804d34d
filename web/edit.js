// SPDX-License-Identifier: MIT OR Unlicense
// edit: a run's note and its tags, in a dialog.

import { el, setText } from './dom.js';

/** @typedef {import('./model.js').Run} Run
 *  @typedef {import('./model.js').Edit} Edit */

/** What of the tags changed, as a merge patch (RFC 7396): null removes one.
 *  @param {Record<string, string>} before @param {Record<string, string>} after */
export function tagsPatch(before, after) {
  /** @type {[string, string | null][]} */
  const gone = Object.keys(before).filter((k) => !Object.hasOwn(after, k)).map((k) => [k, null]);
  /** @type {[string, string | null][]} */
  const changed = Object.entries(after).filter(([k, v]) => !Object.hasOwn(before, k) || before[k] !== v);
  return Object.fromEntries([...gone, ...changed]);
}

/** @param {(run: Run, edit: Edit) => Promise<void>} save rejects with a sentence @returns {(run: Run) => void} opens it */
export function makeEditor(save) {
  const note = el('textarea', { rows: '4', placeholder: 'What is worth knowing about this run' });
  const tags = el('div', { class: 'tags' });
  const more = el('button', { type: 'button', class: 'quiet', text: 'Add a tag' });
  const trouble = el('p', { class: 'trouble', role: 'alert' });
  const cancel = el('button', { type: 'button', class: 'quiet', text: 'Cancel' });
  const form = el('form', {},
    el('header', {}, el('h2', { id: 'edit-title', text: 'Note and tags' })),
    el('label', {}, el('span', { text: 'Note' }), note),
    el('fieldset', {}, el('legend', { text: 'Tags' }), tags, more),
    trouble,
    el('footer', {}, cancel, el('button', { class: 'quiet chief', text: 'Save' })));
  const dialog = el('dialog', { class: 'edit', 'aria-labelledby': 'edit-title' }, form);
  document.body.append(dialog);
  /** @type {Run | null} */
  let run = null;

  /** @param {string} key @param {string} value */
  function addTag(key, value) {
    const remove = el('button', { type: 'button', class: 'quiet round', 'aria-label': 'Remove this tag', title: 'Remove this tag', text: '×' });
    const name = el('input', { 'aria-label': 'Tag', placeholder: 'branch', spellcheck: 'false' });
    const what = el('input', { 'aria-label': 'Value', placeholder: 'main', spellcheck: 'false' });
    [name.value, what.value] = [key, value];
    const line = el('div', {}, name, el('span', { 'aria-hidden': 'true', text: '=' }), what, remove);
    remove.addEventListener('click', () => {
      line.remove();
      more.focus();
    });
    tags.append(line);
    return name;
  }

  /** @returns {Record<string, string>} */
  function tagsWritten() {
    const lines = [...tags.children].map((line) => [...line.querySelectorAll('input')].map((input) => input.value.trim()));
    return Object.fromEntries(lines.filter(([key]) => key).map(([key = '', value = '']) => [key, value]));
  }

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (!run) return;
    try {
      await save(run, { note: note.value.trim(), tags: tagsPatch(run.tags, tagsWritten()) });
      dialog.close();
    } catch (error) {
      setText(trouble, /** @type {Error} */ (error).message);
    }
  });
  note.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  more.addEventListener('click', () => addTag('', '').focus());
  cancel.addEventListener('click', () => dialog.close());

  return (shown) => {
    run = shown;
    note.value = run.note;
    setText(trouble, '');
    tags.replaceChildren();
    for (const [key, value] of Object.entries(run.tags)) addTag(key, value);
    dialog.showModal();
    note.focus();
  };
}
