/** Tier changes as they happen, the newest on top. */
import { byId, make, setText } from './dom.js';
import { count, shortPerson } from './format.js';
import { CAUSES, TIERS } from './words.js';

const ROWS_MAX = 40;
const RATE_MS = 60_000;

export class FeedView {
  /** When changes came, to say how many a minute. @type {{ at: number, changes: number }[]} */
  #arrivals = [];
  /** Those shown, by what makes a change unique: a connection that was lost may tell one again. */
  #shown = new Set();
  #startedAt = performance.now();

  constructor() {
    this.list = byId('feed-rows');
    this.empty = byId('feed-empty');
    this.rate = byId('feed-rate');
    setInterval(() => this.#tellRate(), 1_000);
  }

  clear() {
    this.list.replaceChildren();
    this.#arrivals = [];
    this.#shown.clear();
    this.#startedAt = performance.now();
    this.empty.hidden = false;
  }

  /** @param {{ skipped: number, changes: any[] }} event @param {{ zone: any }} format */
  add({ skipped, changes }, { zone }) {
    const isFirst = this.list.children.length === 0;
    const fresh = changes.filter((change) => !this.#shown.has(keyOf(change)));
    if (fresh.length === 0) return;
    // Partitions tell of their changes side by side.
    fresh.sort((left, right) => Date.parse(left.effective_at) - Date.parse(right.effective_at));
    if (!isFirst) this.#arrivals.push({ at: performance.now(), changes: fresh.length + skipped });
    const rows = fresh.map((change) => rowOf(change, zone, !isFirst)).reverse();
    this.list.prepend(...rows);
    for (const change of fresh) this.#shown.add(keyOf(change));
    while (this.list.children.length > ROWS_MAX) {
      this.#shown.delete(this.list.lastElementChild.dataset.key);
      this.list.lastElementChild.remove();
    }
    this.empty.hidden = true;
  }

  #tellRate() {
    const now = performance.now();
    this.#arrivals = this.#arrivals.filter(({ at }) => now - at < RATE_MS);
    const changes = this.#arrivals.reduce((sum, arrival) => sum + arrival.changes, 0);
    const overMs = Math.min(RATE_MS, now - this.#startedAt);
    setText(this.rate, overMs < 5_000 ? '' : `${count(Math.round((changes / overMs) * RATE_MS))} / min`);
  }
}

function keyOf({ person, scheme_id: schemeId, version }) {
  return `${version} ${schemeId} ${person}`;
}

function rowOf(change, zone, isFresh) {
  const at = Date.parse(change.effective_at);
  return make(
    'li',
    { 'data-key': keyOf(change), ...(isFresh ? { class: 'fresh' } : {}) },
    make('time', { datetime: change.effective_at, title: zone.date(at) }, zone.clock(at)),
    make(
      'span',
      { class: 'step', title: `${TIERS[change.from][0]} → ${TIERS[change.to][0]}` },
      chip(change.from),
      make('i', { 'data-direction': change.direction }, change.direction === 'UP' ? '▲' : '▼'),
      chip(change.to),
    ),
    make('span', { class: 'why' }, whyOf(change)),
    make('span', { class: 'who', title: change.person }, shortPerson(change.person)),
  );
}

function chip(tier) {
  return make('span', { class: 'chip', 'data-tier': String(tier) }, String(tier));
}

/** What moved the person: the cause, and for a touchpoint what it led to. */
function whyOf({ cause, direction, from, to, evidence }) {
  if (cause !== 'EVENT') return CAUSES[cause] ?? cause;
  const days = evidence.purchase_days.length;
  if (to >= 3 && direction === 'UP') return days > 1 ? `${days} purchase days 复购` : 'bought 成交';
  if (to === 2 && direction === 'UP') return 'joined 入会';
  if (to === 1 && from === 0) return 'new relation 新增';
  return CAUSES.EVENT;
}
