import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { stepsOf } from '../../testing/presence-steps.js';
import { DEFAULT_WINDOWS } from '../rules.js';
import { presenceCover } from './coverage.js';
import {
  ANY_CHANNEL,
  codeOf,
  grainsOf,
  NO_PRESENCE,
  presenceSince,
  withMoment,
  withoutMoment,
  type PersonPresence,
} from './presence.js';
import { thinnedPresence } from './thinned-presence.js';
import { windowGrid } from './window-grid.js';

const SECOND = 1_000;
const NOW = Date.UTC(2024, 10, 11, 3, 7, 42);
const GRAIN = 10 * SECOND;

const SMALL = [
  { id: 'a', widthMs: 50 * SECOND, slideMs: 10 * SECOND, latenessMs: 60 * SECOND },
  { id: 'b', widthMs: 180 * SECOND, slideMs: 60 * SECOND, latenessMs: 130 * SECOND },
  { id: 'c', widthMs: 900 * SECOND, slideMs: 300 * SECOND, latenessMs: 600 * SECOND },
];

interface Moment {
  readonly channel: string;
  readonly grain: number;
  readonly active: boolean;
}

const CHANNELS = ['shop', 'live', '__proto__', 'Ärzte|1'];
const GRAIN_NOW = Math.floor(NOW / GRAIN);

/** Of the last 20 minutes and a little from after the watermark, in any order. */
const moments: fc.Arbitrary<readonly Moment[]> = fc.array(
  fc.record({
    channel: fc.constantFrom(...CHANNELS),
    grain: fc.integer({ min: GRAIN_NOW - 120, max: GRAIN_NOW + 10 }),
    active: fc.boolean(),
  }),
  { minLength: 1, maxLength: 80, size: 'max' },
);
const moves = fc.integer({ min: 0, max: 900 }).map((seconds) => seconds * SECOND);

function seen(all: readonly Moment[], before: PersonPresence = NO_PRESENCE): PersonPresence {
  return all.reduce(
    (presence, { channel, grain, active }) => withMoment(presence, channel, grain, active),
    before,
  );
}

/** Grains by channel and kind, the union over channels among them. */
function lists(presence: PersonPresence): ReadonlyMap<string, readonly number[]> {
  return new Map(
    [...CHANNELS, 'all'].flatMap((channel): [string, readonly number[]][] => {
      const code = channel === 'all' ? ANY_CHANNEL : codeOf(presence.channels, channel);
      const isThere = channel === 'all' || code >= 0;
      return [
        [`${channel} visits`, isThere ? grainsOf(presence, code, 0) : []],
        [`${channel} actives`, isThere ? grainsOf(presence, code, 1) : []],
      ];
    }),
  );
}

/** The same from the moments themselves. */
function expectedLists(all: readonly Moment[]): ReadonlyMap<string, readonly number[]> {
  const grains = (channel: string, active: boolean) =>
    [
      ...new Set(
        all
          .filter((one) => (channel === 'all' || one.channel === channel) && (one.active || !active))
          .map(({ grain }) => grain),
      ),
    ].sort((a, b) => a - b);
  return new Map(
    [...CHANNELS, 'all'].flatMap((channel): [string, readonly number[]][] => [
      [`${channel} visits`, grains(channel, false)],
      [`${channel} actives`, grains(channel, true)],
    ]),
  );
}

describe('presence', () => {
  it('knows the moments it was made of, in whatever order they came, and how often', () => {
    fc.assert(
      fc.property(moments, (all) => {
        expect(lists(seen([...all, ...all.slice(0, 5)]))).toEqual(expectedLists(all));
        expect(textOf(seen(all.toReversed()))).toBe(textOf(seen(all)));
      }),
    );
  });

  it('does not change, whatever is made of it', () => {
    fc.assert(
      fc.property(moments, moments, moments, (all, first, second) => {
        const versions = all.map((_, count) => seen(all.slice(0, count)));
        const chained = all.reduce<PersonPresence[]>(
          (chain, one) => [...chain, seen([one], chain.at(-1) ?? NO_PRESENCE)],
          [],
        );
        for (const version of [...versions, ...chained]) {
          seen(first, version);
          seen(second, version);
        }
        versions.forEach((version, count) => {
          expect(lists(version)).toEqual(expectedLists(all.slice(0, count)));
        });
        chained.forEach((version, at) => {
          expect(lists(version)).toEqual(expectedLists(all.slice(0, at + 1)));
        });
      }),
      { numRuns: 30 },
    );
  });

  it('without a moment is as if it had not been; an active one stays for what was only a visit', () => {
    fc.assert(
      fc.property(moments, fc.nat(), (all, nth) => {
        const gone = all[nth % all.length];
        if (gone === undefined) return;
        const isSame = (one: Moment) => one.channel === gone.channel && one.grain === gone.grain;
        const stays = !gone.active && all.some((one) => isSame(one) && one.active);
        const left = withoutMoment(seen(all), gone.channel, gone.grain, gone.active);
        expect(lists(left)).toEqual(expectedLists(stays ? all : all.filter((one) => !isSame(one))));
        expect(stepsOf(left).length).toBe(new Set(left.channels).size);
      }),
    );
  });

  it('since a grain has what was then and later', () => {
    fc.assert(
      fc.property(moments, fc.integer({ min: GRAIN_NOW - 125, max: GRAIN_NOW + 15 }), (all, from) => {
        const left = presenceSince(seen(all), from);
        const kept = all.filter(({ grain }) => grain >= from);
        expect(lists(left)).toEqual(expectedLists(kept));
        expect(new Set(left.channels)).toEqual(new Set(kept.map(({ channel }) => channel)));
      }),
    );
  });
});

describe('thinning', () => {
  it('keeps the coverage of every end that may still change, in every window, channel and kind', () => {
    fc.assert(
      fc.property(moments, moves, (all, later) => {
        const grid = windowGrid(SMALL, NOW + later);
        const whole = lists(seen(all));
        const kept = lists(thinnedPresence(seen(all), grid));
        for (const window of grid.windows) {
          for (const [name, grains] of whole) {
            expect([name, presenceCover(kept.get(name) ?? [], window)]).toEqual([
              name,
              presenceCover(grains, window),
            ]);
          }
        }
      }),
      { numRuns: 400 },
    );
  });

  it('gives one form whenever it was done before, and whatever came in between', () => {
    fc.assert(
      fc.property(moments, moments, moves, moves, (all, more, first, second) => {
        const early = windowGrid(SMALL, NOW + Math.min(first, second));
        const late = windowGrid(SMALL, NOW + Math.max(first, second));
        const twice = thinnedPresence(seen(more, thinnedPresence(seen(all), early)), late);
        const once = thinnedPresence(seen([...more, ...all]), late);
        expect(textOf(twice)).toBe(textOf(once));
      }),
      { numRuns: 1_000 },
    );
  });

  it('bounds a person who never rests to 193 grains behind the watermark (default windows)', () => {
    const last = Math.floor(NOW / GRAIN);
    const always = seen(Array.from({ length: 40_000 }, (_, i) => visit(last - 40_000 + i)));
    const { length } = grainsOf(thinnedPresence(always, windowGrid(DEFAULT_WINDOWS, last * GRAIN)), 0, 0);
    expect(length).toBeLessThanOrEqual(193);
    expect(length).toBeGreaterThan(180);
  });

  it('leaves the one last grain of a person who is long gone', () => {
    const left = thinnedPresence(seen([1, 5, 1_000].map(visit)), windowGrid(DEFAULT_WINDOWS, NOW));
    expect(grainsOf(left, ANY_CHANNEL, 0)).toEqual([1_000]);
  });

  it('begins with the first grain behind the horizon of the finest window, and goes by the slide of the next', () => {
    const now = Math.floor(NOW / (300 * SECOND)) * 300 * SECOND;
    const grid = windowGrid(SMALL, now);
    const horizon = (now - 60 * SECOND) / GRAIN;
    const young = seen([horizon, horizon + 1].map(visit));
    expect(thinnedPresence(young, grid)).toBe(young);
    const older = seen([horizon - 6, horizon - 2, horizon - 1, horizon, horizon + 1].map(visit));
    expect(grainsOf(thinnedPresence(older, grid), 0, 0)).toEqual([horizon - 1, horizon, horizon + 1]);
  });

  it('touches nothing before the first tick', () => {
    const presence = seen([1, 2, 3].map(visit));
    expect(thinnedPresence(presence, windowGrid(DEFAULT_WINDOWS, -Infinity))).toBe(presence);
  });
});

function visit(grain: number): Moment {
  return { channel: 'live', grain, active: false };
}

/** Equal for equal moments, in whatever order they came. */
function textOf(presence: PersonPresence): string {
  return JSON.stringify(stepsOf(presence));
}
