import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DEFAULT_WINDOWS } from '../rules.js';
import { presenceCover } from './coverage.js';
import {
  presenceFromJson,
  presenceToJson,
  thinned,
  thinnedPresence,
  type PersonPresence,
  type PresenceJson,
} from './presence.js';
import { windowGrid } from './window-grid.js';

const SECOND = 1_000;
const NOW = Date.UTC(2024, 10, 11, 3, 7, 42);
const GRAIN = 10 * SECOND;

const SMALL = [
  { id: 'a', widthMs: 50 * SECOND, slideMs: 10 * SECOND, latenessMs: 60 * SECOND },
  { id: 'b', widthMs: 180 * SECOND, slideMs: 60 * SECOND, latenessMs: 130 * SECOND },
  { id: 'c', widthMs: 900 * SECOND, slideMs: 300 * SECOND, latenessMs: 600 * SECOND },
];

/** Grains of the last 20 minutes and some from after the watermark, ascending. */
const grains = fc
  .uniqueArray(fc.integer({ min: -120, max: 10 }), { minLength: 1, maxLength: 60 })
  .map((ago) => ago.map((grain) => Math.floor(NOW / GRAIN) + grain).sort((a, b) => a - b));
const moves = fc.integer({ min: 0, max: 900 }).map((seconds) => seconds * SECOND);

describe('thinning', () => {
  it('keeps the coverage of every end that may still change, in every window', () => {
    fc.assert(
      fc.property(grains, moves, (list, later) => {
        const grid = windowGrid(SMALL, NOW + later);
        const kept = thinned(list, grid);
        for (const window of grid.windows) {
          expect(presenceCover(kept, window)).toEqual(presenceCover(list, window));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('gives one list whenever it was done before, and whatever came in between', () => {
    fc.assert(
      fc.property(grains, grains, moves, moves, (list, more, first, second) => {
        const union = [...new Set([...list, ...more])].sort((a, b) => a - b);
        const early = windowGrid(SMALL, NOW + Math.min(first, second));
        const late = windowGrid(SMALL, NOW + Math.max(first, second));
        const between = [...new Set([...thinned(list, early), ...more])].sort((a, b) => a - b);
        expect(thinned(between, late)).toEqual(thinned(union, late));
      }),
      { numRuns: 1_000 },
    );
  });

  it('bounds a person who never rests to 193 grains behind the watermark (default windows)', () => {
    const last = Math.floor(NOW / GRAIN);
    const always = Array.from({ length: 40_000 }, (_, i) => last - 40_000 + i);
    const kept = thinned(always, windowGrid(DEFAULT_WINDOWS, last * GRAIN));
    expect(kept.length).toBeLessThanOrEqual(193);
    expect(kept.length).toBeGreaterThan(180);
  });

  it('leaves the one last grain of a person who is long gone', () => {
    expect(thinned([1, 5, 1_000], windowGrid(DEFAULT_WINDOWS, NOW))).toEqual([1_000]);
  });

  it('touches nothing before the first tick', () => {
    const list = [1, 2, 3];
    expect(thinned(list, windowGrid(DEFAULT_WINDOWS, -Infinity))).toBe(list);
  });
});

const parsed: (text: string) => PresenceJson = JSON.parse;

describe('the stored form of presence', () => {
  it('comes back equal through JSON', () => {
    const channel = fc.constantFrom('shop', 'live', '__proto__', 'Ärzte|1');
    const kept = fc.uniqueArray(fc.record({ channel, visits: grains, actives: grains }), {
      selector: (of) => of.channel,
    });
    fc.assert(
      fc.property(kept, (channels) => {
        const sorted = [...channels].sort((a, b) => (a.channel < b.channel ? -1 : 1));
        const presence: PersonPresence = { channels: sorted };
        const text = JSON.stringify(presenceToJson(presence));
        expect(presenceFromJson(parsed(text))).toEqual(presence);
      }),
    );
  });

  it('is small: the first grain and then steps', () => {
    const presence = { channels: [{ channel: 'live', visits: [170_000_000, 170_000_003], actives: [] }] };
    expect(JSON.stringify(presenceToJson(presence))).toBe('{"live":[[170000000,3],[]]}');
  });

  it('can be thinned as a whole; what needs none is the same object', () => {
    const presence = { channels: [{ channel: 'live', visits: [1, 2, 3], actives: [2] }] };
    expect(thinnedPresence(presence, windowGrid(DEFAULT_WINDOWS, -Infinity))).toBe(presence);
    expect(thinnedPresence(presence, windowGrid(DEFAULT_WINDOWS, NOW))).toEqual({
      channels: [{ channel: 'live', visits: [3], actives: [2] }],
    });
  });
});
