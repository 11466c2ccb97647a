import { describe, expect, it } from '@jest/globals';
import { FoldHarness } from '../../testing/fold-harness.js';
import { follow, instant, pay } from '../../testing/touchpoint-kit.js';
import { defaultRules } from '../rules.js';
import { buyersChanged, type Purchase } from './buyers-changed.js';
import { WindowChanges } from './window-changes.js';
import { WindowFigures } from './window-figures.js';
import { windowGrid } from './window-grid.js';

const S = 1_000;
/** Three ends of 10 s. */
const SPEC = { id: 'w', widthMs: 30 * S, slideMs: 10 * S, latenessMs: 60 * S };
const shop = (seconds: number): Purchase => ({ paidAt: seconds * S, channel: 'shop' });
const live = (seconds: number): Purchase => ({ paidAt: seconds * S, channel: 'live' });
const PARKED: Purchase = { paidAt: Infinity, channel: null };

/** Buyers by channel and end, where there are any, after the orders have become each list in turn. */
function buyersAfter(...lists: readonly (readonly Purchase[])[]): readonly string[] {
  const figures = new WindowFigures([SPEC]);
  const started = new WindowChanges([SPEC]);
  started.advance(60 * S);
  figures.apply(started);
  const changes = new WindowChanges([SPEC]);
  let before: readonly Purchase[] = [];
  for (const list of lists) {
    buyersChanged(before, list, { grid: windowGrid([SPEC], 60 * S), brand: 'b' }, changes);
    before = list;
  }
  changes.advance(200 * S);
  figures.apply(changes);
  return figures
    .takeRows()
    .rows.filter(({ buyers }) => buyers !== 0)
    .map(({ channel, end, buyers }) => `${channel} ${end / S} ${buyers}`)
    .sort();
}

describe('a buyer', () => {
  it('counts in the windows that hold an order, once, in its channel and in all', () => {
    const one = ['all 110 1', 'all 120 1', 'all 130 1'];
    const first = shop(105);
    expect(buyersAfter([first])).toEqual([...one, 'shop 110 1', 'shop 120 1', 'shop 130 1']);
    expect(buyersAfter([first], [first, shop(108)])).toEqual(buyersAfter([first]));
    expect(buyersAfter([first], [first, live(125)])).toEqual([
      ...[...one, 'all 140 1', 'all 150 1', 'live 130 1', 'live 140 1', 'live 150 1'],
      ...['shop 110 1', 'shop 120 1', 'shop 130 1'],
    ]);
  });

  it('counts the same whichever order was known first', () => {
    const [early, late] = [shop(105), shop(125)];
    expect(buyersAfter([late], [early, late])).toEqual(buyersAfter([early], [early, late]));
  });

  it('is nobody for a refund whose order is not known', () => {
    expect(buyersAfter([PARKED])).toEqual([]);
    expect(buyersAfter([PARKED], [shop(105)])).toEqual(buyersAfter([shop(105)]));
  });

  it('moves with the first line of the order, in time or to another channel', () => {
    expect(buyersAfter([shop(125)], [shop(105)])).toEqual(buyersAfter([shop(105)]));
    expect(buyersAfter([shop(105)], [live(105)])).toEqual(buyersAfter([live(105)]));
  });
});

describe('the fold', () => {
  it('knows a purchase for as long as a window asks for it, however soon orders are settled', () => {
    const day = 86_400_000;
    const start = instant('2024-11-01 10:00');
    const harness = new FoldHarness(defaultRules({ refundHorizonDays: 1, stateLatenessMs: day }));
    harness.tickTo(start);
    harness.fold([pay('o1', start + 1)]);
    harness.tickTo(start + 15 * day);
    harness.fold([follow(start + 15 * day)]);
    harness.tickTo(start + 20 * day);
    harness.fold([pay('o2', start + 20 * day)]);
    harness.tickTo(start + 21 * day);
    const end = instant('2024-11-22 10:00');
    const rows = harness.figures
      .takeWindowRows(true)
      .filter((row) => row.window === '30d' && row.end === end);
    expect(rows.map(({ channel, orders, buyers }) => [channel, orders, buyers]).sort()).toEqual([
      ['all', 2, 1],
      ['shop', 2, 1],
    ]);
  });
});
