import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NO_LINKS, type LinkView } from '../window-port.js';
import { moneyChanged } from './money-changed.js';
import { linksChanged, personReplaced, presenceReplaced } from './person-replaced.js';
import { bucketOf, insertedFrom, insertedTo } from './presence-insertion.js';
import { NO_PRESENCE, type PersonPresence } from './presence.js';
import { recordPresence } from './record-presence.js';
import { WindowChanges, type ChangeReader } from './window-changes.js';
import { windowGrid, type WindowContext } from './window-grid.js';
import { AMONG_ACTIVE, AMONG_RELATED, AMONG_VISITORS, METRIC } from './window-metrics.js';

const S = 1_000;
/** Two windows: 5 ends of 10 s, and 3 ends of 60 s. */
const SPECS = [
  { id: 'a', widthMs: 50 * S, slideMs: 10 * S, latenessMs: 60 * S },
  { id: 'b', widthMs: 180 * S, slideMs: 60 * S, latenessMs: 120 * S },
];
const ctxAt = (watermark: number): WindowContext => ({ grid: windowGrid(SPECS, watermark), brand: 'north' });
const EARLY = ctxAt(-Infinity);
const METRIC_NAMES = Object.keys(METRIC);

/** What `changes` says, span by span, an insertion being one span for each window and metric. */
function eachSpan(changes: WindowChanges, ctx: WindowContext, visit: ChangeReader['span']): void {
  changes.replay({
    span: visit,
    insertion: (aggregate, among, grain, before, after) => {
      const related = (among & AMONG_RELATED) !== 0;
      const metrics = [
        ...((among & AMONG_VISITORS) === 0
          ? []
          : [METRIC.visitors, ...(related ? [METRIC.visitorsRelated] : [])]),
        ...((among & AMONG_ACTIVE) === 0 ? [] : [METRIC.active, ...(related ? [METRIC.activeRelated] : [])]),
      ];
      for (const window of ctx.grid.windows) {
        const bucket = bucketOf(window, grain);
        const from = insertedFrom(window, bucket, bucketOf(window, before));
        const to = insertedTo(window, bucket, bucketOf(window, after));
        for (const metric of from < to ? metrics : []) visit(aggregate, window.index, metric, from, to, 1);
      }
    },
    advance: () => undefined,
    fineRowsFrom: () => undefined,
  });
}

/** Spans as "channel window metric [from,to) value", in order of recording. */
function spansOf(changes: WindowChanges, ctx = EARLY): readonly string[] {
  const spans: string[] = [];
  eachSpan(changes, ctx, (aggregate, window, metric, from, to, value) => {
    const place = [changes.aggregates[aggregate]?.channel, SPECS[window]?.id, METRIC_NAMES[metric]].join(' ');
    spans.push(`${place} [${from},${to}) ${value > 0 ? '+' : ''}${value}`);
  });
  return spans;
}

/** The sum of all spans, as value by channel, window, metric and end up to 200. */
function sumsOf(changes: WindowChanges, ctx: WindowContext): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  eachSpan(changes, ctx, (aggregate, window, metric, from, to, value) => {
    for (let end = from; end < Math.min(to, 200); end++) {
      const key = `${changes.aggregates[aggregate]?.channel} ${window} ${metric} ${end}`;
      const sum = (sums.get(key) ?? 0) + value;
      if (sum === 0) sums.delete(key);
      else sums.set(key, sum);
    }
  });
  return sums;
}

function live(...spans: readonly (readonly [number, number])[]): LinkView {
  const any = spans.map(([from, to]) => ({ from, to }));
  return { any, byChannel: [{ channel: 'group', spans: any }], reachable: null };
}

interface Moment {
  readonly channel: string;
  readonly at: number;
  readonly active: boolean;
}

function recordAll(moments: readonly Moment[], links: LinkView, ctx = EARLY) {
  const out = new WindowChanges(SPECS);
  const presence = moments.reduce(
    (before: PersonPresence, { channel, at, active }) =>
      recordPresence(before, channel, at, active, links, ctx, out),
    NO_PRESENCE,
  );
  return { out, presence };
}

const visit = (channel: string, at: number): Moment => ({ channel, at, active: false });
const act = (channel: string, at: number): Moment => ({ channel, at, active: true });

describe('a visit', () => {
  it('covers one width of ends from its own slide on, in its channel and in all', () => {
    expect(spansOf(recordAll([visit('live', 70 * S)], NO_LINKS).out)).toEqual([
      'live a visitors [7,12) +1',
      'live b visitors [1,4) +1',
      'all a visitors [7,12) +1',
      'all b visitors [1,4) +1',
    ]);
  });

  it('between two others adds only what neither covers: one span', () => {
    const { out } = recordAll([visit('live', 0), visit('live', 120 * S), visit('live', 30 * S)], NO_LINKS);
    expect(spansOf(out).filter((span) => span.startsWith('live a'))).toEqual([
      'live a visitors [0,5) +1',
      'live a visitors [12,17) +1',
      'live a visitors [5,8) +1',
    ]);
  });

  it('in a covered slide adds nothing, and the presence stays the same object', () => {
    const { out, presence } = recordAll([visit('live', 70 * S)], NO_LINKS);
    const before = out.size;
    expect(recordPresence(presence, 'live', 71 * S, false, NO_LINKS, EARLY, out)).toBe(presence);
    expect(out.size).toBe(before);
  });

  it('that is known is known whatever came in the same slide since, and is not kept twice', () => {
    const { out, presence } = recordAll(
      [visit('live', 70 * S), visit('shop', 71 * S), act('group', 72 * S), act('live', 73 * S)],
      NO_LINKS,
    );
    for (const { channel, at, active } of [
      visit('live', 74 * S),
      visit('shop', 75 * S),
      act('live', 76 * S),
    ]) {
      expect(recordPresence(presence, channel, at, active, NO_LINKS, EARLY, out)).toBe(presence);
    }
  });

  it('in a second channel is a visitor there, but no second one in all (trap 1)', () => {
    const { out } = recordAll(
      [visit('live', 70 * S), visit('shop', 75 * S), visit('shop', 85 * S)],
      NO_LINKS,
    );
    expect(spansOf(out).filter((span) => span.includes(' a '))).toEqual([
      'live a visitors [7,12) +1',
      'all a visitors [7,12) +1',
      'shop a visitors [7,12) +1',
      'shop a visitors [12,13) +1',
      'all a visitors [12,13) +1',
    ]);
  });

  it('that is late is clipped to the ends that are not final', () => {
    const { out } = recordAll([visit('live', 70 * S)], NO_LINKS, ctxAt(150 * S));
    expect(spansOf(out, ctxAt(150 * S))).toEqual([
      'live a visitors [9,12) +1',
      'live b visitors [1,4) +1',
      'all a visitors [9,12) +1',
      'all b visitors [1,4) +1',
    ]);
  });

  it('may not be of channel "all"', () => {
    expect(() => recordAll([visit('all', 0)], NO_LINKS)).toThrow(/no event may use "all"/);
  });
});

describe('an active moment', () => {
  it('is a visit too', () => {
    const spans = spansOf(recordAll([act('live', 70 * S)], NO_LINKS).out);
    expect(spans.filter((span) => span.startsWith('live a'))).toEqual([
      'live a visitors [7,12) +1',
      'live a active [7,12) +1',
    ]);
  });

  it('of a related person counts as related while the window reaches the link', () => {
    const spans = spansOf(recordAll([act('live', 70 * S)], live([0, 61 * S])).out);
    // Related at the ends [0, floor(60.999 / 10) + 5 = 11).
    expect(spans.filter((span) => span.startsWith('live a'))).toEqual([
      'live a visitors [7,12) +1',
      'live a active [7,12) +1',
      'live a visitorsRelated [7,11) +1',
      'live a activeRelated [7,11) +1',
    ]);
  });

  it('is related through a link of any channel, and once only through two links', () => {
    const links = live([60 * S, 65 * S], [80 * S, 81 * S]);
    const spans = spansOf(recordAll([visit('live', 70 * S)], links).out);
    expect(spans.filter((span) => span.startsWith('live a visitorsRelated'))).toEqual([
      'live a visitorsRelated [7,11) +1',
      'live a visitorsRelated [11,12) +1',
    ]);
  });
});

describe('a related person', () => {
  const related = (out: WindowChanges) =>
    spansOf(out).filter((span) => span.startsWith('live a visitorsRelated'));

  it('is not who had a link of no length', () => {
    expect(related(recordAll([visit('live', 75 * S)], live([75 * S, 75 * S])).out)).toEqual([]);
    expect(related(recordAll([visit('live', 75 * S)], live([70 * S, 70 * S])).out)).toEqual([]);
  });

  it('is so from the slide in which the link began, and while the window reaches the one it ended in', () => {
    expect(related(recordAll([visit('live', 75 * S)], live([79_999, Infinity])).out)).toEqual([
      'live a visitorsRelated [7,12) +1',
    ]);
    expect(related(recordAll([visit('live', 75 * S)], live([80 * S, Infinity])).out)).toEqual([
      'live a visitorsRelated [8,12) +1',
    ]);
    expect(related(recordAll([visit('live', 75 * S)], live([0, 70_001])).out)).toEqual([
      'live a visitorsRelated [7,12) +1',
    ]);
    expect(related(recordAll([visit('live', 75 * S)], live([0, 70 * S])).out)).toEqual([
      'live a visitorsRelated [7,11) +1',
    ]);
  });

  it('is so at every later moment under the same lasting links, but not before they began', () => {
    const links = live([100 * S, Infinity]);
    const { out } = recordAll([visit('live', 105 * S), visit('live', 155 * S), visit('live', 20 * S)], links);
    expect(related(out)).toEqual(['live a visitorsRelated [10,15) +1', 'live a visitorsRelated [15,20) +1']);
    const before = recordAll([visit('live', 20 * S), visit('live', 75 * S), visit('live', 105 * S)], links);
    expect(related(before.out)).toEqual([
      'live a visitorsRelated [10,12) +1',
      'live a visitorsRelated [12,15) +1',
    ]);
  });

  it('is so no longer under links that have ended', () => {
    const { presence } = recordAll([visit('live', 75 * S)], live([0, Infinity]));
    const out = new WindowChanges(SPECS);
    recordPresence(presence, 'live', 175 * S, false, live([0, 80 * S]), EARLY, out);
    expect(related(out)).toEqual([]);
    const other = new WindowChanges(SPECS);
    recordPresence(
      recordAll([visit('live', 75 * S)], live([0, 80 * S])).presence,
      'live',
      175 * S,
      false,
      live([0, 80 * S]),
      EARLY,
      other,
    );
    expect(related(other)).toEqual([]);
  });
});

describe('a link', () => {
  const { presence } = recordAll([visit('live', 70 * S), act('shop', 130 * S)], NO_LINKS);

  it('changes the related of every channel of the person, and Capital of its own (trap 23)', () => {
    const out = new WindowChanges(SPECS);
    linksChanged(NO_LINKS, live([80 * S, Infinity]), presence, EARLY, out);
    expect(spansOf(out).filter((span) => span.includes(' a '))).toEqual([
      'all a capital [8,Infinity) +1',
      'all a capitalReachable [8,Infinity) +1',
      'group a capital [8,Infinity) +1',
      'group a capitalReachable [8,Infinity) +1',
      'all a visitorsRelated [8,12) +1',
      'all a visitorsRelated [13,18) +1',
      'all a activeRelated [13,18) +1',
      'live a visitorsRelated [8,12) +1',
      'shop a visitorsRelated [13,18) +1',
      'shop a activeRelated [13,18) +1',
    ]);
  });

  it('that ends takes back what lies beyond its end; nothing of what was', () => {
    const out = new WindowChanges(SPECS);
    linksChanged(live([80 * S, Infinity]), live([80 * S, 85 * S]), presence, EARLY, out);
    expect(spansOf(out).filter((span) => span.includes(' a '))).toEqual([
      'all a capital [8,Infinity) -1',
      'all a capitalReachable [8,Infinity) -1',
      'group a capital [8,Infinity) -1',
      'group a capitalReachable [8,Infinity) -1',
      'all a visitorsRelated [13,18) -1',
      'all a activeRelated [13,18) -1',
      'shop a visitorsRelated [13,18) -1',
      'shop a activeRelated [13,18) -1',
    ]);
  });

  it('that did not change the relation records nothing', () => {
    const out = new WindowChanges(SPECS);
    linksChanged(live([80 * S, 90 * S]), live([80 * S, 90 * S]), presence, EARLY, out);
    expect(out.size).toBe(0);
  });
});

describe('money', () => {
  it('counts at its own time, in the channel and in all, and takes amounts beyond 32 bits (trap 26)', () => {
    const out = new WindowChanges(SPECS);
    const change = {
      brand: 'north',
      channel: 'live',
      at: 70 * S,
      orders: 1,
      grossMinor: 2 ** 45,
      refundMinor: 0,
    };
    moneyChanged(change, EARLY, out);
    moneyChanged({ ...change, at: 190 * S, orders: 0, grossMinor: 0, refundMinor: 7 }, EARLY, out);
    expect(spansOf(out).filter((span) => span.startsWith('live'))).toEqual([
      'live a orders [7,12) +1',
      `live a gross [7,12) +${2 ** 45}`,
      'live b orders [1,4) +1',
      `live b gross [1,4) +${2 ** 45}`,
      'live a refunds [19,24) +7',
      'live b refunds [3,6) +7',
    ]);
  });

  it('too late for a window is not recorded there', () => {
    const out = new WindowChanges(SPECS);
    const change = { brand: 'north', channel: 'live', at: 0, orders: 1, grossMinor: 5, refundMinor: 0 };
    moneyChanged(change, ctxAt(290 * S), out);
    expect(spansOf(out)).toEqual([
      'live b orders [2,3) +1',
      'live b gross [2,3) +5',
      'all b orders [2,3) +1',
      'all b gross [2,3) +5',
    ]);
  });
});

describe('replacing a person', () => {
  const moments = fc.array(
    fc.record({
      channel: fc.constantFrom('live', 'shop'),
      at: fc.integer({ min: 0, max: 900 * S }),
      active: fc.boolean(),
    }),
    { maxLength: 12 },
  );
  const links = fc
    .uniqueArray(fc.integer({ min: 0, max: 900 * S }), { maxLength: 6 })
    .map((edges) => edges.sort((a, b) => a - b))
    .map((edges) => {
      const spans = edges.flatMap((from, i): [number, number][] =>
        i % 2 === 0 ? [[from, edges[i + 1] ?? Infinity]] : [],
      );
      return live(...spans);
    });
  const context = fc.constantFrom(EARLY, ctxAt(300 * S), ctxAt(777 * S));

  it('from nothing gives what its events gave one by one, in any order of presence and links', () => {
    fc.assert(
      fc.property(moments, links, context, (all, view, ctx) => {
        const { out, presence } = recordAll(all, NO_LINKS, ctx);
        linksChanged(NO_LINKS, view, presence, ctx, out);
        const other = new WindowChanges(SPECS);
        linksChanged(NO_LINKS, view, NO_PRESENCE, ctx, other);
        all.reduceRight(
          (before: PersonPresence, of) =>
            recordPresence(before, of.channel, of.at, of.active, view, ctx, other),
          NO_PRESENCE,
        );
        const whole = new WindowChanges(SPECS);
        personReplaced({ presence: NO_PRESENCE, links: NO_LINKS }, { presence, links: view }, ctx, whole);
        expect(sumsOf(out, ctx)).toEqual(sumsOf(whole, ctx));
        expect(sumsOf(other, ctx)).toEqual(sumsOf(whole, ctx));
      }),
      { numRuns: 300 },
    );
  });

  it('goes through any state between, and back to nothing', () => {
    fc.assert(
      fc.property(moments, moments, links, context, (first, second, view, ctx) => {
        const before = recordAll(first, view, ctx).presence;
        const after = recordAll(second, view, ctx).presence;
        const nobody = { presence: NO_PRESENCE, links: NO_LINKS };
        const stepwise = new WindowChanges(SPECS);
        personReplaced(nobody, { presence: before, links: view }, ctx, stepwise);
        presenceReplaced(before, after, view, ctx, stepwise);
        personReplaced({ presence: after, links: view }, nobody, ctx, stepwise);
        expect(sumsOf(stepwise, ctx)).toEqual(new Map());
      }),
      { numRuns: 300 },
    );
  });
});
