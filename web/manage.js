// SPDX-License-Identifier: MIT OR Unlicense
// manage: what the reader does with a run (note, tags, pin, delete, bring back), and what is said of it.

import { deleteRun, editRun } from './api.js';
import { makeDeleted } from './deleted.js';
import { makeEditor } from './edit.js';

/** @typedef {import('./model.js').Run} Run
 *  @typedef {import('./model.js').Edit} Edit
 *  @typedef {import('./deleted.js').Deleted} Deleted */

/** @param {HTMLDetailsElement} place of the deleted ones @param {import('./toast.js').Toast} toast
 *  @param {{edited: (run: Run) => void, changed: () => void}} on `changed`: a run went or came back */
export function makeManager(place, toast, on) {
  const deleted = makeDeleted(place, (run) => bringBack(run));
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

  /** @param {Deleted} run */
  const bringBack = (run) => attempt(async () => {
    const back = await editRun(run.id, { deleted: false });
    deleted.remove(run.id);
    toast(`${run.app} is back.`);
    on.edited(back);
    on.changed();
  });

  /** @param {Run} run */
  async function remove(run) {
    if (run.state === 'live') return toast('A live run cannot be deleted. End the program first.');
    await attempt(async () => {
      const { undo_seconds: seconds } = await deleteRun(run.id);
      const gone = { id: run.id, app: run.app, started: run.started, until: Date.now() + seconds * 1000 };
      deleted.add(gone);
      toast(`${run.app} was deleted.`, { label: 'Undo', run: () => bringBack(gone) });
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
