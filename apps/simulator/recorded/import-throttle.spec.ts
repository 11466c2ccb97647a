import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ImportThrottle } from './import-throttle.js';

interface Sent {
  readonly at: number;
  readonly records: number;
}

/** Sends whenever it may, and looks at the lag of each second. */
function run(throttle: ImportThrottle, lags: readonly number[], startAt = 0): readonly Sent[] {
  const sent: Sent[] = [];
  let now = startAt;
  for (const [second, lag] of lags.entries()) {
    throttle.observe(lag);
    const until = startAt + (second + 1) * 1_000;
    while (now < until) {
      const wait = throttle.waitMs(now);
      if (wait === 0) {
        const records = throttle.pieceMax;
        throttle.sent(records, now);
        sent.push({ at: now, records });
        // Sending takes its time too.
        now += 1;
      } else {
        now = Math.min(until, now + wait);
      }
    }
    now = Math.max(now, until);
  }
  return sent;
}

const cap = fc.integer({ min: 1, max: 20_000 });
const lagMax = fc.integer({ min: 0, max: 5_000 });
const lags = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 10_000 })), { maxLength: 30 });

describe('the throttle of an import', () => {
  it('is never above the cap, whatever the lag does', () => {
    fc.assert(
      fc.property(cap, lagMax, lags, fc.nat(1e9), (rateMax, most, seen, startAt) => {
        const sent = run(new ImportThrottle({ rateMax, lagMax: most }), seen, startAt);
        // Between any two sendings no more has gone than the cap gives for the time between them.
        for (let from = 0; from < sent.length; from += 7) {
          let records = 0;
          for (let to = from; to < sent.length; to += 1) {
            const seconds = ((sent[to]?.at ?? 0) - (sent[from]?.at ?? 0)) / 1_000;
            expect(records).toBeLessThanOrEqual(rateMax * seconds + 1e-6 * (1 + records));
            records += sent[to]?.records ?? 0;
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('sends nothing while the lag is above the limit, and never stops for ever once it is gone', () => {
    fc.assert(
      fc.property(cap, lagMax, lags, (rateMax, most, seen) => {
        const throttle = new ImportThrottle({ rateMax, lagMax: most });
        run(throttle, seen);
        const during = run(throttle, [most + 1, most + 1], 1e6);
        expect({ during, isHeld: throttle.isHeld }).toEqual({ during: [], isHeld: true });
        const after = run(throttle, [most, most, most], 2e6);
        expect(throttle.isHeld).toBe(false);
        expect(after.length).toBeGreaterThan(0);
      }),
      { numRuns: 100 },
    );
  });

  it('comes back to its cap when the live path has nothing to do', () => {
    fc.assert(
      fc.property(cap, lagMax, lags, (rateMax, most, seen) => {
        const throttle = new ImportThrottle({ rateMax, lagMax: most });
        run(throttle, seen);
        for (let look = 0; look < 60; look += 1) throttle.observe(0);
        expect(throttle.rate).toBe(rateMax);
        const sent = run(throttle, [0, 0], 1e7).reduce((sum, { records }) => sum + records, 0);
        expect(sent).toBeGreaterThanOrEqual(Math.floor(1.5 * rateMax));
      }),
      { numRuns: 40 },
    );
  });

  it('halves at each stop, grows by a quarter a look, and waits for nothing where nobody is live', () => {
    const throttle = new ImportThrottle({ rateMax: Infinity, lagMax: 2_000 });
    throttle.observe(2_001);
    throttle.observe(9_999);
    expect([throttle.rate, throttle.waitMs(0)]).toEqual([500, Infinity]);
    throttle.observe(1_500);
    expect([throttle.rate, throttle.waitMs(0)]).toEqual([500, 0]);
    throttle.observe(1_000);
    expect(throttle.rate).toBe(625);
    const alone = new ImportThrottle({ rateMax: Infinity, lagMax: Infinity });
    alone.sent(1_000_000, 5);
    expect([alone.rate, alone.waitMs(5), alone.pieceMax]).toEqual([Infinity, 0, 500]);
  });
});
