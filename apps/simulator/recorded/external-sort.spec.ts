import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExternalSorter } from './external-sort.js';
import { compareRows, decodeRow, encodeRow, type RecordedRow } from './recorded-row.js';

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.string({ unit: fc.constantFrom('a', '\t', '\n', '\u0001', '[', '"', '\r'), maxLength: 4 }),
);
const amount = fc.nat();
const order = fc.record({
  kind: fc.constantFrom('PURCHASE' as const, 'REFUND' as const),
  person: fc.option(text),
  orderId: fc.option(text),
  amountMinor: amount,
  quantity: fc.option(fc.nat()),
});
const body = fc.oneof(
  order.map((value) => ({ order: value, canonical: null, subject: null })),
  text.map((value) => ({ order: null, canonical: JSON.stringify({ text: value }), subject: value })),
);
// Few instants and sources, so that ties are common.
const place = fc.record({ at: fc.nat(5), source: fc.nat(2) });
const rows = fc
  .array(fc.tuple(place, body), { maxLength: 60 })
  .map((all) => all.map(([at, what], index): RecordedRow => ({ ...at, row: index + 2, ...what })));

describe('ExternalSorter', () => {
  let root: string;
  let directory: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'sort-'));
    directory = join(root, 'runs');
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function sorter(
    runItemsMax: number,
    runWeightMax: number,
    fanInMax: number,
    memoryBytesMax = 0,
  ): ExternalSorter<RecordedRow> {
    return new ExternalSorter({
      directory,
      compare: compareRows,
      encode: encodeRow,
      decode: decodeRow,
      runItemsMax,
      runWeightMax,
      memoryBytesMax,
      fanInMax,
    });
  }

  it('sorts as memory does, whatever the runs', () => {
    const limits = fc.tuple(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 2, max: 4 }),
      // Some runs in memory, others on disk.
      fc.constantFrom(0, 50, 200, 10_000),
    );
    fc.assert(
      fc.property(rows, limits, (input, [items, weight, fanIn, memory]) => {
        const tested = sorter(items, weight, fanIn, memory);
        for (const row of input) tested.add(row, 1);
        tested.finish();
        expect([...tested.sorted()]).toEqual([...input].sort(compareRows));
        expect([...tested.sorted()]).toHaveLength(input.length);
        tested.dispose();
        expect(existsSync(directory)).toBe(false);
      }),
    );
  });

  it('leaves the disk alone when all fits', () => {
    const tested = sorter(10, 100, 4);
    for (const at of [3, 1, 2])
      tested.add({ at, source: 0, row: at, order: null, canonical: '{}', subject: null }, 1);
    tested.finish();
    expect(tested.spilled).toBe(false);
    expect(existsSync(directory)).toBe(false);
    expect([...tested.sorted()].map(({ at }) => at)).toEqual([1, 2, 3]);
  });

  it('keeps no more runs than it may read at once', () => {
    const tested = sorter(1, 100, 3);
    for (let at = 100; at > 0; at--)
      tested.add({ at, source: 0, row: at, order: null, canonical: '{}', subject: null }, 1);
    tested.finish();
    expect(readdirSync(directory).length).toBeLessThanOrEqual(3);
    expect([...tested.sorted()].map(({ at }) => at)).toEqual(
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
    tested.dispose();
  });

  it('keeps runs in memory while there is room for them', () => {
    const tested = sorter(2, 100, 10, 20);
    const row = { source: 0, order: null, canonical: '{}', subject: null };
    for (let at = 9; at > 0; at--) {
      tested.add({ ...row, at, row: at }, 1);
      if (at === 7) expect(tested.spilled).toBe(false);
    }
    tested.finish();
    expect(tested.spilled).toBe(true);
    expect([...tested.sorted()].map(({ at }) => at)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    tested.dispose();
  });

  it('may be left in the middle of a merge', () => {
    const tested = sorter(2, 100, 3);
    for (let at = 9; at > 0; at--)
      tested.add({ at, source: 0, row: at, order: null, canonical: '{}', subject: null }, 1);
    tested.finish();
    for (const row of tested.sorted()) if (row.at === 3) break;
    expect([...tested.sorted()]).toHaveLength(9);
    tested.dispose();
  });
});
