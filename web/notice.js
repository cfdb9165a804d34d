// SPDX-License-Identifier: MIT OR Unlicense
// notice: the one thing about the connection that a reader has to know now. Pure.

/** `since`: when the connection was lost, ms, or null. `shown`: a run's charts stand there. `gone`: that run was deleted;
 *  `back`: and can be brought back. @typedef {{since: number | null, now: number, shown: boolean, gone: boolean, back: boolean,
 *    behind: boolean, trouble: string}} Standing
 *  @typedef {{text: string, action: 'retry' | 'back' | null}} Notice */

const PATIENCE_MS = 1200; // a server that restarts is back sooner, and nobody need know

/** Its text stays the same while things stay the same: it is read aloud when it changes. @param {Standing} at @returns {Notice} */
export function noticeOf({ since, now, shown, gone, back, behind, trouble }) {
  if (since !== null && now - since >= PATIENCE_MS) {
    return { text: shown ? 'Connection lost. What was received stays here; trying again …' : 'mnemic does not answer; trying again …', action: 'retry' };
  }
  if (gone) return { text: 'This run was deleted. What was received stays here until you leave it.', action: back ? 'back' : null };
  if (trouble) return { text: trouble, action: null };
  if (behind) return { text: 'Charts are live, but storage is behind: new rows wait in memory until they can be written.', action: null };
  return { text: '', action: null };
}
