// SPDX-License-Identifier: MIT OR Unlicense
// insight: what is asked about a run beside its charts: does it drift, what moves with what, how do others compare. Keeps the
// panels up to date with the time shown, and hands the charts what was found.

import { Refusal, getDrift } from './api.js';
import { choose, chosen, watchChosen } from './chosen.js';
import { makeCompare } from './comparepanel.js';
import { makeCorrelation } from './correlationpanel.js';
import { arrange, el, setAttribute, setText } from './dom.js';
import { makeHealth } from './health.js';
import { MOST_RUNS } from './insightstate.js';
import { watchTheme } from './theme.js';
import { concerns, onChart } from './verdict.js';

/** @typedef {import('./feed.js').Feed} Feed
 *  @typedef {import('./insightstate.js').Insight} Insight
 *  @typedef {import('./insightstate.js').Panel} Panel
 *  @typedef {import('./model.js').Range} Range
 *  @typedef {import('./model.js').App} App
 *  @typedef {import('./model.js').Run} Run
 *  @typedef {{address: (insight: Insight) => void, goTo: (column: string) => void, zoom: (range: Range) => void}} Handlers */

const SOON_MS = 250;     // after the last change: a pan asks once
const AGAIN_MS = 30e3;   // while a live run is followed
const RETRY_MS = 5e3;

/** @type {[Panel | null, string][]} */
const TABS = [[null, 'Charts'], ['health', 'Health'], ['correlation', 'Correlation'], ['compare', 'Compare']];

/** A question that is asked anew when what it is about changes, or grows old. */
class Question {
  /** @param {(signal: AbortSignal) => Promise<void>} ask @param {(trouble: string) => void} fail */
  constructor(ask, fail) {
    this.ask = ask;
    this.fail = fail;
    this.key = '';
    this.timer = 0;
    this.busy = /** @type {AbortController | null} */ (null);
  }

  /** @param {string} key what it is about @param {boolean} live the answer grows old */
  want(key, live) {
    if (key === this.key) return;
    this.key = key;
    this.later(SOON_MS, live);
  }

  rest() {
    this.key = '';
    clearTimeout(this.timer);
    this.busy?.abort();
    this.busy = null;
  }

  /** @param {number} ms @param {boolean} live */
  later(ms, live) {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.go(live), ms);
  }

  /** @param {boolean} live */
  async go(live) {
    if (document.hidden) return this.later(AGAIN_MS, live);
    this.busy?.abort();
    const busy = this.busy = new AbortController();
    try {
      await this.ask(busy.signal);
      if (live && !busy.signal.aborted) this.later(AGAIN_MS, live);
    } catch (error) {
      if (busy.signal.aborted) return;
      if (error instanceof Refusal) return this.fail(error.message);
      this.later(RETRY_MS, live);
    }
  }
}

/** Made when it is first looked at: the charts come first. @template T @param {() => T} make @returns {() => T} */
function late(make) {
  /** @type {T | undefined} */
  let made;
  return () => made ??= make();
}

/** @template {{repaint: () => void}} T @param {T} panel */
function repainted(panel) {
  watchTheme(panel.repaint);
  return panel;
}

/** @param {HTMLElement} tabs @param {HTMLElement} place @param {Handlers} on */
export function makeInsight(tabs, place, on) {
  const health = late(() => makeHealth(on));
  const correlation = late(() => repainted(makeCorrelation(change)));
  const compare = late(() => repainted(makeCompare(change)));
  /** @type {Record<Panel, () => {node: HTMLElement}>} */
  const panels = { health, correlation, compare };
  const buttons = new Map(TABS.map(([panel, text]) => {
    const button = el('button', { type: 'button', text });
    button.addEventListener('click', () => change({ panel }));
    return [panel, button];
  }));
  arrange(tabs, [...buttons.values()]);

  let state = /** @type {Insight} */ ({});
  let feed = /** @type {Feed | null} */ (null);
  /** What the charts were told last, and of which run. @type {import('./verdict.js').Drifts | null} */
  let found = null;
  let trouble = '';

  const verdicts = new Question(async (signal) => {
    const of = feed;
    if (!of) return;
    const drifts = await getDrift(of.run.id, of.range, signal);
    if (of !== feed) return;
    [found, trouble] = [drifts, ''];
    of.findings = new Map(drifts.columns.map((d, i) => [i, onChart(d)]));
    of.changed();
  }, (why) => { trouble = why; });
  const relations = new Question((signal) => feed ? correlation().load(feed, state, feed.range, signal) : Promise.resolve(), (why) => correlation().fail(why));
  const sides = new Question((signal) => compare().load(ids(), state, signal), (why) => compare().fail(why));

  /** The baseline first, then the run that is shown. */
  function ids() {
    if (!feed) return [];
    const all = [...new Set([feed.run.id, ...state.compare])].slice(0, MOST_RUNS);
    return state.base !== null && all.includes(state.base) ? [...new Set([state.base, ...all])] : all;
  }

  /** @param {Partial<Insight>} changed */
  function change(changed) {
    const next = { ...state, ...changed };
    on.address({ ...next, base: next.base !== null && next.compare.includes(next.base) ? next.base : null });
  }

  let telling = false; // the tree what the address says: that is no choice of the reader, and the run shown may still be the one before
  watchChosen(() => {
    if (telling) return;
    const others = chosen().filter((id) => id !== feed?.run.id).slice(0, MOST_RUNS - 1);
    if (!feed || others.join() === state.compare.join()) return;
    change({ compare: others, panel: others.length > state.compare.length ? 'compare' : state.panel });
  });

  /** @type {App[]} */
  let listed = [];
  let all = /** @type {Run[]} */ ([]);

  /** @param {Feed | null} shown @param {Insight} insight @param {App[]} apps */
  function render(shown, insight, apps) {
    if (apps !== listed) all = apps.flatMap((app) => app.runs);
    listed = apps;
    if (shown !== feed) {
      for (const question of [verdicts, relations, sides]) question.rest();
      found = null;
      trouble = '';
    }
    [feed, state] = [shown, insight];
    tabs.hidden = place.hidden = !feed;
    if (!feed) return;
    telling = true;
    if (state.compare.length > 0 || chosen().length === 0) choose(state.compare);
    telling = false;
    for (const [panel, button] of buttons) setAttribute(button, 'aria-current', panel === state.panel ? 'true' : null);
    setText(/** @type {HTMLElement} */ (buttons.get('compare')), state.compare.length > 0 ? `Compare ${ids().length}` : 'Compare');
    tellHealth();
    const node = state.panel && panels[state.panel]().node;
    arrange(place, node ? [node] : []);
    ask(feed);
  }

  /** As far as charts say so, too. */
  function tellHealth() {
    const button = /** @type {HTMLElement} */ (buttons.get('health'));
    const many = found ? concerns(found.columns) : 0;
    setText(button, many > 0 ? `Health ${many}` : 'Health');
    setAttribute(button, 'title', many > 0 ? `${many} ${many === 1 ? 'column drifts, or went' : 'columns drift, or went'} to another level` : null);
  }

  /** @param {Feed} of */
  function ask(of) {
    const live = of.run.state === 'live';
    const { kind } = of.view;
    // While the view follows the run, its range moves with each row: the question is about following, and asked again at times.
    const about = `${of.run.id} ${kind} ${kind === 'range' || !live ? `${of.range.from} ${of.range.to}` : kind === 'last' ? of.view.seconds : ''} ${of.run.columns.length}`;
    verdicts.want(about, live && kind !== 'range');
    if (state.panel === 'health') health().render(found, trouble);
    if (state.panel === 'correlation') {
      relations.want(`${about} ${state.changes}`, live && kind !== 'range');
      correlation().render(of, state);
      correlation().loadPair(of, state).catch(() => {});
    } else relations.rest();
    if (state.panel === 'compare') {
      compare().renderRuns(ids(), of.run.id, all);
      const lively = all.some((r) => ids().includes(r.id) && r.state === 'live');
      sides.want(`${ids().join()} ${state.mark} ${state.span?.join()} ${lively}`, lively);
    } else sides.rest();
  }

  return { render, get comparing() { return state.panel === 'compare'; } };
}
