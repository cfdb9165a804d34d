// SPDX-License-Identifier: MIT OR Unlicense
// main: wiring. The address says what is shown; everything else follows from it and from what the server tells.

import { Refusal, getRun, getStatus } from './api.js';
import { makeBar } from './bar.js';
import { Board } from './board.js';
import { arrange, byId, setAttribute, setText } from './dom.js';
import { earlyApps, earlyOpening } from './early.js';
import { makeEmpty } from './empty.js';
import { makeFacts } from './facts.js';
import { Feed } from './feed.js';
import { makeFinder } from './finder.js';
import { makeFoot } from './foot.js';
import { makeInsight } from './insight.js';
import { plainInsight } from './insightstate.js';
import { plainLook } from './look.js';
import { makeManager } from './manage.js';
import { happened, sameView, usualRun, usualView } from './model.js';
import { noticeOf } from './notice.js';
import { filterApps } from './search.js';
import { makeSteering } from './steer.js';
import { makeToast } from './toast.js';
import { makeTree } from './tree.js';
import { format, parse } from './url.js';

/** @typedef {import('./model.js').View} View */

const POLL_MS = 3000;
const POLL_REST = 5; // times as long as the last poll took: thousands of runs are asked for less often
const CLOCK_MS = 1000;
const CHARTS_FIRST_MS = 1000; // after that the tree waits no more for the charts of a run that is slow to come
const SOON_MS = 80; // the first rows that take longer are not waited for: the page is shown without them
/** @type {import('./model.js').App[]} */
const NONE = [];
const NEAR_MARK = 0.015; // of the range: how near to a mark the cursor must be to tell its text

const state = {
  apps: /** @type {import('./model.js').App[] | null} */ (null),
  selected: /** @type {string | null} */ (null),
  feed: /** @type {Feed | null} */ (null),
  opening: /** @type {string | null} */ (null),
  look: plainLook(), // kept from run to run
  insight: plainInsight(),
  goTo: '',          // the column whose chart is to be brought into view
  refused: '',       // why the run that was asked for cannot be shown
  trouble: '',       // why the server cannot tell of its runs
  status: /** @type {import('./model.js').Status | null} */ (null),
  away: /** @type {number | null} */ (null), // since when the server does not answer, ms
  treeIsOld: true,   // the tree may be long: it is not drawn with each row that arrives
};

const finder = makeFinder(byId('finder'), () => {
  if (state.feed) settle(state.feed.run.id, state.feed.view);
  state.treeIsOld = true;
  plan();
});
const tree = makeTree(byId('tree'));
const manager = makeManager(/** @type {HTMLDetailsElement} */ (byId('deleted')), makeToast(byId('toasts')), {
  edited: (run) => {
    if (state.feed?.run.id === run.id) state.feed.take(run);
    poll();
  },
  changed: () => poll(),
  redraw: plan,
});
const facts = makeFacts(byId('facts'), manager.handlers);
const foot = makeFoot(byId('foot'));
const steer = makeSteering(byId('charts'), () => state.feed, (feed, view) => addressOf(feed.run.id, view));
const bar = makeBar(byId('bar'), steer);
const board = new Board(byId('charts'), {
  zoom: (range) => steer.show({ kind: 'range', from: Math.round(range.from), to: Math.max(Math.round(range.to), Math.round(range.from) + 1) }),
  reset: steer.resume,
  point,
  dress,
});
const insight = makeInsight(byId('views'), byId('insight'), {
  address(next) {
    const { feed } = state;
    if (feed) location.hash = addressOf(feed.run.id, feed.view, next);
  },
  goTo(column) {
    location.hash = addressOf(state.feed?.run.id ?? null, state.feed?.view ?? null, { ...state.insight, panel: null });
    state.goTo = column;
  },
  zoom(range) {
    state.insight = { ...state.insight, panel: null };
    steer.show({ kind: 'range', from: Math.round(range.from), to: Math.round(range.to) });
  },
});

/* ---- what is shown ---- */

/** @param {import('./look.js').Look} look */
function dress(look) {
  state.look = look;
  if (state.feed) settle(state.feed.run.id, state.feed.view);
  plan();
}

/** Brings the page to where its address says. */
async function arrive() {
  state.treeIsOld = true;
  const place = parse(location.hash);
  state.look = place.look ?? state.look;
  if (place.find !== null) finder.search(place.find ?? '');
  // A link of the tree names only a run: the question asked of the one before is asked of it, too.
  state.insight = place.insight ?? (place.view ? plainInsight() : { ...state.insight, pair: null, span: null });
  const id = place.run ?? (state.apps && usualRun(state.apps)?.id) ?? null;
  state.selected = id;
  if (id === null) return plan();
  if (state.feed?.run.id === id) {
    const view = place.view ?? usualView(state.feed.run.state);
    settle(id, view);
    if (!sameView(view, state.feed.view)) state.feed.look(view);
    return plan();
  }
  await open(id, place.view);
}

/** @param {string} id @param {View | null} asked */
async function open(id, asked) {
  if (state.opening === id) return;
  state.opening = id;
  try {
    const early = await earlyOpening(id);
    const run = early?.run ?? await getRun(id);
    if (early) await soon(early.first.series); // then the first picture is a whole one
    if (state.selected !== id) return; // the reader went on meanwhile
    const view = asked ?? usualView(run.state);
    leave();
    settle(id, view);
    state.feed = new Feed(run, view, plan);
    listed = run.state;
    if (early && sameView(view, early.view)) state.feed.begin(early.first);
    state.feed.listen();
  } catch (error) {
    if (state.selected !== id) return;
    if (error instanceof Refusal) {
      leave();
      state.refused = error.message;
    } else {
      state.away ??= Date.now(); // the next poll that succeeds tries again
    }
  } finally {
    if (state.opening === id) state.opening = null;
    plan();
  }
}

/** Waits for it, but not long. @param {Promise<unknown>} it */
const soon = (it) => Promise.race([it.catch(() => {}), new Promise((resolve) => setTimeout(resolve, SOON_MS))]);

function leave() {
  state.feed?.close();
  state.feed = null;
  state.refused = '';
}

/** The whole of what is shown belongs into the address, so that it can be pasted elsewhere.
 *  @param {string | null} run @param {View | null} view */
const addressOf = (run, view, insight = state.insight) => format({ run, view, look: state.look, insight, find: finder.query() });

/** @param {string} id @param {View} view */
function settle(id, view) {
  steer.settle(view);
  const address = addressOf(id, view);
  if (address !== location.hash) history.replaceState(null, '', address);
}

/** @param {import('./card.js').Pointed | null} pointed */
function point(pointed) {
  const { feed } = state;
  steer.point(pointed?.at ?? null);
  if (!pointed || !feed) return bar.point(null, '');
  const reach = (feed.range.to - feed.range.from) * NEAR_MARK;
  bar.point(pointed.row, happened(feed.gaps, feed.marks, pointed.at, reach));
}

/* ---- what the server tells ---- */

let polling = false;
let listed = ''; // the state of the run that is shown, when the list was last asked for
let rested = 0; // when the next poll by the clock is due
async function poll() {
  if (polling) return;
  polling = true;
  listed = state.feed?.run.state ?? '';
  const began = performance.now();
  try {
    state.status = await getStatus(); // answered without the store, which may be away
    state.away = null;
    if (state.feed) state.feed.behind = state.status.behind;
    state.apps = await earlyApps();
    state.treeIsOld = true;
    state.trouble = '';
    const runs = state.apps.flatMap((a) => a.runs);
    const run = runs.find((r) => r.id === state.feed?.run.id);
    state.feed?.vanish(!run);
    if (run) state.feed?.take(run);
    const arrived = state.feed !== null && state.feed.run.id === state.selected;
    const known = !state.refused || runs.some((r) => r.id === state.selected); // by now
    if (!arrived && known) await arrive();
    manager.deleted.refresh();
  } catch (error) {
    state.away = error instanceof Refusal ? null : state.away ?? Date.now();
    state.trouble = error instanceof Refusal && !state.status?.behind ? error.message : ''; // else that is what is told
  }
  polling = false;
  rested = performance.now() + POLL_REST * (performance.now() - began);
  plan();
}

/** @param {number} now */
function standing(now) {
  const { feed, away, status } = state;
  return {
    now, shown: feed !== null, since: earlier(away, feed?.away ?? null), gone: feed?.gone ?? false,
    back: feed !== null && manager.deleted.find(feed.run.id) !== undefined,
    behind: feed?.behind ?? status?.behind ?? false, trouble: state.trouble || state.refused,
  };
}

/** The stream and the poll do not learn at once that the server is away. @param {number | null} a @param {number | null} b */
const earlier = (a, b) => (a === null || b === null ? a ?? b : Math.min(a, b));

/* ---- drawing, at most once a frame ---- */

let empty = /** @type {HTMLElement | null} */ (null);
let planned = false;
function plan() {
  if (planned) return;
  planned = true;
  requestAnimationFrame(() => {
    planned = false;
    render();
  });
}

function render() {
  const now = Date.now();
  const { apps, feed } = state;
  const none = !apps || apps.length === 0;
  finder.hide(none);
  byId('tree').hidden = none;
  const at = standing(now);
  const { text, action } = noticeOf(at);
  const lost = action === 'retry' ? at.since : null;
  setText(byId('notice'), text);
  byId('retry').hidden = action !== 'retry';
  byId('back').hidden = action !== 'back';
  foot(state.status);
  document.title = feed ? `${feed.run.app} – mnemic` : 'mnemic';
  byId('facts').hidden = byId('bar').hidden = !feed;
  byId('facts').classList.toggle('deleted', at.gone);
  if (feed) {
    facts(feed.run, now, lost);
    bar.render({ id: feed.run.id, live: feed.run.state === 'live', view: feed.view, range: feed.range, now });
  }
  insight.render(feed, state.insight, apps ?? NONE);
  byId('charts').hidden = feed !== null && state.insight.panel !== null;
  byId('bar').hidden ||= insight.comparing;
  board.render(feed, state.look);
  if (state.goTo && board.show(state.goTo)) state.goTo = '';
  if (feed && feed.run.state !== listed) poll(); // the stream tells of an end sooner than the list would
  if (!feed) arrange(byId('charts'), apps?.length === 0 && !state.refused ? [empty ??= makeEmpty()] : []);
  if (!state.treeIsOld || (state.opening !== null && performance.now() < CHARTS_FIRST_MS)) return;
  requestAnimationFrame(drawTree);
  state.treeIsOld = false;
}

/** In a frame of its own, and as the page opens after the first charts: they don't wait for it. */
function drawTree() {
  const now = Date.now();
  const test = finder.test(now);
  if (state.apps) tree({ apps: filterApps(state.apps, test), selected: state.selected, now, searching: test !== null });
}

/* ---- events ---- */

window.addEventListener('hashchange', () => {
  state.refused = '';
  setMenu(false);
  arrive();
});

byId('retry').addEventListener('click', () => {
  state.feed?.retry();
  poll();
});
byId('back').addEventListener('click', () => {
  const run = state.feed && manager.deleted.find(state.feed.run.id);
  if (run) manager.bringBack(run);
});
byId('skip').addEventListener('click', (event) => {
  event.preventDefault(); // the part of the address after "#" says what is shown
  byId('main').focus();
});

/** On a narrow screen the tree is folded away. @param {boolean} open */
function setMenu(open) {
  setAttribute(byId('menu'), 'aria-expanded', String(open));
  byId('side').classList.toggle('open', open);
}
byId('menu').addEventListener('click', () => setMenu(byId('menu').getAttribute('aria-expanded') !== 'true'));

// Nobody looks: let the stream go (a browser has six connections to a server), and fetch what was missed later.
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return state.feed?.rest();
  state.feed?.listen();
  state.feed?.refresh();
  poll();
});
setInterval(() => document.hidden || performance.now() < rested || poll(), POLL_MS);
setInterval(() => document.hidden || plan(), CLOCK_MS);
begin();

/** The run that the address names comes first, and is painted before the list is asked for; but the list doesn't wait long. */
async function begin() {
  if (parse(location.hash).run !== null) {
    await soon(arrive());
    render(); // what is there: the first picture waits for no frame
    await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
  }
  poll();
}
