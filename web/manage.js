// SPDX-License-Identifier: MIT OR Unlicense
// manage: what the reader does with a run (note, tags, pin, delete, bring back), and what is said of it.

import { deleteRun, editRun } from './api.js';
import { makeDeleted } from './deleted.js';
import { makeEditor } from './edit.js';

/** @typedef {import('./model.js').Run} Run
 *  @typedef {import('./model.js').Edit} Edit */

/** @param {HTMLDetailsElement} place of the deleted ones @param {import('./toast.js').Toast} toast
 *  @param {{edited: (run: Run) => void, changed: () => void, redraw: () => void}} on `changed`: a run went or came back */
export function makeManager(place, toast, on) {
  const deleted = makeDeleted(place, (run) => bringBack(run), on.redraw);
  /** @param {Run} run @param {Edit} edit */
  const change = async (run, edit) => on.edited(await editRun(run.id, edit));
  const edit = makeEditor(change);

  /** What fails is said. @param {() => Promise<void>} what */
  async function attempt(what) {
    try {
      await what();
    } catch (error) {
      toast(/** @type {Error} */ (error).message);
    }
  }

  /** @param {Run} run */
  const bringBack = (run) => attempt(async () => {
    const back = await editRun(run.id, { deleted: false });
    deleted.refresh(true);
    toast(`${run.app} is back.`);
    on.edited(back);
    on.changed();
  });

  /** @param {Run} run */
  async function remove(run) {
    if (run.state === 'live') return toast('A live run cannot be deleted. End the program first.');
    await attempt(async () => {
      await deleteRun(run.id);
      deleted.refresh(true);
      toast(`${run.app} was deleted.`, { label: 'Undo', run: () => bringBack(run) });
      on.changed();
    });
  }

  return {
    deleted, bringBack,
    handlers: {
      edit, remove,
      /** @param {Run} run */
      pin: (run) => attempt(() => change(run, { pinned: !run.pinned })),
    },
  };
}
