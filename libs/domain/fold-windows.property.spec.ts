import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { arrivals, LOG_RULES, personLog } from '../testing/arbitrary-log.js';
import { FoldHarness } from '../testing/fold-harness.js';
import { naiveTouchpointWindow } from '../testing/naive-touchpoint-window.js';
import type { NaiveFigures } from '../testing/naive-windows.js';
import { ALL_CHANNELS } from './events.js';
import type { WindowRow } from './windows/window-metrics.js';

const MINUTE = 60_000;
/** Within the lateness of every window of `LOG_RULES`. */
const IN_TIME = 50 * MINUTE;

const seed = process.env['FC_SEED'] === undefined ? undefined : Number(process.env['FC_SEED']);
const RUNS = Number(process.env['FC_RUNS'] ?? 1);

const keyOf = (channel: string, window: string, end: number) => `${channel} ${window} ${end}`;

function countsOf(row: WindowRow | undefined): object {
  if (row === undefined) return {};
  const { brand: _, channel: __, window: ___, end: ____, status: _____, watermark: ______, ...counts } = row;
  return counts;
}

describe('the rows of windows that the whole fold writes', () => {
  it('say what a naive count of the touchpoints finds, at every end and in every channel', () => {
    fc.assert(
      fc.property(personLog(IN_TIME), fc.integer({ min: 1, max: 9 }), (log, every) => {
        const harness = new FoldHarness(LOG_RULES);
        const table = new Map<string, WindowRow>();
        let first = Infinity;
        arrivals(log, 0).forEach((entry, nth) => {
          harness.fold([entry]);
          if (entry.type === 'tick') first = Math.min(first, entry.at);
          if (nth % every !== 0) return;
          for (const row of harness.figures.takeWindowRows(true))
            table.set(keyOf(row.channel, row.window, row.end), row);
        });
        for (const row of harness.figures.takeWindowRows(true))
          table.set(keyOf(row.channel, row.window, row.end), row);
        const naive = naiveTouchpointWindow(
          log.arriving.map(({ event }) => event),
          LOG_RULES,
        );
        for (const { id, widthMs, slideMs } of LOG_RULES.windows) {
          const from = Math.ceil(first / slideMs) * slideMs + slideMs;
          for (let end = from; end <= harness.frame.watermark; end += slideMs) {
            for (const channel of ['shop', 'live', 'group', ALL_CHANNELS]) {
              const expected: NaiveFigures = naive(channel, end - widthMs, end);
              const row = table.get(keyOf(channel, id, end));
              const isNothing = row === undefined && Object.values(expected).every((value) => value === 0);
              if (isNothing) continue;
              const actual = countsOf(row);
              if (JSON.stringify(sorted(actual)) === JSON.stringify(sorted(expected))) continue;
              expect({ channel, window: id, end, ...actual }).toEqual({
                channel,
                window: id,
                end,
                ...expected,
              });
            }
          }
        }
      }),
      {
        numRuns: Math.ceil(12 * RUNS),
        endOnFailure: seed === undefined,
        ...(seed === undefined ? {} : { seed }),
      },
    );
  });
});

function sorted(figures: object): readonly unknown[] {
  return Object.entries(figures).sort(([a], [b]) => (a < b ? -1 : 1));
}
